//! The `[matrix]` section: which fields are axes, which values they take, and how the values are combined.
//!
//! Everything is counted before anything is expanded. What a value means to its field is not known here; see `cells`.

use super::diagnostic::{ScenarioDiagnostic, ScenarioError, did_you_mean, listed};
use super::document::{ScenarioEntry, ScenarioNode, ScenarioTable, ScenarioValue};
use super::fields::CellFieldSet;
use super::open_range::{OpenRange, OpenRangeLimits, OpenRangeValues};
use super::range::{MOST_POINTS, RangeError, ValueRange};
use super::source::SourceSpan;
use crate::foundation::units::grouped;

/// The most cells of a plan, variants and repeats counted.
pub const MOST_CELLS: u128 = 100_000;

/// An axis as written: its field and its values, none of them typed yet.
#[derive(Debug, Clone)]
pub struct AxisNode {
    pub path: Vec<String>,
    pub place: SourceSpan,
    pub values: Vec<ScenarioNode>,
    /// Of an axis without an end: the places of the values at which it is climbed.
    pub rungs: Option<Vec<usize>>,
}

impl AxisNode {
    pub fn dotted(&self) -> String {
        self.path.join(".")
    }
}

/// The matrix, read: axes, and for `include` and `exclude` the values by axis.
#[derive(Debug, Clone, Default)]
pub struct Matrix {
    pub axes: Vec<AxisNode>,
    /// Axes by number; every axis stands in exactly one group, in the order of the first of them.
    pub groups: Vec<Vec<usize>>,
    pub include: Vec<AxisSelection>,
    pub exclude: Vec<AxisSelection>,
    /// Something of it could not be read: an axis that is missing may only be mistyped.
    pub partial: bool,
}

/// Values for some of the axes.
#[derive(Debug, Clone)]
pub struct AxisSelection {
    pub place: SourceSpan,
    /// Axis by number, and its values.
    pub values: Vec<(usize, Vec<ScenarioNode>)>,
}

/// Values as written, counted but not yet listed.
enum CountedValues<'a> {
    Node(&'a ScenarioNode),
    Range(SourceSpan, ValueRange),
    Climb(SourceSpan, OpenRangeValues),
}

/// What a frontier says of axes without an end.
#[derive(Debug, Clone, Copy)]
pub struct OpenAxisBounds {
    pub resolution: Option<f64>,
    pub largest: Option<f64>,
}

impl OpenAxisBounds {
    /// Two such axes make many cells, one does not.
    fn extent(self, axes: usize) -> OpenRangeLimits {
        OpenRangeLimits { resolution: self.resolution, largest: self.largest, times: if axes > 1 { 64.0 } else { 256.0 } }
    }
}

const RESERVED: [&str; 3] = ["zip", "include", "exclude"];

/// Reads the section. `times` is how many cells each point makes: variants times repeats; `open` is there where axes may have no end. Where
/// it has faults, the rest comes back.
pub fn read(
    section: &ScenarioNode,
    fields: &[CellFieldSet],
    times: u128,
    open: Option<OpenAxisBounds>,
    faults: &mut ScenarioError,
) -> Matrix {
    let before = faults.len();
    let Some(table) = section.as_table() else {
        faults.push(ScenarioDiagnostic::at(section.place, format!("`matrix` is a table of axes, not {}", section.kind())));
        return Matrix { partial: true, ..Matrix::default() };
    };
    let without_end = flattened(table).iter().filter(|(_, entry)| climb(&entry.node).is_some()).count();
    let extent = open.map(|open| open.extent(without_end));
    let mut reader = MatrixReader { fields, faults, axes: Vec::new(), before, extent };
    for entry in table.entries.iter().filter(|entry| !RESERVED.contains(&entry.key.as_str())) {
        reader.axis(&entry.key, entry);
    }
    reader.overlaps();
    let groups = reader.groups(table.get("zip"));
    let include = reader.selections(table.get("include"), "include", AxisCoverage::Every);
    let exclude = reader.selections(table.get("exclude"), "exclude", AxisCoverage::Some);
    let few = reader.count(&groups, &include, times, table);
    let partial = reader.faults.len() > before;
    if !few {
        // One value of each is enough to see what else is wrong.
        reader.axes.iter_mut().for_each(|axis| axis.values.truncate(1));
        let axes = reader.axes.into_iter().map(|axis| AxisNode {
            values: first_value(&axis.values),
            path: axis.path,
            place: axis.place,
            rungs: None,
        });
        return Matrix { axes: axes.collect(), groups, partial, ..Matrix::default() };
    }
    let axes = reader.axes.into_iter().map(|axis| AxisNode {
        values: listed_values(&axis.values),
        rungs: rungs(&axis.values),
        path: axis.path,
        place: axis.place,
    });
    let listed = |selection: Vec<CountedSelection<'_>>| {
        selection
            .into_iter()
            .map(|selection| AxisSelection {
                place: selection.place,
                values: selection.values.iter().map(|(axis, values)| (*axis, listed_values(values))).collect(),
            })
            .collect()
    };
    Matrix { axes: axes.collect(), groups, include: listed(include), exclude: listed(exclude), partial }
}

