//! How patient and how polite a download is.

use std::time::Duration;

/// Waits and bounds of downloads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DownloadPolicy {
    /// Between the end of a request and the start of the next.
    pub pause: Duration,
    /// Before the first retry; doubled for each further one.
    pub first_wait: Duration,
    /// The most between two tries that is chosen here; a server's `Retry-After` may ask for more.
    pub most_wait: Duration,
    /// What is not waited for, even where a server asks for it.
    pub longest_wait: Duration,
    /// Tries of one file, at least 1.
    pub attempts: u32,
    /// Limit for the head of an answer, and between two pieces of its body.
    pub idle: Duration,
}

impl DownloadPolicy {
    /// What a public mirror can be asked: two seconds between requests is what Project Gutenberg asks of robots.
    pub const POLITE: Self = Self {
        pause: Duration::from_secs(2),
        first_wait: Duration::from_secs(2),
        most_wait: Duration::from_mins(1),
        longest_wait: Duration::from_mins(10),
        attempts: 5,
        idle: Duration::from_mins(1),
    };

    /// How long to wait after try number `attempt` (from 1) failed; `asked` is the server's `Retry-After`.
    pub(super) fn wait(&self, attempt: u32, asked: Option<Duration>) -> Duration {
        let doubled = self.first_wait.saturating_mul(1 << (attempt - 1).min(16));
        asked.unwrap_or_else(|| doubled.min(self.most_wait))
    }
}

/// What `Retry-After` says: seconds, or a date.
pub(super) fn retry_after(value: &str, now: jiff::Timestamp) -> Option<Duration> {
    let value = value.trim();
    if let Ok(seconds) = value.parse::<u64>() {
        return Some(Duration::from_secs(seconds));
    }
    let date = jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(value).ok()?;
    // A date that has passed means: now.
    Some(Duration::try_from(date.duration_since(now)).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_a_bound_and_a_server_that_asks_is_heeded() {
        let waits: Vec<u64> = (1..=7).map(|attempt| DownloadPolicy::POLITE.wait(attempt, None).as_secs()).collect();
        assert_eq!(waits, [2, 4, 8, 16, 32, 60, 60]);
        assert_eq!(DownloadPolicy::POLITE.wait(1, Some(Duration::from_secs(90))).as_secs(), 90);
        assert_eq!(DownloadPolicy::POLITE.wait(5, Some(Duration::ZERO)), Duration::ZERO);
        assert_eq!(DownloadPolicy::POLITE.wait(u32::MAX, None).as_secs(), 60);
    }

    #[test]
    fn a_wait_is_asked_for_in_seconds_or_by_a_date() {
        let now: jiff::Timestamp = "2015-10-21T07:27:30Z".parse().unwrap();
        assert_eq!(retry_after("90", now), Some(Duration::from_secs(90)));
        assert_eq!(retry_after("Wed, 21 Oct 2015 07:28:00 GMT", now), Some(Duration::from_secs(30)));
        assert_eq!(retry_after("Wed, 21 Oct 2015 07:27:00 GMT", now), Some(Duration::ZERO));
        assert_eq!(retry_after("soon", now), None);
    }
}
