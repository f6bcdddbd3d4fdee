//! What the command line changes: `--set`, `--simulate`, `--url` and what else says whom to ask over the document and over every variant, `--only` over
//! the cells.
//!
//! A flag is a text like a file, so a fault in it is shown in the same way.

use super::diagnostic::{ScenarioDiagnostic, ScenarioError, listed};
use super::document::{ScenarioNode, ScenarioText, ScenarioValue};
use super::fields::{CellFieldSet, SECTIONS};
use super::matrix::not_an_axis;
use super::options::ScenarioOverrides;
use super::points::TypedAxis;
use super::range::ValueRange;
use super::read;
use super::redaction::starred;
use super::secret::EnvironmentSecret;
use super::sections;
use super::source::SourceSpan;
use crate::vocabulary::spec::search::SearchKind;
use crate::vocabulary::spec::server::ServerSpec;
use crate::vocabulary::spec::workload::WorkloadKind;

/// What stands for the value of a header.
const HIDDEN: &str = "***";

/// A change to a field of a cell; it holds for every variant.
#[derive(Debug, Clone)]
pub struct FieldOverride {
    pub path: Vec<String>,
    pub place: SourceSpan,
    pub node: ScenarioNode,
}

/// The flags as they are saved.
pub fn changes(options: &ScenarioOverrides) -> Vec<String> {
    let set = options.set.iter().map(|change| format!("--set {change}"));
    let only = options.only.iter().map(|filter| format!("--only {filter}"));
    let simulate = options.simulate.then(|| "--simulate".to_owned());
    let url = options.url.as_ref().map(|url| format!("--url {url}"));
    let model = options.model.as_ref().map(|model| format!("--model {model}"));
    let key = options.api_key_env.as_ref().map(|name| format!("--api-key-env {name}"));
    let headers = options.headers.pairs().map(|(name, _)| format!("--header {name}: {HIDDEN}"));
    let search = options.search.map(|kind| format!("--search {}", kind.name()));
    let target = url.into_iter().chain(model).chain(key).chain(headers);
    // They are saved and shown: what looks like a secret is not.
    set.chain(only).chain(simulate).chain(target).chain(search).map(|change| starred(&change)).collect()
}

/// Applies the flags that change fields. Those of cells come back as well: they are laid over every variant's patch, too.
pub fn apply(document: &mut ScenarioNode, options: &ScenarioOverrides, faults: &mut ScenarioError) -> Vec<FieldOverride> {
    let mut set: Vec<(String, ScenarioNode, SourceSpan)> = Vec::new();
    for text in &options.set {
        set.extend(split(text, faults));
    }
    if options.simulate {
        let place = faults.sources.add("--simulate", "--simulate");
        set.push(("target.kind".to_owned(), ScenarioNode::text("sim", place), place));
    }
    if let Some(url) = &options.url {
        let place = faults.sources.add("--url", url.clone());
        set.push(("target.kind".to_owned(), ScenarioNode::text("http", place), place));
        set.push(("target.url".to_owned(), ScenarioNode::text(url.clone(), place), place));
    }
    for (flag, field, value) in [("--model", "target.model", &options.model), ("--api-key-env", "target.api_key_env", &options.api_key_env)]
    {
        if let Some(value) = value {
            let place = faults.sources.add(flag, value.clone());
            set.push((field.to_owned(), ScenarioNode::text(value.clone(), place), place));
        }
    }
    if let Some(kind) = options.search {
        search(document, kind, faults.sources.add("--search", kind.name()));
    }
    // Which fields there are depends on the kind of workload, so that comes first.
    set.sort_by_key(|(name, ..)| name != "workload.kind");
    let mut changes = headers(document, options, faults);
    for change in &changes {
        document.set(&change.path, change.node.clone());
    }
    for (name, node, place) in set {
        let known = Some(sections::kind(document)).filter(|(_, fault)| fault.is_none()).map(|(kind, _)| kind);
        if let Some(change) = field(document, &name, node, place, known, faults) {
            document.set(&change.path, change.node.clone());
            changes.push(change);
        }
    }
    changes
}

/// The headers of the command line, each in place of one that the document has by that name. Their values are shown nowhere.
fn headers(document: &ScenarioNode, options: &ScenarioOverrides, faults: &mut ScenarioError) -> Vec<FieldOverride> {
    let mut changes = Vec::new();
    for (name, value) in options.headers.pairs() {
        let place = faults.sources.add("--header", format!("{name}: {HIDDEN}"));
        let fault = match value {
            None => Some("it holds no name, colon and value"),
            Some(_) if http::HeaderName::from_bytes(name.as_bytes()).is_err() => {
                Some("what stands before the colon is no name of a header")
            }
            Some(value) if http::HeaderValue::from_str(value).is_err() => Some("its value has a character that HTTP does not allow"),
            Some(_) => None,
        };
        if let Some(fault) = fault {
            let message = format!("`--header` names no header: {fault}");
            faults.push(ScenarioDiagnostic::at(place, message).hint("write `--header 'X-Tenant: blue'`"));
            continue;
        }
        let value = value.unwrap_or_default();
        let written = document.find(&["target", "headers"]).and_then(ScenarioNode::as_table);
        let same = written.and_then(|table| table.entries.iter().find(|entry| entry.key.eq_ignore_ascii_case(name)));
        let name = same.map_or_else(|| name.to_owned(), |entry| entry.key.clone());
        let text = ScenarioText { value: value.to_owned(), secret: Some(EnvironmentSecret::whole(value, HIDDEN)) };
        let node = ScenarioNode { value: ScenarioValue::Text(text), place };
        changes.push(FieldOverride { path: vec!["target".to_owned(), "headers".to_owned(), name], place, node });
    }
    changes
}

