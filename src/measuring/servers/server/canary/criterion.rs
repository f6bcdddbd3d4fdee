//! What a canary prompt brought back, and what that says of the caches: by the server's count of cached tokens, else by its counters,
//! else by the time to first token. Pure: answers in, a finding out.

use super::STRANGERS;
use crate::records::record::{CanaryFinding, CanaryReading, CanarySignal, InconclusiveCanary};

/// A prompt whose answer takes this many times as long without a cache as with one tells by its time where it came from.
const TELLING_RATIO: f64 = 2.0;

/// What came back for one canary prompt.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct CanaryAnswer {
    /// Tokens of the prompt and those of them that were cached, as `usage` tells.
    pub(super) prompt_tokens: Option<u64>,
    pub(super) cached_tokens: Option<u64>,
    /// By how much the server's counters of cached tokens grew.
    pub(super) hits: Option<u64>,
    pub(super) ttft_s: Option<f64>,
}

/// By what it is told whether a prompt came from a cache, with what it is compared to.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum CanaryCriterion {
    /// Of the prompt's tokens, so many were cached when it came again.
    Usage {
        cached_tokens: u64,
    },
    /// The same by the counters.
    Counters {
        hits: u64,
    },
    Times {
        cold_s: f64,
        warm_s: f64,
    },
}

impl CanaryAnswer {
    /// How many tokens came from a cache, where the server tells in numbers.
    pub(super) fn known_tokens(&self) -> Option<u64> {
        self.cached_tokens.or(self.hits)
    }
}

impl CanaryCriterion {
    /// From what came back for prompts that were new and for one that came again: `new` holds at least one, `again` too.
    ///
    /// # Errors
    /// The reason for which nothing can be told.
    pub(super) fn choose(new: &[CanaryAnswer], again: &[CanaryAnswer]) -> Result<Self, InconclusiveCanary> {
        let told = again.iter().find(|echo| echo.known_tokens().is_some()).copied().unwrap_or_default();
        match (told.cached_tokens, told.hits) {
            (Some(cached_tokens), _) if cached_tokens > STRANGERS => Ok(Self::Usage { cached_tokens }),
            (Some(cached_tokens), _) => Err(InconclusiveCanary::NothingCached { signal: CanarySignal::Usage, cached_tokens }),
            (None, Some(hits)) if hits > STRANGERS => Ok(Self::Counters { hits }),
            (None, Some(hits)) => Err(InconclusiveCanary::NothingCached { signal: CanarySignal::Counters, cached_tokens: hits }),
            (None, None) => Self::by_times(new, again),
        }
    }

    fn by_times(new: &[CanaryAnswer], again: &[CanaryAnswer]) -> Result<Self, InconclusiveCanary> {
        let times = |echoes: &[CanaryAnswer]| {
            let mut times: Vec<f64> = echoes.iter().filter_map(|echo| echo.ttft_s).collect();
            times.sort_by(f64::total_cmp);
            times
        };
        // The fastest of the new ones: the first of all may have waited for what a server does once.
        let (cold, warm) = (times(new).first().copied(), median(&times(again)));
        let (Some(cold_s), Some(warm_s)) = (cold, warm) else {
            return Err(InconclusiveCanary::NoToken);
        };
        if cold_s >= TELLING_RATIO * warm_s {
            return Ok(Self::Times { cold_s, warm_s });
        }
        Err(InconclusiveCanary::TimesTooNear { cold_ttft_s: cold_s, warm_ttft_s: warm_s })
    }

    /// Looks at what came back after the caches were emptied, of which `tolerated_tokens` may be cached.
    ///
    /// # Errors
    /// The reason for which nothing can be told.
    pub(super) fn look(&self, after: &CanaryAnswer, tolerated_tokens: u64) -> Result<CanaryFinding, InconclusiveCanary> {
        match *self {
            Self::Usage { cached_tokens: cached_tokens_before } => {
                let missing = InconclusiveCanary::ReadingMissing { signal: CanarySignal::Usage };
                let prompt_tokens = after.prompt_tokens.ok_or(missing)?;
                // Some servers leave the count out where it is 0.
                let cached_tokens_after = after.cached_tokens.unwrap_or(0);
                let reading = CanaryReading::Usage { prompt_tokens, cached_tokens_before, cached_tokens_after, tolerated_tokens };
                Ok(CanaryFinding::of(reading, cached_tokens_after <= tolerated_tokens))
            }
            Self::Counters { hits: cached_tokens_before } => {
                let missing = InconclusiveCanary::ReadingMissing { signal: CanarySignal::Counters };
                let cached_tokens_after = after.hits.ok_or(missing)?;
                let reading = CanaryReading::Counters { cached_tokens_before, cached_tokens_after, tolerated_tokens };
                Ok(CanaryFinding::of(reading, cached_tokens_after <= tolerated_tokens))
            }
            Self::Times { cold_s, warm_s } => {
                let missing = InconclusiveCanary::ReadingMissing { signal: CanarySignal::Times };
                let after_s = after.ttft_s.ok_or(missing)?;
                let reading = CanaryReading::Times { cold_ttft_s: cold_s, warm_ttft_s: warm_s, after_ttft_s: after_s };
                // Times differ by factors, so the middle is the geometric one.
                Ok(CanaryFinding::of(reading, after_s >= (cold_s * warm_s).sqrt()))
            }
        }
    }
}

