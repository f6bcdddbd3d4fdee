//! When a server that has too much to do wants to be asked again: the header `Retry-After` (RFC 9110, section 10.2.3), in seconds or as a date.

use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimeParser;

use crate::foundation::clock::Micros;

/// Nobody is asked again sooner, also where the header says 0.
const LEAST: Micros = Micros(10_000);

/// How long to wait from `now` on; `None` where the header says nothing that can be understood.
pub(super) fn pause(header: &str, now: Timestamp) -> Option<Micros> {
    let header = header.trim();
    if let Ok(seconds) = header.parse::<u32>() {
        return Some(Micros(u64::from(seconds) * 1_000_000).max(LEAST));
    }
    let at = DateTimeParser::new().parse_timestamp(header).ok()?;
    // A date that has passed is no reason to wait.
    let micros = u64::try_from(at.as_microsecond() - now.as_microsecond()).unwrap_or(0);
    Some(Micros(micros).max(LEAST))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_and_dates_are_understood_and_nothing_else() {
        let now: Timestamp = "1994-11-06T08:49:30Z".parse().unwrap();
        assert_eq!(pause(" 2 ", now), Some(Micros(2_000_000)));
        assert_eq!(pause("0", now), Some(LEAST));
        assert_eq!(pause("Sun, 06 Nov 1994 08:49:37 GMT", now), Some(Micros(7_000_000)));
        assert_eq!(pause("Sun, 06 Nov 1994 08:49:00 GMT", now), Some(LEAST));
        for text in ["", "soon", "-1", "1.5"] {
            assert_eq!(pause(text, now), None, "{text}");
        }
    }
}
