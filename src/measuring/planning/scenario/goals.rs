//! Goals and plots: expressions that are read, and axes that are found in the matrix.

use super::diagnostic::{ScenarioDiagnostic, ScenarioError};
use super::document::{ScenarioNode, ScenarioValue};
use super::fields::CellFieldSet;
use super::matrix::not_an_axis;
use super::meant::{MatrixCell, ScenarioGoal};
use super::points::TypedAxis;
use super::source::SourceSpan;
use crate::vocabulary::goal::{Aggregate, Goal, GoalError, Measure, MetricPopulation, ThroughputScope};
use crate::vocabulary::spec::plot::{PlotForm, PlotLayout, PlotSpec, PlotSubject};
use crate::vocabulary::spec::scenario::GoalSpec;
use crate::vocabulary::spec::workload::WorkloadKind;

/// Reads the goals; each one that is none is a fault at the sign where it goes wrong.
pub fn goals(written: &[GoalSpec], document: &ScenarioNode, faults: &mut ScenarioError) -> Vec<ScenarioGoal> {
    let mut read = Vec::new();
    for (index, goal) in written.iter().enumerate() {
        let place = document.nearest(&["goals", &index.to_string(), "require"]).place;
        match goal.require.parse::<Goal>() {
            Ok(parsed) => read.push(ScenarioGoal { text: goal.require.clone(), goal: parsed }),
            Err(error) => {
                let fault = expression_fault(&error, &goal.require, place, faults);
                faults.push(fault);
            }
        }
    }
    read
}

/// Refuses goals that divide by what a cell does not say: users where requests come by themselves, GPUs where nobody counted them.
pub fn scopes(goals: &[ScenarioGoal], cells: &[MatrixCell], document: &ScenarioNode, faults: &mut ScenarioError) {
    for goal in goals {
        let Aggregate::Throughput(_, scope) = goal.goal.measure.aggregate else { continue };
        let lacks = |placed: &MatrixCell| match scope {
            ThroughputScope::Cell => false,
            ThroughputScope::User => placed.cell.workload.users().is_none(),
            ThroughputScope::Gpu => placed.cell.target.gpus.is_none(),
        };
        if !cells.iter().any(lacks) {
            continue;
        }
        let (message, hint) = match scope {
            ThroughputScope::Gpu => {
                (format!("`{}` is of each GPU, and nobody says how many there are", goal.goal.measure), "write `gpus = 8` into `[target]`")
            }
            ThroughputScope::User | ThroughputScope::Cell => (
                format!("`{}` is of each user, and these requests come by themselves", goal.goal.measure),
                "leave `per user` out, or take a workload with users: `arrival = \"closed\"`, `chat`, `document_qa`",
            ),
        };
        faults.push(ScenarioDiagnostic::at(goal.place(document), message).hint(hint));
    }
}

impl ScenarioGoal {
    /// Where it is written.
    pub(super) fn place(&self, document: &ScenarioNode) -> SourceSpan {
        let written = (0..).map(|index: usize| index.to_string()).map_while(|index| document.find(&["goals", &index, "require"]));
        let is_own = |node: &&ScenarioNode| matches!(&node.value, ScenarioValue::Text(text) if text.shown() == self.text);
        written.into_iter().find(is_own).map_or_else(|| document.nearest(&["goals"]).place, |node| node.place)
    }
}

/// Checks the plots and gives their axes as dotted paths.
///
/// Where the matrix is `partial`, an axis that is not there may be one that could not be read, and is not told.
pub fn plots(written: &[PlotSpec], document: &ScenarioNode, axes: &ScenarioAxes<'_>, faults: &mut ScenarioError) -> Vec<PlotSpec> {
    written.iter().enumerate().filter_map(|(index, plot)| one_plot(plot, &index.to_string(), document, axes, faults)).collect()
}

/// The axes that a plot can have.
#[derive(Debug)]
pub struct ScenarioAxes<'a> {
    pub known: &'a [TypedAxis],
    pub kind: WorkloadKind,
    pub partial: bool,
}

