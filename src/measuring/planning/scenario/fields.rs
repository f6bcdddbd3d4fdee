//! The fields that a cell has, by dotted path, taken from the schema: so every field of every future workload can be an axis, and no
//! list of names has to be kept.

use schemars::{JsonSchema, SchemaGenerator};
use serde_json::Value;

use super::diagnostic::{closest, listed};
use crate::vocabulary::spec::engine::EngineSpec;
use crate::vocabulary::spec::server::ServerSpec;
use crate::vocabulary::spec::target::TargetSpec;
use crate::vocabulary::spec::workload::{WorkloadKind, WorkloadKindVisitor, WorkloadSpec};

/// The sections that make a cell, in the order of a scenario.
pub const SECTIONS: [&str; 4] = ["workload", "target", "engine", "server"];

/// One field: its path, and whether any name may stand below it (headers, body).
#[derive(Debug, Clone, PartialEq, Eq)]
struct CellField {
    path: Vec<String>,
    open: bool,
}

/// All fields of a cell with one kind of workload.
#[derive(Debug, Clone)]
pub struct CellFieldSet {
    kind: WorkloadKind,
    all: Vec<CellField>,
}

/// Why a name is no field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldLookupError {
    pub message: String,
    pub hint: Option<String>,
}

/// Takes in the fields of a kind of workload.
struct WorkloadFieldCollector<'a>(&'a mut Vec<CellField>);

impl WorkloadKindVisitor for WorkloadFieldCollector<'_> {
    type Output = ();

    fn visit<T: JsonSchema>(self, _: fn(T) -> WorkloadSpec) {
        collect::<T>("workload", self.0);
    }
}

impl CellFieldSet {
    pub fn of(kind: WorkloadKind) -> Self {
        let mut all = vec![CellField { path: vec!["workload".to_owned(), "kind".to_owned()], open: false }];
        kind.visit(WorkloadFieldCollector(&mut all));
        collect::<TargetSpec>("target", &mut all);
        collect::<EngineSpec>("engine", &mut all);
        collect::<ServerSpec>("server", &mut all);
        Self { kind, all }
    }

    /// The path of a field from its dotted path, or from its name (or the end of its path) where only one field has it.
    pub fn resolve(&self, name: &str) -> Result<Vec<String>, FieldLookupError> {
        let parts: Vec<String> = name.split('.').map(str::to_owned).collect();
        let exact =
            |field: &&CellField| field.path == parts || (field.open && parts.len() > field.path.len() && parts.starts_with(&field.path));
        if self.all.iter().any(|field| exact(&field)) {
            return Ok(parts);
        }
        let candidates = self.ending_in(&parts);
        match candidates.as_slice() {
            [] => Err(self.unknown(name)),
            [only] => Ok(only.path.clone()),
            several => {
                let paths: Vec<String> = several.iter().map(|field| field.path.join(".")).collect();
                let message = format!("`{name}` is the name of {} fields", several.len());
                Err(FieldLookupError { message, hint: Some(format!("write {}", listed(&paths))) })
            }
        }
    }

    /// Whether a section has a field of this name directly in it.
    pub fn has(&self, section: &str, name: &str) -> bool {
        self.all.iter().any(|field| field.path == [section, name])
    }

    /// The path of every field.
    pub(super) fn paths(&self) -> impl Iterator<Item = &[String]> {
        self.all.iter().map(|field| field.path.as_slice())
    }

    fn ending_in(&self, parts: &[String]) -> Vec<&CellField> {
        self.all.iter().filter(|field| field.path.ends_with(parts)).collect()
    }

    fn unknown(&self, name: &str) -> FieldLookupError {
        let message = format!("`{name}` is no field of a cell with workload kind `{}`", self.kind.name());
        let parts: Vec<String> = name.split('.').map(str::to_owned).collect();
        let others = WorkloadKind::ALL.into_iter().filter(|kind| *kind != self.kind && !Self::of(*kind).ending_in(&parts).is_empty());
        let paths: Vec<String> = self.all.iter().map(|field| field.path.join(".")).collect();
        let last = |path: &'_ str| path.rsplit('.').next().unwrap_or_default().to_owned();
        let hint = if let Some(kinds) = kinds_in_words(others) {
            Some(format!("it belongs to {kinds}"))
        } else if name.contains('.') {
            closest(name, paths.iter().map(String::as_str)).map(|path| format!("did you mean `{path}`?"))
        } else {
            let names: Vec<String> = paths.iter().map(|path| last(path)).collect();
            closest(name, names.iter().map(String::as_str)).map(|name| format!("did you mean `{name}`?"))
        };
        FieldLookupError {
            message,
            hint: hint.or_else(|| Some("`bench schema` lists all fields; docs/scenario.md explains them".to_owned())),
        }
    }

