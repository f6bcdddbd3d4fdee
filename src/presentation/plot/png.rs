//! From SVG to PNG at twice the size, set in the fonts that are part of the program: the same bytes on every machine.

use std::sync::{Arc, OnceLock};

use resvg::tiny_skia::{Pixmap, Transform};
use resvg::usvg::{Options, Tree, fontdb};

use super::{PlotError, SvgDocument};

/// Pixels of the PNG to one of the SVG, for print and dense screens.
const ZOOM: u32 = 2;

/// Both fonts are read once, however many pictures follow.
static FONTS: OnceLock<Arc<fontdb::Database>> = OnceLock::new();

fn fonts() -> Arc<fontdb::Database> {
    let fonts = FONTS.get_or_init(|| {
        let mut fonts = fontdb::Database::new();
        fonts.load_font_source(fontdb::Source::Binary(Arc::new(dejavu::sans::regular())));
        fonts.load_font_source(fontdb::Source::Binary(Arc::new(dejavu::sans::bold())));
        fonts.set_sans_serif_family("DejaVu Sans");
        Arc::new(fonts)
    });
    Arc::clone(fonts)
}

/// Reads pictures with the embedded fonts only.
pub(super) fn options() -> Options<'static> {
    Options { fontdb: fonts(), font_family: "DejaVu Sans".to_owned(), ..Options::default() }
}

/// The picture as a PNG.
pub fn to_png(svg: &SvgDocument) -> Result<Vec<u8>, PlotError> {
    let fault = |reason: String| PlotError::Png { reason };
    let tree = Tree::from_str(&svg.text, &options()).map_err(|error| fault(error.to_string()))?;
    let (width, height) = (svg.width * ZOOM, svg.height * ZOOM);
    let mut pixels = Pixmap::new(width, height).ok_or_else(|| fault(format!("{width} by {height} pixels are too many")))?;
    #[expect(clippy::cast_precision_loss, reason = "a small whole number")]
    let zoom = ZOOM as f32;
    resvg::render(&tree, Transform::from_scale(zoom, zoom), &mut pixels.as_mut());
    pixels.encode_png().map_err(|error| fault(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plot::figure::Heatmap;
    use crate::plot::{PlotFigure, draw};

    #[test]
    fn a_png_is_twice_the_size_of_its_svg_and_the_same_each_time() {
        let svg = draw(&PlotFigure::Heatmap(Heatmap::sample(1, 1))).unwrap();
        let png = to_png(&svg).unwrap();
        let pixels = Pixmap::decode_png(&png).unwrap();
        assert_eq!((pixels.width(), pixels.height()), (svg.width * 2, svg.height * 2));
        assert_eq!(to_png(&svg).unwrap(), png);
    }

    #[test]
    fn what_is_no_svg_is_refused() {
        let svg = SvgDocument { text: "<html/>".to_owned(), width: 1, height: 1 };
        assert!(matches!(to_png(&svg), Err(PlotError::Png { .. })));
    }
}
