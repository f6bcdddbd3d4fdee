//! What a viewer shows when a cell of a heatmap is pointed at.
//!
//! Cells that are large enough for a word have an unseen rectangle each, with its words, in the group of class `cells`, row by row from the
//! first; a page may make them reachable by keys. Where they are smaller, the group has one rectangle over all of them, and the words of
//! all cells stand encoded in its `metadata`: a page's script makes a rectangle of the cell that is looked at.

use std::fmt::Write as _;

use serde_json::json;

use super::canvas::{self, PixelRect, SvgCanvas};
use super::description;
use crate::plot::figure::{Heatmap, LabelAxis};

/// More cells than this get no tips: they are too small to be pointed at.
const MOST: usize = 16_384;
/// The first of the characters for private use that stand for a fragment; `U+E000` for the first, and so on.
const FIRST_CODE: u32 = 0xE000;

/// Lays the tips over the picture, an element a cell.
pub fn lay(canvas: &mut SvgCanvas<'_>, heatmap: &Heatmap, place: impl Fn(usize, usize) -> PixelRect) {
    let columns = heatmap.x.values.len();
    let mut text = String::new();
    let _ = writeln!(text, "<g class=\"cells\" fill=\"#FFFFFF\" fill-opacity=\"0\" data-columns=\"{columns}\">");
    for (row, (cells, y)) in heatmap.cells.iter().zip(&heatmap.y.values).enumerate() {
        for (column, (cell, x)) in cells.iter().zip(&heatmap.x.values).enumerate() {
            let at = place(column, row);
            let said = description::in_words(cell, &heatmap.quantity, heatmap.limit.as_ref());
            let words = canvas::escaped(&format!("{} {x}, {} {y}: {said}", heatmap.x.name, heatmap.y.name));
            let PixelRect { left, top, width, height } = at;
            let _ = writeln!(text, "<rect x=\"{left}\" y=\"{top}\" width=\"{width}\" height=\"{height}\"><title>{words}</title></rect>");
        }
    }
    text.push_str("</g>\n");
    canvas.lay_over(&text);
}

/// Lays one rectangle over all cells, with their words beside it.
pub fn lay_encoded(canvas: &mut SvgCanvas<'_>, heatmap: &Heatmap, area: PixelRect) {
    let (columns, rows) = (heatmap.x.values.len(), heatmap.y.values.len());
    if columns * rows > MOST {
        return;
    }
    let fragments = fragments(&heatmap.quantity.unit);
    let words = heatmap.cells.iter().flatten().map(|cell| {
        let words = description::in_words(cell, &heatmap.quantity, heatmap.limit.as_ref());
        encoded(&words, &fragments)
    });
    let words = words.collect::<Vec<_>>().join("\n");
    let axis = |axis: &LabelAxis| json!({"name": axis.name, "values": axis.values});
    let metadata = json!({"x": axis(&heatmap.x), "y": axis(&heatmap.y), "fragments": fragments, "words": words}).to_string();
    let metadata = canvas::escaped(&metadata);
    let PixelRect { left, top, width, height } = area;
    canvas.lay_over(&format!(
        "<g class=\"cells\" fill=\"#FFFFFF\" fill-opacity=\"0\" data-columns=\"{columns}\">\n\
         <rect class=\"area\" x=\"{left}\" y=\"{top}\" width=\"{width}\" height=\"{height}\"/>\n<metadata>{metadata}</metadata>\n</g>\n"
    ));
}

/// What stands in the words of nearly every cell.
fn fragments(unit: &str) -> Vec<String> {
    let most = [" samples, interval ", ", undecided", ", missed", ", met", " to ", "not run, implied to ", "≥ "];
    std::iter::once(format!(" {unit} of ").replace("  ", " ")).chain(most.map(str::to_owned)).collect()
}

/// The words with a single character for each fragment.
fn encoded(words: &str, fragments: &[String]) -> String {
    let is_code = |c: char| ('\u{E000}'..='\u{F8FF}').contains(&c);
    let mut text = words.replace(is_code, "\u{FFFD}").replace('\n', " ");
    for (fragment, code) in fragments.iter().zip((FIRST_CODE..).filter_map(char::from_u32)) {
        text = text.replace(fragment.as_str(), code.encode_utf8(&mut [0; 4]));
    }
    text
}

#[cfg(test)]
mod tests {
    use crate::plot::draw;
    use crate::plot::figure::{Heatmap, PlotFigure};
    use crate::plot::gallery::VLLM;
    use resvg::usvg::roxmltree::Document;

    #[test]
    fn every_cell_has_its_words_over_it() {
        let svg = draw(&PlotFigure::Heatmap(Heatmap::published("vllm", &VLLM))).unwrap();
        let document = Document::parse(&svg.text).unwrap();
        let group = document.descendants().find(|node| node.attribute("class") == Some("cells")).unwrap();
        let tips: Vec<&str> = group.children().filter_map(|rect| rect.first_element_child()?.text()).collect();
        assert_eq!(tips.len(), 16);
        assert!(tips[14].starts_with("concurrent 3, sequential 4: 42.5 s of 36 samples"), "{}", tips[14]);
    }

    #[test]
    fn many_cells_have_their_words_beside_one_rectangle_and_none_is_lost() {
        let figure = Heatmap::sample(100, 50);
        let svg = draw(&PlotFigure::Heatmap(figure.clone())).unwrap();
        let document = Document::parse(&svg.text).unwrap();
        let group = document.descendants().find(|node| node.attribute("class") == Some("cells")).unwrap();
        assert_eq!(group.children().filter(|node| node.has_tag_name("rect")).count(), 1);
        let metadata = group.descendants().find(|node| node.has_tag_name("metadata")).and_then(|node| node.text()).unwrap();
        let metadata: serde_json::Value = serde_json::from_str(metadata).unwrap();
        let mut words = metadata["words"].as_str().unwrap().to_owned();
        for (fragment, code) in metadata["fragments"].as_array().unwrap().iter().zip(super::FIRST_CODE..) {
            words = words.replace(char::from_u32(code).unwrap(), fragment.as_str().unwrap());
        }
        let expected = figure.cells.iter().flatten();
        let expected = expected.map(|cell| super::description::in_words(cell, &figure.quantity, figure.limit.as_ref()));
        assert_eq!(words.split('\n').collect::<Vec<_>>(), expected.collect::<Vec<_>>());
        assert_eq!(metadata["x"]["values"].as_array().unwrap().len(), 100);
    }

    #[test]
    fn a_reason_cannot_become_markup() {
        let mut figure = Heatmap::troubled();
        figure.x.name = "</title><script>".into();
        let svg = draw(&PlotFigure::Heatmap(figure)).unwrap();
        assert!(!svg.text.contains("<script") && Document::parse(&svg.text).is_ok());
    }
}
