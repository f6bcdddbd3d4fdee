//! What is wrong with a scenario: all of it at once, each fault with its place in the text and a hint, in rustc's layout.

use std::collections::HashSet;

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};
use serde_json::json;

use super::secret;
use super::source::{SourceMap, SourceSpan};
use crate::foundation::sentence::sentence;

/// One fault. Messages are lower case without a final period and name what was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScenarioDiagnostic {
    pub message: String,
    /// Missing where there is no text to point at.
    pub place: Option<SourceSpan>,
    /// A second place that belongs to it, with a word on why.
    pub beside: Option<(SourceSpan, &'static str)>,
    /// What to write instead.
    pub hint: Option<String>,
}

impl ScenarioDiagnostic {
    pub fn at(place: SourceSpan, message: impl Into<String>) -> Self {
        Self { message: told(message), place: Some(place), beside: None, hint: None }
    }

    pub fn nowhere(message: impl Into<String>) -> Self {
        Self { message: told(message), place: None, beside: None, hint: None }
    }

    #[must_use]
    pub fn hint(self, hint: impl Into<String>) -> Self {
        Self { hint: Some(told(hint)), ..self }
    }

    #[must_use]
    pub fn maybe_hint(self, hint: Option<String>) -> Self {
        Self { hint: hint.map(told), ..self }
    }

    #[must_use]
    pub fn beside(self, place: SourceSpan, why: &'static str) -> Self {
        Self { beside: Some((place, why)), ..self }
    }
}

/// What was found in a text stands in the message, whatever it is.
fn told(text: impl Into<String>) -> String {
    sentence(&text.into()).into_owned()
}

/// The faults of one or several scenarios, with the texts they are about.
#[derive(Debug, Clone, Default)]
pub struct ScenarioError {
    pub(super) sources: SourceMap,
    found: Vec<ScenarioDiagnostic>,
    /// What has been said and where; without a message, that anything has been said there.
    said: HashSet<(Option<SourceSpan>, Option<String>)>,
    /// Values from the environment, with what stands for each: no message shows them.
    masked: Vec<(String, String)>,
}

impl ScenarioError {
    /// From now on no message shows this value from the environment; `written` stands for it.
    pub(super) fn mask(&mut self, value: &str, written: &str) {
        if value.chars().count() >= secret::LEAST {
            self.masked.push((value.to_owned(), written.to_owned()));
        }
    }

    /// Notes a fault; the same one at the same place counts once.
    pub fn push(&mut self, mut fault: ScenarioDiagnostic) {
        for (value, written) in &self.masked {
            fault.message = fault.message.replace(value, written);
            fault.hint = fault.hint.map(|hint| hint.replace(value, written));
        }
        if self.said.insert((fault.place, Some(fault.message.clone()))) {
            self.said.insert((fault.place, None));
            self.found.push(fault);
        }
    }

    /// Notes a fault unless there is one at its place already.
    pub fn push_first(&mut self, fault: ScenarioDiagnostic) {
        if fault.place.is_none() || !self.said.contains(&(fault.place, None)) {
            self.push(fault);
        }
    }

    pub fn len(&self) -> usize {
        self.found.len()
    }

    pub fn is_empty(&self) -> bool {
        self.found.is_empty()
    }

    /// The faults in the order of their places.
    pub fn iter(&self) -> impl Iterator<Item = &ScenarioDiagnostic> {
        let mut sorted: Vec<&ScenarioDiagnostic> = self.found.iter().collect();
        sorted.sort_by_key(|fault| fault.place);
        sorted.into_iter()
    }

    /// Faults as people read them: file, line, column, the line underlined, and a hint.
    pub fn render(&self, style: DiagnosticStyle) -> String {
        let renderer = match style {
            DiagnosticStyle::Plain => Renderer::plain(),
            DiagnosticStyle::Coloured => Renderer::styled(),
        };
        let texts: Vec<String> = self.iter().map(|fault| renderer.render(&[self.group(fault)])).collect();
        texts.join("\n\n")
    }

