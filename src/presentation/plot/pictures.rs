//! The pictures that belong to a sweep: those of its `[[plots]]`, and the one over its leading axes.

use std::collections::BTreeSet;

use serde_json::Value;

use super::FigureError;
use super::axes;
use super::figure::{FigureSource, PlotFigure, SummaryFigures, curves, heatmaps, two_measures};
use super::plot_options::{LabelledFigure, PlotOptions};
use crate::analysis::{AnalysisError, PopulationDistributions, SweepSummary, short};
use crate::vocabulary::goal::{Measure, MetricPopulation};
use crate::vocabulary::spec::plot::{PlotKind, PlotLayout, PlotSpec, PlotSubject};

/// A figure with the name of its file, without ending: `heatmap-lmcache`.
#[derive(Debug, Clone, PartialEq)]
pub struct NamedFigure {
    pub stem: String,
    /// The variant that it is about; `None` where it shows all, or where the scenario names none.
    pub variant: Option<String>,
    pub figure: PlotFigure,
}

/// The measures that saved `[[plots]]` put against each other: what a summary must hold beside the one that it shows.
#[must_use]
pub fn measures_of_plots(plots: &[Value]) -> Vec<Measure> {
    let specs = plots.iter().filter_map(|plot| serde_json::from_value::<PlotSpec>(plot.clone()).ok());
    let of_measures = specs.filter(|spec| spec.kind.form().layout == PlotLayout::TwoMeasures);
    let both = of_measures.filter_map(|spec| two_measures(&(&spec).into()).ok().flatten());
    let mut measures: Vec<Measure> = Vec::new();
    for measure in both.flat_map(|(x, y)| [x, y]) {
        if !measures.contains(&measure) {
            measures.push(measure);
        }
    }
    measures
}

/// All pictures of a sweep. `plots` are the saved `[[plots]]` entries, `summary` shows the first goal's measure, and `summarized` gives
/// the same sweep's summary showing another one, `distributed` the distributions of a metric in the cell that is looked at.
///
/// The sweep's own measure comes first: a heatmap over C and S (or the first two axes), or a curve where there is a single axis of
/// numbers.
pub fn of_sweep(
    plots: &[Value],
    summary: &SweepSummary,
    mut summarized: impl FnMut(Measure) -> Result<SweepSummary, AnalysisError>,
    mut distributed: impl FnMut(&MetricPopulation) -> Result<PopulationDistributions, AnalysisError>,
) -> Result<Vec<NamedFigure>, FigureError> {
    let specs = plots.iter().map(|plot| serde_json::from_value(plot.clone())).collect::<Result<Vec<PlotSpec>, _>>();
    let specs = specs.map_err(|error| FigureError::SavedPlot { reason: error.to_string() })?;
    let mut named = FigureFileNames::default();
    let mut drawn: Vec<(Measure, PlotKind, PlotOptions)> = Vec::new();
    if let Some((kind, figures)) = leading(summary) {
        let leading = (summary.shown.clone(), kind, resolved(summary, kind, &PlotOptions::default()));
        let shown_by = |spec: &PlotSpec| Some((spec.shown().parse().ok()?, spec.kind, resolved(summary, spec.kind, &spec.into())));
        let same = specs.iter().find(|spec| shown_by(spec).as_ref() == Some(&leading));
        let title = same.and_then(|spec| spec.title.clone());
        named.add(kind.form().name, figures(summary, &PlotOptions { title, ..PlotOptions::default() })?);
        drawn.push(leading);
    }
    for spec in &specs {
        let view = PlotOptions::from(spec);
        let fault =
            |error: crate::vocabulary::goal::GoalError| FigureError::Measure { text: spec.shown().to_owned(), reason: error.to_string() };
        let form = spec.kind.form();
        let figures = match FigureSource::of(spec.kind) {
            FigureSource::Summary(figures) => figures,
            FigureSource::Distributions(figure) => {
                let population: MetricPopulation = spec.shown().parse().map_err(fault)?;
                let picture = LabelledFigure::whole(figure(&distributed(&population)?, &view), None);
                named.add(&format!("{}-{}", form.name, expression_slug(spec.shown())), vec![picture]);
                continue;
            }
        };
        if form.subject == PlotSubject::Fixed {
            let against = [&spec.y, &spec.x].into_iter().flatten().map(|measure| format!("-{}", expression_slug(measure)));
            named.add(&std::iter::once(form.name.to_owned()).chain(against).collect::<String>(), figures(summary, &view)?);
            continue;
        }
        let measure: Measure = spec.shown().parse().map_err(fault)?;
        let other = if measure == summary.shown { None } else { Some(summarized(measure)?) };
        let summary = other.as_ref().unwrap_or(summary);
        let what = (summary.shown.clone(), spec.kind, resolved(summary, spec.kind, &view));
        if !drawn.contains(&what) {
            named.add(&stem(spec, &summary.shown), figures(summary, &view)?);
            drawn.push(what);
        }
    }
    Ok(named.all)
}

