//! Several figures as one picture, side by side: the same view at each value of a further axis.

use super::{FigureCaption, PlotFigure};

#[derive(Debug, Clone, PartialEq)]
pub struct FacetFigure {
    pub caption: FigureCaption,
    /// In reading order; each carries what holds for it alone as its title.
    pub figures: Vec<PlotFigure>,
}

#[cfg(test)]
mod sample {
    use super::FacetFigure;
    use crate::plot::figure::{FigureBasis, FigureCaption, Heatmap, PlotFigure};
    use crate::plot::gallery::{LMCACHE, VLLM};

    impl FacetFigure {
        /// Two heatmaps.
        pub(crate) fn sample() -> Self {
            let figures = [("kv_memory=32GB", VLLM), ("kv_memory=64GB", LMCACHE)];
            let figures = figures.into_iter().map(|(title, table)| PlotFigure::Heatmap(Heatmap::published(title, &table))).collect();
            let caption = FigureCaption {
                title: "p95 of time to first token, turn ≥ 1".into(),
                subtitle: "capacity · seed 7".into(),
                basis: FigureBasis::Simulated,
            };
            Self { caption, figures }
        }
    }
}
