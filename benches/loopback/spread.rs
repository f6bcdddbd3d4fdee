//! A figure of several rounds: its middle, and from where to where it went.

/// Rounds, at least one.
#[derive(Debug, Clone)]
pub struct Spread(Vec<f64>);

impl Spread {
    pub fn of(rounds: impl IntoIterator<Item = f64>) -> Self {
        let mut rounds: Vec<f64> = rounds.into_iter().collect();
        rounds.sort_by(f64::total_cmp);
        Self(rounds)
    }

    /// The median; of an even number the lower one of the two in the middle.
    pub fn middle(&self) -> f64 {
        self.0.get((self.0.len().max(1) - 1) / 2).copied().unwrap_or(f64::NAN)
    }

    /// `5.31 (5.20 to 5.77)`; a dash where nobody knows.
    pub fn text(&self, digits: usize) -> String {
        if self.middle().is_nan() {
            return "-".to_owned();
        }
        let (least, most) = (self.0.first().copied().unwrap_or(f64::NAN), self.0.last().copied().unwrap_or(f64::NAN));
        format!("{:.digits$} ({least:.digits$} to {most:.digits$})", self.middle())
    }
}
