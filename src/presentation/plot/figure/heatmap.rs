//! A value over two axes, as a grid of cells.

use super::{FigureCaption, FigureCell, FigureCellContent, PlotLimit, PlotQuantity, PlotScale};

#[derive(Debug, Clone, PartialEq)]
pub struct Heatmap {
    pub caption: FigureCaption,
    /// Along the page.
    pub x: LabelAxis,
    /// Up the page: its first value is at the bottom.
    pub y: LabelAxis,
    pub quantity: PlotQuantity,
    /// `cells[row][column]`: a row a value of `y`, a column a value of `x`.
    pub cells: Vec<Vec<FigureCell>>,
    pub limit: Option<PlotLimit>,
    /// The range of the colours; the same for all heatmaps that are to be compared.
    pub scale: PlotScale,
    /// How sure intervals and verdicts are, from 0 to 1.
    pub confidence: f64,
    /// Cells that stand out.
    pub marks: Vec<CellMark>,
}

/// An axis of equally wide steps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LabelAxis {
    pub name: String,
    /// What is counted; empty where the values carry their unit or have none.
    pub unit: String,
    pub values: Vec<String>,
}

/// A cell that stands out, with what for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CellMark {
    pub column: usize,
    pub row: usize,
    pub shape: MarkShape,
    pub label: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MarkShape {
    Star,
    Diamond,
}

/// On which side of the limit a cell is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LimitSide {
    Passing,
    Failing,
}

impl Heatmap {
    /// The side of the limit that a cell's value is on, however surely; `None` where there is no limit or no result.
    pub fn side(&self, cell: &FigureCell) -> Option<LimitSide> {
        let limit = self.limit?;
        match cell.shown {
            FigureCellContent::Value(value) | FigureCellContent::Predicted { value, .. } => {
                Some(if limit.holds(value) { LimitSide::Passing } else { LimitSide::Failing })
            }
            FigureCellContent::Failed(_)
            | FigureCellContent::Missing
            | FigureCellContent::Untested(_)
            | FigureCellContent::Invalid(_)
            | FigureCellContent::Nothing => None,
        }
    }
}

#[cfg(test)]
mod sample {
    use super::{CellMark, Heatmap, LabelAxis, MarkShape};
    use crate::plot::figure::{FigureBasis, FigureCaption, FigureCell, FigureCellContent, FigureVerdict, PlotFigure, PlotScale};
    use crate::plot::gallery::{LMCACHE, VLLM, ttft, two_seconds};

    impl Heatmap {
        /// A published table, with 3 follow-ups a session.
        pub(crate) fn published(title: &str, table: &[[f64; 4]; 4]) -> Self {
            let cells = table
                .iter()
                .zip(1_u64..)
                .map(|(row, s)| row.iter().zip(1_u64..).map(|(value, c)| FigureCell::value(*value, 3 * c * s)).collect())
                .collect();
            of_cells(title, cells)
        }

        /// One of everything that can go wrong, with intervals and verdicts.
        pub(crate) fn troubled() -> Self {
            let mut figure = Self::published(
                "<script>alert(1)</script> & \"lmcache\": p95 of time to first token over follow-up turns, a title that takes two lines",
                &VLLM,
            );
            for (row, cells) in figure.cells.iter_mut().enumerate() {
                for (column, cell) in cells.iter_mut().enumerate() {
                    let value = VLLM[row][column];
                    cell.low = Some(value * 0.8);
                    cell.high = (value < 40.0).then_some(value * 1.3);
                    cell.verdict = Some(if value > 2.0 {
                        FigureVerdict::Missed
                    } else if (row + column) % 2 == 0 {
                        FigureVerdict::Undecided
                    } else {
                        FigureVerdict::Met
                    });
                }
            }
            figure.cells[0][2] = FigureCell::without_value(FigureCellContent::Failed("cache reset answered 404".into()), 0);
            figure.cells[1][1] = FigureCell::without_value(FigureCellContent::Missing, 0);
            figure.cells[2][0] = FigureCell::without_value(FigureCellContent::Invalid("cache was not empty".into()), 9);
            figure.cells[3][3] = FigureCell {
                shown: FigureCellContent::Value(f64::INFINITY),
                n: 48,
                low: Some(33.5),
                high: Some(f64::INFINITY),
                verdict: Some(FigureVerdict::Missed),
                sign: "",
            };
            figure.caption.basis = FigureBasis::Simulated;
            figure.marks = vec![
                CellMark { column: 3, row: 2, shape: MarkShape::Star, label: "max C×S met: 12".into() },
                CellMark { column: 3, row: 2, shape: MarkShape::Diamond, label: "best harmonic mean".into() },
            ];
            figure
        }

