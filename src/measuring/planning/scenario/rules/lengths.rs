//! Rules of lengths in tokens: what a distribution needs to have something to draw.

use super::workload::WHERE;
use super::{FileLookupCache, RuleReporter};
use crate::foundation::named_file::NamedFile;
use crate::foundation::units::Tokens;
use crate::vocabulary::spec::lengths::{LengthBounds, LengthDistribution};

/// The longest of all, far beyond any model.
const LONGEST: u64 = 1 << 30;

pub(super) fn check(path: &[&str], lengths: &LengthDistribution, disk: &mut FileLookupCache, look: &mut RuleReporter<'_>) {
    match lengths {
        LengthDistribution::Fixed(length) => {
            look.at_least_one(path, length.0);
            not_too_long(path, *length, look);
        }
        LengthDistribution::Uniform { min, max } => ends(path, *min, *max, look),
        LengthDistribution::Normal { mean, bounds, .. } | LengthDistribution::Lognormal { mean, bounds, .. } => {
            within(path, *mean, *bounds, look);
        }
        LengthDistribution::File(file) => {
            if let Some(reason) = disk.unread(NamedFile::Lengths, file) {
                look.fault(path, format!("cannot read the lengths `{}`: {reason}", look.shown(path)), WHERE);
            }
        }
    }
}

fn within(path: &[&str], mean: Tokens, bounds: LengthBounds, look: &mut RuleReporter<'_>) {
    ends(path, bounds.min, bounds.max.unwrap_or(Tokens(LONGEST)), look);
    not_too_long(path, mean, look);
    let is_within = mean >= bounds.min && bounds.max.is_none_or(|max| mean <= max);
    if !is_within {
        let message = format!("the mean of `{}` lies outside of its bounds: {}", path.join("."), mean.0);
        look.fault(
            path,
            message,
            "mean and standard deviation are those before what lies outside is cut off: choose a mean within the bounds",
        );
    }
}

fn ends(path: &[&str], min: Tokens, max: Tokens, look: &mut RuleReporter<'_>) {
    if min.0 == 0 {
        look.fault(path, format!("the shortest of `{}` is 1 token or more, not 0", path.join(".")), "write `min = 1`");
    }
    if max < min {
        let message = format!("the longest of `{}` is {}, and the shortest {}", path.join("."), max.0, min.0);
        look.fault(path, message, "write the smaller one first: `uniform(100..2000)`");
    }
    not_too_long(path, max, look);
}

fn not_too_long(path: &[&str], length: Tokens, look: &mut RuleReporter<'_>) {
    if length.0 > LONGEST {
        let message = format!("`{}` is longer than any text: {} tokens", path.join("."), length.0);
        look.fault(path, message, "write `1000`, `\"8k\"` or `\"uniform(100..2000)\"`");
    }
}
