//! Amounts as they stand in sentences of a summary: shares as percentages, tokens with their thousands apart.

/// `97 %`; never 0 or 100 for what is only near them.
pub fn percent(share: f64) -> String {
    let rounded = (share * 100.0).round();
    if rounded <= 0.0 && share > 0.0 {
        "less than 1 %".to_owned()
    } else if rounded >= 100.0 && share < 1.0 {
        "more than 99 %".to_owned()
    } else {
        format!("{rounded:.0} %")
    }
}

/// `1,953,024`
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "saturating counts")]
pub fn grouped(count: f64) -> String {
    crate::foundation::units::grouped(count.max(0.0).round() as u64)
}

/// `3.8`, and `4` for what is whole.
pub fn short_number(value: f64) -> String {
    let text = format!("{value:.1}");
    text.strip_suffix(".0").map_or(text.clone(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_round_to_no_extreme_that_is_not_there() {
        assert_eq!([0.0, 0.001, 0.5, 0.996, 1.0].map(percent), ["0 %", "less than 1 %", "50 %", "more than 99 %", "100 %"]);
        assert_eq!([0.0, 999.0, 1000.0, 1_953_024.4].map(grouped), ["0", "999", "1,000", "1,953,024"]);
        assert_eq!([4.0, 3.75].map(short_number), ["4", "3.8"]);
    }
}