/// With `--url` a server that is there is used as it is: what says how one is started is left out. With `--api-key-env` nothing else says where the key
/// is.
pub fn use_as_it_is(sections: &mut ScenarioNode, options: &ScenarioOverrides) {
    if options.api_key_env.is_some() {
        for name in ["api_key_file", "api_key_command"] {
            sections.remove(&["target", name]);
        }
    }
    if options.url.is_some() {
        sections.remove(&["target", "urls"]);
        for name in ["command"].into_iter().chain(ServerSpec::OF_A_START) {
            sections.remove(&["server", name]);
        }
    }
}

fn split(text: &str, faults: &mut ScenarioError) -> Option<(String, ScenarioNode, SourceSpan)> {
    let whole = faults.sources.add("--set", text);
    match text.split_once('=') {
        Some((name, value)) if !name.trim().is_empty() => {
            let start = name.len() + 1;
            Some((name.trim().to_owned(), read::value(whole.at(start, text.len()), value), whole.at(0, name.len())))
        }
        _ => {
            faults.push(ScenarioDiagnostic::at(whole, format!("`{text}` sets nothing")).hint("write `--set workload.rounds=5`"));
            None
        }
    }
}

/// The change to a field of a cell; what changes the document beside the sections is done at once.
fn field(
    document: &mut ScenarioNode,
    name: &str,
    node: ScenarioNode,
    place: SourceSpan,
    kind: Option<WorkloadKind>,
    faults: &mut ScenarioError,
) -> Option<FieldOverride> {
    let path: Vec<String> = name.split('.').map(str::to_owned).collect();
    let known = [
        "name",
        "seed",
        "repeats",
        "compare_answers",
        "order",
        "spread",
        "search",
        "score",
        "max_error_rate",
        "on_cell_failure",
        "goals",
        "plots",
        "matrix",
        "variants",
    ];
    if known.contains(&path[0].as_str()) {
        if path[0] == "variants" && path.len() > 1 && document.find(&path[..2]).is_none() {
            faults.push(ScenarioDiagnostic::at(place, format!("there is no variant `{}`", path[1])));
        } else if path[0] == "search" && path.len() > 1 {
            as_table(document);
            document.set(&path, node);
        } else if path[0] == "matrix" && path.len() > 1 {
            set_axis(document, &path[1..].join("."), node, kind);
        } else {
            document.set(&path, node);
        }
        return None;
    }
    let kinds = kind.map_or_else(|| WorkloadKind::ALL.to_vec(), |kind| vec![kind]);
    let mut last = None;
    for kind in kinds {
        match CellFieldSet::of(kind).resolve(name) {
            Ok(path) => return Some(FieldOverride { path, place, node }),
            Err(unresolved) => last = Some(unresolved),
        }
    }
    if SECTIONS.contains(&name) {
        faults.push(
            ScenarioDiagnostic::at(place, format!("`{name}` is a whole section"))
                .hint(format!("set its fields: `--set {name}.field=value`")),
        );
    } else if let Some(unresolved) = last {
        faults.push(ScenarioDiagnostic::at(place, unresolved.message).maybe_hint(unresolved.hint));
    }
    None
}

/// Says how the matrix is gone through. What is said of a frontier alone means nothing to a grid.
fn search(document: &mut ScenarioNode, kind: SearchKind, place: SourceSpan) {
    as_table(document);
    if kind == SearchKind::Grid {
        for field in ["axes", "max_cells", "max_time", "resolution", "largest"] {
            document.remove(&["search", field]);
        }
    }
    document.set(&["search", "kind"], ScenarioNode::text(kind.name(), place));
}

/// `search = "frontier"` as the table that it stands for.
fn as_table(document: &mut ScenarioNode) {
    if let Some(kind) = document.find(&["search"]).filter(|search| search.as_text().is_some()).cloned() {
        document.set(&["search", "kind"], kind);
    }
}