fn first_value(values: &[CountedValues<'_>]) -> Vec<ScenarioNode> {
    match values.first() {
        Some(CountedValues::Node(node)) => vec![(*node).clone()],
        Some(CountedValues::Range(place, range)) => range.values().take(1).map(|value| ScenarioNode { value, place: *place }).collect(),
        Some(CountedValues::Climb(place, climbed)) => {
            climbed.values.iter().take(1).map(|value| ScenarioNode { value: value.clone(), place: *place }).collect()
        }
        None => Vec::new(),
    }
}

fn listed_values(values: &[CountedValues<'_>]) -> Vec<ScenarioNode> {
    let mut nodes = Vec::new();
    for value in values {
        match value {
            CountedValues::Node(node) => nodes.push((*node).clone()),
            CountedValues::Range(place, range) => nodes.extend(range.values().map(|value| ScenarioNode { value, place: *place })),
            CountedValues::Climb(place, climbed) => {
                nodes.extend(climbed.values.iter().map(|value| ScenarioNode { value: value.clone(), place: *place }));
            }
        }
    }
    nodes
}

/// An axis without an end has no other values.
fn rungs(values: &[CountedValues<'_>]) -> Option<Vec<usize>> {
    if let [CountedValues::Climb(_, climbed)] = values { Some(climbed.rungs.clone()) } else { None }
}

/// A text that means a range without an end.
fn climb(node: &ScenarioNode) -> Option<Result<OpenRange, RangeError>> {
    OpenRange::read(&node.as_text()?.value)
}

/// Whether a selection has to name every axis.
#[derive(Clone, Copy, PartialEq, Eq)]
enum AxisCoverage {
    Every,
    Some,
}

struct CountedAxis<'a> {
    path: Vec<String>,
    place: SourceSpan,
    values: Vec<CountedValues<'a>>,
}

struct CountedSelection<'a> {
    place: SourceSpan,
    values: Vec<(usize, Vec<CountedValues<'a>>)>,
}

fn length(values: &[CountedValues<'_>]) -> u128 {
    let one = |values: &CountedValues<'_>| match values {
        CountedValues::Node(_) => 1,
        CountedValues::Range(_, range) => u128::from(range.len()),
        CountedValues::Climb(_, climbed) => climbed.values.len() as u128,
    };
    values.iter().map(one).sum()
}

struct MatrixReader<'a> {
    fields: &'a [CellFieldSet],
    faults: &'a mut ScenarioError,
    axes: Vec<CountedAxis<'a>>,
    /// Faults that there were before.
    before: usize,
    /// How far an axis without an end goes; `None` where none may be.
    extent: Option<OpenRangeLimits>,
}

impl<'a> MatrixReader<'a> {
    /// An axis, or a table of them: TOML reads `workload.concurrent = ..` as a table in a table.
    fn axis(&mut self, name: &str, entry: &'a ScenarioEntry) {
        if let ScenarioValue::Table(table) = &entry.node.value {
            for inner in &table.entries {
                self.axis(&format!("{name}.{}", inner.key), inner);
            }
            return;
        }
        let path = self.resolve(name, entry.key_place);
        let values = match climb(&entry.node) {
            None => self.values(name, &entry.node),
            Some(climb) => self.climbed(climb, &entry.node).map(|values| vec![values]),
        };
        let (Some(path), Some(values)) = (path, values) else { return };
        match self.axes.iter().find(|axis| axis.path == path) {
            Some(first) => {
                let fault = ScenarioDiagnostic::at(entry.key_place, format!("`{}` is an axis already", path.join(".")));
                self.faults.push(fault.beside(first.place, "first here"));
            }
            None => self.axes.push(CountedAxis { path, place: entry.key_place, values }),
        }
    }

    fn resolve(&mut self, name: &str, place: SourceSpan) -> Option<Vec<String>> {
        let mut found = None;
        for fields in self.fields {
            match fields.resolve(name) {
                Ok(path) => found = Some(path),
                Err(unresolved) => {
                    self.faults.push_first(ScenarioDiagnostic::at(place, unresolved.message).maybe_hint(unresolved.hint));
                    return None;
                }
            }
        }
        found
    }

    /// A list, a value, or a range; in a list each of them.
    fn values(&mut self, name: &str, node: &'a ScenarioNode) -> Option<Vec<CountedValues<'a>>> {
        let items = match &node.value {
            ScenarioValue::List(items) => items.iter().collect(),
            _ => vec![node],
        };
        if items.is_empty() {
            self.faults.push(
                ScenarioDiagnostic::at(node.place, format!("the axis `{name}` has no values"))
                    .hint("give it some, or take it out of `[matrix]`"),
            );
            return None;
        }
        let values: Vec<_> = items.into_iter().filter_map(|item| self.item(item)).collect();
        if length(&values) > u128::from(MOST_POINTS) {
            self.faults.push(ScenarioDiagnostic::at(node.place, format!("the axis `{name}` has more than 1,000,000 points")));
            return None;
        }
        (!values.is_empty()).then_some(values)
    }

    /// An axis without an end, which has no other values.
    fn climbed(&mut self, climb: Result<OpenRange, RangeError>, node: &ScenarioNode) -> Option<CountedValues<'a>> {
        let place = node.place;
        let climbed = climb.and_then(|climb| match self.extent {
            Some(extent) => climb.expand(extent),
            None => Err(without_end(node)),
        });
        match climbed {
            Ok(climbed) => Some(CountedValues::Climb(place, climbed)),
            Err(fault) => {
                self.faults.push(ScenarioDiagnostic::at(place, fault.message).maybe_hint(fault.hint));
                None
            }
        }
    }

    fn item(&mut self, item: &'a ScenarioNode) -> Option<CountedValues<'a>> {
        if climb(item).is_some() {
            let fault = if self.extent.is_some() {
                let message = format!("`{}` has no end, so that it is an axis alone and no part of a list or a selection", item.shown());
                RangeError::new(message, "write `concurrent = \"1.. x2\"` in `[matrix]`, or give it an end")
            } else {
                without_end(item)
            };
            self.faults.push(ScenarioDiagnostic::at(item.place, fault.message).maybe_hint(fault.hint));
            return None;
        }
        match item.as_text().and_then(|text| ValueRange::read(&text.value)) {
            None => Some(CountedValues::Node(item)),
            Some(Ok(range)) => Some(CountedValues::Range(item.place, range)),
            Some(Err(fault)) => {
                self.faults.push(ScenarioDiagnostic::at(item.place, fault.message).maybe_hint(fault.hint));
                None
            }
        }
    }

    /// An axis within another one would be overwritten by it.
    fn overlaps(&mut self) {
        for inner in &self.axes {
            for outer in self.axes.iter().filter(|outer| inner.path.len() > outer.path.len() && inner.path.starts_with(&outer.path)) {
                let message = format!("the axis `{}` lies within the axis `{}`", inner.path.join("."), outer.path.join("."));
                self.faults.push(ScenarioDiagnostic::at(inner.place, message).beside(outer.place, "this one replaces the whole table"));
            }
        }
    }

    fn groups(&mut self, zip: Option<&'a ScenarioNode>) -> Vec<Vec<usize>> {
        let mut zipped: Vec<Vec<usize>> = Vec::new();
        if let Some(zip) = zip {
            let groups = match &zip.value {
                // One group may stand without the outer list.
                ScenarioValue::List(items) if !items.is_empty() && items.iter().all(|item| item.as_text().is_some()) => vec![zip],
                ScenarioValue::List(items) => items.iter().collect(),
                _ => vec![zip],
            };
            for group in groups {
                if let Some(group) = self.group(group, &zipped) {
                    zipped.push(group);
                }
            }
        }
        let first_of = |axis: usize| zipped.iter().find(|group| group.contains(&axis));
        let mut groups: Vec<Vec<usize>> = Vec::new();
        for axis in 0..self.axes.len() {
            match first_of(axis) {
                None => groups.push(vec![axis]),
                Some(group) if !groups.contains(group) => groups.push(group.clone()),
                Some(_) => {}
            }
        }
        groups
    }

    fn group(&mut self, node: &'a ScenarioNode, others: &[Vec<usize>]) -> Option<Vec<usize>> {
        let ScenarioValue::List(names) = &node.value else {
            self.faults.push(
                ScenarioDiagnostic::at(node.place, "`zip` is a list of groups of axes")
                    .hint("write `zip = [[\"concurrent\", \"sequential\"]]`"),
            );
            return None;
        };
        let mut group = Vec::new();
        for name in names {
            let Some(text) = name.as_text() else {
                self.faults.push(ScenarioDiagnostic::at(name.place, format!("a group of `zip` names axes, not {}", name.kind())));
                return None;
            };
            let axis = self.axis_named(&text.value, name.place)?;
            if group.contains(&axis) || others.iter().any(|other| other.contains(&axis)) {
                self.faults.push(ScenarioDiagnostic::at(name.place, format!("`{}` is zipped already", text.value)));
                return None;
            }
            group.push(axis);
        }
        if group.len() < 2 {
            self.faults.push(ScenarioDiagnostic::at(node.place, "a group of `zip` needs two axes or more"));
            return None;
        }
        let lengths: Vec<u128> = group.iter().map(|axis| length(&self.axes[*axis].values)).collect();
        if lengths.windows(2).any(|pair| pair[0] != pair[1]) {
            let sizes: Vec<String> =
                group.iter().zip(&lengths).map(|(axis, length)| format!("`{}` has {length}", self.axes[*axis].path.join("."))).collect();
            self.faults.push(ScenarioDiagnostic::at(node.place, format!("zipped axes have equally many values: {}", sizes.join(", "))));
            return None;
        }
        Some(group)
    }

    /// The number of the axis that a name means.
    fn axis_named(&mut self, name: &str, place: SourceSpan) -> Option<usize> {
        let path = self.resolve(name, place)?;
        let found = self.axes.iter().position(|axis| axis.path == path);
        if found.is_none() && self.faults.len() == self.before {
            self.faults.push(not_an_axis(name, place, &self.axes.iter().map(|axis| axis.path.join(".")).collect::<Vec<_>>()));
        }
        found
    }

    fn selections(&mut self, node: Option<&'a ScenarioNode>, what: &str, naming: AxisCoverage) -> Vec<CountedSelection<'a>> {
        let Some(node) = node else { return Vec::new() };
        let items = match &node.value {
            ScenarioValue::List(items) => items.iter().collect(),
            _ => vec![node],
        };
        items.into_iter().filter_map(|item| self.selection(item, what, naming)).collect()
    }

    fn selection(&mut self, node: &'a ScenarioNode, what: &str, naming: AxisCoverage) -> Option<CountedSelection<'a>> {
        let Some(table) = node.as_table().filter(|table| !table.entries.is_empty()) else {
            let fault = ScenarioDiagnostic::at(node.place, format!("`{what}` holds tables of axes and values, not {}", node.kind()));
            self.faults.push(fault.hint(format!("write `[[matrix.{what}]]` with a line for each axis")));
            return None;
        };
        let mut values: Vec<(usize, Vec<CountedValues<'a>>)> = Vec::new();
        for (name, entry) in flattened(table) {
            let axis = self.axis_named(&name, entry.key_place);
            let (Some(axis), Some(listed)) = (axis, self.values(&name, &entry.node)) else { continue };
            if values.iter().any(|(known, _)| *known == axis) {
                self.faults.push(ScenarioDiagnostic::at(entry.key_place, format!("`{name}` is named twice")));
                continue;
            }
            values.push((axis, listed));
        }
        let missing: Vec<String> = self
            .axes
            .iter()
            .enumerate()
            .filter(|(axis, _)| naming == AxisCoverage::Every && values.iter().all(|(known, _)| known != axis))
            .map(|(_, axis)| axis.path.join("."))
            .collect();
        if missing.is_empty() {
            return Some(CountedSelection { place: node.place, values });
        }
        // An axis that could not be read may be the one that is missing.
        if self.faults.len() == self.before {
            self.faults.push(ScenarioDiagnostic::at(
                node.place,
                format!("`{what}` names every axis; {} is missing", listed(&missing).replace(" or ", " and ")),
            ));
        }
        None
    }

    /// Multiplies before anything is expanded; whether there are few enough cells.
    fn count(&mut self, groups: &[Vec<usize>], include: &[CountedSelection<'_>], times: u128, table: &ScenarioTable) -> bool {
        let product = |lengths: &mut dyn Iterator<Item = u128>| lengths.fold(1_u128, u128::saturating_mul);
        let combined = product(&mut groups.iter().filter_map(|group| group.first()).map(|axis| length(&self.axes[*axis].values)));
        let included: u128 = include.iter().map(|selection| product(&mut selection.values.iter().map(|(_, values)| length(values)))).sum();
        let points = combined.saturating_add(included);
        let cells = points.saturating_mul(times);
        if cells > MOST_CELLS {
            let sizes: Vec<String> = groups
                .iter()
                .filter_map(|group| group.first())
                .map(|axis| {
                    let axis = &self.axes[*axis];
                    format!("{} of `{}`", grouped(length(&axis.values)), axis.path.join("."))
                })
                .collect();
            let place = table.entries.first().map(|entry| entry.key_place);
            let message = format!(
                "the plan has {} cells ({}; times {} for variants and repeats), more than {}",
                if cells == u128::MAX { "far too many".to_owned() } else { grouped(cells) },
                sizes.join(", "),
                grouped(times),
                grouped(MOST_CELLS),
            );
            let fault = ScenarioDiagnostic { place, ..ScenarioDiagnostic::nowhere(message) };
            self.faults.push(fault.hint("take larger steps (`1..=64 x2`), zip axes, or split the scenario"));
        }
        cells <= MOST_CELLS
    }
}

/// A range without an end, where every cell is run.
fn without_end(node: &ScenarioNode) -> RangeError {
    let message = format!("`{}` has no end, and every cell of a grid is run", node.shown());
    RangeError::new(message, "give it one (`1..=64 x2`), or have it climbed until it fails: `search = \"frontier\"`")
}

/// A fault: the name is a field, but no axis.
pub fn not_an_axis(name: &str, place: SourceSpan, axes: &[String]) -> ScenarioDiagnostic {
    let last = |path: &str| path.rsplit('.').next().unwrap_or_default().to_owned();
    let names: Vec<String> = axes.iter().map(|path| last(path)).collect();
    let all = (!axes.is_empty()).then(|| format!("the matrix has {}", listed(axes).replace(" or ", " and ")));
    let hint = did_you_mean(&last(name), names.iter().map(String::as_str)).or(all);
    ScenarioDiagnostic::at(place, format!("`{name}` is no axis of the matrix")).maybe_hint(hint)
}

/// Entries by dotted name, tables within tables opened.
fn flattened(table: &ScenarioTable) -> Vec<(String, &ScenarioEntry)> {
    let mut flat = Vec::new();
    for entry in &table.entries {
        match &entry.node.value {
            ScenarioValue::Table(inner) => {
                flat.extend(flattened(inner).into_iter().map(|(name, inner)| (format!("{}.{name}", entry.key), inner)));
            }
            _ => flat.push((entry.key.clone(), entry)),
        }
    }
    flat
}