fn one_plot(
    plot: &PlotSpec,
    index: &str,
    document: &ScenarioNode,
    axes: &ScenarioAxes<'_>,
    faults: &mut ScenarioError,
) -> Option<PlotSpec> {
    let place = |field: &str| document.nearest(&["plots", index, field]).place;
    let before = faults.len();
    if plot.kind.form().layout == PlotLayout::TwoMeasures {
        return two_measures(plot, &place, faults).then(|| plot.clone());
    }
    let x = plot.x.as_ref().and_then(|x| axis(x, place("x"), axes, faults));
    let y = plot.y.as_ref().and_then(|y| axis(y, place("y"), axes, faults));
    if !plot.bands && !plot.kind.form().has_bands() {
        let fault = ScenarioDiagnostic::at(place("bands"), format!("a {} has no bands", plot.kind.form().name));
        faults.push(fault.hint("leave it out"));
    }
    for fault in fields_of_kind(plot, &place) {
        faults.push(fault);
    }
    let facet = plot.facet.as_ref().and_then(|facet| axis(facet, place("facet"), axes, faults));
    if plot.facet.is_some() && !plot.kind.form().has_panels() {
        let fault = ScenarioDiagnostic::at(place("facet"), "only a heatmap, a bars3d and a curve have panels, which share a scale");
        faults.push(fault.hint("leave it out, or choose one of these kinds"));
    }
    if facet.is_some() && (facet == x || facet == y) {
        faults.push(ScenarioDiagnostic::at(place("facet"), "an axis of the plot cannot be its facet too"));
    }
    if x.is_some() && x == y {
        faults.push(ScenarioDiagnostic::at(place("y"), "both axes of the plot are the same").beside(place("x"), "this one"));
    }
    if let Some(z) = &plot.z {
        let read = match plot.kind.form().subject {
            PlotSubject::Measure => z.parse::<Measure>().map(drop),
            PlotSubject::Population => z.parse::<MetricPopulation>().map(drop),
            PlotSubject::Fixed => Ok(()),
        };
        if let Err(error) = read {
            let fault = expression_fault(&error, z, place("z"), faults);
            faults.push(fault);
        }
    }
    (faults.len() == before).then(|| PlotSpec { x: x.or_else(|| plot.x.clone()), y, facet, ..plot.clone() })
}

/// Whether a plot of two measures has both or neither, and nothing else.
fn two_measures(plot: &PlotSpec, place: &dyn Fn(&str) -> SourceSpan, faults: &mut ScenarioError) -> bool {
    let before = faults.len();
    let kind = plot.kind.form().name;
    for (field, measure) in [("x", &plot.x), ("y", &plot.y)] {
        if let Some(Err(error)) = measure.as_ref().map(|text| text.parse::<Measure>()) {
            let fault = expression_fault(&error, measure.as_deref().unwrap_or_default(), place(field), faults);
            faults.push(fault);
        }
    }
    if plot.x.is_some() != plot.y.is_some() {
        let (written, other) = if plot.x.is_some() { ("x", "y") } else { ("y", "x") };
        let fault = ScenarioDiagnostic::at(place(written), format!("a {kind} of measures has both `x` and `y`, and `{other}` is missing"));
        faults.push(fault.hint(format!("for example `{other} = \"p95(ttft)\"`; without both it shows what a user and the server get")));
    }
    for (field, is_written) in [("z", plot.z.is_some()), ("facet", plot.facet.is_some())] {
        if is_written {
            faults.push(ScenarioDiagnostic::at(place(field), format!("a {kind} has no `{field}`")).hint("leave it out"));
        }
    }
    faults.len() == before
}

