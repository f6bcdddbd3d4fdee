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
            FigureCellContent::Value(value) => Some(if limit.holds(value) { LimitSide::Passing } else { LimitSide::Failing }),
            FigureCellContent::Failed(_)
            | FigureCellContent::Missing
            | FigureCellContent::Untested(_)
            | FigureCellContent::Invalid(_)
            | FigureCellContent::Nothing => None,
        }
    }
}
