//! Several figures as one picture, side by side: the same view at each value of a further axis.

use super::{Caption, Figure};

#[derive(Debug, Clone, PartialEq)]
pub struct Panels {
    pub caption: Caption,
    /// In reading order; each carries what holds for it alone as its title.
    pub figures: Vec<Figure>,
}