/// Which of `x`, `y` and `z` a kind of plot has, and which it has not.
fn fields_of_kind(plot: &PlotSpec, place: &dyn Fn(&str) -> SourceSpan) -> Vec<ScenarioDiagnostic> {
    let mut faults = Vec::new();
    let PlotForm { name, layout, subject, .. } = plot.kind.form();
    let kind = format!("a {name}");
    let (x, y) = (layout != PlotLayout::NoAxis, layout == PlotLayout::TwoAxes);
    let has = |field: &&str| match *field {
        "x" => x,
        "y" => y,
        _ => subject != PlotSubject::Fixed,
    };
    let (needs, lacks): (Vec<&str>, Vec<&str>) = ["x", "y", "z"].into_iter().partition(has);
    let written = |field: &str| match field {
        "x" => plot.x.is_some(),
        "y" => plot.y.is_some(),
        _ => plot.z.is_some(),
    };
    for field in needs.iter().filter(|field| !written(field)) {
        faults.push(match *field {
            "x" => {
                ScenarioDiagnostic::at(place(""), format!("{kind} needs `x`, the axis along the page")).hint("name an axis of the matrix")
            }
            "y" => ScenarioDiagnostic::at(place(""), format!("{kind} needs `y`, the axis up the page"))
                .hint("name one, or write `kind = \"curve\"`"),
            _ => ScenarioDiagnostic::at(place(""), format!("{kind} needs `z`, what is shown")).hint("for example `z = \"p95(ttft)\"`"),
        });
    }
    for field in lacks.iter().filter(|field| written(field)) {
        faults.push(match (layout, *field) {
            (PlotLayout::OneAxis, "y") => ScenarioDiagnostic::at(place("y"), format!("{kind} has no `y`: its value goes up the page"))
                .hint("leave it out, or write `kind = \"heatmap\"`"),
            (_, field) => ScenarioDiagnostic::at(place(field), format!("{kind} has no `{field}`")).hint("leave it out"),
        });
    }
    faults
}

/// The dotted path of the axis that a name means.
pub fn axis(name: &str, place: SourceSpan, axes: &ScenarioAxes<'_>, faults: &mut ScenarioError) -> Option<String> {
    let dotted: Vec<String> = axes.known.iter().map(TypedAxis::dotted).collect();
    let path = CellFieldSet::of(axes.kind).resolve(name).map(|path| path.join("."));
    let found = path.ok().filter(|path| dotted.contains(path));
    if found.is_none() && !axes.partial {
        faults.push(not_an_axis(name, place, &dotted));
    }
    found
}

/// The axis that `score` names: one of numbers.
pub fn scored_axis(name: &str, document: &ScenarioNode, axes: &ScenarioAxes<'_>, faults: &mut ScenarioError) -> Option<String> {
    let place = document.nearest(&["score"]).place;
    let path = axis(name, place, axes, faults)?;
    let is_numeric = |axis: &&TypedAxis| axis.values.iter().all(|value| value.json.is_number());
    let found = axes.known.iter().find(|axis| axis.dotted() == path).filter(is_numeric);
    if found.is_none() {
        let fault = ScenarioDiagnostic::at(place, format!("`{name}` is no axis of numbers, so that none of its values is the largest"));
        faults.push(fault.hint("name an axis of numbers, or leave `score` out"));
    }
    found.map(|_| path)
}

/// Points at the sign where the expression goes wrong, if the text stands in the file as it is.
fn expression_fault(error: &GoalError, text: &str, place: SourceSpan, faults: &ScenarioError) -> ScenarioDiagnostic {
    let within = faults.sources.within(place, text);
    let found = faults.sources.text(within) == text;
    let offset = error.offset.min(text.len());
    let rest = &text[offset..];
    let word = rest.find(|character: char| !character.is_alphanumeric() && character != '_').unwrap_or(rest.len());
    let length = word.max(rest.chars().next().map_or(0, char::len_utf8));
    let start = within.start as usize + offset;
    let place = if found { within.at(start, start + length) } else { place };
    ScenarioDiagnostic::at(place, error.message.clone()).maybe_hint(error.hint.clone())
}
