//! From a sweep's summary to figures: cells put on axes, one figure a variant and a value of every further axis, all with one scale.
//!
//! In: summaries and wishes. Out: plain figures. Computes no number, and knows neither saved files nor drawing.

use serde_json::Value;

use super::{
    CurveFigure, CurveLine, CurvePoint, FigureBasis, FigureCaption, FigureCell, FigureCellContent, FigureVerdict, Heatmap, LabelAxis,
    LimitSide, NumericAxis, PlotFigure, PlotLimit, PlotQuantity, PlotScale,
};
use crate::analysis::{self, CellState, CellSummary, ImpliedOutcome, PredictedFigures, SweepNote, SweepSummary, short};
use crate::plot::axes::{self, PlotAxis, VARIANT};
use crate::plot::marks::marks;
use crate::plot::origin::pooled_of;
use crate::plot::panels::side_by_side;
use crate::plot::plot_facet::{PlotFacet, VariantCell, facets};
use crate::plot::plot_options::{FigureError, LabelledFigure, PlotOptions};
use crate::plot::quantity::{in_words, quantity};
use crate::vocabulary::goal::Measure;

/// The measure that a summary shows, and where its goal draws the line.
struct PlotMeasure {
    measure: Measure,
    limit: Option<PlotLimit>,
    quantity: PlotQuantity,
    scale: PlotScale,
}

/// The heatmaps of a view, in the order of variants and then of the further axes. What is shown is the summary's own measure.
pub fn heatmaps(summary: &SweepSummary, view: &PlotOptions) -> Result<Vec<LabelledFigure>, FigureError> {
    over_two_axes(summary, view, PlotFigure::Heatmap)
}

/// The same as bars in space.
pub fn bars(summary: &SweepSummary, view: &PlotOptions) -> Result<Vec<LabelledFigure>, FigureError> {
    over_two_axes(summary, view, PlotFigure::Bars3d)
}

/// The curves of a view, one for each value of the further axes, with the variants as lines.
pub fn curves(summary: &SweepSummary, view: &PlotOptions) -> Result<Vec<LabelledFigure>, FigureError> {
    let x = axis_of_numbers(summary, view)?;
    over_axes(summary, view, (&x, None), |subject, facet, cells| PlotFigure::Curve(curve(summary, view, subject, facet, cells, &x)))
}

fn over_two_axes(
    summary: &SweepSummary,
    view: &PlotOptions,
    figure: fn(Heatmap) -> PlotFigure,
) -> Result<Vec<LabelledFigure>, FigureError> {
    let (x, y) = two_axes(summary, view)?;
    over_axes(summary, view, (&x, Some(&y)), |subject, facet, cells| figure(heatmap(summary, view, subject, facet, cells, (&x, &y))))
}

