//! The blocks of a plan: what a cluster places on its nodes, each a sweep by itself.
//!
//! In: the runs, and what of them may be measured on different nodes. Out: for each block its number, its name and its runs. Must not know
//! clusters.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::Plan;
use super::id::{cleaned_id, short_name, value_text};
use super::run::Run;
use super::setting::machine_setting;
use crate::planning::scenario::SpreadKey;

/// Runs that are measured on one node, one after the other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SweepBlock {
    /// Its place among all blocks, from 0: the index of the cluster's array.
    pub number: usize,
    /// Its number and what its runs have in common: `02-vllm-tp4-r1`. Also the name of its folder.
    pub id: String,
    /// Its runs, by their places in the plan and in run order.
    pub runs: Vec<usize>,
}

/// Names of blocks become names of folders, and of jobs.
const LONGEST_NAME: usize = 60;

impl Plan {
    /// All runs in blocks, in the order of the matrix, whatever the order of the runs. What the scenario does not spread stays together.
    #[must_use]
    pub fn blocks(&self) -> Vec<SweepBlock> {
        let machines = if self.spread.contains(&SpreadKey::Cells) { self.machines() } else { BTreeMap::new() };
        let mut places: BTreeMap<String, usize> = BTreeMap::new();
        let mut blocks: Vec<Vec<usize>> = Vec::new();
        for (place, run) in self.runs.iter().enumerate() {
            let parts: Vec<Value> = self.spread.iter().map(|key| part(key, run, &machines)).collect();
            let block = *places.entry(json!(parts).to_string()).or_insert_with(|| {
                blocks.push(Vec::new());
                blocks.len() - 1
            });
            blocks[block].push(place);
        }
        blocks.sort_by_cached_key(|runs| runs.iter().filter_map(|place| self.runs.get(*place)).map(|run| self.matrix_place(run)).min());
        let digits = blocks.len().saturating_sub(1).to_string().len();
        let named = |(number, runs): (usize, Vec<usize>)| {
            let id = format!("{number:0digits$}-{}", self.in_common(&runs));
            SweepBlock { number, id: id.trim_end_matches('-').to_owned(), runs }
        };
        blocks.into_iter().enumerate().map(named).collect()
    }

    /// The plan of one block alone.
    #[must_use]
    pub fn of_block(&self, block: &SweepBlock) -> Self {
        let runs: Vec<Run> = block.runs.iter().filter_map(|place| self.runs.get(*place)).cloned().collect();
        let has = |name: &str, value: &Value| runs.iter().any(|run| run.axes.iter().any(|(axis, of)| axis == name && of == value));
        let mut axes = self.axes.clone();
        for (name, values) in &mut axes {
            values.retain(|value| has(name, value));
        }
        let variants = self.variants.iter().filter(|name| runs.iter().any(|run| run.variant == **name)).cloned().collect();
        Self { variants, axes, runs, block: Some(block.id.clone()), ..self.clone() }
    }

    /// Its variant's place, that of its value on each axis, and its repeat.
    fn matrix_place(&self, run: &Run) -> (Option<usize>, Vec<Option<usize>>, u32) {
        let along = |((_, values), (_, value)): (&(String, Vec<Value>), &(String, Value))| values.iter().position(|known| known == value);
        let variant = self.variants.iter().position(|name| *name == run.variant);
        (variant, self.axes.iter().zip(&run.axes).map(along).collect(), run.repeat)
    }

    /// What servers, of all variants, the cells with the same axis values need.
    fn machines(&self) -> BTreeMap<String, BTreeSet<String>> {
        let mut machines: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for run in self.runs.iter().filter(|run| run.repeat == 0) {
            machines.entry(cell_text(run)).or_default().insert(json!([run.variant, machine_setting(&run.cell)]).to_string());
        }
        machines
    }

    /// What all of these runs, and not all runs of the plan, have in common, as a name.
    fn in_common(&self, runs: &[usize]) -> String {
        let runs: Vec<&Run> = runs.iter().filter_map(|place| self.runs.get(*place)).collect();
        let Some(first) = runs.first() else { return String::new() };
        let mut parts = Vec::new();
        if self.variants.len() > 1 && runs.iter().all(|run| run.variant == first.variant) {
            parts.push(first.variant.clone());
        }
        for (number, (path, values)) in self.axes.iter().enumerate() {
            let value = |run: &Run| run.axes.get(number).map(|(_, value)| value.clone());
            if values.len() > 1 && runs.iter().all(|run| value(run) == value(first)) {
                parts.push(format!("{}{}", short_name(path), value(first).as_ref().map_or_else(String::new, value_text)));
            }
        }
        if self.repeats > 1 && runs.iter().all(|run| run.repeat == first.repeat) {
            parts.push(format!("r{}", first.repeat));
        }
        cleaned_id(&parts.join("-"), LONGEST_NAME)
    }
}

fn cell_text(run: &Run) -> String {
    json!(run.axes).to_string()
}

