//! A drawn picture, as text.

/// An SVG document with its size in pixels.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SvgDocument {
    pub text: String,
    pub width: u32,
    pub height: u32,
}