/// The kind of pictures that is worth a look of any sweep: none where there is a single cell.
fn leading(summary: &SweepSummary) -> Option<(PlotKind, SummaryFigures)> {
    let x = axes::default_x(summary, None).ok()?;
    let over_variants = axes::default_y(summary, &x).path == axes::VARIANT;
    let is_curve = over_variants && x.numbers.is_some();
    Some(if is_curve { (PlotKind::Curve, curves) } else { (PlotKind::Heatmap, heatmaps) })
}

/// The view with its axes by their whole paths and no title, so that two that show the same are equal.
fn resolved(summary: &SweepSummary, kind: PlotKind, view: &PlotOptions) -> PlotOptions {
    let path = |name: &Option<String>| name.as_ref().and_then(|name| axes::named(summary, name).ok());
    let y = path(&view.y);
    let x = path(&view.x).or_else(|| axes::default_x(summary, y.as_ref()).ok());
    let y = match (kind.form().layout, y, &x) {
        (PlotLayout::TwoAxes, None, Some(x)) => Some(axes::default_y(summary, x)),
        (_, y, _) => y,
    };
    let facet = path(&view.facet).map(|axis| axis.path);
    PlotOptions { x: x.map(|axis| axis.path), facet, y: y.map(|axis| axis.path), title: None, ..view.clone() }
}

/// The leading pictures are named by their kind alone; others by what they show.
fn stem(spec: &PlotSpec, shown: &Measure) -> String {
    let axes = [spec.x.as_deref().map(short), spec.y.as_deref().map(short)];
    let axes = axes.into_iter().flatten().map(slug).collect::<Vec<_>>().join("-");
    format!("{}-{}-over-{axes}", spec.kind.form().name, expression_slug(&shown.to_string()))
}

fn expression_slug(shown: &str) -> String {
    slug(&shown.replace(['<', '>', '='], ""))
}

/// File names that are all different, also where the disk does not tell small letters from capitals.
#[derive(Default)]
struct FigureFileNames {
    all: Vec<NamedFigure>,
    taken: BTreeSet<String>,
}

impl FigureFileNames {
    fn add(&mut self, stem: &str, pictures: Vec<LabelledFigure>) {
        for picture in pictures {
            let parts = picture.variant.iter().chain(&picture.facet).map(|part| format!("-{}", slug(part)));
            let stem = [stem.to_owned()].into_iter().chain(parts).collect::<String>();
            let numbered = (2..).map(|n| format!("{stem}-{n}"));
            let free = [stem.clone()].into_iter().chain(numbered).find(|stem| !self.taken.contains(&stem.to_lowercase()));
            let stem = free.unwrap_or(stem);
            self.taken.insert(stem.to_lowercase());
            self.all.push(NamedFigure { stem, variant: picture.variant, figure: picture.figure });
        }
    }
}

