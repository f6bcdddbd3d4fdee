//! What a viewer shows when a cell of a heatmap is pointed at: an unseen rectangle over each cell, with its words. A page finds them in
//! the group of class `cells`, row by row from the first, and may make them reachable by keys.

use std::fmt::Write as _;

use super::canvas::{self, Canvas, Rect};
use super::description;
use crate::plot::figure::Heatmap;

/// More cells than this get no tips: they would weigh more than the picture, and are too small to be pointed at.
const MOST: usize = 16_384;

/// Lays the tips over the picture.
pub fn lay(canvas: &mut Canvas<'_>, heatmap: &Heatmap, place: impl Fn(usize, usize) -> Rect) {
    let columns = heatmap.x.values.len();
    if columns * heatmap.y.values.len() > MOST {
        return;
    }
    let mut text = String::new();
    let _ = writeln!(text, "<g class=\"cells\" fill=\"#FFFFFF\" fill-opacity=\"0\" data-columns=\"{columns}\">");
    for (row, (cells, y)) in heatmap.cells.iter().zip(&heatmap.y.values).enumerate() {
        for (column, (cell, x)) in cells.iter().zip(&heatmap.x.values).enumerate() {
            let at = place(column, row);
            let said = description::in_words(cell, &heatmap.quantity, heatmap.limit.as_ref());
            let words = canvas::escaped(&format!("{} {x}, {} {y}: {said}", heatmap.x.name, heatmap.y.name));
            let Rect { left, top, width, height } = at;
            let _ = writeln!(text, "<rect x=\"{left}\" y=\"{top}\" width=\"{width}\" height=\"{height}\"><title>{words}</title></rect>");
        }
    }
    text.push_str("</g>\n");
    canvas.lay_over(&text);
}

#[cfg(test)]
mod tests {
    use crate::plot::draw;
    use crate::plot::figure::Figure;
    use crate::plot::gallery::{VLLM, published, troubled};
    use resvg::usvg::roxmltree::Document;

    #[test]
    fn every_cell_has_its_words_over_it() {
        let svg = draw(&Figure::Heatmap(published("vllm", &VLLM))).unwrap();
        let document = Document::parse(&svg.text).unwrap();
        let group = document.descendants().find(|node| node.attribute("class") == Some("cells")).unwrap();
        let tips: Vec<&str> = group.children().filter_map(|rect| rect.first_element_child()?.text()).collect();
        assert_eq!(tips.len(), 16);
        assert!(tips[14].starts_with("concurrent 3, sequential 4: 42.5 s of 36 samples"), "{}", tips[14]);
    }

    #[test]
    fn a_reason_cannot_become_markup() {
        let mut figure = troubled();
        figure.x.name = "</title><script>".into();
        let svg = draw(&Figure::Heatmap(figure)).unwrap();
        assert!(!svg.text.contains("<script") && Document::parse(&svg.text).is_ok());
    }
}
