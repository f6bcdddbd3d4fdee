//! Draws panels: one page with a head of its own, and every figure as an SVG within it, in rows.
//!
//! Each figure is drawn as it would be alone, so that kinds of figures need not know of panels.

use super::canvas;
use super::head::Head;
use crate::plot::figure::Panels;
use crate::plot::theme::{LEAST_PAGE_WIDTH, MARGIN};
use crate::plot::{PlotError, Svg};

/// Panels wider than this together go into several rows.
const MOST_WIDTH: u32 = 2400;
/// More of them make neither a picture nor a readable one.
const MOST_PANELS: usize = 36;

pub fn draw(panels: &Panels) -> Result<Svg, PlotError> {
    let title = || panels.caption.title.clone();
    let figures = panels.figures.iter().map(crate::plot::draw).collect::<Result<Vec<Svg>, _>>()?;
    if figures.is_empty() {
        return Err(PlotError::Empty { title: title() });
    }
    if figures.len() > MOST_PANELS {
        return Err(PlotError::TooMany { title: title(), what: "panels", found: figures.len(), most: MOST_PANELS });
    }
    let widest = figures.iter().map(|figure| figure.width).max().unwrap_or(1).max(1);
    let columns = columns(figures.len(), widest);
    let rows: Vec<&[Svg]> = figures.chunks(columns).collect();
    let width = (widest * u32::try_from(columns).unwrap_or(1)).max(LEAST_PAGE_WIDTH.unsigned_abs());
    let head = Head::new(&panels.caption, i32::try_from(width).unwrap_or(i32::MAX));
    let top = head.bottom() - MARGIN / 2;
    let heights: Vec<u32> = rows.iter().map(|row| row.iter().map(|figure| figure.height).max().unwrap_or(0)).collect();
    let height = top.unsigned_abs() + heights.iter().sum::<u32>();

    let words = format!("{} panels side by side, all with one scale.", figures.len());
    let page =
        canvas::page(i32::try_from(width).unwrap_or(i32::MAX), i32::try_from(height).unwrap_or(i32::MAX), &title(), &words, |canvas| {
            head.draw(canvas);
        })?;
    let mut inner = String::new();
    let mut y = top.unsigned_abs();
    for (row, row_height) in rows.iter().zip(&heights) {
        for (figure, column) in row.iter().zip(0..) {
            inner.push_str(&placed(&figure.text, widest * column, y));
        }
        y += row_height;
    }
    let text = match page.text.rfind("</svg>") {
        Some(end) => format!("{}{inner}{}", &page.text[..end], &page.text[end..]),
        None => page.text,
    };
    Ok(Svg { text, ..page })
}

/// As many as fit side by side, spread evenly over the rows that it takes.
fn columns(count: usize, widest: u32) -> usize {
    let most = usize::try_from(MOST_WIDTH / widest).unwrap_or(1).max(1);
    count.div_ceil(count.div_ceil(most))
}

/// A document as an element of another one.
fn placed(text: &str, x: u32, y: u32) -> String {
    let element = text.find("<svg").map_or(text, |start| &text[start..]);
    element.replacen("<svg", &format!("<svg x=\"{x}\" y=\"{y}\""), 1)
}

#[cfg(test)]
mod tests {
    use resvg::usvg::roxmltree::Document;

    use super::*;
    use crate::plot::figure::{Caption, Figure};
    use crate::plot::gallery::{VLLM, published};

    #[test]
    fn every_panel_is_there_once_beside_the_others_and_none_lies_over_another() {
        let figures = (1..=3).map(|n| Figure::Heatmap(published(&format!("rounds={n}"), &VLLM))).collect();
        let panels = Panels { caption: Caption { title: "all".into(), ..Caption::default() }, figures };
        let svg = draw(&panels).unwrap();
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
    fn panels_are_spread_evenly_over_their_rows() {
        assert_eq!(columns(3, 700), 3);
        assert_eq!(columns(4, 700), 2);
        assert_eq!(columns(7, 700), 3);
        assert_eq!(columns(2, 5000), 1);
    }

    #[test]
    fn nothing_to_show_is_refused() {
        let panels = Panels { caption: Caption { title: "all".into(), ..Caption::default() }, figures: Vec::new() };
        assert_eq!(draw(&panels), Err(PlotError::Empty { title: "all".into() }));
    }
}