/// A picture for each facet of the cells; those that the view wants side by side in one.
fn over_axes(
    summary: &SweepSummary,
    view: &PlotOptions,
    (x, y): (&PlotAxis, Option<&PlotAxis>),
    figure: impl Fn(&PlotMeasure, &PlotFacet, &[VariantCell<'_>]) -> PlotFigure,
) -> Result<Vec<LabelledFigure>, FigureError> {
    let panelled = view.facet.as_ref().map(|name| axes::named(summary, name)).transpose()?;
    // A curve draws the variants as its lines.
    let drawn = |axis: &&PlotAxis| axis.path == x.path || y.map_or(axis.path == VARIANT, |y| y.path == axis.path);
    if let Some(axis) = panelled.as_ref().filter(drawn) {
        return Err(FigureError::DrawnFacet { name: axis.path.clone() });
    }
    let cells = chosen_cells(summary, view)?;
    let subject = PlotMeasure::of(summary, view, &cells);
    let by_variant = y.is_some_and(|y| x.path != VARIANT && y.path != VARIANT);
    let facets = facets(summary, &cells, x, y, by_variant);
    let picture = |(facet, cells): (PlotFacet, Vec<VariantCell<'_>>)| LabelledFigure {
        figure: figure(&subject, &facet, &cells),
        facet: facet.held.iter().map(|(axis, value)| format!("{}={}", short(&axis.path), axis.label(value))).collect(),
        variant: facet.variant,
    };
    let pictures = facets.into_iter().map(picture).collect();
    match &panelled {
        Some(axis) => side_by_side(pictures, axis),
        None => Ok(pictures),
    }
}

/// The axes that the view names, the usual one along the page where it names none.
fn named_axes(summary: &SweepSummary, view: &PlotOptions) -> Result<(PlotAxis, Option<PlotAxis>), FigureError> {
    let y = view.y.as_ref().map(|name| axes::named(summary, name)).transpose()?;
    let x = match &view.x {
        Some(name) => axes::named(summary, name)?,
        None => axes::default_x(summary, y.as_ref())?,
    };
    if y.as_ref().is_some_and(|y| y.path == x.path) {
        return Err(FigureError::SameAxis { name: x.path });
    }
    Ok((x, y))
}

fn two_axes(summary: &SweepSummary, view: &PlotOptions) -> Result<(PlotAxis, PlotAxis), FigureError> {
    let (x, y) = named_axes(summary, view)?;
    let y = y.unwrap_or_else(|| axes::default_y(summary, &x));
    if y.path == x.path { Err(FigureError::NoAxis) } else { Ok((x, y)) }
}

fn axis_of_numbers(summary: &SweepSummary, view: &PlotOptions) -> Result<PlotAxis, FigureError> {
    match named_axes(summary, view)? {
        (_, Some(y)) => Err(FigureError::CurveWithY { name: y.path }),
        (x, None) if x.numbers.is_some() => Ok(x),
        (x, None) => {
            let values = x.labels().iter().map(|label| format!("`{label}`")).collect::<Vec<_>>().join(", ");
            Err(FigureError::NotNumeric { name: x.path, values })
        }
    }
}

fn chosen_cells<'a>(summary: &'a SweepSummary, view: &PlotOptions) -> Result<Vec<VariantCell<'a>>, FigureError> {
    let wanted = |name: &str| view.variant.as_ref().is_none_or(|variant| variant == name);
    if let Some(name) = view.variant.as_ref().filter(|name| summary.variants.iter().all(|variant| variant.name != **name)) {
        let known = summary.variants.iter().map(|variant| format!("`{}`", variant.name)).collect::<Vec<_>>().join(", ");
        return Err(FigureError::UnknownVariant { name: name.clone(), known });
    }
    let placed = |(name, cell): (&str, &'a CellSummary)| VariantCell { variant: Value::from(name), cell };
    let of_variants = summary.variants.iter().filter(|variant| wanted(&variant.name));
    Ok(of_variants.flat_map(|variant| variant.cells.iter().map(|cell| (variant.name.as_str(), cell))).map(placed).collect())
}

impl PlotMeasure {
    fn of(summary: &SweepSummary, view: &PlotOptions, cells: &[VariantCell<'_>]) -> Self {
        let measure = summary.shown.clone();
        let goal = summary.goals.iter().find(|goal| goal.measure == measure);
        let limit = match (view.limit, goal) {
            (Some(value), goal) => Some(PlotLimit { comparison: goal.map_or_else(|| measure.limit_by(), |goal| goal.comparison), value }),
            (None, goal) => goal.map(|goal| PlotLimit { comparison: goal.comparison, value: goal.limit }),
        };
        let predicted = |cell: &CellSummary| cell.predicted.as_ref()?.of_measure(&measure, &summary.goals)?.interval?.value.finite();
        let measured = |cell: &CellSummary| cell.shown.as_ref()?.value?.finite();
        let shown = || cells.iter().filter_map(|placed| measured(placed.cell).or_else(|| predicted(placed.cell)));
        let scale = PlotScale::around(shown().chain(limit.map(|limit| limit.value)));
        let quantity = quantity(&measure, limit.map(|limit| limit.value), shown().max_by(f64::total_cmp));
        Self { measure, limit, quantity, scale }
    }
}

fn heatmap(
    summary: &SweepSummary,
    view: &PlotOptions,
    subject: &PlotMeasure,
    facet: &PlotFacet,
    cells: &[VariantCell<'_>],
    axes: (&PlotAxis, &PlotAxis),
) -> Heatmap {
    let (x, y) = axes;
    let empty = FigureCell::without_value(FigureCellContent::Missing, 0);
    let mut rows = vec![vec![empty; x.values.len()]; y.values.len()];
    for placed in cells {
        let place = |axis: &PlotAxis| axis.place(axis.value_of(&placed.variant, placed.cell)?);
        if let Some(cell) = place(y).and_then(|row| rows.get_mut(row)).and_then(|row| row.get_mut(place(x)?)) {
            *cell = shown(placed.cell, view, summary);
        }
    }
    Heatmap {
        caption: caption(summary, view, subject, facet),
        x: label_axis(x),
        y: label_axis(y),
        quantity: subject.quantity.clone(),
        cells: rows,
        limit: subject.limit,
        scale: subject.scale,
        confidence: summary.confidence,
        marks: facet.variant_of(summary).map(|variant| marks(variant, &summary.shown, facet, x, y)).unwrap_or_default(),
    }
}

fn curve(
    summary: &SweepSummary,
    view: &PlotOptions,
    subject: &PlotMeasure,
    facet: &PlotFacet,
    cells: &[VariantCell<'_>],
    x: &PlotAxis,
) -> CurveFigure {
    let numbers = x.numbers.clone().unwrap_or_default();
    let mut lines: Vec<CurveLine> = Vec::new();
    for variant in &summary.variants {
        let of_variant = cells.iter().filter(|placed| placed.variant == variant.name.as_str());
        let point = |placed: &VariantCell<'_>| {
            let place = x.place(x.value_of(&placed.variant, placed.cell)?)?;
            Some(CurvePoint { x: *numbers.get(place)?, cell: shown(placed.cell, view, summary) })
        };
        let mut points: Vec<CurvePoint> = of_variant.filter_map(point).collect();
        points.sort_by(|left, right| left.x.total_cmp(&right.x));
        if !points.is_empty() {
            lines.push(CurveLine { label: variant.name.clone(), points });
        }
    }
    CurveFigure {
        caption: caption(summary, view, subject, facet),
        x: NumericAxis { name: x.name(), unit: x.unit().to_owned(), values: numbers.iter().copied().zip(x.labels()).collect() },
        quantity: subject.quantity.clone(),
        lines,
        limit: subject.limit,
        bands: !view.without_bands,
        confidence: summary.confidence,
    }
}

fn label_axis(axis: &PlotAxis) -> LabelAxis {
    LabelAxis { name: axis.name(), unit: axis.unit().to_owned(), values: axis.labels() }
}

/// On which side of the limit a cell that was not run is implied to be.
pub(super) fn side(implied: ImpliedOutcome) -> Option<LimitSide> {
    match implied {
        ImpliedOutcome::ToPass => Some(LimitSide::Passing),
        ImpliedOutcome::ToFail | ImpliedOutcome::ToFailForCertain => Some(LimitSide::Failing),
        ImpliedOutcome::Nothing => None,
    }
}

/// A cell as it is to be seen.
fn shown(cell: &CellSummary, view: &PlotOptions, summary: &SweepSummary) -> FigureCell {
    if let Some(predicted) = &cell.predicted {
        return predicted_cell(predicted, summary);
    }
    let estimate = match (&cell.state, &cell.shown) {
        (CellState::Failed(failure), _) => return FigureCell::without_value(FigureCellContent::Failed(failure.to_string()), cell.n),
        (CellState::Invalid { reason }, _) => return FigureCell::without_value(FigureCellContent::Invalid(reason.to_string()), cell.n),
        (CellState::Missing, _) => return FigureCell::without_value(FigureCellContent::Missing, 0),
        (CellState::Untested { implied }, _) => return FigureCell::without_value(FigureCellContent::Untested(side(*implied)), 0),
        (CellState::Measured, None) => return FigureCell::without_value(FigureCellContent::Nothing, cell.n),
        (CellState::Measured, Some(estimate)) => estimate,
    };
    let Some(value) = estimate.value else { return FigureCell::without_value(FigureCellContent::Nothing, estimate.n) };
    // A bound is an interval that is open on one side.
    let (low, high) = match estimate.bound.map(|bound| bound.side) {
        Some(analysis::BoundDirection::AtLeast) => (Some(value), None),
        Some(analysis::BoundDirection::AtMost) => (None, Some(value)),
        Some(analysis::BoundDirection::SoFar) | None => (estimate.low, estimate.high),
    };
    // Another limit than the goal's has no verdict: that would have to be computed.
    let judgement =
        if view.limit.is_some() { None } else { cell.goals.iter().find(|judgement| judgement.estimate.measure == summary.shown) };
    FigureCell {
        shown: FigureCellContent::Value(value.get()),
        n: estimate.n,
        low: low.map(analysis::ExtendedReal::get),
        high: high.map(analysis::ExtendedReal::get),
        verdict: judgement.map(|judgement| match judgement.verdict {
            analysis::GoalVerdict::Met => FigureVerdict::Met,
            analysis::GoalVerdict::Missed => FigureVerdict::Missed,
            analysis::GoalVerdict::Undecided => FigureVerdict::Undecided,
        }),
        sign: estimate.bound.map_or("", |bound| bound.side.sign()),
    }
}

/// A cell of which only a fitted engine says something.
fn predicted_cell(predicted: &PredictedFigures, summary: &SweepSummary) -> FigureCell {
    let Some(interval) = predicted.of_measure(&summary.shown, &summary.goals).and_then(|goal| goal.interval) else {
        return FigureCell::without_value(FigureCellContent::Missing, 0);
    };
    let [value, low, high] = [interval.value, interval.low, interval.high].map(analysis::ExtendedReal::get);
    let shown = FigureCellContent::Predicted { value, is_beyond: !predicted.is_within };
    FigureCell { shown, n: 0, low: Some(low), high: Some(high), verdict: None, sign: "" }
}

fn caption(summary: &SweepSummary, view: &PlotOptions, subject: &PlotMeasure, facet: &PlotFacet) -> FigureCaption {
    let title = view.title.clone().unwrap_or_else(|| in_words(&subject.measure));
    let held = facet.held.iter().map(|(axis, value)| format!("{}={}", short(&axis.path), axis.label(value)));
    let title = [title].into_iter().chain(held).collect::<Vec<_>>().join(", ");
    let repeats = pooled_of(summary);
    let basis = FigureBasis::of_summary(summary);
    let imported = summary.imported.as_ref().map(|imported| format!("IMPORTED from {}", imported.program));
    let seed = summary.imported.is_none().then(|| format!("seed {}", summary.seed));
    let predicted = summary.notes.0.iter().find_map(|note| match note {
        SweepNote::Predicted(origin) if basis == FigureBasis::Predicted => Some(origin.in_short()),
        SweepNote::Predicted(origin) => Some(format!("predicted by {}", origin.in_short())),
        _ => None,
    });
    let subtitle = [imported, Some(summary.name.clone()), predicted, repeats, seed];
    FigureCaption {
        title: facet.variant.as_ref().map_or_else(|| title.clone(), |variant| format!("{variant}: {title}")),
        subtitle: subtitle.into_iter().flatten().collect::<Vec<_>>().join(" · "),
        basis,
    }
}

#[cfg(test)]
mod tests {
    use crate::records::record::{CacheEvidence, InvalidRunReason, RunFailure, RunFailureCause};
    use crate::vocabulary::goal::ComparisonOperator;
    use serde_json::json;

    use super::*;
    use crate::analysis::{SummaryOptions, summarize};
    use crate::fixtures::sweeps::{self, cell, published, sweep, uniform};
    use crate::plot::figure::{MarkShape, ScaleMapping};
    use crate::plot::gallery::{LMCACHE, VLLM};

    const GOAL: &str = "p95(ttft where turn >= 1) <= 2s";

    fn summary(cells: &[sweeps::Cell]) -> SweepSummary {
        summarize(&sweep(&[GOAL], cells), &SummaryOptions::default()).unwrap()
    }

    fn both() -> SweepSummary {
        let mut cells = published("vllm");
        cells.extend(published("lmcache"));
        summary(&cells)
    }

    #[test]
    fn a_cell_that_was_ended_early_is_shown_as_the_bound_that_it_is() {
        let mut early = cell("vllm", 4, 3, uniform(4, 3, 3.0));
        early.records.sort_by_key(|record| (record.turn, record.session));
        early.records.truncate(32);
        let summary = summary(&[sweeps::lost_early(early, GOAL, 36)]);
        let cell = shown(&summary.variants[0].cells[0], &PlotOptions::default(), &summary);
        assert_eq!((cell.sign, cell.low, cell.high, cell.verdict), ("≥ ", Some(3.0), None, Some(FigureVerdict::Missed)));
        let text = crate::plot::draw(&heatmaps(&summary, &PlotOptions::default()).unwrap()[0].figure).unwrap().text;
        assert!(text.contains("≥ 3"), "{text}");
    }

    fn heatmap_of(picture: &LabelledFigure) -> &Heatmap {
        match &picture.figure {
            PlotFigure::Heatmap(heatmap) => heatmap,
            other => panic!("{other:?}"),
        }
    }

    fn curve_of(picture: &LabelledFigure) -> &CurveFigure {
        match &picture.figure {
            PlotFigure::Curve(curve) => curve,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_published_tables_become_a_heatmap_a_variant_with_one_scale() {
        let pictures = heatmaps(&both(), &PlotOptions::default()).unwrap();
        assert_eq!(pictures.iter().map(|picture| picture.variant.as_deref()).collect::<Vec<_>>(), [Some("vllm"), Some("lmcache")]);
        for (picture, table) in pictures.iter().zip([VLLM, LMCACHE]) {
            let heatmap = heatmap_of(picture);
            for (row, expected) in heatmap.cells.iter().zip(table) {
                for (cell, expected) in row.iter().zip(expected) {
                    assert!((cell.finite().unwrap() - expected).abs() < 1e-9, "{expected}");
                }
            }
            assert_eq!((heatmap.x.name.as_str(), heatmap.y.unit.as_str()), ("concurrent (C)", "sessions per group"));
            assert_eq!(heatmap.scale, PlotScale { low: 0.2, high: 50.0, mapping: ScaleMapping::Log });
            assert_eq!(heatmap.limit, Some(PlotLimit { comparison: ComparisonOperator::LessOrEqual, value: 2.0 }));
            assert!(heatmap.caption.basis == FigureBasis::Simulated);
        }
        assert_eq!(heatmap_of(&pictures[0]).caption.title, "vllm: p95 of time to first token, turn ≥ 1");
    }

    #[test]
    fn the_cells_that_give_the_scores_are_marked() {
        let pictures = heatmaps(&both(), &PlotOptions::default()).unwrap();
        let marks = &heatmap_of(&pictures[0]).marks;
        assert_eq!((marks[0].column, marks[0].row), (3, 2));
        assert!(marks[0].label.starts_with("max C×S: 12 (met: "), "{}", marks[0].label);
        assert_eq!((marks[1].column, marks[1].row, marks[1].shape), (3, 2, MarkShape::Diamond));
        assert_eq!((heatmap_of(&pictures[1]).marks[0].column, heatmap_of(&pictures[1]).marks[0].row), (3, 3));
    }

    #[test]
    fn axes_can_be_turned_and_named_by_their_end() {
        let view = PlotOptions { x: Some("sequential".into()), y: Some("workload.concurrent".into()), ..PlotOptions::default() };
        let pictures = heatmaps(&both(), &view).unwrap();
        let heatmap = heatmap_of(&pictures[0]);
        assert!((heatmap.cells[2][3].finite().unwrap() - 42.531_053).abs() < 1e-9, "C = 3, S = 4");
        assert_eq!((heatmap.marks[0].column, heatmap.marks[0].row), (2, 3));
    }

    #[test]
    fn variants_can_be_an_axis() {
        let view = PlotOptions { y: Some("variant".into()), ..PlotOptions::default() };
        let pictures = heatmaps(&both(), &view).unwrap();
        // S is left over: a picture each.
        assert_eq!(
            pictures.iter().map(|picture| picture.facet.join(" ")).collect::<Vec<_>>(),
            ["sequential=1", "sequential=2", "sequential=3", "sequential=4"]
        );
        let last = heatmap_of(&pictures[3]);
        assert_eq!(last.y.values, ["vllm", "lmcache"]);
        assert!((last.cells[1][3].finite().unwrap() - 1.202_544).abs() < 1e-9);
        assert!(last.caption.title.ends_with("sequential=4"));
    }

    #[test]
    fn a_curve_has_a_line_a_variant_and_a_picture_for_each_value_of_the_other_axis() {
        let view = PlotOptions { x: Some("concurrent".into()), ..PlotOptions::default() };
        let pictures = curves(&both(), &view).unwrap();
        assert_eq!(pictures.len(), 4);
        let curve = curve_of(&pictures[3]);
        assert_eq!(
            curve.lines.iter().map(|line| (line.label.as_str(), line.points.len())).collect::<Vec<_>>(),
            [("vllm", 4), ("lmcache", 4)]
        );
        assert_eq!(curve.x.values[3], (4.0, "4".to_owned()));
        assert_eq!(curve.limit.map(|limit| limit.value), Some(2.0));
    }

    #[test]
    fn a_cell_that_a_search_left_out_is_drawn_as_implied_and_never_with_a_value() {
        let cells = [(1, 1, 0.5), (1, 2, 0.5), (2, 1, 0.5), (2, 2, 5.0)].map(|(c, s, ttft)| cell("vllm", c, s, uniform(c, s, ttft)));
        let mut summary = summary(&cells);
        for (place, implied) in [(0, ImpliedOutcome::ToPass), (1, ImpliedOutcome::ToFailForCertain), (2, ImpliedOutcome::Nothing)] {
            summary.variants[0].cells[place].state = CellState::Untested { implied };
        }
        let pictures = heatmaps(&summary, &PlotOptions::default()).unwrap();
        let drawn: Vec<&FigureCellContent> = heatmap_of(&pictures[0]).cells.iter().flatten().map(|cell| &cell.shown).collect();
        assert_eq!(
            drawn[..3],
            [
                &FigureCellContent::Untested(Some(LimitSide::Passing)),
                &FigureCellContent::Untested(None),
                &FigureCellContent::Untested(Some(LimitSide::Failing))
            ]
        );
        let svg = crate::plot::draw(&pictures[0].figure).unwrap().text;
        for words in ["implied to pass, not run", "implied to fail, not run", "untested"] {
            assert!(svg.contains(words), "{words}");
        }
        assert!(svg.contains("not run, implied to pass"), "the description says it, too");
    }

    #[test]
    fn what_has_no_result_keeps_its_word_and_what_is_undecided_is() {
        let cells = [(1, 1, 0.5), (1, 2, 0.5), (2, 1, 0.5), (2, 2, 5.0)].map(|(c, s, ttft)| cell("vllm", c, s, uniform(c, s, ttft)));
        let mut summary = summary(&cells);
        let measured = &mut summary.variants[0].cells;
        measured[1].state = CellState::Failed(RunFailure::new(RunFailureCause::Cell, "reset answered 404".into()));
        measured[2].state =
            CellState::Invalid { reason: InvalidRunReason::WarmCaches { evidence: CacheEvidence::Text("the cache was warm".into()) } };
        let pictures = heatmaps(&summary, &PlotOptions::default()).unwrap();
        let [[fine, warm], [failed, slow]] = &heatmap_of(&pictures[0]).cells.iter().map(Vec::as_slice).collect::<Vec<_>>()[..] else {
            panic!()
        };
        assert_eq!((&fine.shown, fine.verdict, fine.n), (&FigureCellContent::Value(0.5), Some(FigureVerdict::Undecided), 3));
        assert_eq!(failed.shown, FigureCellContent::Failed("reset answered 404".into()));
        assert_eq!(warm.shown, FigureCellContent::Invalid("the cache was warm".into()));
        assert_eq!(slow.verdict, Some(FigureVerdict::Missed));
    }

    #[test]
    fn axes_that_go_step_by_step_with_another_make_no_further_pictures() {
        let mut cells = Vec::new();
        for c in 1..=3 {
            let mut cell = cell("vllm", c, 1, uniform(c, 1, 0.5));
            cell.axes = vec![("workload.concurrent".into(), json!(c)), ("workload.rounds".into(), json!(c * 10))];
            cells.push(cell);
        }
        let summary = summary(&cells);
        let curves = curves(&summary, &PlotOptions::default()).unwrap();
        assert_eq!((curves.len(), curve_of(&curves[0]).lines[0].points.len()), (1, 3));
        let heatmaps = heatmaps(&summary, &PlotOptions::default()).unwrap();
        assert_eq!(heatmap_of(&heatmaps[0]).y.values, ["vllm"]);
    }

    #[test]
    fn another_limit_is_drawn_and_claims_no_verdict() {
        let pictures = heatmaps(&both(), &PlotOptions { limit: Some(0.5), ..PlotOptions::default() }).unwrap();
        let heatmap = heatmap_of(&pictures[0]);
        assert_eq!(heatmap.limit, Some(PlotLimit { comparison: ComparisonOperator::LessOrEqual, value: 0.5 }));
        assert!(heatmap.cells.iter().flatten().all(|cell| cell.verdict.is_none()));
    }

    #[test]
    fn what_cannot_be_shown_says_what_can() {
        let said = |view: PlotOptions| heatmaps(&both(), &view).unwrap_err().to_string();
        let unknown = said(PlotOptions { x: Some("speed".into()), ..PlotOptions::default() });
        assert_eq!(unknown, "`speed` is no axis of this sweep; use one of `workload.concurrent`, `workload.sequential`, `variant`");
        let same = said(PlotOptions { x: Some("concurrent".into()), y: Some("workload.concurrent".into()), ..PlotOptions::default() });
        assert!(same.starts_with("x and y are both"), "{same}");
        let variant = said(PlotOptions { variant: Some("sglang".into()), ..PlotOptions::default() });
        assert_eq!(variant, "`sglang` is no variant of this sweep; use one of `vllm`, `lmcache`");
        let words = curves(&both(), &PlotOptions { x: Some("variant".into()), ..PlotOptions::default() }).unwrap_err().to_string();
        assert!(words.contains("`vllm`, `lmcache`") && words.contains("needs an axis of numbers"), "{words}");
    }
}
