//! The cell of a run as its header saved it: every field of what was asked, defaults applied. The one place that knows where in it the facts stand
//! that comparisons, nights and files go by; what judges must know of a run's work is typed in [`RunWork`](super::RunWork).

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What people are told of where prompts went; the rest of the section says how.
const SHOWN_OF_THE_TARGET: [&str; 3] = ["model", "url", "api"];

/// A saved cell: `workload`, `target`, `engine` and `server`, each with all its fields. No secrets.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SavedCellSpec(Value);

/// A field in which two cells differ.
#[derive(Debug, Clone, PartialEq)]
pub struct CellFieldDifference {
    /// By its dotted path: `workload.rounds`.
    pub path: String,
    /// `None` where that cell lacks the field.
    pub base: Option<Value>,
    /// `None` where that cell lacks the field.
    pub new: Option<Value>,
}

impl From<Value> for SavedCellSpec {
    fn from(cell: Value) -> Self {
        Self(cell)
    }
}

impl SavedCellSpec {
    /// The value at the dotted path of an axis.
    #[must_use]
    pub fn axis_value(&self, axis: &str) -> Option<&Value> {
        axis.split('.').try_fold(&self.0, |value, part| value.get(part))
    }

    /// What was asked of the server, leaf by leaf with dotted paths: the whole workload, and the model.
    #[must_use]
    pub fn work_leaves(&self) -> Vec<(String, &Value)> {
        let mut leaves = Vec::new();
        for part in ["workload", "target.model"] {
            collect(self.axis_value(part), part, &mut leaves);
        }
        leaves
    }

    /// In which fields another cell asks for other work: those of the workload, and the model.
    #[must_use]
    pub fn work_differences(&self, new: &Self) -> Vec<CellFieldDifference> {
        self.differences(new, &["workload", "target.model"])
    }

    /// In which fields the servers of another cell are set up otherwise; the model is work.
    #[must_use]
    pub fn server_differences(&self, new: &Self) -> Vec<CellFieldDifference> {
        let mut found = self.differences(new, &["target", "engine", "server"]);
        found.retain(|difference| difference.path != "target.model");
        found
    }

    /// The fields that say to people what was run, by their names alone: model, address and API, then the whole workload.
    pub fn configuration(&self) -> impl Iterator<Item = (&str, &Value)> {
        let section = |name: &str| self.0.get(name).and_then(Value::as_object).into_iter().flatten();
        let target = section("target").filter(|(name, _)| SHOWN_OF_THE_TARGET.contains(&name.as_str()));
        target.chain(section("workload")).map(|(name, value)| (name.as_str(), value))
    }

    /// The value at a JSON pointer, for the typed views of this room.
    pub(super) fn pointer(&self, pointer: &str) -> Option<&Value> {
        self.0.pointer(pointer)
    }

    fn differences(&self, new: &Self, parts: &[&str]) -> Vec<CellFieldDifference> {
        let mut found = Vec::new();
        for part in parts {
            differ(part, self.axis_value(part), new.axis_value(part), &mut found);
        }
        found
    }
}

/// The leaves of a value by dotted path.
fn collect<'a>(value: Option<&'a Value>, path: &str, into: &mut Vec<(String, &'a Value)>) {
    match value {
        Some(Value::Object(fields)) => fields.iter().for_each(|(name, value)| collect(Some(value), &format!("{path}.{name}"), into)),
        Some(leaf) => into.push((path.to_owned(), leaf)),
        None => {}
    }
}

/// The leaves in which two documents differ, by dotted path.
fn differ(path: &str, base: Option<&Value>, new: Option<&Value>, found: &mut Vec<CellFieldDifference>) {
    if base == new {
        return;
    }
    if let (Some(Value::Object(left)), Some(Value::Object(right))) = (base, new) {
        for name in left.keys().chain(right.keys().filter(|name| !left.contains_key(*name))) {
            differ(&format!("{path}.{name}"), left.get(name), right.get(name), found);
        }
        return;
    }
    found.push(CellFieldDifference { path: path.to_owned(), base: base.cloned(), new: new.cloned() });
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn cell(rounds: u32, model: &str, args: &Value) -> SavedCellSpec {
        let target = json!({"model": model, "url": "http://a", "api": "chat", "idle_timeout": 60.0});
        json!({"workload": {"kind": "chat", "rounds": rounds}, "target": target, "server": {"args": args}}).into()
    }

    #[test]
    fn work_is_the_workload_and_the_model_and_the_rest_is_the_server() {
        let (base, new) = (cell(3, "a", &json!({"x": 1})), cell(4, "b", &json!({"y": 2})));
        let paths = |found: &[CellFieldDifference]| found.iter().map(|one| one.path.clone()).collect::<Vec<_>>();
        let work = base.work_differences(&new);
        assert_eq!(paths(&work), ["workload.rounds", "target.model"]);
        assert_eq!((work[0].base.clone(), work[0].new.clone()), (Some(json!(3)), Some(json!(4))));
        let servers = base.server_differences(&new);
        assert_eq!(paths(&servers), ["server.args.x", "server.args.y"]);
        assert_eq!((servers[0].new.clone(), servers[1].base.clone()), (None, None));
        assert_eq!((base.work_differences(&base), base.server_differences(&base)), (Vec::new(), Vec::new()));
        let leaves: Vec<String> = base.work_leaves().into_iter().map(|(path, _)| path).collect();
        assert_eq!(leaves, ["workload.kind", "workload.rounds", "target.model"]);
    }

    #[test]
    fn an_axis_is_found_by_its_path_and_people_are_told_where_prompts_went() {
        let cell = cell(3, "a", &json!({"x": 1}));
        assert_eq!((cell.axis_value("server.args.x"), cell.axis_value("workload.qps")), (Some(&json!(1)), None));
        let told: Vec<&str> = cell.configuration().map(|(name, _)| name).collect();
        assert_eq!(told, ["model", "url", "api", "kind", "rounds"]);
    }
}
