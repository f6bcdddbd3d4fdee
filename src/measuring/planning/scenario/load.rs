//! From files and flags to checked scenarios: reads, merges, expands, types and checks, and gives all faults or none.

use std::path::Path;

use super::base;
use super::cell::CellSpec;
use super::cells::{self, ScenarioDraft, ScenarioVariant};
use super::diagnostic::{ScenarioDiagnostic, ScenarioError, listed};
use super::document::{ScenarioNode, ScenarioTable, ScenarioValue};
use super::environment::{self, Lookup};
use super::explain::SectionContext;
use super::fields::{CellFieldSet, SECTIONS};
use super::files::files;
use super::flags::{self, CellFilter, FieldOverride};
use super::frontier::{self, FrontierContext};
use super::goals::{self, ScenarioAxes};
use super::matrix::{self, Matrix, OpenAxisBounds};
use super::meant::{MatrixAxis, MatrixCell, Scenario, ScenarioOrigin};
use super::options::ScenarioOverrides;
use super::points::{self, AxisValue, Point, TypedAxis};
use super::rules::{FileLookupCache, RuleContext};
use super::sections;
use super::spread;
use super::typed;
use crate::vocabulary::spec::failure_policy::FailurePolicy;
use crate::vocabulary::spec::scenario::ScenarioSpec;
use crate::vocabulary::spec::search::{SearchKind, SearchSpec};
use crate::vocabulary::spec::workload::WorkloadKind;

/// Reads the scenarios in the files that fit the patterns; all faults of all files together.
pub fn load(patterns: &[String], options: &ScenarioOverrides) -> Result<Vec<Scenario>, ScenarioError> {
    let mut faults = ScenarioError::default();
    let scenarios: Vec<Option<Scenario>> =
        files(patterns)?.iter().map(|path| from_file(path, options, &environment, &mut faults)).collect();
    if faults.is_empty() { Ok(scenarios.into_iter().flatten().collect()) } else { Err(faults) }
}

/// Reads one scenario's file.
pub fn load_file(path: &Path, options: &ScenarioOverrides) -> Result<Scenario, ScenarioError> {
    finish(|faults| from_file(path, options, &environment, faults))
}

/// Reads a scenario from a text; the path gives it its name and its notation and need not exist.
pub fn load_text(path: &Path, text: &str, options: &ScenarioOverrides) -> Result<Scenario, ScenarioError> {
    load_text_with(path, text, options, &environment)
}

/// The same with an environment of the caller's.
pub fn load_text_with(path: &Path, text: &str, options: &ScenarioOverrides, lookup: Lookup<'_>) -> Result<Scenario, ScenarioError> {
    finish(|faults| {
        let document = base::read_source(path, text, faults)?;
        ScenarioLoader { path, text, options, lookup, faults }.scenario(document)
    })
}

fn environment(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

fn finish(load: impl FnOnce(&mut ScenarioError) -> Option<Scenario>) -> Result<Scenario, ScenarioError> {
    let mut faults = ScenarioError::default();
    let scenario = load(&mut faults);
    match scenario {
        Some(scenario) if faults.is_empty() => Ok(scenario),
        _ => Err(faults),
    }
}

fn from_file(path: &Path, options: &ScenarioOverrides, lookup: Lookup<'_>, faults: &mut ScenarioError) -> Option<Scenario> {
    let (document, text) = base::read_file(path, faults)?;
    ScenarioLoader { path, text: &text, options, lookup, faults }.scenario(document)
}

struct ScenarioLoader<'a> {
    path: &'a Path,
    text: &'a str,
    options: &'a ScenarioOverrides,
    lookup: Lookup<'a>,
    faults: &'a mut ScenarioError,
}

