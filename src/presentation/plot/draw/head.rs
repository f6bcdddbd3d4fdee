//! The words above a picture: the title, and the subtitle with `SIMULATED` or `PREDICTED` where that is so; a smaller title alone above a panel.

use super::canvas::{FontWeight, LabelStyle, PixelRect, StrokeStyle, SvgCanvas};
use super::words;
use crate::plot::figure::FigureCaption;
use crate::plot::theme::{self, MARGIN, SUBTITLE_SIZE, TITLE_SIZE};

const TITLE_LEADING: i32 = TITLE_SIZE + 6;
const SUBTITLE_LEADING: i32 = SUBTITLE_SIZE + 6;
const PANEL_SIZE: i32 = 14;
const PANEL_LEADING: i32 = PANEL_SIZE + 5;

pub struct FigureHeading {
    title: Vec<String>,
    subtitle: Vec<String>,
    /// The word before the subtitle, as `SIMULATED`.
    badge: Option<&'static str>,
    /// Room for it before the subtitle's first line.
    indent: i32,
}

/// What holds for one panel alone.
pub struct PanelHeading {
    title: Vec<String>,
    subtitle: Vec<String>,
}

impl PanelHeading {
    pub fn new(caption: &FigureCaption, width: i32) -> Self {
        let room = width - 2 * MARGIN;
        Self {
            title: words::wrap(&caption.title, PANEL_SIZE, FontWeight::Bold, room, 0, 3),
            subtitle: words::wrap(&caption.subtitle, SUBTITLE_SIZE, FontWeight::Regular, room, 0, 2),
        }
    }

    /// Where the panel's body may begin.
    pub fn bottom(&self) -> i32 {
        let lines = |lines: &[String], leading: i32| i32::try_from(lines.len()).unwrap_or(0) * leading;
        MARGIN / 2 + lines(&self.title, PANEL_LEADING) + lines(&self.subtitle, SUBTITLE_LEADING) + 6
    }

    pub fn draw(&self, canvas: &mut SvgCanvas<'_>) {
        let mut baseline = MARGIN / 2 + PANEL_SIZE;
        for line in &self.title {
            canvas.text(line, (MARGIN, baseline), LabelStyle::new(PANEL_SIZE, theme::INK).bold());
            baseline += PANEL_LEADING;
        }
        for line in &self.subtitle {
            canvas.text(line, (MARGIN, baseline - 2), LabelStyle::new(SUBTITLE_SIZE, theme::SOFT_INK));
            baseline += SUBTITLE_LEADING;
        }
    }
}

impl FigureHeading {
    pub fn new(caption: &FigureCaption, page_width: i32) -> Self {
        let room = page_width - 2 * MARGIN;
        let title = words::wrap(&caption.title, TITLE_SIZE, FontWeight::Bold, room, 0, 3);
        let badge = caption.basis.badge();
        let indent = badge.map_or(0, |badge| words::width(badge, SUBTITLE_SIZE, FontWeight::Bold) + 20);
        let mut subtitle = words::wrap(&caption.subtitle, SUBTITLE_SIZE, FontWeight::Regular, room, indent, 4);
        if badge.is_some() && subtitle.is_empty() {
            subtitle.push(String::new());
        }
        Self { title, subtitle, badge, indent }
    }

    /// Where the picture may begin.
    pub fn bottom(&self) -> i32 {
        let lines = |lines: &[String], leading: i32| i32::try_from(lines.len()).unwrap_or(0) * leading;
        MARGIN + lines(&self.title, TITLE_LEADING) + lines(&self.subtitle, SUBTITLE_LEADING) + 12
    }

    pub fn draw(&self, canvas: &mut SvgCanvas<'_>) {
        let mut baseline = MARGIN + TITLE_SIZE - 2;
        for line in &self.title {
            canvas.text(line, (MARGIN, baseline), LabelStyle::new(TITLE_SIZE, theme::INK).bold());
            baseline += TITLE_LEADING;
        }
        baseline -= 2;
        for (n, line) in self.subtitle.iter().enumerate() {
            let left = if n == 0 { MARGIN + self.indent } else { MARGIN };
            if !line.is_empty() {
                canvas.text(line, (left, baseline), LabelStyle::new(SUBTITLE_SIZE, theme::SOFT_INK));
            }
            if let Some(badge) = self.badge.filter(|_| n == 0) {
                self.draw_badge(canvas, badge, baseline);
            }
            baseline += SUBTITLE_LEADING;
        }
    }

    fn draw_badge(&self, canvas: &mut SvgCanvas<'_>, badge: &str, baseline: i32) {
        let frame = PixelRect { left: MARGIN, top: baseline - SUBTITLE_SIZE - 1, width: self.indent - 8, height: SUBTITLE_SIZE + 5 };
        let (left, top, right, bottom) = (frame.left, frame.top, frame.right(), frame.bottom());
        let pen = StrokeStyle::new(theme::INK, 1);
        for (from, to) in
            [((left, top), (right, top)), ((right, top), (right, bottom)), ((right, bottom), (left, bottom)), ((left, bottom), (left, top))]
        {
            canvas.line(from, to, pen);
        }
        canvas.text(badge, (left + 6, baseline), LabelStyle::new(SUBTITLE_SIZE, theme::INK).bold());
    }
}
