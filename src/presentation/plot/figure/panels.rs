//! Several figures as one picture, side by side: the same view at each value of a further axis.

use super::{FigureCaption, PlotFigure};

#[derive(Debug, Clone, PartialEq)]
pub struct FacetFigure {
    pub caption: FigureCaption,
    /// In reading order; each carries what holds for it alone as its title.
    pub figures: Vec<PlotFigure>,
}
