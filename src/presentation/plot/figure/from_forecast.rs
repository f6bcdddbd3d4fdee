//! From what a fitted engine says to a picture of the largest loads over the axes that ask what if.

use super::{FigureBasis, FigureCaption, FigureCell, FigureCellContent, Heatmap, LabelAxis, PlotQuantity, PlotScale};
use crate::analysis::{AxisSummary, LargestPredictedLoad};
use crate::plot::axes::PlotAxis;

/// The largest C×S over one or two axes beside C and S; `None` where there are none, or more.
#[must_use]
pub fn largest_loads(title: &str, subtitle: &str, axes: &[AxisSummary], loads: &[LargestPredictedLoad]) -> Option<Heatmap> {
    let first = loads.first()?;
    let named = |place: usize| {
        let (name, _) = first.within.get(place)?;
        axes.iter().find(|axis| axis.name == *name).map(PlotAxis::of)
    };
    if first.within.len() > 2 {
        return None;
    }
    let (x, y) = (named(0)?, named(1));
    let mut cells =
        vec![vec![FigureCell::without_value(FigureCellContent::Missing, 0); x.values.len()]; y.as_ref().map_or(1, |y| y.values.len())];
    for load in loads {
        let place = |axis: &PlotAxis, at: usize| axis.place(&load.within.get(at)?.1);
        let row = y.as_ref().map_or(Some(0), |y| place(y, 1));
        if let (Some(column), Some(row)) = (place(&x, 0), row) {
            cells[row][column] = FigureCell {
                shown: FigureCellContent::Predicted { value: load.sessions.value.get(), is_beyond: false },
                n: 0,
                low: Some(load.sessions.low.get()),
                high: Some(load.sessions.high.get()),
                verdict: None,
                sign: "",
            };
        }
    }
    let label = |axis: &PlotAxis| LabelAxis { name: axis.name(), unit: axis.unit().to_owned(), values: axis.labels() };
    Some(Heatmap {
        caption: FigureCaption { title: title.to_owned(), subtitle: subtitle.to_owned(), basis: FigureBasis::Predicted },
        x: label(&x),
        y: y.as_ref().map_or_else(|| LabelAxis { name: String::new(), unit: String::new(), values: vec![String::new()] }, label),
        quantity: PlotQuantity { name: "max C×S".to_owned(), unit: "sessions".to_owned(), factor: 1.0 },
        cells,
        limit: None,
        scale: PlotScale::around(loads.iter().map(|load| load.sessions.value.get())),
        confidence: 0.9,
        marks: Vec::new(),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::analysis::{ExtendedReal, PredictedInterval};

    #[test]
    fn the_largest_loads_stand_over_the_axes_that_ask_what_if() {
        let listed =
            |name: &str, values: &[u64]| AxisSummary { name: name.to_owned(), values: values.iter().map(|value| json!(value)).collect() };
        let axes =
            [listed("workload.concurrent", &[1, 2]), listed("engine.kv_memory", &[200, 100]), listed("engine.max_sequences", &[8, 16])];
        let load = |memory: u64, sequences: u64, sessions: f64| LargestPredictedLoad {
            within: vec![("engine.kv_memory".to_owned(), json!(memory)), ("engine.max_sequences".to_owned(), json!(sequences))],
            sessions: {
                let value = ExtendedReal::new(sessions).unwrap();
                PredictedInterval { value, low: value, high: value }
            },
        };
        let loads = [load(100, 8, 4.0), load(200, 8, 8.0), load(100, 16, 4.0), load(200, 16, 16.0)];
        let heatmap = largest_loads("what if", "", &axes, &loads).unwrap();
        let predicted = |value: f64| FigureCellContent::Predicted { value, is_beyond: false };
        let shown = |row: usize, column: usize| heatmap.cells[row][column].shown.clone();
        assert_eq!((heatmap.x.values.len(), heatmap.y.name.as_str()), (2, "max_sequences"));
        assert_eq!((shown(0, 0), shown(1, 1)), (predicted(4.0), predicted(16.0)));
        assert!(largest_loads("nothing else", "", &axes, &[LargestPredictedLoad { within: Vec::new(), ..load(100, 8, 4.0) }]).is_none());
    }
}
