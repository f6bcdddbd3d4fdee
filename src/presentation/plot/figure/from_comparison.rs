//! From a comparison to pictures: what became of one measure in every cell that both sides have.
//!
//! In: a finished comparison. Out: plain figures. Computes no number; knows neither saved files nor drawing.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{ChangeOutcome, DifferenceCell, DifferenceFigure, DifferenceSize, FigureBasis, FigureCaption, LabelAxis, PlotFigure};
use crate::analysis::compare::{CellComparison, ComparedMeasure, ComparisonVerdict, MeasureEffect, VariantComparison};
use crate::analysis::{AxisSummary, ExtendedReal, short};
use crate::plot::axes::PlotAxis;
use crate::plot::number;
use crate::plot::plot_options::{FigureError, LabelledFigure};
use crate::plot::quantity::in_words;
use crate::vocabulary::metric::{DisplayUnit, MeasureUnit};

/// How far the colours may reach: the first one that holds every ratio, at both ends.
const REACHES: [f64; 7] = [1.25, 1.5, 2.0, 5.0, 10.0, 100.0, 1000.0];

/// The pictures of one measure's change over two axes, one for each value of further axes. Axes that are missing are chosen: C and S where
/// they are there, else the first ones.
///
/// # Errors
/// Where the comparison has no such measure or axis, or no cells.
pub fn of_comparison(
    comparison: &VariantComparison,
    measure: &ComparedMeasure,
    x: Option<&str>,
    y: Option<&str>,
) -> Result<Vec<LabelledFigure>, FigureError> {
    let effects = || comparison.overall.iter().chain(comparison.cells.iter().flat_map(|cell| &cell.effects));
    if !effects().any(|effect| effect.measure == *measure) {
        let mut names: Vec<String> = Vec::new();
        for name in effects().map(|effect| format!("`{}`", effect.measure)) {
            if !names.contains(&name) {
                names.push(name);
            }
        }
        return Err(FigureError::Measure { text: measure.to_string(), reason: format!("the comparison has {}", names.join(", ")) });
    }
    let axes = axes_of(&comparison.cells);
    let x = chosen(&axes, x, "concurrent", None)?.ok_or(FigureError::NoAxis)?;
    let y = chosen(&axes, y, "sequential", Some(x))?;
    if y.is_some_and(|y| y.path == x.path) {
        return Err(FigureError::SameAxis { name: x.path.clone() });
    }
    let held: Vec<&PlotAxis> =
        axes.iter().filter(|axis| axis.path != x.path && y.is_none_or(|y| y.path != axis.path) && axis.values.len() > 1).collect();
    let mut parts: BTreeMap<Vec<usize>, Vec<&CellComparison>> = BTreeMap::new();
    for cell in &comparison.cells {
        let place = held.iter().map(|axis| cell.axes.get(&axis.path).and_then(|value| axis.place(value)).unwrap_or(usize::MAX)).collect();
        parts.entry(place).or_default().push(cell);
    }
    let reach = reach(comparison, measure);
    let pictures = parts.into_iter().map(|(place, cells)| {
        let facet: Vec<String> = held
            .iter()
            .zip(place)
            .filter_map(|(axis, n)| Some(format!("{}={}", short(&axis.path), axis.label(axis.values.get(n)?))))
            .collect();
        let figure = PlotFigure::Difference(difference(comparison, measure, &cells, (x, y), (&facet, reach)));
        LabelledFigure { figure, variant: None, facet }
    });
    Ok(pictures.collect())
}

fn axes_of(cells: &[CellComparison]) -> Vec<PlotAxis> {
    let mut found: Vec<AxisSummary> = Vec::new();
    for (name, value) in cells.iter().flat_map(|cell| &cell.axes) {
        match found.iter_mut().find(|axis| axis.name == *name) {
            Some(axis) if axis.values.contains(value) => {}
            Some(axis) => axis.values.push(value.clone()),
            None => found.push(AxisSummary { name: name.clone(), values: vec![value.clone()] }),
        }
    }
    found.iter().map(PlotAxis::of).collect()
}

