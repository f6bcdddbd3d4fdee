//! What a canary prompt brought back, and what that says of the caches: by the server's count of cached tokens, else by its counters,
//! else by the time to first token. Pure: echoes in, words out.

use super::STRANGERS;

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

/// What the caches held of a prompt after they were emptied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum CanaryVerdict {
    Gone(String),
    Left(String),
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
    pub(super) fn choose(new: &[CanaryAnswer], again: &[CanaryAnswer]) -> Result<Self, String> {
        let nothing = |cached: u64, by: &str| {
            format!("of a canary prompt that came again, the server took {cached} tokens from a cache{by}: there is nothing to be emptied")
        };
        let told = again.iter().find(|echo| echo.known_tokens().is_some()).copied().unwrap_or_default();
        match (told.cached_tokens, told.hits) {
            (Some(cached_tokens), _) if cached_tokens > STRANGERS => Ok(Self::Usage { cached_tokens }),
            (Some(cached_tokens), _) => Err(nothing(cached_tokens, "")),
            (None, Some(hits)) if hits > STRANGERS => Ok(Self::Counters { hits }),
            (None, Some(hits)) => Err(nothing(hits, " by its counters")),
            (None, None) => Self::by_times(new, again),
        }
    }

    fn by_times(new: &[CanaryAnswer], again: &[CanaryAnswer]) -> Result<Self, String> {
        let times = |echoes: &[CanaryAnswer]| {
            let mut times: Vec<f64> = echoes.iter().filter_map(|echo| echo.ttft_s).collect();
            times.sort_by(f64::total_cmp);
            times
        };
        let silent = "the server tells neither cached tokens nor counters of them";
        // The fastest of the new ones: the first of all may have waited for what a server does once.
        let (cold, warm) = (times(new).first().copied(), median(&times(again)));
        let (Some(cold_s), Some(warm_s)) = (cold, warm) else {
            return Err(format!("{silent}, and answered a canary prompt without a token"));
        };
        if cold_s >= TELLING_RATIO * warm_s {
            return Ok(Self::Times { cold_s, warm_s });
        }
        Err(format!(
            "{silent}, and a canary prompt takes {cold_s:.3} s when it is new and {warm_s:.3} s when it comes again: too near to tell"
        ))
    }

    /// Looks at what came back after the caches were emptied, of which `tolerated` tokens may be cached.
    ///
    /// # Errors
    /// The reason for which nothing can be told.
    pub(super) fn look(&self, after: &CanaryAnswer, tolerated: u64) -> Result<CanaryVerdict, String> {
        match *self {
            Self::Usage { cached_tokens } => {
                let prompt_tokens = after.prompt_tokens.ok_or("the server told no usage of a canary prompt after the reset")?;
                // Some servers leave the count out where it is 0.
                let left = after.cached_tokens.unwrap_or(0);
                let words = format!(
                    "a canary prompt of {prompt_tokens} tokens, {cached_tokens} of them cached before, came back with {left} cached tokens"
                );
                Ok(if left <= tolerated { CanaryVerdict::Gone(words) } else { CanaryVerdict::Left(words) })
            }
            Self::Counters { hits } => {
                let left = after.hits.ok_or("the server's counters did not follow a canary prompt after the reset")?;
                let words = format!(
                    "by the server's counters, a canary prompt with {hits} tokens cached before came back with {left} cached tokens"
                );
                Ok(if left <= tolerated { CanaryVerdict::Gone(words) } else { CanaryVerdict::Left(words) })
            }
            Self::Times { cold_s, warm_s } => {
                let after_s = after.ttft_s.ok_or("the server answered a canary prompt without a token after the reset")?;
                let words = format!(
                    "a canary prompt that takes {cold_s:.3} s when it is new and {warm_s:.3} s when it comes again took {after_s:.3} s"
                );
                // Times differ by factors, so the middle is the geometric one.
                Ok(if after_s >= (cold_s * warm_s).sqrt() { CanaryVerdict::Gone(words) } else { CanaryVerdict::Left(words) })
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

    #[test]
    fn what_usage_tells_goes_before_all_else() {
        let judge = CanaryCriterion::choose(&[usage(Some(0))], &[CanaryAnswer { hits: Some(0), ..usage(Some(2048)) }]).unwrap();
        assert_eq!(judge, CanaryCriterion::Usage { cached_tokens: 2048 });
        assert!(
            matches!(judge.look(&usage(Some(0)), 0), Ok(CanaryVerdict::Gone(words)) if words.contains("2055") && words.contains("2048"))
        );
        assert!(matches!(judge.look(&usage(Some(16)), 0), Ok(CanaryVerdict::Left(words)) if words.contains("with 16 cached")));
        assert!(matches!(judge.look(&usage(Some(64)), 64), Ok(CanaryVerdict::Gone(_))));
        assert!(matches!(judge.look(&usage(Some(65)), 64), Ok(CanaryVerdict::Left(_))));
    }

    #[test]
    fn a_count_that_is_left_out_where_it_is_zero_is_zero() {
        let judge = CanaryCriterion::choose(&[usage(None)], &[usage(Some(2048))]).unwrap();
        assert!(matches!(judge.look(&usage(None), 0), Ok(CanaryVerdict::Gone(_))));
        assert!(judge.look(&took(0.1), 0).is_err(), "without any usage it is not known");
    }

    #[test]
    fn counters_tell_where_usage_does_not() {
        let judge = CanaryCriterion::choose(&[hits(0)], &[hits(2048)]).unwrap();
        assert_eq!(judge, CanaryCriterion::Counters { hits: 2048 });
        assert!(matches!(judge.look(&hits(0), 0), Ok(CanaryVerdict::Gone(words)) if words.contains("counters")));
        assert!(matches!(judge.look(&hits(2048), 0), Ok(CanaryVerdict::Left(_))));
        assert!(judge.look(&usage(None), 0).is_err());
    }

    #[test]
    fn where_nothing_is_cached_there_is_nothing_to_prove() {
        for again in [usage(Some(0)), usage(Some(192)), hits(0)] {
            let reason = CanaryCriterion::choose(&[usage(Some(0))], &[again]).unwrap_err();
            assert!(reason.contains("nothing to be emptied"), "{reason}");
        }
    }

    #[test]
    fn times_tell_where_new_and_again_are_far_apart() {
        // The first of the new ones is slow for a reason of its own; one of the others is disturbed.
        let judge = CanaryCriterion::choose(&[took(3.0), took(0.8)], &[took(0.05), took(0.9), took(0.049)]).unwrap();
        assert_eq!(judge, CanaryCriterion::Times { cold_s: 0.8, warm_s: 0.05 });
        // The geometric mean of 0.8 and 0.05 is 0.2.
        assert!(matches!(judge.look(&took(0.201), 0), Ok(CanaryVerdict::Gone(_))));
        assert!(matches!(judge.look(&took(0.199), 0), Ok(CanaryVerdict::Left(words)) if words.contains("0.199 s")));
    }

    #[test]
    fn times_that_are_too_near_or_missing_tell_nothing() {
        assert!(CanaryCriterion::choose(&[took(0.1)], &[took(0.05)]).is_ok());
        let near = CanaryCriterion::choose(&[took(0.1)], &[took(0.051)]).unwrap_err();
        assert!(near.contains("0.100 s") && near.contains("0.051 s") && near.contains("too near"), "{near}");
        let silent = CanaryCriterion::choose(&[CanaryAnswer::default()], &[CanaryAnswer::default()]).unwrap_err();
        assert!(silent.contains("without a token"), "{silent}");
    }
}
