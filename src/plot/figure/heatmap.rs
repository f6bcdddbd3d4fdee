//! A value over two axes, as a grid of cells.

use super::{Caption, Cell, Limit, Quantity, Scale, Shown};

#[derive(Debug, Clone, PartialEq)]
pub struct Heatmap {
    pub caption: Caption,
    /// Along the page.
    pub x: LabelAxis,
    /// Up the page: its first value is at the bottom.
    pub y: LabelAxis,
    pub quantity: Quantity,
    /// `cells[row][column]`: a row a value of `y`, a column a value of `x`.
    pub cells: Vec<Vec<Cell>>,
    pub limit: Option<Limit>,
    /// The range of the colours; the same for all heatmaps that are to be compared.
    pub scale: Scale,
    /// How sure intervals and verdicts are, from 0 to 1.
    pub confidence: f64,
    /// Cells that stand out.
    pub marks: Vec<Mark>,
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
pub struct Mark {
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
pub enum Side {
    Passing,
    Failing,
}

impl Heatmap {
    /// The side of the limit that a cell's value is on, however surely; `None` where there is no limit or no result.
    pub fn side(&self, cell: &Cell) -> Option<Side> {
        let limit = self.limit?;
        match cell.shown {
            Shown::Value(value) => Some(if limit.holds(value) { Side::Passing } else { Side::Failing }),
            Shown::Failed(_) | Shown::Missing | Shown::Untested(_) | Shown::Invalid(_) | Shown::Nothing => None,
        }
    }
}
