//! Draws panels: one page with one head, one colour bar and one legend for all, and every figure as an SVG within it, in rows.
//!
//! Panels share their scale, so that they can be compared.

use super::canvas;
use super::head::{FigureHeading, PanelHeading};
use super::legend::Legend;
use super::sheet::{self, BAR_GAP, FigureSheet};
use super::{bars3d, curve, heatmap};
use crate::plot::figure::{CurveFigure, FacetFigure, Heatmap, PlotFigure};
use crate::plot::theme::{LEAST_PAGE_WIDTH, MARGIN};
use crate::plot::{PlotError, SvgDocument};

/// Panels wider than this together go into several rows.
const MOST_WIDTH: i32 = 1800;
/// More of them make neither a picture nor a readable one.
const MOST_PANELS: usize = 36;

pub fn draw(panels: &FacetFigure) -> Result<SvgDocument, PlotError> {
    let title = || panels.caption.title.clone();
    if panels.figures.len() > MOST_PANELS {
        return Err(PlotError::TooMany { title: title(), what: "panels", found: panels.figures.len(), most: MOST_PANELS });
    }
    let sheets = sheets(&panels.figures)?;
    let Some(first) = sheets.first() else { return Err(PlotError::Empty { title: title() }) };
    let rows = FacetLayout::of(&sheets);
    let bar_width = first.bar.as_ref().map_or(0, |(bar, _)| BAR_GAP + bar.width());
    let width = (rows.width() + bar_width).max(LEAST_PAGE_WIDTH);
    let head = FigureHeading::new(&panels.caption, width);
    let top = head.bottom() - MARGIN / 2;
    let (inner, foot) = rows.draw(&sheets, top)?;
    let legend = Legend::new(sheet::shared_entries(&sheets), MARGIN, width);
    let height = foot + legend.height() + MARGIN / 2;
    let words = format!("{} panels side by side, all with one scale.", sheets.len());
    canvas::page(width, height, &panels.caption.title, &words, |canvas| {
        head.draw(canvas);
        if let Some((bar, palette)) = &first.bar {
            bar.draw(canvas, rows.width() - MARGIN + BAR_GAP, top + rows.body_top, palette);
        }
        legend.draw(canvas, foot);
        canvas.lay_over(&inner);
    })
}

/// The figures as sheets, those of one kind on one scale.
fn sheets(figures: &[PlotFigure]) -> Result<Vec<FigureSheet<'_>>, PlotError> {
    let curves: Vec<&CurveFigure> =
        figures.iter().filter_map(|figure| if let PlotFigure::Curve(curve) = figure { Some(curve) } else { None }).collect();
    let bars: Vec<&Heatmap> =
        figures.iter().filter_map(|figure| if let PlotFigure::Bars3d(bars) = figure { Some(bars) } else { None }).collect();
    let (scale, top) = (curve::y_scale(curves), bars3d::top_of(&bars));
    let mut sheets = Vec::new();
    for figure in figures {
        sheets.push(match figure {
            PlotFigure::Heatmap(heatmap) => heatmap::sheet(heatmap)?,
            PlotFigure::Bars3d(bars) => bars3d::sheet(bars, top)?,
            PlotFigure::Curve(curve) => curve::sheet(curve, scale, curve::PANEL)?,
            other => return Err(PlotError::NoPanel { title: other.caption().title.clone() }),
        });
    }
    Ok(sheets)
}

/// Where panels stand: equally wide, as many in a row as there is room for.
struct FacetLayout {
    columns: usize,
    /// Of one panel.
    panel_width: i32,
    titles: Vec<PanelHeading>,
    /// From a panel's upper edge to its body, the same in all.
    body_top: i32,
}

