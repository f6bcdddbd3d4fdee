//! One figure that a server, a GPU or the machine told while a run went on: a row of `server_metrics.parquet`.

use std::borrow::Cow;
use std::collections::HashSet;
use std::sync::Arc;

use crate::foundation::clock::Micros;

/// A value of one time series at one time, as it was read.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ServerSample {
    /// On the run's clock: when the page was asked for.
    pub at_us: Micros,
    /// Who told: an endpoint without query and credentials, `gpu`, or `host`.
    pub source: Arc<str>,
    /// The metric's name: `vllm:num_requests_running`. Of `gpu`: `gpu_utilization` (0 to 1), `gpu_memory_used_bytes`,
    /// `gpu_memory_total_bytes`, `gpu_power_watts`. Of `host`: `cpu_utilization` (0 to 1, of all cores), `memory_used_bytes`,
    /// `memory_total_bytes`, `storage_read_bytes_total`, `storage_written_bytes_total`.
    pub name: Arc<str>,
    /// `{engine="0",model_name="tiny"}` with the labels sorted by name; empty without any.
    pub labels: Arc<str>,
    pub kind: SampleKind,
    /// NaN and the infinities are kept as they were told.
    pub value: f64,
}

impl ServerSample {
    /// The name under which it is recorded what a scenario says of a page's server: the label `role` is `prefill` or `decode`, the value 1.
    pub const ROLE: &str = "server_role";

    /// The value of one label.
    pub fn label(&self, name: &str) -> Option<Cow<'_, str>> {
        label(&self.labels, name)
    }
}

/// Equal texts once: the samples of a run say the same few hundred again and again.
#[derive(Debug, Default)]
pub struct TextInterner(HashSet<Arc<str>>);

/// How many texts are remembered: a server that invents labels for ever must not fill the memory.
const REMEMBERED: usize = 100_000;

impl TextInterner {
    pub fn of(&mut self, text: &str) -> Arc<str> {
        if let Some(known) = self.0.get(text) {
            return Arc::clone(known);
        }
        if self.0.len() == REMEMBERED {
            self.0.clear();
        }
        let new: Arc<str> = text.into();
        self.0.insert(Arc::clone(&new));
        new
    }
}

/// Labels as [`ServerSample::labels`] has them, of names and values that stand sorted.
pub fn labels_text<'a>(sorted: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
    let mut text = String::new();
    for (name, value) in sorted {
        text.push(if text.is_empty() { '{' } else { ',' });
        if is_bare(name) {
            text.push_str(name);
        } else {
            quote(&mut text, name);
        }
        text.push('=');
        quote(&mut text, value);
    }
    if !text.is_empty() {
        text.push('}');
    }
    text
}

/// A name that needs no quotes; others come from pages in UTF-8.
fn is_bare(name: &str) -> bool {
    !name.is_empty() && !name.starts_with(|c: char| c.is_ascii_digit()) && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

fn quote(text: &mut String, part: &str) {
    text.push('"');
    for c in part.chars() {
        match c {
            '\\' => text.push_str("\\\\"),
            '"' => text.push_str("\\\""),
            '\n' => text.push_str("\\n"),
            other => text.push(other),
        }
    }
    text.push('"');
}

/// The value of one label in labels as [`ServerSample::labels`] has them.
pub fn label<'a>(labels: &'a str, name: &str) -> Option<Cow<'a, str>> {
    let mut rest = labels.strip_prefix('{')?;
    loop {
        let (found, value) = match rest.strip_prefix('"') {
            Some(quoted) => {
                let end = closing_quote(quoted)?;
                (unescaped(&quoted[..end]), quoted[end + 1..].strip_prefix("=\"")?)
            }
            None => rest.split_once("=\"").map(|(bare, value)| (Cow::Borrowed(bare), value))?,
        };
        let end = closing_quote(value)?;
        if found == name {
            return Some(unescaped(&value[..end]));
        }
        rest = value[end + 1..].strip_prefix(',')?;
    }
}

/// Where the quote is that ends a value.
fn closing_quote(value: &str) -> Option<usize> {
    let mut escaped = false;
    value.bytes().position(|byte| {
        let ends = byte == b'"' && !escaped;
        escaped = byte == b'\\' && !escaped;
        ends
    })
}

fn unescaped(value: &str) -> Cow<'_, str> {
    if !value.contains('\\') {
        return Cow::Borrowed(value);
    }
    let mut plain = String::with_capacity(value.len());
    let mut characters = value.chars();
    while let Some(c) = characters.next() {
        plain.push(match c {
            '\\' => match characters.next() {
                Some('n') => '\n',
                Some(other) => other,
                None => '\\',
            },
            other => other,
        });
    }
    Cow::Owned(plain)
}

/// What a value means over time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum SampleKind {
    /// Only grows, and starts at 0 again where its server does; also the parts of histograms and summaries that are counted up.
    Counter,
    Gauge,
    /// The page does not say.
    #[default]
    Untyped,
}

impl SampleKind {
    pub fn name(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Untyped => "untyped",
        }
    }

    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Counter, Self::Gauge, Self::Untyped].into_iter().find(|kind| kind.name() == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_are_no_plain_words_are_quoted_and_found_again() {
        let labels = labels_text([("a", "1"), ("b=\"c", "x,y"), ("z.w\n", "q\"\\")]);
        assert_eq!(labels, r#"{a="1","b=\"c"="x,y","z.w\n"="q\"\\"}"#);
        let found = |name| label(&labels, name).map(Cow::into_owned);
        assert_eq!(["a", "b=\"c", "z.w\n"].map(found), ["1", "x,y", "q\"\\"].map(|value| Some(value.to_owned())));
        assert_eq!(found("c"), None);
    }

    #[test]
    fn a_label_is_found_by_its_whole_name_and_without_its_escapes() {
        let labels = r#"{a="x,y=\"z\"",model="a\\b\nc",source="local_compute"}"#;
        assert_eq!(label(labels, "source").as_deref(), Some("local_compute"));
        assert_eq!(label(labels, "a").as_deref(), Some(r#"x,y="z""#));
        assert_eq!(label(labels, "model").as_deref(), Some("a\\b\nc"));
        let pairs = [("a", "x,y=\"z\""), ("model", "a\\b\nc"), ("source", "local_compute")];
        assert_eq!(labels_text(pairs), labels);
        assert_eq!(labels_text([]), "");
        for missing in ["sourc", "y", "ource", ""] {
            assert_eq!(label(labels, missing), None, "{missing}");
        }
        for broken in ["", "{", "{a", "{a=\"x", "{}", "{a=\"x\\"] {
            assert_eq!(label(broken, "a"), None, "{broken}");
        }
    }

    #[test]
    fn kinds_are_read_back_by_their_names() {
        for kind in [SampleKind::Counter, SampleKind::Gauge, SampleKind::Untyped] {
            assert_eq!(SampleKind::from_name(kind.name()), Some(kind));
        }
        assert_eq!(SampleKind::from_name("histogram"), None);
    }
}