/// A text as a part of a file name: letters, digits, `.`, `_`, `=` and single dashes.
pub fn slug(text: &str) -> String {
    let kept = text.chars().take(80).map(|c| if c.is_ascii_alphanumeric() || "._=".contains(c) { c } else { '-' });
    let dashed = kept.fold(String::new(), |mut text, c| {
        if c != '-' || !text.ends_with('-') {
            text.push(c);
        }
        text
    });
    let trimmed = dashed.trim_matches(['-', '.']);
    if trimmed.is_empty() { "unnamed".to_owned() } else { trimmed.to_owned() }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::analysis::{CellSelector, SummaryOptions, distributions, summarize};
    use crate::fixtures::sweeps::{Cell, answered, cell, published, sweep, uniform};
    use crate::vocabulary::spec::plot::FigureKind;

    const GOAL: &str = "p95(ttft where turn >= 1) <= 2s";

    fn stems(cells: &[Cell], plots: &[Value]) -> Vec<String> {
        let saved = sweep(&[GOAL], cells);
        let summary = summarize(&saved, &SummaryOptions::default()).unwrap();
        let other = |measure| summarize(&saved, &SummaryOptions { shown: Some(measure), ..SummaryOptions::default() });
        of_sweep(plots, &summary, other, |population| {
            distributions(&saved, &CellSelector::default().cells(&saved).unwrap(), population, &[])
        })
        .unwrap()
        .into_iter()
        .map(|named| named.stem)
        .collect()
    }

    #[test]
    fn a_pareto_front_and_a_distribution_can_be_asked_for_too() {
        let stems = stems(&both(), &[json!({"kind": "pareto"}), json!({"kind": "cdf", "z": "ttft where turn >= 1"})]);
        assert_eq!(stems[2..], ["pareto", "cdf-ttft-where-turn-1"]);
    }

    fn both() -> Vec<Cell> {
        let mut cells = published("vllm");
        cells.extend(published("lmcache"));
        cells
    }

    #[test]
    fn a_kind_is_made_of_distributions_where_it_shows_values_of_single_requests() {
        for kind in FigureKind::ALL {
            let FigureKind::OfSweep(kind) = kind else { continue };
            let of_requests = matches!(FigureSource::of(kind), FigureSource::Distributions(_));
            assert_eq!(of_requests, kind.form().subject == PlotSubject::Population, "{kind:?}");
        }
    }

    #[test]
    fn a_sweep_over_c_and_s_has_a_heatmap_a_variant_without_being_asked() {
        assert_eq!(stems(&both(), &[]), ["heatmap-vllm", "heatmap-lmcache"]);
    }

    #[test]
    fn plots_that_are_asked_for_come_beside_and_none_comes_twice() {
        let same = json!({"x": "concurrent", "y": "workload.sequential", "z": "p95(ttft where turn >= 1)", "title": "First tokens"});
        let other = json!({"x": "concurrent", "y": "sequential", "z": "p50(e2e)"});
        let curve = json!({"kind": "curve", "x": "concurrent", "z": "p95(ttft where turn >= 1)"});
        let stems = stems(&both(), &[same.clone(), other, curve.clone(), curve]);
        assert_eq!(
            stems[..4],
            [
                "heatmap-vllm",
                "heatmap-lmcache",
                "heatmap-p50-e2e-over-concurrent-sequential-vllm",
                "heatmap-p50-e2e-over-concurrent-sequential-lmcache"
            ]
        );
        assert_eq!(stems[4], "curve-p95-ttft-where-turn-1-over-concurrent-sequential=1");
        assert_eq!(stems.len(), 8);
        let summary = summarize(&sweep(&[GOAL], &both()), &SummaryOptions::default()).unwrap();
        let named = of_sweep(&[same], &summary, |_| panic!("nothing else is shown"), |_| panic!("no distribution is shown")).unwrap();
        assert_eq!(named[1].figure.caption().title, "lmcache: First tokens");
    }

    #[test]
    fn one_axis_of_numbers_gives_a_curve_and_a_single_cell_nothing() {
        let at = |qps: f64| {
            let mut cell = cell("default", 1, 1, (0..20).map(|session| answered(session, 1, qps)).collect());
            cell.axes = vec![("workload.qps".into(), json!(qps))];
            cell
        };
        assert_eq!(stems(&[at(0.5), at(1.0), at(2.0)], &[]), ["curve"]);
        let mut single = cell("default", 1, 1, uniform(1, 1, 0.5));
        single.axes.clear();
        assert_eq!(stems(&[single], &[]), [""; 0]);
    }

    #[test]
    fn names_of_files_hold_nothing_that_a_shell_or_a_disk_minds() {
        assert_eq!(slug("vLLM + LMCache / 2"), "vLLM-LMCache-2");
        assert_eq!(slug("../../etc"), "etc");
        assert_eq!(slug("…"), "unnamed");
        let mut names = FigureFileNames::default();
        let figure = PlotFigure::Curve(crate::plot::figure::CurveFigure::sample());
        for variant in ["a b", "A-b", "a/b"] {
            names.add("heatmap", vec![LabelledFigure { figure: figure.clone(), variant: Some(variant.into()), facet: Vec::new() }]);
        }
        assert_eq!(
            names.all.iter().map(|named| named.stem.as_str()).collect::<Vec<_>>(),
            ["heatmap-a-b", "heatmap-A-b-2", "heatmap-a-b-3"]
        );
    }
}
