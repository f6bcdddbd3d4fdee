//! The `[search]` section, checked: which axes a frontier has, and whether more is not easier along them can be asked at all.
//!
//! In: the section as it was read, and the matrix. Out: the section with its axes as dotted paths, or faults. How a frontier is walked is
//! not known here.

use super::diagnostic::{ScenarioDiagnostic, ScenarioError, listed};
use super::document::ScenarioNode;
use super::goals::{self, ScenarioAxes};
use super::matrix::Matrix;
use super::meant::ScenarioGoal;
use super::source::SourceSpan;
use crate::vocabulary::spec::search::{SearchKind, SearchSpec};

/// What it is checked against.
pub struct FrontierContext<'a> {
    pub document: &'a ScenarioNode,
    pub matrix: &'a Matrix,
    pub axes: &'a ScenarioAxes<'a>,
    /// How many goals were at least written.
    pub written_goals: usize,
    /// Those that could be read.
    pub goals: &'a [ScenarioGoal],
}

/// Checks the section and gives its axes as dotted paths, in the matrix's order.
pub fn checked(spec: &SearchSpec, beside: &FrontierContext<'_>, faults: &mut ScenarioError) -> SearchSpec {
    numbers(spec, beside, faults);
    if spec.kind == SearchKind::Grid {
        refuse_for_grid(spec, beside, faults);
        return spec.clone();
    }
    let axes = axes(spec, beside, faults);
    for goal in beside.goals.iter().filter(|goal| goal.goal.measure.rises_with_load() && goal.goal.limits_as_usual()) {
        let message = format!("a frontier takes more load not to be easier, and `{}` rises with it", goal.goal.measure);
        let fault = ScenarioDiagnostic::at(goal.place(beside.document), message);
        faults.push(fault.hint("limit the share that is good, `goodput(ttft <= 500ms) >= 95%`, or what each user gets: `per user`"));
    }
    if beside.written_goals == 0 {
        let fault = ScenarioDiagnostic::at(
            beside.place("kind"),
            "a frontier lies between cells that pass and cells that fail, and there is no goal",
        );
        faults.push(fault.hint("add one: `[[goals]] require = \"p95(ttft) <= 2s\"`"));
    }
    for axis in &axes {
        beside.ascends(*axis, faults);
        beside.stands_alone(*axis, faults);
    }
    beside.climbed_axes_are_searched(&axes, faults);
    if let Some(include) = beside.matrix.include.first() {
        faults.push(
            ScenarioDiagnostic::at(include.place, "a frontier has no cells beside the combinations of its axes")
                .hint("leave `include` out"),
        );
    }
    let climbed = beside.axes.known.iter().any(|axis| axis.rungs.is_some());
    for (field, given) in [("resolution", spec.resolution.is_some()), ("largest", spec.largest.is_some())] {
        if given && !climbed && !beside.axes.partial {
            let fault = ScenarioDiagnostic::at(beside.place(field), format!("`{field}` is for an axis without an end, and there is none"));
            faults.push(fault.hint("write such an axis: `concurrent = \"1.. x2\"`"));
        }
    }
    SearchSpec { axes: axes.iter().map(|axis| beside.axes.known[*axis].dotted()).collect(), ..spec.clone() }
}

/// Numbers that mean something, whatever else is said.
fn numbers(spec: &SearchSpec, beside: &FrontierContext<'_>, faults: &mut ScenarioError) {
    let mut refuse = |field: &str, is_wrong: bool, what: String| {
        if is_wrong {
            faults.push(ScenarioDiagnostic::at(beside.place(field), what));
        }
    };
    let SearchSpec { risk, max_cells, max_time, resolution, largest, .. } = spec;
    refuse("risk", !(*risk > 0.0 && *risk < 0.5), format!("`risk` is a share above 0 and below 0.5, not {risk}"));
    refuse("max_cells", *max_cells == Some(0), "`max_cells` is 1 or more, not 0".to_owned());
    refuse("max_time", max_time.is_some_and(|time| time.0 <= 0.0), "`max_time` is longer than nothing".to_owned());
    for (field, value) in [("resolution", resolution), ("largest", largest)] {
        let is_wrong = value.is_some_and(|value| !value.is_finite() || value <= 0.0);
        refuse(field, is_wrong, format!("`{field}` is a number above 0"));
    }
}

fn refuse_for_grid(spec: &SearchSpec, beside: &FrontierContext<'_>, faults: &mut ScenarioError) {
    let given = [
        ("axes", !spec.axes.is_empty()),
        ("max_cells", spec.max_cells.is_some()),
        ("max_time", spec.max_time.is_some()),
        ("resolution", spec.resolution.is_some()),
        ("largest", spec.largest.is_some()),
    ];
    for (field, _) in given.iter().filter(|(_, given)| *given) {
        let fault = ScenarioDiagnostic::at(beside.place(field), format!("`{field}` is for a frontier, and every cell is run"));
        faults.push(fault.hint("write `kind = \"frontier\"`, or leave it out"));
    }
}