impl ScenarioLoader<'_> {
    /// Every step goes on with what the one before could make out, so that all faults come at once.
    fn scenario(&mut self, mut document: ScenarioNode) -> Option<Scenario> {
        self.refuse_nothing(&mut document);
        let changes = flags::apply(&mut document, self.options, self.faults);
        let reading = typed::read::<ScenarioSpec>(&document, None);
        let written = sections::told(reading, &document, SectionContext { section: "", kind: None }, self.faults, &mut Vec::new())?;
        self.expand(&mut document);
        let name = self.name(&written, &document);
        self.repeats(&written, &document);
        let policy = self.policy(&written, &document);
        let mut variants = self.variants(&document, &changes);
        let matrix = self.matrix(&document, &variants, &written);
        flags::refuse_axes(&changes, &matrix.axes, self.faults);
        let mut axes = cells::typed_axes(&matrix, &mut variants, self.faults);
        let goals = goals::goals(&written.goals, &document, self.faults);
        let kind = sections::kind(&variants.first()?.document).0;
        let known = ScenarioAxes { known: &axes, kind, partial: matrix.partial };
        let plots = goals::plots(&written.plots, &document, &known, self.faults);
        let beside =
            FrontierContext { document: &document, matrix: &matrix, axes: &known, written_goals: written.goals.len(), goals: &goals };
        let search = frontier::checked(&written.search, &beside, self.faults);
        let spread = spread::checked(&written.spread, &document, &known, &search, self.faults);
        let score = written.score.as_ref().and_then(|name| goals::scored_axis(name, &document, &known, self.faults));
        let points = self.points(&matrix, &mut axes, &variants);
        let (kept, points) = self.only(&variants, &axes, points, kind)?;
        let variants: Vec<ScenarioVariant> =
            variants.into_iter().zip(&kept.variants).filter(|(_, kept)| **kept).map(|(variant, _)| variant).collect();
        let cells = self.cells(&variants, &axes, &points, written.compare_answers);
        goals::scopes(&goals, &cells, &document, self.faults);
        Some(Scenario {
            name,
            seed: written.seed,
            repeats: written.repeats,
            compare_answers: written.compare_answers,
            order: written.order,
            spread,
            search,
            score,
            policy,
            cells,
            variants: variants.into_iter().map(|variant| variant.name).collect(),
            axes: axes.iter().enumerate().map(|(number, axis)| used_axis(number, axis, &points)).collect(),
            goals,
            plots,
            origin: ScenarioOrigin { path: self.path.to_owned(), text: self.text.to_owned(), changes: flags::changes(self.options) },
        })
    }

    fn cells(&mut self, variants: &[ScenarioVariant], axes: &[TypedAxis], points: &[Point], compare_answers: bool) -> Vec<MatrixCell> {
        let mut rules = RuleContext { lookup: self.lookup, disk: FileLookupCache::default() };
        let mut placed = Vec::new();
        for (number, variant) in variants.iter().enumerate() {
            let look = |document: &ScenarioNode, cell: &CellSpec, faults: &mut ScenarioError| rules.check(document, cell, faults);
            placed.extend(cells::of_variant(number, variant, axes, points, compare_answers, self.faults, look));
        }
        placed
    }

    /// TOML cannot say it and YAML says it by accident: a field without a value.
    fn refuse_nothing(&mut self, node: &mut ScenarioNode) {
        match &mut node.value {
            ScenarioValue::Table(table) => {
                for entry in &mut table.entries {
                    if entry.node.value == ScenarioValue::Null {
                        let fault = ScenarioDiagnostic::at(entry.key_place, format!("`{}` has no value", entry.key));
                        self.faults.push(fault.hint("give it one, or leave the line out for its default"));
                    }
                    self.refuse_nothing(&mut entry.node);
                }
                table.entries.retain(|entry| entry.node.value != ScenarioValue::Null);
            }
            ScenarioValue::List(items) => {
                for item in &mut *items {
                    if item.value == ScenarioValue::Null {
                        self.faults.push(ScenarioDiagnostic::at(item.place, "an item of a list has no value"));
                    }
                    self.refuse_nothing(item);
                }
                items.retain(|item| item.value != ScenarioValue::Null);
            }
            _ => {}
        }
    }

    /// Puts the environment into what makes cells, and refuses it elsewhere.
    fn expand(&mut self, document: &mut ScenarioNode) {
        let ScenarioValue::Table(table) = &mut document.value else { return };
        for entry in &mut table.entries {
            if SECTIONS.contains(&entry.key.as_str()) || ["variants", "matrix"].contains(&entry.key.as_str()) {
                environment::expand(&mut entry.node, self.lookup, self.faults);
            } else {
                environment::refuse(&entry.node, &entry.key, self.faults);
            }
        }
    }

    /// The sections of the document, once for each variant, with its patch and then the command line's changes over them.
    fn variants(&mut self, document: &ScenarioNode, changes: &[FieldOverride]) -> Vec<ScenarioVariant> {
        let mut sections = ScenarioTable::default();
        for entry in document.as_table().map(|table| &table.entries).into_iter().flatten() {
            if SECTIONS.contains(&entry.key.as_str()) {
                sections.entries.push(entry.clone());
            }
        }
        let mut sections = ScenarioNode { value: ScenarioValue::Table(sections), place: document.place };
        flags::use_as_it_is(&mut sections, self.options);
        let plain = ScenarioVariant { name: "default".to_owned(), document: sections };
        let patches = match document.find(&["variants"]) {
            None => return vec![plain],
            Some(node) => match node.as_table() {
                Some(patches) if !patches.entries.is_empty() => patches,
                _ => {
                    let fault = ScenarioDiagnostic::at(node.place, "`variants` holds no variant");
                    self.faults.push(fault.hint("write `[variants.NAME.target]` with what differs, or leave it out"));
                    return vec![plain];
                }
            },
        };
        let mut variants = Vec::new();
        for entry in &patches.entries {
            if !is_usable_name(&entry.key) {
                self.faults
                    .push(ScenarioDiagnostic::at(entry.key_place, format!("`{}` cannot name a variant", entry.key)).hint(USABLE_NAMES));
            }
            let mut variant = ScenarioVariant { name: entry.key.clone(), ..plain.clone() };
            self.patch(&mut variant.document, &entry.key, &entry.node);
            for change in changes {
                variant.document.set(&change.path, self.expanded(change));
            }
            flags::use_as_it_is(&mut variant.document, self.options);
            variants.push(variant);
        }
        variants
    }

    fn expanded(&mut self, change: &FieldOverride) -> ScenarioNode {
        let mut node = change.node.clone();
        environment::expand(&mut node, self.lookup, self.faults);
        node
    }

    fn patch(&mut self, document: &mut ScenarioNode, name: &str, patch: &ScenarioNode) {
        let Some(table) = patch.as_table() else {
            let fault = ScenarioDiagnostic::at(patch.place, format!("the variant `{name}` is a patch, not {}", patch.kind()));
            self.faults.push(fault.hint(format!("write `[variants.{name}.target]` with what differs")));
            return;
        };
        let mut allowed = table.clone();
        for entry in &table.entries {
            if !SECTIONS.contains(&entry.key.as_str()) {
                let home =
                    SECTIONS.iter().find(|section| WorkloadKind::ALL.iter().any(|kind| CellFieldSet::of(*kind).has(section, &entry.key)));
                let of_all = "the rest of a scenario is the same for all variants".to_owned();
                let hint = home.map_or(of_all, |section| format!("write `[variants.{name}.{section}]` above `{}`", entry.key));
                let message = format!("a variant changes {}, not `{}`", listed(&SECTIONS).replace(" or ", " and "), entry.key);
                self.faults.push(ScenarioDiagnostic::at(entry.key_place, message).hint(hint));
                allowed.remove(&entry.key);
            }
        }
        if let ScenarioValue::Table(mine) = &mut document.value {
            mine.merge(allowed);
        }
    }

    fn matrix(&mut self, document: &ScenarioNode, variants: &[ScenarioVariant], written: &ScenarioSpec) -> Matrix {
        let Some(section) = document.find(&["matrix"]) else {
            return Matrix::default();
        };
        let mut kinds: Vec<WorkloadKind> = variants.iter().map(|variant| sections::kind(&variant.document).0).collect();
        kinds.sort_unstable();
        kinds.dedup();
        let fields: Vec<CellFieldSet> = kinds.into_iter().map(CellFieldSet::of).collect();
        let times = variants.len() as u128 * u128::from(written.repeats);
        let SearchSpec { kind, resolution, largest, .. } = written.search;
        let usable = |number: Option<f64>| number.filter(|number| number.is_finite() && *number > 0.0);
        let openness = OpenAxisBounds { resolution: usable(resolution), largest: usable(largest) };
        matrix::read(section, &fields, times, (kind == SearchKind::Frontier).then_some(openness), self.faults)
    }

    fn name(&mut self, written: &ScenarioSpec, document: &ScenarioNode) -> String {
        let stem = self.path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
        let name = written.name.as_deref().unwrap_or(stem);
        if is_usable_name(name) {
            return name.to_owned();
        }
        let fault = match document.find(&["name"]) {
            Some(node) => {
                ScenarioDiagnostic::at(node.place, format!("`{}` cannot name a scenario, since folders are named after it", node.shown()))
            }
            None => {
                ScenarioDiagnostic::at(document.place, format!("the file's name, `{stem}`, cannot name the scenario: give it a `name`"))
            }
        };
        self.faults.push(fault.hint(USABLE_NAMES));
        name.to_owned()
    }

    fn repeats(&mut self, written: &ScenarioSpec, document: &ScenarioNode) {
        if written.repeats == 0 {
            self.faults.push(ScenarioDiagnostic::at(document.nearest(&["repeats"]).place, "`repeats` is 1 or more, not 0"));
        }
    }

    fn policy(&mut self, written: &ScenarioSpec, document: &ScenarioNode) -> FailurePolicy {
        if let Some(rate) = written.max_error_rate.filter(|rate| !(0.0..=1.0).contains(rate)) {
            let place = document.nearest(&["max_error_rate"]).place;
            let fault = ScenarioDiagnostic::at(place, format!("`max_error_rate` is a share from 0 to 1, not {rate}"));
            self.faults.push(fault.maybe_hint((rate > 1.0 && rate <= 100.0).then(|| format!("for {rate} % write {}", rate / 100.0))));
        }
        FailurePolicy { max_error_rate: written.max_error_rate, on_cell_failure: written.on_cell_failure }
    }

    fn points(&mut self, matrix: &Matrix, axes: &mut [TypedAxis], variants: &[ScenarioVariant]) -> Vec<Point> {
        let Some(mut draft) = ScenarioDraft::of(&variants[0], axes) else { return Vec::new() };
        let typed = |axis: usize, node: &ScenarioNode, axes: &mut [TypedAxis], faults: &mut ScenarioError| {
            let json = draft.meaning(&axes[axis].path, node, faults)?;
            Some(axes[axis].add(AxisValue { node: node.clone(), json }).unwrap_or_else(|known| known))
        };
        let points = points::list(matrix, axes, typed, self.faults);
        if points.is_empty() && self.faults.is_empty() {
            let place = matrix.exclude.first().map(|exclude| exclude.place);
            self.faults.push(ScenarioDiagnostic { place, ..ScenarioDiagnostic::nowhere("`exclude` leaves no cell") });
        }
        points
    }

    fn only(
        &mut self,
        variants: &[ScenarioVariant],
        axes: &[TypedAxis],
        points: Vec<Point>,
        kind: WorkloadKind,
    ) -> Option<(CellFilter, Vec<Point>)> {
        if !self.faults.is_empty() {
            // What could not be read cannot be kept either.
            return Some((CellFilter::all(variants.len(), axes), points));
        }
        let mut draft = ScenarioDraft::of(&variants[0], axes)?;
        let names: Vec<&str> = variants.iter().map(|variant| variant.name.as_str()).collect();
        let kept = flags::only(self.options, &names, axes, kind, self.faults, |axis, node| {
            // What is no value of the field cannot be one of the axis either; that is told by the caller.
            let json = draft.meaning(&axes[axis].path, node, &mut ScenarioError::default());
            json.and_then(|json| axes[axis].find(&json)).or_else(|| axes[axis].find(&node.json()))
        });
        let fits = |point: &Point| point.iter().zip(&kept.values).all(|(value, kept)| kept[*value]);
        let points: Vec<Point> = points.into_iter().filter(fits).collect();
        if (points.is_empty() || !kept.variants.contains(&true)) && self.faults.is_empty() {
            self.faults.push(ScenarioDiagnostic::nowhere("`--only` leaves no cell").hint("`bench plan` without it shows all cells"));
            return None;
        }
        Some((kept, points))
    }
}

