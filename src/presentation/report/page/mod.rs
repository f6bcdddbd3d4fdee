//! The report as one page that needs nothing else: styles, a small script, pictures and tables inside, and no network.
//!
//! In: a summary, and what belongs beside it ([`PageParts`]). Out: the bytes of `report.html`, the same each time. Everything that comes
//! from a scenario, a file or a server is escaped by the template; pictures are SVG of our own making and stand as they are. Without its
//! script the page is plain tables; the script sorts, filters and copies them. Must not know how anything was measured.

mod cards;
mod cells;
mod comparisons;
mod contents;
mod environment;
mod grid;
mod parts;
mod render;
mod sections;

pub use environment::environment;
pub use parts::{EnvironmentSection, PageFigure, PageParts};
pub use render::{ReportPageError, html};