/// The numbers of the frontier's axes: those named, else concurrent and sequential, else the only axis of numbers.
fn axes(spec: &SearchSpec, beside: &FrontierContext<'_>, faults: &mut ScenarioError) -> Vec<usize> {
    let known = beside.axes.known;
    if spec.axes.is_empty() {
        return beside.chosen(faults);
    }
    let mut found: Vec<usize> = Vec::new();
    for (index, name) in spec.axes.iter().enumerate() {
        let place = beside.document.nearest(&["search", "axes", &index.to_string()]).place;
        let Some(path) = goals::axis(name, place, beside.axes, faults) else { continue };
        let Some(axis) = known.iter().position(|axis| axis.dotted() == path) else { continue };
        if found.contains(&axis) {
            faults.push(ScenarioDiagnostic::at(place, format!("`{name}` is an axis of the frontier already")));
        } else {
            found.push(axis);
        }
    }
    if spec.axes.len() > 2 {
        let fault = ScenarioDiagnostic::at(beside.place("axes"), format!("a frontier has one axis or two, not {}", spec.axes.len()));
        faults.push(fault.hint("the others are swept outside: each of their values gets a frontier of its own"));
        found.truncate(2);
    }
    found.sort_unstable();
    found
}

impl FrontierContext<'_> {
    fn place(&self, field: &str) -> SourceSpan {
        self.document.nearest(&["search", field]).place
    }

    fn chosen(&self, faults: &mut ScenarioError) -> Vec<usize> {
        let known = self.axes.known;
        let named = |name: &str| known.iter().position(|axis| axis.path.last().is_some_and(|last| last == name));
        if let (Some(one), Some(other)) = (named("concurrent"), named("sequential")) {
            return vec![one.min(other), one.max(other)];
        }
        let is_numeric = |axis: usize| !known[axis].values.is_empty() && known[axis].values.iter().all(|value| value.json.is_number());
        let numeric: Vec<usize> = (0..known.len()).filter(|axis| is_numeric(*axis)).collect();
        if let [only] = numeric.as_slice() {
            return vec![*only];
        }
        if !self.axes.partial {
            let quoted: Vec<String> =
                numeric.iter().map(|axis| format!("\"{}\"", known[*axis].path.last().map_or("", String::as_str))).collect();
            let fault = match quoted.len() {
                0 => ScenarioDiagnostic::at(self.place("kind"), "a frontier needs an axis of numbers, and the matrix has none")
                    .hint("give it one: `[matrix] concurrent = \"1..=8\"`"),
                _ => ScenarioDiagnostic::at(
                    self.place("kind"),
                    format!("the matrix has {} axes of numbers, and the frontier's are not named", quoted.len()),
                )
                .hint(format!("name one or two: `axes = [{}]`", quoted[..2].join(", "))),
            };
            faults.push(fault);
        }
        Vec::new()
    }

    /// Its values are numbers above 0, from the least load to the most.
    fn ascends(&self, axis: usize, faults: &mut ScenarioError) {
        let Some(typed) = self.axes.known.get(axis) else { return };
        let place = self.matrix.axes.get(axis).map_or(self.document.place, |axis| axis.place);
        let numbers: Vec<Option<f64>> = typed.values.iter().map(|value| value.json.as_f64()).collect();
        if numbers.iter().any(|number| number.is_none_or(|number| number <= 0.0)) {
            faults.push(ScenarioDiagnostic::at(
                place,
                format!("`{}` is an axis of the frontier, whose values are numbers above 0", typed.dotted()),
            ));
        } else if numbers.windows(2).any(|pair| pair[0] >= pair[1]) {
            let fault =
                ScenarioDiagnostic::at(place, format!("`{}` is an axis of the frontier, and its values do not ascend", typed.dotted()));
            faults.push(fault.hint("list them from the least load to the most"));
        }
    }

    /// Neither zipped nor with cells left out.
    fn stands_alone(&self, axis: usize, faults: &mut ScenarioError) {
        let name = self.axes.known[axis].dotted();
        if self.matrix.groups.iter().any(|group| group.len() > 1 && group.contains(&axis)) {
            let place = self.document.nearest(&["matrix", "zip"]).place;
            faults.push(ScenarioDiagnostic::at(place, format!("`{name}` is an axis of the frontier and cannot be zipped")));
        }
        for exclude in self.matrix.exclude.iter().filter(|exclude| exclude.values.iter().any(|(of, _)| *of == axis)) {
            let fault =
                ScenarioDiagnostic::at(exclude.place, format!("`{name}` is an axis of the frontier, of which no cells are left out"));
            faults.push(fault.hint("give the axis fewer values, or write `kind = \"grid\"`"));
        }
    }

    fn climbed_axes_are_searched(&self, axes: &[usize], faults: &mut ScenarioError) {
        let climbed = self.axes.known.iter().enumerate().filter(|(_, axis)| axis.rungs.is_some());
        for (number, axis) in climbed.filter(|(number, _)| !axes.contains(number) && !axes.is_empty()) {
            let place = self.matrix.axes.get(number).map_or(self.document.place, |axis| axis.place);
            let names: Vec<String> = axes.iter().map(|axis| self.axes.known[*axis].dotted()).collect();
            let fault = ScenarioDiagnostic::at(place, format!("`{}` has no end, and is no axis of the frontier", axis.dotted()));
            faults.push(
                fault.hint(format!(
                    "give it one (`1..=64 x2`), or name it in `axes`, which are {}",
                    listed(&names).replace(" or ", " and ")
                )),
            );
        }
    }
}
