//! Axes as they are saved: a JSON object by dotted path, `{"workload.concurrent": 4}`, in the scenario's order, so that jq and SQL find a value by its
//! name. Before version 1.7 they were pairs, `[["workload.concurrent", 4]]`, which are read as well.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

pub(super) fn serialize<V: Serialize, S: Serializer>(axes: &[(String, V)], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(axes.iter().map(|(path, value)| (path, value)))
}

pub(super) fn deserialize<'de, V: Deserialize<'de>, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<(String, V)>, D::Error> {
    deserializer.deserialize_any(AxisVisitor(PhantomData))
}

struct AxisVisitor<V>(PhantomData<V>);

impl<'de, V: Deserialize<'de>> Visitor<'de> for AxisVisitor<V> {
    type Value = Vec<(String, V)>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("axes by their dotted paths, or pairs of both")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut axes = Vec::new();
        while let Some(axis) = map.next_entry()? {
            axes.push(axis);
        }
        Ok(axes)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut pairs: A) -> Result<Self::Value, A::Error> {
        let mut axes = Vec::new();
        while let Some(axis) = pairs.next_element()? {
            axes.push(axis);
        }
        Ok(axes)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::records::record::PlannedRun;

    fn read(axes: &Value) -> Result<PlannedRun, serde_json::Error> {
        serde_json::from_value(json!({"id": "a", "variant": "v", "axes": axes, "repeat": 0}))
    }

    #[test]
    fn axes_are_an_object_in_the_order_of_the_scenario_and_pairs_are_read_as_well() {
        let run = read(&json!([["workload.qps", 0.5], ["engine.preset", "tiny"]])).unwrap();
        let text = serde_json::to_string(&run).unwrap();
        assert_eq!(text, r#"{"id":"a","variant":"v","axes":{"workload.qps":0.5,"engine.preset":"tiny"},"repeat":0}"#);
        assert_eq!(serde_json::from_str::<PlannedRun>(&text).unwrap(), run);
        assert_eq!((read(&json!({})).unwrap().axes, read(&json!([])).unwrap().axes), (Vec::new(), Vec::new()));
        let error = read(&json!("workload.qps")).unwrap_err().to_string();
        assert!(error.contains("expected axes by their dotted paths"), "{error}");
    }
}