/// The axis of that path or last part; where none is asked for, the usual one, else the first that is not taken.
fn chosen<'a>(
    axes: &'a [PlotAxis],
    name: Option<&str>,
    usual: &str,
    taken: Option<&PlotAxis>,
) -> Result<Option<&'a PlotAxis>, FigureError> {
    let by = |name: &str| axes.iter().find(|axis| axis.path == name || short(&axis.path) == name);
    if let Some(name) = name {
        let known = || axes.iter().map(|axis| format!("`{}`", axis.path)).collect::<Vec<_>>().join(", ");
        return by(name).map(Some).ok_or_else(|| FigureError::UnknownAxis { name: name.to_owned(), known: known() });
    }
    let free = |axis: &&PlotAxis| taken.is_none_or(|taken| taken.path != axis.path);
    Ok(by(usual).filter(free).or_else(|| axes.iter().find(free)))
}

fn effect_of<'a>(cell: &'a CellComparison, measure: &ComparedMeasure) -> Option<&'a MeasureEffect> {
    cell.effects.iter().find(|effect| effect.measure == *measure)
}

fn reach(comparison: &VariantComparison, measure: &ComparedMeasure) -> f64 {
    let ratios = comparison.cells.iter().filter_map(|cell| effect_of(cell, measure)?.ratio?.value.finite());
    let farthest = ratios.filter(|ratio| *ratio > 0.0).map(|ratio| ratio.max(ratio.recip())).fold(1.0, f64::max);
    REACHES.into_iter().find(|reach| *reach >= farthest).unwrap_or(1000.0)
}

fn difference(
    comparison: &VariantComparison,
    measure: &ComparedMeasure,
    cells: &[&CellComparison],
    (x, y): (&PlotAxis, Option<&PlotAxis>),
    (facet, reach): (&[String], f64),
) -> DifferenceFigure {
    let new = &comparison.new.name;
    let y_axis = y.map_or_else(|| LabelAxis { name: String::new(), unit: String::new(), values: vec![new.clone()] }, label_axis);
    let mut rows: Vec<Vec<Option<DifferenceCell>>> = vec![vec![None; x.values.len()]; y_axis.values.len()];
    let place = |axis: &PlotAxis, cell: &CellComparison| cell.axes.get(&axis.path).and_then(|value: &Value| axis.place(value));
    for cell in cells {
        let row = y.map_or(Some(0), |y| place(y, cell));
        let slot = row.and_then(|row| rows.get_mut(row)).zip(place(x, cell)).and_then(|(row, column)| row.get_mut(column));
        if let (Some(slot), Some(effect)) = (slot, effect_of(cell, measure)) {
            *slot = change(effect);
        }
    }
    let lower_is_better = cells.iter().find_map(|cell| effect_of(cell, measure)).is_none_or(|effect| effect.lower_is_better);
    DifferenceFigure {
        caption: caption(comparison, measure, facet),
        x: label_axis(x),
        y: y_axis,
        measure: measure.to_string(),
        ratio_of: format!("{new} / {}", comparison.base.name),
        lower_is_better,
        cells: rows,
        reach,
        margin: margin(comparison, measure),
        confidence: comparison.confidence,
    }
}

/// The largest change that counts as none: of shares in points, and of failures no more than one.
fn margin(comparison: &VariantComparison, measure: &ComparedMeasure) -> String {
    let per_cent = comparison.margin * 100.0;
    match (measure.unit(), measure.is_error_rate()) {
        (MeasureUnit::Share, true) => format!("{} percentage points", number::short(per_cent.min(1.0))),
        (MeasureUnit::Share, false) => format!("{} percentage points", number::short(per_cent)),
        _ => number::confidence(comparison.margin),
    }
}

fn label_axis(axis: &PlotAxis) -> LabelAxis {
    LabelAxis { name: axis.name(), unit: axis.unit().to_owned(), values: axis.labels() }
}

/// A cell's change; nothing where a side has no value.
fn change(effect: &MeasureEffect) -> Option<DifferenceCell> {
    let (base, new) = (effect.base?, effect.new?);
    let size = match effect.ratio {
        Some(ratio) => DifferenceSize::Ratio(ratio.value.get()),
        None => DifferenceSize::Without { base: in_unit(base, effect), new: in_unit(new, effect) },
    };
    Some(DifferenceCell {
        size,
        low: effect.ratio.and_then(|ratio| ratio.low).map(ExtendedReal::get),
        high: effect.ratio.and_then(|ratio| ratio.high).map(ExtendedReal::get),
        n_base: effect.n_base,
        n_new: effect.n_new,
        outcome: match effect.call {
            ComparisonVerdict::Improved => ChangeOutcome::Improved,
            ComparisonVerdict::Same => ChangeOutcome::Same,
            ComparisonVerdict::Regressed => ChangeOutcome::Regressed,
            ComparisonVerdict::NotEnoughData => ChangeOutcome::Unknown,
        },
    })
}

