//! Pictures of every kind and trouble, for the tests and for the eye:
//! `cargo test --lib draw_the_gallery -- --ignored` leaves them in `target/gallery/`.

use super::figure::{CurveFigure, Heatmap, PlotFigure, PlotLimit, PlotQuantity, further_samples, heatmaps, samples};
use super::{PlotOptions, SvgDocument, draw, to_png};
use crate::analysis::{SummaryOptions, summarize};
use crate::fixtures::sweeps::{published, sweep};
use crate::vocabulary::goal::ComparisonOperator;
use crate::vocabulary::spec::plot::FigureKind;
use resvg::tiny_skia::Pixmap;
use resvg::usvg::{self, roxmltree};

/// Published p95 of time to first token in seconds, rows S = 1..=4, columns C = 1..=4.
pub const VLLM: [[f64; 4]; 4] = [
    [0.379_049, 0.445_499, 0.364_927, 0.504_505],
    [0.411_317, 0.406_148, 0.393_902, 0.498_404],
    [0.455_651, 0.326_396, 0.378_674, 0.794_144],
    [0.311_046, 0.459_704, 42.531_053, 33.565_437],
];
pub const LMCACHE: [[f64; 4]; 4] = [
    [0.524_989, 0.477_37, 0.495_073, 0.575_724],
    [0.477_946, 0.457_463, 0.592_148, 0.586_223],
    [0.329_389, 0.627_655, 0.586_793, 1.251_918],
    [0.460_711, 0.446_477, 1.286_755, 1.202_544],
];

pub fn ttft() -> PlotQuantity {
    PlotQuantity { name: "p95(ttft where turn >= 1)".into(), unit: "s".into(), factor: 1.0 }
}

pub fn two_seconds() -> PlotLimit {
    PlotLimit { comparison: ComparisonOperator::LessOrEqual, value: 2.0 }
}

pub fn all() -> Vec<(&'static str, PlotFigure)> {
    let saved = sweep(&["p95(ttft where turn >= 1) <= 2s"], &published("vllm"));
    let summary = summarize(&saved, &SummaryOptions::default()).unwrap();
    let from_summary = heatmaps(&summary, &PlotOptions::default()).unwrap().remove(0).figure;
    FigureKind::ALL.into_iter().flat_map(samples).chain(further_samples()).chain([("summary", from_summary)]).collect()
}

/// Every text of a drawn picture with the place of its anchor.
pub fn texts(svg: &SvgDocument) -> Vec<(String, i32, i32)> {
    let document = roxmltree::Document::parse(&svg.text).unwrap();
    let number = |node: roxmltree::Node<'_, '_>, name: &str| node.attribute(name).unwrap().parse().unwrap();
    let texts = document.descendants().filter(|node| node.has_tag_name("text"));
    texts.map(|node| (node.text().unwrap().trim().to_owned(), number(node, "x"), number(node, "y"))).collect()
}

#[test]
fn no_picture_has_a_text_beyond_its_page() {
    for (name, figure) in all() {
        let svg = draw(&figure).unwrap();
        let tree = usvg::Tree::from_str(&svg.text, &super::png::options()).unwrap();
        let (width, height) = (tree.size().width(), tree.size().height());
        let mut checked = 0;
        let mut waiting: Vec<&usvg::Node> = tree.root().children().iter().collect();
        while let Some(node) = waiting.pop() {
            if let usvg::Node::Group(group) = node {
                waiting.extend(group.children());
            }
            if let usvg::Node::Text(text) = node {
                let at = node.abs_bounding_box();
                let inside = at.left() >= 0.0 && at.top() >= 0.0 && at.right() <= width && at.bottom() <= height;
                assert!(inside, "{name}: {at:?} of {width} by {height}: {}", text.chunks()[0].text());
                checked += 1;
            }
        }
        assert_eq!(checked, texts(&svg).len(), "{name}: every text is set in the embedded font");
    }
}

#[test]
fn the_same_figure_gives_the_same_bytes() {
    for ((_, first), (_, second)) in all().into_iter().zip(all()) {
        assert_eq!(draw(&first).unwrap(), draw(&second).unwrap());
    }
}

#[test]
fn what_people_named_cannot_become_markup() {
    let svg = draw(&PlotFigure::Heatmap(Heatmap::troubled())).unwrap();
    assert!(!svg.text.contains("<script"));
    let document = roxmltree::Document::parse(&svg.text).unwrap();
    let title = document.descendants().find(|node| node.has_tag_name("title")).unwrap();
    assert!(title.text().unwrap().starts_with("<script>alert(1)</script> & \"lmcache\""));
    let mut figure = CurveFigure::sample();
    figure.lines[0].label = "</text><image href='x'/>\u{1}".into();
    figure.x.name = "<polyline ".into();
    let svg = draw(&PlotFigure::Curve(figure)).unwrap();
    let document = roxmltree::Document::parse(&svg.text).unwrap();
    assert!(document.descendants().all(|node| !node.has_tag_name("image")));
    assert!(texts(&svg).iter().any(|(text, ..)| text.starts_with("</text><image href='x'/>")));
}

#[test]
#[ignore = "for the eye: leaves pictures in target/gallery/"]
fn draw_the_gallery() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/gallery");
    fs_err::create_dir_all(&folder).unwrap();
    for (name, figure) in all() {
        let svg = draw(&figure).unwrap();
        fs_err::write(folder.join(format!("{name}.svg")), &svg.text).unwrap();
        let png = to_png(&svg).unwrap();
        fs_err::write(folder.join(format!("{name}.png")), &png).unwrap();
        fs_err::write(folder.join(format!("{name}-grey.png")), grey(&png)).unwrap();
    }
}

/// As a grey printer sees it.
fn grey(png: &[u8]) -> Vec<u8> {
    let mut picture = Pixmap::decode_png(png).unwrap();
    for pixel in picture.data_mut().chunks_exact_mut(4) {
        let sum = 299 * u32::from(pixel[0]) + 587 * u32::from(pixel[1]) + 114 * u32::from(pixel[2]);
        pixel[..3].fill(u8::try_from(sum / 1000).unwrap());
    }
    picture.encode_png().unwrap()
}