/// What a run's block is told by.
fn part(key: &SpreadKey, run: &Run, machines: &BTreeMap<String, BTreeSet<String>>) -> Value {
    match key {
        SpreadKey::Cells => json!(machines.get(&cell_text(run))),
        SpreadKey::Repeats => run.repeat.into(),
        SpreadKey::Variants => run.variant.as_str().into(),
        SpreadKey::Axis(path) => run.axes.iter().find(|(name, _)| name == path).map_or(Value::Null, |(_, value)| value.clone()),
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::planning::scenario::{ScenarioOverrides, load_text};

    const SCENARIO: &str = r#"
repeats = 2
workload = { kind = "requests", requests = 5 }
[target]
model = "m"
[matrix]
qps = [1, 2]
"server.args.tensor-parallel-size" = [1, 4]
[server]
command = ["vllm", "serve", "{model}"]
[variants.plain]
[variants.cached]
server.args.cache = true
"#;

    fn plan(changes: &[&str]) -> Plan {
        let set = changes.iter().map(|change| (*change).to_owned()).collect();
        let options = ScenarioOverrides { set, ..ScenarioOverrides::default() };
        Plan::new(&load_text(Path::new("test.toml"), SCENARIO, &options).unwrap_or_else(|faults| panic!("{faults}"))).unwrap()
    }

    fn names(plan: &Plan) -> Vec<String> {
        plan.blocks().into_iter().map(|block| block.id).collect()
    }

    #[test]
    fn what_is_compared_stays_together_and_cells_with_other_servers_are_apart() {
        let plan = plan(&[]);
        let blocks = plan.blocks();
        assert_eq!(names(&plan), ["0-tensor-parallel-size1", "1-tensor-parallel-size4"]);
        for block in &blocks {
            let variants: BTreeSet<&str> = block.runs.iter().map(|place| plan.runs[*place].variant.as_str()).collect();
            assert_eq!((variants.len(), block.runs.len()), (2, 8), "two variants, two rates, two repeats");
        }
    }

    #[test]
    fn repeats_variants_and_axes_are_apart_where_the_scenario_says_so() {
        assert_eq!(names(&plan(&["spread=repeats"])), ["0-r0", "1-r1"]);
        assert_eq!(names(&plan(&["spread=variants"])), ["0-plain", "1-cached"]);
        assert_eq!(names(&plan(&["spread=qps"])).len(), 2);
        let all = plan(&[r#"spread=["repeats", "cells", "variants", "qps"]"#]);
        assert_eq!(all.blocks().len(), 16);
        assert_eq!(names(&all)[0], "00-plain-qps1-tensor-parallel-size1-r0");
        assert_eq!(names(&all)[15], "15-cached-qps2-tensor-parallel-size4-r1");
    }

    #[test]
    fn every_run_is_in_one_block_and_a_block_alone_keeps_their_order() {
        for spread in ["spread=cells", "spread=repeats", "spread=variants", "spread=qps"] {
            let plan = plan(&[spread]);
            let mut all: Vec<usize> = plan.blocks().into_iter().flat_map(|block| block.runs).collect();
            all.sort_unstable();
            assert!(all.into_iter().eq(0..plan.runs.len()), "{spread}");
            let block = &plan.blocks()[1];
            let alone = plan.of_block(block);
            assert!(block.runs.windows(2).all(|pair| pair[0] < pair[1]));
            assert!(alone.runs.iter().eq(block.runs.iter().map(|place| &plan.runs[*place])));
            assert_eq!((alone.scenario_hash, alone.block.as_deref()), (plan.scenario_hash, Some(block.id.as_str())));
        }
    }

    #[test]
    fn the_blocks_of_a_simulated_sweep_are_those_of_the_real_one() {
        let options = ScenarioOverrides { simulate: true, ..ScenarioOverrides::default() };
        let simulated = Plan::new(&load_text(Path::new("test.toml"), SCENARIO, &options).unwrap()).unwrap();
        assert_eq!(names(&simulated), names(&plan(&[])));
    }

    #[test]
    fn what_cannot_be_spread_is_a_fault() {
        let faults = |text: &str, set: &str| {
            let options = ScenarioOverrides { set: vec![set.to_owned()], ..ScenarioOverrides::default() };
            load_text(Path::new("test.toml"), text, &options).unwrap_err().to_string()
        };
        assert!(faults(SCENARIO, "spread=[]").contains("`spread` names nothing"));
        assert!(faults(SCENARIO, "spread=nodes").contains("`nodes` is no axis"), "{}", faults(SCENARIO, "spread=nodes"));
        assert!(faults(SCENARIO, r#"spread=["qps", "qps"]"#).contains("`qps` is spread already"));
        let searched =
            format!("search = {{ kind = \"frontier\", axes = [\"qps\"] }}\n{SCENARIO}\n[[goals]]\nrequire = \"p95(ttft) <= 2s\"\n");
        assert!(faults(&searched, "spread=repeats").contains("by all of its repeats"));
        assert!(faults(&searched, "spread=qps").contains("the frontier goes along `qps`"));
    }
}