/// `0.5 s`; shares in percent.
fn in_unit(value: ExtendedReal, effect: &MeasureEffect) -> String {
    let both = [effect.base, effect.new].into_iter().flatten().filter_map(ExtendedReal::finite);
    let DisplayUnit { unit, factor } = effect.unit.display(None, both.max_by(f64::total_cmp));
    format!("{} {unit}", number::three_digits(value.get() * factor)).trim_end().to_owned()
}

fn caption(comparison: &VariantComparison, measure: &ComparedMeasure, facet: &[String]) -> FigureCaption {
    let what = match measure {
        ComparedMeasure::Measure(measure) => in_words(measure),
        ComparedMeasure::OutputTokens | ComparedMeasure::HitRate => measure.to_string().replace('_', " "),
    };
    let title = [format!("{} against {}: {what}", comparison.new.name, comparison.base.name)];
    let sweeps = if comparison.base.sweep == comparison.new.sweep {
        comparison.base.sweep.clone()
    } else {
        format!("base {}, new {}", comparison.base.sweep, comparison.new.sweep)
    };
    let mut from: Vec<String> = Vec::new();
    for side in [&comparison.base, &comparison.new] {
        let text = side.imported.as_ref().map(|imported| format!("IMPORTED from {}", imported.program));
        from.extend(text.filter(|text| !from.contains(text)));
    }
    let differs = (!comparison.differences.is_empty()).then(|| {
        format!("differs in {}", comparison.differences.iter().map(|difference| difference.what.as_str()).collect::<Vec<_>>().join(", "))
    });
    FigureCaption {
        title: title.into_iter().chain(facet.iter().cloned()).collect::<Vec<_>>().join(", "),
        subtitle: from.into_iter().chain([sweeps]).chain(differs).collect::<Vec<_>>().join(" · "),
        basis: FigureBasis::of(comparison.base.simulated || comparison.new.simulated),
    }
}

