//! Times from picoseconds to minutes, and rates, with three digits.

use crate::execution::twin::TwinParameter;

const TIMES: [(f64, &str); 5] = [(1.0, "s"), (1e-3, "ms"), (1e-6, "us"), (1e-9, "ns"), (1e-12, "ps")];

/// A time in the unit in which it is 1 at least.
pub(super) fn time(seconds: f64) -> String {
    if seconds.is_infinite() {
        return "never".to_owned();
    }
    let (factor, unit) = TIMES.into_iter().find(|(factor, _)| seconds >= *factor).unwrap_or((1e-12, "ps"));
    format!("{} {unit}", digits(seconds / factor))
}

/// A parameter's value in its unit.
pub(super) fn parameter(parameter: TwinParameter, value: f64) -> String {
    if parameter == TwinParameter::HostBandwidth { format!("{} GB/s", digits(value / 1e9)) } else { time(value) }
}

pub(super) fn digits(value: f64) -> String {
    let decimals = if value >= 100.0 {
        0
    } else if value >= 10.0 {
        1
    } else {
        2
    };
    format!("{value:.decimals$}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_shown_in_the_unit_in_which_it_is_one_at_least() {
        let shown = [2.5, 0.0123, 456e-6, 1e-9, 3.21e-12, f64::INFINITY].map(time);
        assert_eq!(shown, ["2.50 s", "12.3 ms", "456 us", "1.00 ns", "3.21 ps", "never"]);
        assert_eq!(parameter(TwinParameter::HostBandwidth, 25e9), "25.0 GB/s");
    }
}