/// An axis with the values that any cell takes.
fn used_axis(number: usize, axis: &TypedAxis, points: &[Point]) -> MatrixAxis {
    let mut used = vec![false; axis.values.len()];
    for point in points {
        if let Some(used) = point.get(number).and_then(|value| used.get_mut(*value)) {
            *used = true;
        }
    }
    let rungs = axis.rungs.as_ref().map(|rungs| {
        let place = |rung: &usize| used[..*rung].iter().filter(|used| **used).count();
        // Where values were refused there are fewer than rungs.
        rungs.iter().filter(|rung| used.get(**rung) == Some(&true)).map(place).collect()
    });
    let values = axis.values.iter().zip(&used).filter(|(_, used)| **used).map(|(value, _)| value.json.clone()).collect();
    MatrixAxis { path: axis.dotted(), values, rungs }
}

const USABLE_NAMES: &str = "letters, digits, `.`, `_` and `-`, beginning with a letter or digit, at most 64";

/// Names become folder names, on every file system.
fn is_usable_name(name: &str) -> bool {
    let usable = |character: char| character.is_ascii_alphanumeric() || ['.', '_', '-'].contains(&character);
    name.len() <= 64 && name.chars().all(usable) && name.starts_with(|first: char| first.is_ascii_alphanumeric()) && !name.ends_with('.')
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const MATRIX: &str = r#"
seed = 7
[workload]
kind = "document_qa"
documents = { synthetic_tokens = "8k" }
[matrix]
concurrent = "1..=2"
sequential = [1, 2]
"#;

    fn load(text: &str) -> Result<Scenario, ScenarioError> {
        with(text, &ScenarioOverrides::default())
    }

    fn with(text: &str, options: &ScenarioOverrides) -> Result<Scenario, ScenarioError> {
        let lookup = |name: &str| (name == "TOKEN").then(|| "s3cret".to_owned());
        load_text_with(Path::new("test.toml"), text, options, &lookup)
    }

    fn values(scenario: &Scenario) -> serde_json::Value {
        scenario.cells.iter().map(|placed| serde_json::Value::from(placed.values.clone())).collect()
    }

    fn messages(faults: &ScenarioError) -> Vec<String> {
        faults.iter().map(|fault| fault.message.clone()).collect()
    }

    #[test]
    fn a_matrix_becomes_cells_the_last_axis_changing_fastest() {
        let scenario = load(MATRIX).unwrap();
        assert_eq!(scenario.name, "test");
        assert_eq!(scenario.variants, ["default"]);
        assert_eq!(scenario.axes[0].path, "workload.concurrent");
        assert_eq!(values(&scenario), json!([[1, 1], [1, 2], [2, 1], [2, 2]]));
        let crate::vocabulary::spec::workload::WorkloadSpec::DocumentQa(spec) = &scenario.cells[1].cell.workload else { panic!() };
        assert_eq!((spec.concurrent, spec.sequential), (1, 2));
    }

    #[test]
    fn zipped_axes_go_together() {
        let scenario =
            load(&MATRIX.replace("sequential = [1, 2]", "sequential = [3, 4]\nzip = [[\"concurrent\", \"sequential\"]]")).unwrap();
        assert_eq!(values(&scenario), json!([[1, 3], [2, 4]]));
    }

    #[test]
    fn include_adds_cells_and_exclude_leaves_some_out() {
        let more = "[[matrix.include]]\nconcurrent = 8\nsequential = [1, 3]\n[[matrix.exclude]]\nconcurrent = 2\nsequential = 2\n";
        let scenario = load(&format!("{MATRIX}{more}")).unwrap();
        assert_eq!(values(&scenario), json!([[1, 1], [1, 2], [2, 1], [8, 1], [8, 3]]));
        assert_eq!(scenario.axes[0].values, [json!(1), json!(2), json!(8)]);
        assert_eq!(scenario.axes[1].values, [json!(1), json!(2), json!(3)]);
    }

    #[test]
    fn axis_values_stand_in_the_base_unit_and_equal_ones_are_duplicates() {
        let axis = |values: &str| load(&format!("workload.kind = \"document_qa\"\n[matrix]\nsynthetic_tokens = {values}\n"));
        assert_eq!(axis("\"8k..=32k x2\"").unwrap().axes[0].values, [json!(8192), json!(16384), json!(32768)]);
        assert_eq!(messages(&axis("[\"8k\", 8192]").unwrap_err()), ["`workload.documents.synthetic_tokens` has `8192` already"]);
    }

    #[test]
    fn variants_are_patches_and_flags_go_over_them() {
        let variants = "[variants.a.target]\nurl = \"http://a:1\"\n[variants.b.workload]\nrounds = 5\n";
        let scenario = load(&format!("{MATRIX}{variants}")).unwrap();
        assert_eq!(scenario.cells.len(), 8);
        assert_eq!(scenario.cells[0].cell.target.url, "http://a:1");
        let options =
            ScenarioOverrides { url: Some("http://c:1".to_owned()), set: vec!["rounds=2".to_owned()], ..ScenarioOverrides::default() };
        let scenario = with(&format!("{MATRIX}{variants}"), &options).unwrap();
        for placed in &scenario.cells {
            let cell = placed.cell.resolved();
            assert_eq!((&cell["target"]["url"], &cell["workload"]["rounds"]), (&json!("http://c:1"), &json!(2)));
        }
        assert_eq!(scenario.origin.changes, ["--set rounds=2", "--url http://c:1"]);
    }

    #[test]
    fn only_keeps_what_fits_and_never_nothing() {
        let only = |filters: &[&str]| {
            let options =
                ScenarioOverrides { only: filters.iter().map(|filter| (*filter).to_owned()).collect(), ..ScenarioOverrides::default() };
            with(MATRIX, &options)
        };
        assert_eq!(values(&only(&["concurrent=2", "sequential=1"]).unwrap()), json!([[2, 1]]));
        assert_eq!(only(&["concurrent=2"]).unwrap().axes[0].values, [json!(2)]);
        assert_eq!(messages(&only(&["concurrent=3"]).unwrap_err()), ["`workload.concurrent` does not take `3`"]);
        assert_eq!(messages(&only(&["variant=x"]).unwrap_err()), ["there is no variant `x`"]);
        assert_eq!(messages(&only(&["concurrent=1", "concurrent=2"]).unwrap_err()), ["`--only` leaves no cell"]);
    }

    #[test]
    fn what_comes_from_the_environment_is_used_and_never_shown() {
        let text = "[workload]\nkind = \"chat\"\n[target]\nmodel = \"m-${TOKEN}\"\nheaders = { authorization = \"Bearer ${TOKEN}\" }\n\
            [matrix]\nurl = [\"http://${TOKEN}:1\", \"http://${TOKEN}:2\"]\n";
        let scenario = load(text).unwrap();
        let cell = &scenario.cells[0].cell;
        assert_eq!((cell.target.model.as_str(), cell.target.url.as_str()), ("m-s3cret", "http://s3cret:1"));
        assert_eq!(cell.target.headers["authorization"], "Bearer s3cret");
        let saved = cell.resolved().to_string();
        assert!(!saved.contains("s3cret") && saved.contains("m-${TOKEN}") && saved.contains("http://${TOKEN}:1"), "{saved}");
        assert!(!format!("{scenario:?}").contains("s3cret"));
        let wrong = load("[workload]\nkind = \"chat\"\nduration = \"${TOKEN}\"\n[target]\nurl = \"${TOKEN}\"\n").unwrap_err();
        assert_eq!(wrong.len(), 2);
        assert!(!wrong.to_string().contains("s3cret") && !wrong.json().to_string().contains("s3cret"), "{wrong}");
        let wrong = load("[workload]\nkind = \"chat\"\n[target]\nurl = \"${TOKEN}\"\n").unwrap_err();
        assert!(!wrong.to_string().contains("s3cret"), "{wrong}");
    }

    #[test]
    fn a_plan_of_more_than_100_000_cells_is_refused_before_it_is_made() {
        let cells = |values: u32| load(&format!("workload.kind = \"document_qa\"\n[matrix]\nconcurrent = \"1..={values}\"\n"));
        assert_eq!(cells(1000).unwrap().cells.len(), 1000);
        let message = messages(&cells(100_001).unwrap_err()).remove(0);
        assert!(message.starts_with("the plan has 100,001 cells"), "{message}");
        let text =
            "workload.kind = \"document_qa\"\nrepeats = 4000000000\n[matrix]\nconcurrent = \"1..=1000000\"\nrounds = \"1..=1000000\"\n";
        let many = load(text).unwrap_err();
        assert!(messages(&many).iter().any(|message| message.starts_with("the plan has 4,000,000,000,000,000,000,000 cells")), "{many}");
    }
}