/// Sets the values of an axis, whichever of its names the file uses for it.
fn set_axis(document: &mut ScenarioNode, name: &str, node: ScenarioNode, kind: Option<WorkloadKind>) {
    let resolve = |name: &str| kind.and_then(|kind| CellFieldSet::of(kind).resolve(name).ok());
    let meant = resolve(name);
    let written = document
        .find(&["matrix"])
        .and_then(ScenarioNode::as_table)
        .and_then(|matrix| matrix.entries.iter().find(|entry| meant.is_some() && resolve(&entry.key) == meant))
        .map(|entry| entry.key.clone());
    document.set(&["matrix", written.as_deref().unwrap_or(name)], node);
}

/// A field that is set and an axis at once would be two answers to one question.
pub fn refuse_axes(changes: &[FieldOverride], axes: &[super::matrix::AxisNode], faults: &mut ScenarioError) {
    for change in changes {
        for axis in axes.iter().filter(|axis| axis.path.starts_with(&change.path) || change.path.starts_with(&axis.path)) {
            let name = axis.path.last().map(String::as_str).unwrap_or_default();
            let fault = ScenarioDiagnostic::at(change.place, format!("`{}` is an axis of the matrix", axis.dotted()));
            faults.push(
                fault
                    .beside(axis.place, "here")
                    .hint(format!("`--only {name}=VALUE` keeps one of its values, `--set matrix.{name}=VALUE` replaces them")),
            );
        }
    }
}

/// What `--only` keeps.
#[derive(Debug, Clone)]
pub struct CellFilter {
    pub variants: Vec<bool>,
    /// For each axis, its values.
    pub values: Vec<Vec<bool>>,
}

impl CellFilter {
    /// Everything.
    pub fn all(variants: usize, axes: &[TypedAxis]) -> Self {
        Self { variants: vec![true; variants], values: axes.iter().map(|axis| vec![true; axis.values.len()]).collect() }
    }
}

/// Reads `--only`. `number` gives the number of an axis value from its text.
pub fn only(
    options: &ScenarioOverrides,
    variants: &[&str],
    axes: &[TypedAxis],
    kind: WorkloadKind,
    faults: &mut ScenarioError,
    mut number: impl FnMut(usize, &ScenarioNode) -> Option<usize>,
) -> CellFilter {
    let mut kept = CellFilter::all(variants.len(), axes);
    for text in &options.only {
        let whole = faults.sources.add("--only", text.clone());
        let Some((name, values)) = text.split_once('=') else {
            faults.push(
                ScenarioDiagnostic::at(whole, format!("`{text}` keeps nothing"))
                    .hint("write `--only concurrent=1,2` or `--only variant=NAME`"),
            );
            continue;
        };
        let places = value_places(whole, name.len() + 1, values);
        if name.trim() == "variant" {
            let wanted: Vec<&str> = places.iter().map(|(_, text)| *text).collect();
            for (place, text) in &places {
                if !variants.contains(text) {
                    faults.push(
                        ScenarioDiagnostic::at(*place, format!("there is no variant `{text}`"))
                            .hint(format!("there is {}", listed(variants))),
                    );
                }
            }
            for (name, kept) in variants.iter().zip(&mut kept.variants) {
                *kept &= wanted.contains(name);
            }
            continue;
        }
        let name_place = whole.at(0, name.len());
        let path = CellFieldSet::of(kind).resolve(name.trim());
        let Some(chosen) = path.as_ref().ok().and_then(|path| axes.iter().position(|axis| axis.path == *path)) else {
            let dotted: Vec<String> = axes.iter().map(TypedAxis::dotted).collect();
            faults.push(not_an_axis(name.trim(), name_place, &dotted));
            continue;
        };
        let mut wanted = Vec::new();
        for (place, text) in places {
            let nodes = match ValueRange::read(text) {
                Some(Ok(range)) if range.len() <= axes[chosen].values.len() as u64 * 1000 => {
                    range.values().map(|value| ScenarioNode { value, place }).collect()
                }
                _ => vec![read::value(place, text)],
            };
            let before = wanted.len();
            wanted.extend(nodes.iter().filter_map(|node| number(chosen, node)));
            if wanted.len() == before {
                faults.push(
                    ScenarioDiagnostic::at(place, format!("`{}` does not take `{text}`", axes[chosen].dotted()))
                        .maybe_hint(takes(&axes[chosen])),
                );
            }
        }
        for (value, kept) in kept.values[chosen].iter_mut().enumerate() {
            *kept &= wanted.contains(&value);
        }
    }
    kept
}

fn takes(axis: &TypedAxis) -> Option<String> {
    let values: Vec<String> = axis.values.iter().take(20).map(|value| value.node.shown()).collect();
    (axis.values.len() <= 20).then(|| format!("it takes {}", listed(&values).replace(" or ", " and ")))
}

/// The values between commas, each with its place.
fn value_places(whole: SourceSpan, start: usize, values: &str) -> Vec<(SourceSpan, &str)> {
    let mut offset = start;
    let mut found = Vec::new();
    for value in values.split(',') {
        found.push((whole.at(offset, offset + value.len()), value.trim()));
        offset += value.len() + 1;
    }
    found
}
