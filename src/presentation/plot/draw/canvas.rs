//! A page to draw on in whole pixels: what the pictures need of plotters' SVG backend, and what it leaves out (title, description, hatching, dashes).

use std::fmt::Write as _;

use plotters::backend::{DrawingBackend, SVGBackend};
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{Color, FontStyle, FontTransform, RGBColor, ShapeStyle, TextStyle};

use super::colour::RgbColour;
use super::words;
use crate::plot::{PlotError, SvgDocument, theme};

/// The backend divides font sizes by this.
const BACKEND_FONT_FACTOR: f64 = 1.24;

pub type Point = (i32, i32);

/// A page while it is drawn. The first fault is kept and told at the end.
pub struct SvgCanvas<'a> {
    backend: SVGBackend<'a>,
    /// The dash pattern of every path so far, in order; the backend has no call for it.
    dashes: Vec<&'static str>,
    /// Elements that lie under everything drawn but the paper, and over everything; the backend has no call for them.
    under: String,
    over: String,
    fault: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PixelRect {
    pub left: i32,
    pub top: i32,
    pub width: i32,
    pub height: i32,
}

#[derive(Debug, Clone, Copy)]
pub struct StrokeStyle {
    pub colour: RgbColour,
    pub width: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TextAnchor {
    Start,
    Middle,
    End,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FontWeight {
    Regular,
    Bold,
}

/// How a text is set.
#[derive(Debug, Clone, Copy)]
pub struct LabelStyle {
    pub size: i32,
    pub colour: RgbColour,
    pub align: TextAnchor,
    pub weight: FontWeight,
}

impl PixelRect {
    pub fn right(self) -> i32 {
        self.left + self.width
    }
    pub fn bottom(self) -> i32 {
        self.top + self.height
    }
    pub fn centre(self) -> Point {
        (self.left + self.width / 2, self.top + self.height / 2)
    }
}

impl LabelStyle {
    pub fn new(size: i32, colour: RgbColour) -> Self {
        Self { size, colour, align: TextAnchor::Start, weight: FontWeight::Regular }
    }
    pub fn align(self, align: TextAnchor) -> Self {
        Self { align, ..self }
    }
    pub fn bold(self) -> Self {
        Self { weight: FontWeight::Bold, ..self }
    }
}

/// Draws a white page with a title and a description for those who do not see it.
pub fn page(
    width: i32,
    height: i32,
    title: &str,
    description: &str,
    draw: impl FnOnce(&mut SvgCanvas<'_>),
) -> Result<SvgDocument, PlotError> {
    let size = (width.unsigned_abs(), height.unsigned_abs());
    let mut text = String::new();
    let mut canvas = SvgCanvas {
        backend: SVGBackend::with_string(&mut text, size),
        dashes: Vec::new(),
        under: String::new(),
        over: String::new(),
        fault: None,
    };
    canvas.fill(PixelRect { left: 0, top: 0, width, height }, theme::PAPER);
    draw(&mut canvas);
    let presented = canvas.backend.present();
    canvas.keep(presented);
    let (dashes, fault) = (std::mem::take(&mut canvas.dashes), canvas.fault.take());
    let (under, over) = (std::mem::take(&mut canvas.under), std::mem::take(&mut canvas.over));
    drop(canvas);
    if let Some(reason) = fault {
        return Err(PlotError::Drawing { reason });
    }
    let text = with_over(with_words(&with_under(with_dashes(&text, &dashes), &under), title, description), &over);
    Ok(SvgDocument { text, width: size.0, height: size.1 })
}

/// Puts `<title>` and `<desc>` behind the opening tag, which the backend has no call for.
fn with_words(text: &str, title: &str, description: &str) -> String {
    let Some((opening, rest)) = text.split_once(">\n") else { return text.to_owned() };
    let (title, description) = (escaped(title), escaped(description));
    format!("{opening} role=\"img\">\n<title>{title}</title>\n<desc>{description}</desc>\n{rest}")
}

/// Puts elements behind the opening tag and the paper.
fn with_under(text: String, under: &str) -> String {
    match text.match_indices('\n').nth(1).filter(|_| !under.is_empty()) {
        Some((end_of_paper, _)) => format!("{}{under}{}", &text[..=end_of_paper], &text[end_of_paper + 1..]),
        None => text,
    }
}

/// Puts elements before the closing tag, so that they lie on top.
fn with_over(text: String, over: &str) -> String {
    match text.trim_end().strip_suffix("</svg>").filter(|_| !over.is_empty()) {
        Some(body) => format!("{body}{over}</svg>\n"),
        None => text,
    }
}

/// Gives every path its dash pattern and round joints.
fn with_dashes(text: &str, dashes: &[&str]) -> String {
    let mut pieces = text.split("<polyline ");
    let mut document = pieces.next().unwrap_or_default().to_owned();
    for (piece, dash) in pieces.zip(dashes.iter().chain(std::iter::repeat(&""))) {
        document.push_str("<polyline stroke-linejoin=\"round\" ");
        if !dash.is_empty() {
            let _ = write!(document, "stroke-dasharray=\"{dash}\" ");
        }
        document.push_str(piece);
    }
    document
}

/// A text as it may stand in an element.
pub fn escaped(text: &str) -> String {
    words::printable(text).replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

impl SvgCanvas<'_> {
    pub fn fill(&mut self, rect: PixelRect, colour: RgbColour) {
        let style = fill_style(colour, 1.0);
        let drawn = self.backend.draw_rect((rect.left, rect.top), (rect.right(), rect.bottom()), &style, true);
        self.keep(drawn);
    }

    pub fn line(&mut self, from: Point, to: Point, pen: StrokeStyle) {
        let drawn = self.backend.draw_line(from, to, &pen.style());
        self.keep(drawn);
    }

    /// Lays elements, which are whole and escaped, between the paper and everything that is drawn.
    pub fn lay_under(&mut self, elements: &str) {
        self.under.push_str(elements);
    }

    /// Lays elements, which are whole and escaped, over everything that is drawn.
    pub fn lay_over(&mut self, elements: &str) {
        self.over.push_str(elements);
    }

    /// Draws a line through points. `dash` holds the lengths of ink and gap in turn; an empty one is a solid line.
    pub fn path(&mut self, points: impl IntoIterator<Item = Point>, pen: StrokeStyle, dash: &'static str) {
        self.dashes.push(dash);
        let drawn = self.backend.draw_path(points, &pen.style());
        self.keep(drawn);
    }

    pub fn polygon(&mut self, points: impl IntoIterator<Item = Point>, colour: RgbColour, opacity: f64) {
        let drawn = self.backend.fill_polygon(points, &fill_style(colour, opacity));
        self.keep(drawn);
    }

    pub fn disc(&mut self, centre: Point, radius: u32, colour: RgbColour) {
        let drawn = self.backend.draw_circle(centre, radius, &fill_style(colour, 1.0), true);
        self.keep(drawn);
    }

    /// Sets a line of text, its baseline at `at`.
    pub fn text(&mut self, text: &str, at: Point, face: LabelStyle) {
        self.set(text, (at.0, at.1 - top_of(face.size)), face, FontTransform::None);
    }

    /// Sets a line of text that runs upward, its baseline at `at`.
    pub fn text_upward(&mut self, text: &str, at: Point, face: LabelStyle) {
        self.set(text, (at.0 - top_of(face.size), at.1), face, FontTransform::Rotate270);
    }

    fn set(&mut self, text: &str, at: Point, face: LabelStyle, transform: FontTransform) {
        let anchor = match face.align {
            TextAnchor::Start => HPos::Left,
            TextAnchor::Middle => HPos::Center,
            TextAnchor::End => HPos::Right,
        };
        let weight = match face.weight {
            FontWeight::Regular => FontStyle::Normal,
            FontWeight::Bold => FontStyle::Bold,
        };
        let colour = backend_colour(face.colour);
        let style = TextStyle::from((theme::FONT_FAMILY, f64::from(face.size) * BACKEND_FONT_FACTOR, weight))
            .color(&colour)
            .pos(Pos::new(anchor, VPos::Top))
            .transform(transform);
        let drawn = self.backend.draw_text(&words::printable(text), &style, at);
        self.keep(drawn);
    }

    /// Diagonal lines over a rectangle, rising to the right.
    pub fn hatch(&mut self, rect: PixelRect, spacing: i32, pen: StrokeStyle) {
        for (from, to) in rising(rect, spacing) {
            self.line(from, to, pen);
        }
    }

    /// Diagonal lines over a rectangle, falling to the right.
    pub fn hatch_back(&mut self, rect: PixelRect, spacing: i32, pen: StrokeStyle) {
        for (from, to) in falling(rect, spacing) {
            self.line(from, to, pen);
        }
    }

    fn keep<E: std::fmt::Display>(&mut self, drawn: Result<(), E>) {
        if let Err(error) = drawn {
            self.fault.get_or_insert_with(|| error.to_string());
        }
    }
}

/// The ends of diagonal lines over a rectangle, rising to the right.
pub fn rising(rect: PixelRect, spacing: i32) -> impl Iterator<Item = (Point, Point)> {
    diagonals(rect, spacing).map(move |(start, from, to)| ((from, rect.bottom() - (from - start)), (to, rect.bottom() - (to - start))))
}

/// The same, falling to the right.
pub fn falling(rect: PixelRect, spacing: i32) -> impl Iterator<Item = (Point, Point)> {
    diagonals(rect, spacing).map(move |(start, from, to)| ((from, rect.top + (from - start)), (to, rect.top + (to - start))))
}

/// Where each line would begin if the rectangle went on to the left, and its two ends.
fn diagonals(rect: PixelRect, spacing: i32) -> impl Iterator<Item = (i32, i32, i32)> {
    let first = rect.left - rect.height + spacing / 2;
    let starts = (first..rect.right()).step_by(usize::try_from(spacing).unwrap_or(1).max(1));
    starts.map(move |start| (start, start.max(rect.left), (start + rect.height).min(rect.right()))).filter(|(_, from, to)| from < to)
}

impl StrokeStyle {
    pub fn new(colour: RgbColour, width: u32) -> Self {
        Self { colour, width }
    }
    fn style(self) -> ShapeStyle {
        ShapeStyle { color: backend_colour(self.colour).to_rgba(), filled: false, stroke_width: self.width }
    }
}

/// The backend hangs text from 0.76 of its size above the baseline, which all viewers take alike (its `ex` they do not).
fn top_of(size: i32) -> i32 {
    (size * 76 + 50) / 100
}

fn backend_colour(colour: RgbColour) -> RGBColor {
    RGBColor(colour.0, colour.1, colour.2)
}

fn fill_style(colour: RgbColour, opacity: f64) -> ShapeStyle {
    ShapeStyle { color: backend_colour(colour).mix(opacity), filled: true, stroke_width: 1 }
}