        /// So many cells, some of them without a result.
        pub(crate) fn sample(columns: u32, rows: u32) -> Self {
            let cells = (1..=rows)
                .map(|s| {
                    (1..=columns)
                        .map(|c| {
                            let value = 0.2 * f64::from(c).powf(0.5) * if c * s > columns * rows / 3 { 40.0 } else { 1.0 };
                            let mut cell = FigureCell::value(value, u64::from(c * s * 3));
                            (cell.low, cell.high) = (Some(value * 0.9), Some(value * 1.1));
                            cell.verdict = Some(if (1.5..2.5).contains(&value) || c * s * 3 < 59 {
                                FigureVerdict::Undecided
                            } else {
                                FigureVerdict::Met
                            });
                            if value > 2.0 {
                                cell.verdict = Some(FigureVerdict::Missed);
                            }
                            if c == 5 && s == 2 {
                                cell = FigureCell::without_value(FigureCellContent::Failed("timeout".into()), 3);
                            }
                            if c == 6 && s == 1 {
                                cell = FigureCell::without_value(FigureCellContent::Missing, 0);
                            }
                            if c == 2 && s == rows {
                                cell = FigureCell::without_value(FigureCellContent::Invalid("client limited".into()), 30);
                            }
                            cell
                        })
                        .collect()
                })
                .collect();
            let mut figure = of_cells(&format!("{columns} by {rows}"), cells);
            figure.scale = PlotScale::around(figure.cells.iter().flatten().filter_map(FigureCell::finite).chain([2.0]));
            figure.marks =
                vec![CellMark { column: 3.min(columns as usize - 1), row: 0, shape: MarkShape::Star, label: "max C×S met".into() }];
            figure
        }

        /// For the gallery.
        pub(crate) fn samples() -> Vec<(&'static str, PlotFigure)> {
            let mut all_hold = Self::published("lmcache: p95(ttft where turn >= 1)", &LMCACHE);
            all_hold.caption.basis = FigureBasis::Simulated;
            let figures = [
                ("vllm", Self::published("vllm: p95(ttft where turn >= 1)", &VLLM)),
                ("lmcache", all_hold),
                ("troubled", Self::troubled()),
                ("16x16", Self::sample(16, 16)),
                ("10x10", Self::sample(10, 10)),
                ("8x8", Self::sample(8, 8)),
                ("64x40", Self::sample(64, 40)),
                ("1x8", Self::sample(1, 8)),
                ("8x1", Self::sample(8, 1)),
                ("1x1", Self::sample(1, 1)),
            ];
            figures.map(|(name, figure)| (name, PlotFigure::Heatmap(figure))).into()
        }

        /// For the gallery, as bars in space.
        pub(crate) fn samples_in_space() -> Vec<(&'static str, PlotFigure)> {
            let plain = Self::published("vllm: p95(ttft where turn >= 1)", &VLLM);
            vec![("bars3d", PlotFigure::Bars3d(plain)), ("bars3d-troubled", PlotFigure::Bars3d(Self::troubled()))]
        }
    }

    fn of_cells(title: &str, cells: Vec<Vec<FigureCell>>) -> Heatmap {
        let columns = u32::try_from(cells[0].len()).unwrap();
        let rows = u32::try_from(cells.len()).unwrap();
        Heatmap {
            caption: FigureCaption {
                title: title.into(),
                subtitle: "Qwen2.5-7B-Instruct-1M, 128k-token documents".into(),
                basis: FigureBasis::Measured,
            },
            x: axis("concurrent", "groups", 1..=columns),
            y: axis("sequential", "sessions per group", 1..=rows),
            quantity: ttft(),
            limit: Some(two_seconds()),
            scale: PlotScale::around([0.311, 42.5, 2.0]),
            cells,
            confidence: 0.95,
            marks: Vec::new(),
        }
    }

    fn axis(name: &str, unit: &str, values: impl IntoIterator<Item = u32>) -> LabelAxis {
        LabelAxis { name: name.into(), unit: unit.into(), values: values.into_iter().map(|value| value.to_string()).collect() }
    }
}