    fn group<'a>(&'a self, fault: &'a ScenarioDiagnostic) -> Group<'a> {
        let title = Level::ERROR.primary_title(fault.message.as_str());
        let mut group = match fault.place {
            None => Group::with_title(title),
            Some(place) => {
                let source = self.sources.get(place);
                let snippet = |place: SourceSpan, kind: AnnotationKind| kind.span(place.start as usize..place.end as usize);
                let mut shown =
                    Snippet::source(source.shown.as_str()).path(source.name.as_str()).annotation(snippet(place, AnnotationKind::Primary));
                let mut other = None;
                if let Some((second, why)) = fault.beside {
                    if second.same_source(place) {
                        shown = shown.annotation(snippet(second, AnnotationKind::Context).label(why));
                    } else {
                        let source = self.sources.get(second);
                        other = Some(
                            Snippet::source(source.shown.as_str())
                                .path(source.name.as_str())
                                .annotation(snippet(second, AnnotationKind::Context).label(why)),
                        );
                    }
                }
                let group = title.element(shown);
                if let Some(other) = other { group.element(other) } else { group }
            }
        };
        if let Some(hint) = &fault.hint {
            group = group.element(Level::HELP.with_name("hint").message(hint.as_str()));
        }
        group
    }

    /// Faults as programs read them.
    pub fn json(&self) -> serde_json::Value {
        self.iter()
            .map(|fault| {
                let mut object = json!({ "message": fault.message });
                if let Some(place) = fault.place {
                    let source = self.sources.get(place);
                    let (line, column) = line_and_column(&source.text, place.start as usize);
                    object["file"] = source.name.as_str().into();
                    object["line"] = line.into();
                    object["column"] = column.into();
                    object["start"] = place.start.into();
                    object["end"] = place.end.into();
                }
                if let Some(hint) = &fault.hint {
                    object["hint"] = hint.as_str().into();
                }
                object
            })
            .collect()
    }
}

impl IntoIterator for ScenarioError {
    type Item = ScenarioDiagnostic;
    type IntoIter = std::vec::IntoIter<ScenarioDiagnostic>;
    fn into_iter(self) -> Self::IntoIter {
        self.found.into_iter()
    }
}

impl From<ScenarioDiagnostic> for ScenarioError {
    fn from(fault: ScenarioDiagnostic) -> Self {
        let mut faults = Self::default();
        faults.push(fault);
        faults
    }
}

/// As seen where a caller has no terminal to ask: without colours.
impl std::fmt::Display for ScenarioError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.render(DiagnosticStyle::Plain))
    }
}

impl std::error::Error for ScenarioError {}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DiagnosticStyle {
    Plain,
    Coloured,
}

/// From 1, columns in characters.
fn line_and_column(text: &str, offset: usize) -> (usize, usize) {
    let before = text.get(..offset).unwrap_or(text);
    let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
    (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1)
}

/// `did you mean`, where one of the candidates is close.
pub fn did_you_mean<'a>(found: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<String> {
    closest(found, candidates).map(|name| format!("did you mean `{name}`?"))
}

/// The candidate that is most like `found`, if any is like it at all.
pub fn closest<'a>(found: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let found = found.to_lowercase();
    candidates
        .into_iter()
        .map(|name| (strsim::jaro_winkler(&found, &name.to_lowercase()), name))
        .filter(|(likeness, _)| *likeness > 0.8)
        .max_by(|(one, _), (other, _)| one.total_cmp(other))
        .map(|(_, name)| name)
}

/// `` `a`, `b` or `c` ``.
pub fn listed<S: AsRef<str>>(names: &[S]) -> String {
    let quoted: Vec<String> = names.iter().map(|name| format!("`{}`", name.as_ref())).collect();
    match quoted.split_last() {
        None => String::new(),
        Some((only, [])) => only.clone(),
        Some((last, rest)) => format!("{} or {last}", rest.join(", ")),
    }
}