impl FacetLayout {
    fn of(sheets: &[FigureSheet<'_>]) -> Self {
        let panel_width = sheets.iter().map(FigureSheet::panel_width).max().unwrap_or(1);
        let titles: Vec<PanelHeading> = sheets.iter().map(|sheet| PanelHeading::new(&sheet.caption, panel_width)).collect();
        let body_top = titles.iter().map(PanelHeading::bottom).max().unwrap_or(0);
        Self { columns: columns(sheets.len(), panel_width), panel_width, titles, body_top }
    }

    fn width(&self) -> i32 {
        self.panel_width * i32::try_from(self.columns).unwrap_or(1)
    }

    /// All panels as elements of a page, from `top` on, and where they end. Bodies of a row stand on one line.
    fn draw(&self, sheets: &[FigureSheet<'_>], top: i32) -> Result<(String, i32), PlotError> {
        let (mut inner, mut y) = (String::new(), top);
        for (row, titles) in sheets.chunks(self.columns).zip(self.titles.chunks(self.columns)) {
            let tallest = row.iter().map(|sheet| sheet.size.1).max().unwrap_or(0);
            let mut row_height = 0;
            for ((sheet, title), x) in row.iter().zip(titles).zip((0..).map(|column| column * self.panel_width)) {
                let panel = sheet.draw_as_panel(title, self.body_top + tallest - sheet.size.1)?;
                inner.push_str(&placed(&panel.text, x, y));
                row_height = row_height.max(i32::try_from(panel.height).unwrap_or(0));
            }
            y += row_height;
        }
        Ok((inner, y))
    }
}

/// As many as fit side by side, spread evenly over the rows that it takes.
fn columns(count: usize, widest: i32) -> usize {
    let most = usize::try_from(MOST_WIDTH / widest).unwrap_or(1).max(1);
    count.div_ceil(count.div_ceil(most))
}

/// A document as an element of another one.
fn placed(text: &str, x: i32, y: i32) -> String {
    let element = text.find("<svg").map_or(text, |start| &text[start..]);
    element.replacen("<svg", &format!("<svg x=\"{x}\" y=\"{y}\""), 1)
}

#[cfg(test)]
mod tests {
    use resvg::usvg::roxmltree::Document;

    use super::*;
    use crate::plot::figure::{CdfFigure, CurveFigure, FigureCaption, Heatmap};
    use crate::plot::gallery::{LMCACHE, VLLM, texts};

    fn panels(figures: Vec<PlotFigure>) -> FacetFigure {
        FacetFigure { caption: FigureCaption { title: "all".into(), ..FigureCaption::default() }, figures }
    }

    fn three() -> FacetFigure {
        panels((1..=3).map(|n| PlotFigure::Heatmap(Heatmap::published(&format!("rounds={n}"), &VLLM))).collect())
    }

    #[test]
    fn every_panel_is_there_once_beside_the_others_and_none_lies_over_another() {
        let svg = draw(&three()).unwrap();
        let document = Document::parse(&svg.text).unwrap();
        let inner: Vec<[u32; 4]> = document
            .root_element()
            .children()
            .filter(|node| node.has_tag_name("svg"))
            .map(|node| ["x", "y", "width", "height"].map(|name| node.attribute(name).unwrap().parse().unwrap()))
            .collect();
        assert_eq!(inner.len(), 3);
        for (n, [x, y, width, height]) in inner.iter().enumerate() {
            assert!(x + width <= svg.width && y + height <= svg.height);
            assert!(inner[..n].iter().all(|[left, top, wide, high]| left + wide <= *x || x + width <= *left || top + high <= *y));
        }
        let is_a_pictures = |node: &resvg::usvg::roxmltree::Node<'_, '_>| {
            node.has_tag_name("title") && node.parent().is_some_and(|parent| parent.has_tag_name("svg"))
        };
        let titles: Vec<&str> = document.descendants().filter(is_a_pictures).filter_map(|node| node.text()).collect();
        assert_eq!(titles, ["all", "rounds=1", "rounds=2", "rounds=3"]);
    }

    #[test]
    fn what_holds_for_all_panels_is_said_once_and_what_holds_for_one_beside_it() {
        let mut all = three();
        for (figure, label) in all.figures.iter_mut().zip(["max C×S: 4", "max C×S: 8", "max C×S: 12"]) {
            let PlotFigure::Heatmap(heatmap) = figure else { panic!() };
            let shape = crate::plot::figure::MarkShape::Star;
            heatmap.marks = vec![crate::plot::figure::CellMark { column: 0, row: 0, shape, label: label.into() }];
        }
        let words: Vec<String> = texts(&draw(&all).unwrap()).into_iter().map(|(text, ..)| text).collect();
        let said = |text: &str| words.iter().filter(|word| *word == text).count();
        for once in ["limit: ≤ 2 s", "limit 2", "p95(ttft where turn >= 1) [s], log scale", "max C×S: 4", "max C×S: 8", "max C×S: 12"]
        {
            assert_eq!(said(once), 1, "{once}: {words:?}");
        }
        assert_eq!(said("42.5"), 3);
    }

    #[test]
    fn curves_and_bars_share_the_ends_of_their_axes() {
        let mut low = CurveFigure::sample();
        for cell in low.lines.iter_mut().flat_map(|line| &mut line.points).map(|point| &mut point.cell) {
            *cell = crate::plot::figure::FigureCell::value(0.5, 60);
        }
        let ends = |figures: Vec<PlotFigure>, tick: &str| {
            texts(&draw(&panels(figures)).unwrap()).into_iter().filter(|(text, ..)| text == tick).map(|(_, _, y)| y).collect::<Vec<_>>()
        };
        let ticks = ends(vec![PlotFigure::Curve(CurveFigure::sample()), PlotFigure::Curve(low)], "10");
        assert!(ticks.len() == 2, "a tick of the large values in both: {ticks:?}");
        let bars = |table: &[[f64; 4]; 4]| PlotFigure::Bars3d(Heatmap::published("bars", table));
        let ticks = ends(vec![bars(&VLLM), bars(&LMCACHE)], "6");
        assert!(ticks.len() == 2 && ticks[0] == ticks[1], "{ticks:?}");
    }

    #[test]
    fn panels_are_spread_evenly_over_their_rows() {
        assert_eq!(columns(3, 600), 3);
        assert_eq!(columns(4, 600), 2);
        assert_eq!(columns(7, 600), 3);
        assert_eq!(columns(2, 5000), 1);
    }

    #[test]
    fn nothing_to_show_and_what_shares_no_scale_is_refused() {
        assert_eq!(draw(&panels(Vec::new())), Err(PlotError::Empty { title: "all".into() }));
        let cdf = draw(&panels(vec![PlotFigure::Cdf(CdfFigure::sample())]));
        assert!(matches!(cdf, Err(PlotError::NoPanel { .. })), "{cdf:?}");
    }
}