#[cfg(test)]
pub use tests::difference_of_all;

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::analysis::NoteList;
    use crate::analysis::compare::{ComparisonSide, ConfidenceInterval, GateMeasures};

    fn measure() -> ComparedMeasure {
        "p95(ttft where turn >= 1)".parse().unwrap()
    }

    fn extended(value: f64) -> ExtendedReal {
        ExtendedReal::new(value).unwrap()
    }

    fn effect(base: f64, new: f64, call: ComparisonVerdict) -> MeasureEffect {
        let ratio = new / base;
        let interval = ConfidenceInterval { value: extended(ratio), low: Some(extended(ratio * 0.9)), high: Some(extended(ratio * 1.1)) };
        MeasureEffect {
            measure: measure(),
            unit: MeasureUnit::Seconds,
            lower_is_better: true,
            pairs: 12,
            n_base: 36,
            n_new: 36,
            base: Some(extended(base)),
            new: Some(extended(new)),
            ratio: ratio.is_finite().then_some(interval),
            difference: None,
            call,
        }
    }

    /// Both sides over C and S, with every call and a value without ratio.
    fn comparison() -> VariantComparison {
        let side = |name: &str| ComparisonSide {
            name: name.into(),
            sweep: "capacity".into(),
            variant: name.into(),
            simulated: true,
            imported: None,
            created_at: "2026-01-01T00:00:00Z".into(),
        };
        let outcomes =
            [ComparisonVerdict::Improved, ComparisonVerdict::Same, ComparisonVerdict::Regressed, ComparisonVerdict::NotEnoughData];
        let mut cells = Vec::new();
        for (s, ratios) in (1..).zip([[0.6, 0.99, 1.5, 1.1], [0.5, 1.01, 1.9, 0.8], [0.7, 1.0, 1.3, 1.02], [0.8, 1.0, f64::INFINITY, 0.9]])
        {
            for ((c, ratio), call) in (1..).zip(ratios).zip(outcomes) {
                let axes = [("workload.concurrent".to_owned(), json!(c)), ("workload.sequential".to_owned(), json!(s))];
                let effects = vec![effect(0.5, 0.5 * ratio, call)];
                cells.push(CellComparison { axes: axes.into_iter().collect(), effects, call, beside: None });
            }
        }
        VariantComparison {
            base: side("vllm"),
            new: side("lmcache"),
            confidence: 0.95,
            margin: 0.05,
            gate: GateMeasures::Goals,
            primary: vec![measure()],
            family: "every interval is wider".into(),
            differences: Vec::new(),
            overall: Vec::new(),
            cells,
            scores: Vec::new(),
            answers: None,
            call: ComparisonVerdict::Regressed,
            beside: None,
            notes: NoteList::default(),
        }
    }

    /// A figure of it.
    pub fn difference_of_all() -> PlotFigure {
        PlotFigure::Difference(only(&comparison()))
    }

    fn only(comparison: &VariantComparison) -> DifferenceFigure {
        match of_comparison(comparison, &comparison.primary[0], None, None).unwrap().remove(0).figure {
            PlotFigure::Difference(difference) => difference,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn every_cell_has_its_ratio_its_interval_and_its_call() {
        let figure = only(&comparison());
        assert_eq!((figure.x.values.len(), figure.y.values.len()), (4, 4));
        let slow = figure.cells[1][2].clone().unwrap();
        assert_eq!((slow.size, slow.outcome), (DifferenceSize::Ratio(1.9), ChangeOutcome::Regressed));
        assert!((slow.high.unwrap() - 2.09).abs() < 1e-9);
        assert_eq!(figure.caption.title, "lmcache against vllm: p95 of time to first token, turn ≥ 1");
        assert!(figure.caption.basis == FigureBasis::Simulated);
        assert!((figure.reach - 2.0).abs() < 1e-12, "1.9 lies within a factor of 2");
    }

    #[test]
    fn an_imported_side_is_labelled_and_what_counts_as_none_is_said_in_the_measure_s_own_way() {
        let mut comparison = comparison();
        comparison.new.imported = serde_json::from_value(json!({"program": "a script", "lacks": []})).unwrap();
        assert_eq!(only(&comparison).caption.subtitle, "IMPORTED from a script · capacity");
        assert_eq!(only(&comparison).margin, "5 %");
        for cell in &mut comparison.cells {
            for effect in &mut cell.effects {
                (effect.measure, effect.unit) = (ComparedMeasure::HitRate, MeasureUnit::Share);
            }
        }
        comparison.primary = vec![ComparedMeasure::HitRate];
        assert_eq!(only(&comparison).margin, "5 percentage points");
    }

    #[test]
    fn a_value_that_became_infinite_is_said_in_words_and_a_missing_one_is_no_change() {
        let mut comparison = comparison();
        comparison.cells[0].effects[0].new = None;
        let figure = only(&comparison);
        assert_eq!(figure.cells[3][2].clone().unwrap().size, DifferenceSize::Without { base: "500 ms".into(), new: "∞ ms".into() });
        assert_eq!(figure.cells[0][0], None);
    }

    #[test]
    fn other_axes_give_a_picture_each_and_faults_say_what_there_is() {
        let mut comparison = comparison();
        for cell in &mut comparison.cells {
            let rounds = cell.axes["workload.sequential"].as_u64().unwrap() % 2;
            cell.axes.insert("workload.rounds".into(), json!(rounds));
        }
        let pictures = of_comparison(&comparison, &measure(), None, None).unwrap();
        assert_eq!(pictures.iter().map(|picture| picture.facet.join(" ")).collect::<Vec<_>>(), ["rounds=0", "rounds=1"]);
        let unknown = of_comparison(&comparison, &"p95(e2e)".parse().unwrap(), None, None).unwrap_err().to_string();
        assert!(unknown.contains("`p95(ttft where turn >= 1)`"), "{unknown}");
        let axis = of_comparison(&comparison, &measure(), Some("speed"), None).unwrap_err().to_string();
        assert!(axis.contains("`workload.concurrent`"), "{axis}");
    }
}
