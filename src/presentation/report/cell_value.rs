//! What stands in one column of one cell, as programs read it and as people do: the unit of the column's key and every digit for the ones,
//! three digits and the unit that fits for the others.

use super::number::{percent, significant};
use crate::analysis::ExtendedReal;

/// One value of a cell.
#[derive(Debug, Clone, PartialEq)]
pub enum CellValue {
    Missing,
    Text(String),
    /// A word that files and people have in two spellings.
    Word {
        saved: &'static str,
        shown: &'static str,
    },
    Flag(bool),
    Count(u64),
    /// So many of so many that were planned.
    Progress(u64, u64),
    Number(f64),
    /// A count, or the mean of counts over a few runs: `5`, `2.33`.
    MeanCount(f64),
    /// Tokens of a run, which are shown whole.
    Tokens(f64),
    /// From 0 to 1, shown in percent.
    Share(f64),
    /// Seconds, shown in milliseconds.
    Milliseconds(f64),
    /// Shown in GiB.
    Bytes(f64),
    /// A measured value, and how it reads in the report's unit.
    Measured {
        saved: Option<ExtendedReal>,
        shown: String,
    },
}

impl CellValue {
    /// Of a number that may be missing.
    pub fn of<T>(value: Option<T>, variant: impl FnOnce(T) -> Self) -> Self {
        value.map_or(Self::Missing, variant)
    }

    /// As programs read it; empty where it is missing.
    #[must_use]
    pub fn saved(&self) -> String {
        match self {
            Self::Missing => String::new(),
            Self::Text(text) => text.clone(),
            Self::Word { saved, .. } => (*saved).to_owned(),
            Self::Flag(flag) => flag.to_string(),
            Self::Count(count) | Self::Progress(count, _) => count.to_string(),
            Self::Number(value)
            | Self::MeanCount(value)
            | Self::Tokens(value)
            | Self::Share(value)
            | Self::Milliseconds(value)
            | Self::Bytes(value) => value.to_string(),
            Self::Measured { saved, .. } => saved.map(|value| value.get().to_string()).unwrap_or_default(),
        }
    }

    /// As people read it; a dash where it is missing.
    #[must_use]
    pub fn shown(&self) -> String {
        match self {
            Self::Missing => "-".to_owned(),
            Self::Text(text) | Self::Measured { shown: text, .. } => text.clone(),
            Self::Word { shown, .. } => (*shown).to_owned(),
            Self::Flag(flag) => flag.to_string(),
            Self::Count(count) => count.to_string(),
            Self::Progress(done, planned) => format!("{done} of {planned}"),
            Self::MeanCount(value) if value.fract() != 0.0 => significant(*value, 3),
            Self::MeanCount(value) | Self::Tokens(value) => format!("{value:.0}"),
            Self::Number(value) => significant(*value, 3),
            Self::Share(share) => percent(Some(*share)),
            Self::Milliseconds(seconds) => significant(seconds * 1e3, 3),
            Self::Bytes(bytes) => significant(bytes / 1_073_741_824.0, 3),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::CellValue::{Bytes, MeanCount, Milliseconds, Missing, Progress, Share, Tokens};

    #[test]
    fn programs_get_base_units_and_people_the_unit_that_fits() {
        let cases = [
            (Missing, "", "-"),
            (Share(0.675), "0.675", "67.5 %"),
            (Milliseconds(0.012_34), "0.01234", "12.3"),
            (Bytes(3_221_225_472.0), "3221225472", "3.00"),
            (Tokens(5200.4), "5200.4", "5200"),
            (MeanCount(7.0 / 3.0), "2.3333333333333335", "2.33"),
            (MeanCount(5.0), "5", "5"),
            (Progress(2, 3), "2", "2 of 3"),
        ];
        for (value, saved, shown) in cases {
            assert_eq!((value.saved().as_str(), value.shown().as_str()), (saved, shown), "{value:?}");
        }
    }
}