/// The middle of ascending values; of two middle ones the larger.
fn median(ascending: &[f64]) -> Option<f64> {
    ascending.get(ascending.len() / 2).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn usage(cached_tokens: Option<u64>) -> CanaryAnswer {
        CanaryAnswer { prompt_tokens: Some(2055), cached_tokens, ttft_s: Some(0.1), ..CanaryAnswer::default() }
    }

    fn hits(hits: u64) -> CanaryAnswer {
        CanaryAnswer { prompt_tokens: Some(2055), hits: Some(hits), ttft_s: Some(0.1), ..CanaryAnswer::default() }
    }

    fn took(seconds: f64) -> CanaryAnswer {
        CanaryAnswer { ttft_s: Some(seconds), ..CanaryAnswer::default() }
    }

    fn of_usage(cached_tokens_after: u64, tolerated_tokens: u64) -> CanaryReading {
        CanaryReading::Usage { prompt_tokens: 2055, cached_tokens_before: 2048, cached_tokens_after, tolerated_tokens }
    }

    #[test]
    fn what_usage_tells_goes_before_all_else() {
        let judge = CanaryCriterion::choose(&[usage(Some(0))], &[CanaryAnswer { hits: Some(0), ..usage(Some(2048)) }]).unwrap();
        assert_eq!(judge, CanaryCriterion::Usage { cached_tokens: 2048 });
        for (cached_tokens, tolerated, is_gone) in [(0, 0, true), (16, 0, false), (64, 64, true), (65, 64, false)] {
            let found = judge.look(&usage(Some(cached_tokens)), tolerated);
            assert_eq!(found, Ok(CanaryFinding::of(of_usage(cached_tokens, tolerated), is_gone)));
        }
    }

    #[test]
    fn a_count_that_is_left_out_where_it_is_zero_is_zero() {
        let judge = CanaryCriterion::choose(&[usage(None)], &[usage(Some(2048))]).unwrap();
        assert_eq!(judge.look(&usage(None), 0), Ok(CanaryFinding::of(of_usage(0, 0), true)));
        let missing = InconclusiveCanary::ReadingMissing { signal: CanarySignal::Usage };
        assert_eq!(judge.look(&took(0.1), 0), Err(missing), "without any usage it is not known");
    }

    #[test]
    fn counters_tell_where_usage_does_not() {
        let judge = CanaryCriterion::choose(&[hits(0)], &[hits(2048)]).unwrap();
        assert_eq!(judge, CanaryCriterion::Counters { hits: 2048 });
        for (cached_tokens_after, is_gone) in [(0, true), (2048, false)] {
            let reading = CanaryReading::Counters { cached_tokens_before: 2048, cached_tokens_after, tolerated_tokens: 0 };
            assert_eq!(judge.look(&hits(cached_tokens_after), 0), Ok(CanaryFinding::of(reading, is_gone)));
        }
        let missing = InconclusiveCanary::ReadingMissing { signal: CanarySignal::Counters };
        assert_eq!(judge.look(&usage(None), 0), Err(missing));
    }

    #[test]
    fn where_nothing_is_cached_there_is_nothing_to_prove() {
        let told =
            [(usage(Some(0)), CanarySignal::Usage, 0), (usage(Some(192)), CanarySignal::Usage, 192), (hits(0), CanarySignal::Counters, 0)];
        for (again, signal, cached_tokens) in told {
            let reason = CanaryCriterion::choose(&[usage(Some(0))], &[again]).unwrap_err();
            assert_eq!(reason, InconclusiveCanary::NothingCached { signal, cached_tokens });
        }
    }

    #[test]
    fn times_tell_where_new_and_again_are_far_apart() {
        // The first of the new ones is slow for a reason of its own; one of the others is disturbed.
        let judge = CanaryCriterion::choose(&[took(3.0), took(0.8)], &[took(0.05), took(0.9), took(0.049)]).unwrap();
        assert_eq!(judge, CanaryCriterion::Times { cold_s: 0.8, warm_s: 0.05 });
        // The geometric mean of 0.8 and 0.05 is 0.2.
        for (after_ttft_s, is_gone) in [(0.201, true), (0.199, false)] {
            let reading = CanaryReading::Times { cold_ttft_s: 0.8, warm_ttft_s: 0.05, after_ttft_s };
            assert_eq!(judge.look(&took(after_ttft_s), 0), Ok(CanaryFinding::of(reading, is_gone)));
        }
        let missing = InconclusiveCanary::ReadingMissing { signal: CanarySignal::Times };
        assert_eq!(judge.look(&CanaryAnswer::default(), 0), Err(missing));
    }

    #[test]
    fn times_that_are_too_near_or_missing_tell_nothing() {
        assert!(CanaryCriterion::choose(&[took(0.1)], &[took(0.05)]).is_ok());
        let near = CanaryCriterion::choose(&[took(0.1)], &[took(0.051)]).unwrap_err();
        assert_eq!(near, InconclusiveCanary::TimesTooNear { cold_ttft_s: 0.1, warm_ttft_s: 0.051 });
        let silent = CanaryCriterion::choose(&[CanaryAnswer::default()], &[CanaryAnswer::default()]).unwrap_err();
        assert_eq!(silent, InconclusiveCanary::NoToken);
    }
}
