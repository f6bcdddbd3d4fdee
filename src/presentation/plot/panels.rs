//! Pictures of one view that differ in a single axis, put side by side as panels of one picture. Pictures in, fewer pictures out.

use super::FigureError;
use super::axes::{PlotAxis, VARIANT};
use super::figure::{CurveFigure, FacetFigure, FigureBasis, FigureCaption, Heatmap, PlotFigure};
use super::plot_options::LabelledFigure;
use crate::analysis::short;

/// Pictures that agree in everything but the axis become one; those that do not hold it at a value stay as they are.
///
/// # Errors
/// Where the pictures are of a kind that does not share a scale.
pub fn side_by_side(pictures: Vec<LabelledFigure>, axis: &PlotAxis) -> Result<Vec<LabelledFigure>, FigureError> {
    let prefix = format!("{}=", short(&axis.path));
    let mut done: Vec<LabelledFigure> = Vec::new();
    for mut picture in pictures {
        let label = if axis.path == VARIANT {
            picture.variant.take()
        } else {
            let held = picture.facet.iter().position(|part| part.starts_with(&prefix));
            held.map(|at| picture.facet.remove(at))
        };
        let Some(label) = label else {
            done.push(picture);
            continue;
        };
        let whole = without(picture.figure.caption(), &label);
        let panel = retitled(picture.figure, label)?;
        let mate = done.iter_mut().find(|other| other.variant == picture.variant && other.facet == picture.facet);
        if let Some(PlotFigure::Panels(panels)) = mate.map(|mate| &mut mate.figure) {
            panels.figures.push(panel);
        } else {
            let figure = PlotFigure::Panels(FacetFigure { caption: whole, figures: vec![panel] });
            done.push(LabelledFigure { figure, variant: picture.variant, facet: picture.facet });
        }
    }
    Ok(done)
}

/// What is said of all panels together.
fn without(caption: &FigureCaption, label: &str) -> FigureCaption {
    let title = caption.title.replacen(&format!(", {label}"), "", 1);
    let title = title.strip_prefix(&format!("{label}: ")).map_or_else(|| title.clone(), str::to_owned);
    FigureCaption { title, ..caption.clone() }
}

/// The figure under its label alone; the rest is said above all.
fn retitled(figure: PlotFigure, label: String) -> Result<PlotFigure, FigureError> {
    let caption = |figure: &PlotFigure| FigureCaption { title: label, subtitle: String::new(), ..figure.caption().clone() };
    let simply = |caption: FigureCaption| FigureCaption { basis: FigureBasis::Measured, ..caption };
    let caption = simply(caption(&figure));
    match figure {
        PlotFigure::Heatmap(heatmap) => Ok(PlotFigure::Heatmap(Heatmap { caption, ..heatmap })),
        PlotFigure::Curve(curve) => Ok(PlotFigure::Curve(CurveFigure { caption, ..curve })),
        PlotFigure::Bars3d(heatmap) => Ok(PlotFigure::Bars3d(Heatmap { caption, ..heatmap })),
        _ => Err(FigureError::NoPanels),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::{SummaryOptions, SweepSummary, summarize};
    use crate::fixtures::sweeps::{published, sweep};
    use crate::plot::PlotOptions;
    use crate::plot::figure::{bars, curves, heatmaps};

    fn both() -> SweepSummary {
        let mut cells = published("vllm");
        cells.extend(published("lmcache"));
        summarize(&sweep(&["p95(ttft where turn >= 1) <= 2s"], &cells), &SummaryOptions::default()).unwrap()
    }

    #[test]
    fn variants_side_by_side_are_one_picture_with_one_scale() {
        let view = PlotOptions { facet: Some("variant".into()), ..PlotOptions::default() };
        let pictures = heatmaps(&both(), &view).unwrap();
        let [LabelledFigure { figure: PlotFigure::Panels(panels), variant: None, .. }] = &pictures[..] else { panic!("{pictures:?}") };
        assert_eq!(panels.caption.title, "p95 of time to first token, turn ≥ 1");
        assert!(panels.caption.basis == FigureBasis::Simulated);
        let [PlotFigure::Heatmap(vllm), PlotFigure::Heatmap(lmcache)] = &panels.figures[..] else { panic!() };
        assert_eq!((vllm.caption.title.as_str(), lmcache.caption.title.as_str()), ("vllm", "lmcache"));
        assert_eq!(vllm.scale, lmcache.scale);
    }

    #[test]
    fn a_further_axis_gives_a_panel_for_each_of_its_values() {
        let view = PlotOptions { y: Some("variant".into()), facet: Some("sequential".into()), ..PlotOptions::default() };
        let pictures = bars(&both(), &view).unwrap();
        let [LabelledFigure { figure: PlotFigure::Panels(panels), facet, .. }] = &pictures[..] else { panic!("{pictures:?}") };
        assert!(facet.is_empty() && panels.figures.len() == 4);
        assert_eq!(panels.figures[3].caption().title, "sequential=4");
        assert!(!panels.caption.title.contains("sequential="));
    }

    #[test]
    fn an_axis_that_is_drawn_is_no_facet() {
        let drawn = heatmaps(&both(), &PlotOptions { facet: Some("concurrent".into()), ..PlotOptions::default() }).unwrap_err();
        assert!(drawn.to_string().contains("`workload.concurrent`"), "{drawn}");
        let curve = PlotOptions { x: Some("concurrent".into()), facet: Some("sequential".into()), ..PlotOptions::default() };
        let drawn = curves(&both(), &curve).unwrap();
        let [LabelledFigure { figure: PlotFigure::Panels(panels), .. }] = &drawn[..] else { panic!("{drawn:?}") };
        let titles: Vec<&str> = panels.figures.iter().map(|figure| figure.caption().title.as_str()).collect();
        assert_eq!(titles, ["sequential=1", "sequential=2", "sequential=3", "sequential=4"]);
        let lines = curves(&both(), &PlotOptions { facet: Some("variant".into()), ..curve }).unwrap_err();
        assert!(lines.to_string().contains("`variant` is drawn already"), "{lines}");
    }
}