    /// Where a field of this name stands, other than in `section`: a section, or the workload kind that has it.
    pub fn home_of(name: &str, section: &str, kind: Option<WorkloadKind>) -> Option<String> {
        let others = WorkloadKind::ALL.into_iter().filter(|other| Some(*other) != kind && Self::of(*other).has("workload", name));
        if let Some(kinds) = kinds_in_words(others).filter(|_| section == "workload") {
            return Some(format!("`{name}` belongs to {kinds}"));
        }
        for other in WorkloadKind::ALL {
            let fields = Self::of(other);
            if let Some(home) = SECTIONS.into_iter().find(|home| *home != section && fields.has(home, name)) {
                return Some(format!("`{name}` belongs to `[{home}]`"));
            }
        }
        None
    }
}

/// `workload kind `chat``, or `the workload kinds `chat` and `requests``; nothing of none.
fn kinds_in_words(kinds: impl Iterator<Item = WorkloadKind>) -> Option<String> {
    let quoted: Vec<String> = kinds.map(|kind| format!("`{}`", kind.name())).collect();
    match quoted.as_slice() {
        [] => None,
        [only] => Some(format!("workload kind {only}")),
        several => Some(format!("the workload kinds {}", several.join(" and "))),
    }
}

/// Walks the schema of `T` and notes every property, with those of tables within.
fn collect<T: JsonSchema>(section: &str, all: &mut Vec<CellField>) {
    let schema = SchemaGenerator::default().into_root_schema_for::<T>().to_value();
    let mut path = vec![section.to_owned()];
    walk(&schema, &schema, &mut path, all);
}

fn walk(root: &Value, schema: &Value, path: &mut Vec<String>, all: &mut Vec<CellField>) {
    if let Some(target) = schema.get("$ref").and_then(Value::as_str).and_then(|target| root.pointer(target.trim_start_matches('#'))) {
        walk(root, target, path, all);
    }
    for alternatives in ["anyOf", "oneOf", "allOf"] {
        for alternative in schema.get(alternatives).and_then(Value::as_array).into_iter().flatten() {
            walk(root, alternative, path, all);
        }
    }
    for (name, property) in schema.get("properties").and_then(Value::as_object).into_iter().flatten() {
        path.push(name.clone());
        if !all.iter().any(|field| field.path == *path) {
            all.push(CellField { path: path.clone(), open: is_open(property) });
            walk(root, property, path, all);
        }
        path.pop();
    }
}

fn is_open(property: &Value) -> bool {
    property.get("properties").is_none() && property.get("additionalProperties").is_some_and(|more| *more != Value::Bool(false))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_is_found_by_its_name_the_end_of_its_path_or_all_of_it() {
        let fields = CellFieldSet::of(WorkloadKind::DocumentQa);
        for name in ["concurrent", "workload.concurrent"] {
            assert_eq!(fields.resolve(name), Ok(vec!["workload".to_owned(), "concurrent".to_owned()]));
        }
        assert_eq!(fields.resolve("synthetic_tokens").unwrap().join("."), "workload.documents.synthetic_tokens");
        assert_eq!(fields.resolve("host_tier.capacity").unwrap().join("."), "engine.host_tier.capacity");
        assert_eq!(fields.resolve("target.body.temperature").unwrap().join("."), "target.body.temperature");
        assert_eq!(fields.resolve("target.headers.x-tenant").unwrap().join("."), "target.headers.x-tenant");
    }

    #[test]
    fn what_names_no_field_or_several_is_told_with_a_way_out() {
        let fields = CellFieldSet::of(WorkloadKind::DocumentQa);
        let unresolved = |name: &str| fields.resolve(name).unwrap_err().hint.unwrap();
        assert_eq!(unresolved("concurent"), "did you mean `concurrent`?");
        assert_eq!(unresolved("workload.concurent"), "did you mean `workload.concurrent`?");
        assert_eq!(unresolved("qps"), "it belongs to the workload kinds `chat` and `requests`");
        assert_eq!(unresolved("users"), "it belongs to workload kind `chat`");
        assert_eq!(unresolved("context_limit"), "write `target.context_limit` or `engine.context_limit`");
        assert_eq!(CellFieldSet::home_of("url", "workload", Some(WorkloadKind::Chat)).as_deref(), Some("`url` belongs to `[target]`"));
    }
}
