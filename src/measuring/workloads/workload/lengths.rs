//! Lengths in tokens that are drawn from a distribution: in go the distribution, the run's seed, what the lengths are of, and numbers; out comes the
//! length of that number, which nothing else decides.
//!
//! A length is the quantile of one uniform draw, so that it is cut off and not piled up at the bounds, and longer with a longer mean under the same seed.

use std::sync::Arc;

use rand::Rng;

use super::corpus::Corpus;
use super::seed::generator;
use super::{WorkloadError, answer_length};
use crate::foundation::normal::{normal_quantile, normal_share};
use crate::foundation::units::Tokens;
use crate::vocabulary::spec::lengths::{LengthBounds, LengthDistribution};

/// Without a bound, one length in a million would be longer than what is drawn.
const BEYOND_UNBOUNDED: f64 = 1e-6;
/// How many quantiles a mean is worked out from.
const QUANTILES: u32 = 4096;

/// What the lengths are of: each has draws of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LengthPurpose {
    Prompt,
    Answer,
}

/// The lengths of a run.
#[derive(Debug, Clone)]
pub struct LengthSampler {
    seed: u64,
    purpose: &'static str,
    law: LengthLaw,
}

/// How a share becomes a length.
#[derive(Debug, Clone)]
enum LengthLaw {
    Fixed(u64),
    Uniform {
        min: u64,
        max: u64,
    },
    /// A normal value, or the exponential of one, of which the shares from `low` to `high` lie within the bounds.
    Normal {
        centre: f64,
        scale: f64,
        is_log: bool,
        low: f64,
        high: f64,
        min: u64,
        max: u64,
    },
    Listed(Arc<[u64]>),
}

impl LengthSampler {
    pub fn new(lengths: &LengthDistribution, seed: u64, purpose: LengthPurpose, corpus: &Corpus) -> Result<Self, WorkloadError> {
        let law = LengthLaw::of(lengths, corpus)?;
        let name = match (purpose, &law) {
            // A line of one file and the same line of another belong together.
            (_, LengthLaw::Listed(_)) => "listed lengths",
            (LengthPurpose::Prompt, _) => "prompt lengths",
            (LengthPurpose::Answer, _) => "answer lengths",
        };
        let sampler = Self { seed, purpose: name, law };
        if purpose == LengthPurpose::Answer {
            answer_length(Tokens(sampler.longest()))?;
        }
        Ok(sampler)
    }

    /// The length that belongs to these numbers.
    #[expect(clippy::cast_precision_loss, reason = "53 bits fit a double")]
    pub fn of(&self, numbers: &[u64]) -> u64 {
        if let LengthLaw::Fixed(length) = self.law {
            return length;
        }
        let draw = generator(self.seed, self.purpose, numbers).next_u64() >> 11;
        self.law.quantile((draw as f64 + 0.5) / (1_u64 << 53) as f64)
    }

    /// The mean of what is drawn.
    #[expect(clippy::cast_precision_loss, reason = "tokens are far below 2^53")]
    pub fn mean(&self) -> f64 {
        match &self.law {
            LengthLaw::Fixed(length) => *length as f64,
            LengthLaw::Uniform { min, max } => f64::midpoint(*min as f64, *max as f64),
            LengthLaw::Listed(lengths) => lengths.iter().map(|length| *length as f64).sum::<f64>() / lengths.len().max(1) as f64,
            LengthLaw::Normal { .. } => {
                let share = |number: u32| (f64::from(number) + 0.5) / f64::from(QUANTILES);
                (0..QUANTILES).map(|number| self.law.quantile(share(number)) as f64).sum::<f64>() / f64::from(QUANTILES)
            }
        }
    }

    /// The tokens of so many lengths, as expected.
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "an expected count, saturating"
    )]
    pub fn of_all(&self, lengths: u64) -> u64 {
        match self.law {
            LengthLaw::Fixed(length) => lengths.saturating_mul(length),
            _ => (lengths as f64 * self.mean()).round() as u64,
        }
    }

    /// The length of an answer as servers take it.
    pub fn answer(&self, numbers: &[u64]) -> Result<u32, WorkloadError> {
        answer_length(Tokens(self.of(numbers)))
    }

    /// The longest that may be drawn.
    pub fn longest(&self) -> u64 {
        match &self.law {
            LengthLaw::Fixed(length) => *length,
            LengthLaw::Uniform { max, .. } | LengthLaw::Normal { max, .. } => *max,
            LengthLaw::Listed(lengths) => lengths.iter().copied().max().unwrap_or(0),
        }
    }
}

impl LengthLaw {
    fn of(lengths: &LengthDistribution, corpus: &Corpus) -> Result<Self, WorkloadError> {
        Ok(match lengths {
            LengthDistribution::Fixed(tokens) => Self::Fixed(tokens.0),
            LengthDistribution::Uniform { min, max } => Self::Uniform { min: min.0, max: max.0.max(min.0) },
            LengthDistribution::Normal { mean, sd, bounds } => Self::normal(as_f64(*mean), as_f64(*sd), *bounds, false),
            LengthDistribution::Lognormal { mean, sd, bounds } => {
                // The logarithms' variance s² and mean follow from exp(m + s²/2) = mean and exp(s²) - 1 = (sd / mean)².
                let variance = (as_f64(*sd) / as_f64(*mean)).powi(2).ln_1p();
                Self::normal(as_f64(*mean).ln() - variance / 2.0, variance.sqrt(), *bounds, true)
            }
            LengthDistribution::File(file) => Self::Listed(corpus.lengths(file)?),
        })
    }

    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a length, saturating")]
    fn normal(centre: f64, scale: f64, bounds: LengthBounds, is_log: bool) -> Self {
        let back = |normal: f64| if is_log { normal.exp() } else { normal };
        let unbounded = back(centre + scale * normal_quantile(1.0 - BEYOND_UNBOUNDED)).round().max(1.0) as u64;
        let min = bounds.min.0;
        let max = bounds.max.map_or(unbounded, |max| max.0).max(min);
        // A length stands for all that is rounded to it.
        let share = |length: f64| {
            let at = if is_log { length.ln() } else { length };
            if scale > 0.0 { normal_share((at - centre) / scale) } else { f64::from(u8::from(at > centre)) }
        };
        let (low, high) = (share(as_f64(Tokens(min)) - 0.5), share(as_f64(Tokens(max)) + 0.5));
        Self::Normal { centre, scale, is_log, low, high, min, max }
    }

    /// The length below which this share of all lies.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to what fits")]
    fn quantile(&self, share: f64) -> u64 {
        match self {
            Self::Fixed(length) => *length,
            Self::Uniform { min, max } => {
                let lengths = as_f64(Tokens(max - min)) + 1.0;
                min.saturating_add((share * lengths) as u64).min(*max)
            }
            Self::Normal { centre, scale, is_log, low, high, min, max } => {
                let normal = centre + scale * normal_quantile(low + share * (high - low));
                let length = if *is_log { normal.exp() } else { normal };
                (length.round().max(0.0) as u64).clamp(*min, *max)
            }
            Self::Listed(lengths) => {
                let line = (share * as_f64(Tokens(lengths.len() as u64))) as usize;
                lengths.get(line.min(lengths.len().saturating_sub(1))).copied().unwrap_or(1)
            }
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "tokens are far below 2^53")]
fn as_f64(tokens: Tokens) -> f64 {
    tokens.0 as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    const DRAWS: u32 = 10_000;
    /// The Kolmogorov-Smirnov distance that one sample in a thousand of this size exceeds: 1.95 / √n.
    const KS_BOUND: f64 = 0.0195;

    fn sampler(text: &str, seed: u64) -> LengthSampler {
        LengthSampler::new(&text.parse().unwrap(), seed, LengthPurpose::Prompt, &Corpus::default()).unwrap()
    }

    fn draws(text: &str, seed: u64) -> Vec<u64> {
        let sampler = sampler(text, seed);
        (0..u64::from(DRAWS)).map(|number| sampler.of(&[number])).collect()
    }

    /// The largest distance between the shares of draws up to a length and the shares that a distribution function says.
    fn distance(draws: &[u64], share_up_to: impl Fn(f64) -> f64) -> f64 {
        let mut sorted = draws.to_vec();
        sorted.sort_unstable();
        let mut farthest: f64 = 0.0;
        for (number, length) in (1_u32..).zip(&sorted) {
            if sorted.get(number as usize) != Some(length) {
                // All that rounds to the length lies up to half a token beyond it.
                let found = f64::from(number) / f64::from(DRAWS);
                farthest = farthest.max((found - share_up_to(as_f64(Tokens(*length)) + 0.5)).abs());
            }
        }
        farthest
    }

    /// A distribution function cut off at bounds.
    fn within(min: f64, max: f64, share: impl Fn(f64) -> f64) -> impl Fn(f64) -> f64 {
        let (low, high) = (share(min - 0.5), share(max + 0.5));
        move |at| (share(at) - low) / (high - low)
    }

    #[test]
    fn draws_follow_their_distributions() {
        let lognormal = |at: f64| {
            // ln(1 + (500/1000)²) = 0.223144.
            normal_share((at.ln() - (1000_f64.ln() - 0.223_144 / 2.0)) / 0.223_144_f64.sqrt())
        };
        let normal = |at: f64| normal_share((at - 1000.0) / 300.0);
        for seed in [7, 8, 9] {
            let far = [
                distance(&draws("uniform(100..2000)", seed), |at| (at - 99.5) / 1901.0),
                distance(&draws("uniform(1..3)", seed), |at| (at - 0.5) / 3.0),
                distance(&draws("normal(1000, 300)", seed), normal),
                distance(&draws("normal(1000, 300, 900..1500)", seed), within(900.0, 1500.0, normal)),
                distance(&draws("lognormal(1000, 500)", seed), lognormal),
                distance(&draws("lognormal(1000, 500, 200..1200)", seed), within(200.0, 1200.0, lognormal)),
            ];
            assert!(far.iter().all(|far| *far < KS_BOUND), "seed {seed}: {far:?}");
        }
    }

    #[test]
    fn quantiles_are_those_of_the_closed_forms() {
        let law = |text: &str| sampler(text, 7).law;
        // 1000 + 100 × 1.644854, and exp(6.796183 + 0.472381 × 1.644854); at the median exp of the mean of the logarithms.
        assert_eq!(law("normal(1000, 100)").quantile(0.95), 1164);
        assert_eq!((law("lognormal(1000, 500)").quantile(0.5), law("lognormal(1000, 500)").quantile(0.95)), (894, 1945));
        assert_eq!((law("uniform(1..10)").quantile(0.05), law("uniform(1..10)").quantile(0.95)), (1, 10));
        assert_eq!(law("normal(1000, 0)").quantile(0.3), 1000);
    }

    #[test]
    fn no_length_is_beyond_its_bounds_and_none_is_piled_up_at_them() {
        for text in ["normal(100, 1000, 50..150)", "lognormal(100, 1000, 50..150)"] {
            let draws = draws(text, 7);
            assert!(draws.iter().all(|length| (50..=150).contains(length)), "{text}");
            // Of 101 lengths, none has a tenth of the draws.
            assert!(draws.iter().filter(|length| **length == 150).count() < 1_000, "{text}");
        }
        assert!(draws("normal(10, 100)", 7).iter().all(|length| *length >= 1));
        // exp(6.796183 + 0.472381 × 4.753424): one in a million would be longer.
        assert_eq!(sampler("lognormal(1000, 500)", 7).longest(), 8447);
    }

    #[test]
    fn a_mean_is_that_of_what_is_drawn() {
        #[expect(clippy::cast_precision_loss, reason = "a mean")]
        let drawn = |text: &str| draws(text, 7).iter().sum::<u64>() as f64 / f64::from(DRAWS);
        for (text, mean) in
            [("uniform(100..200)", 150.0), ("normal(1000, 100)", 1000.0), ("lognormal(1000, 500)", 1000.0), ("1000", 1000.0)]
        {
            assert!((sampler(text, 7).mean() - mean).abs() < mean * 0.002, "{text}: {}", sampler(text, 7).mean());
            // Four standard errors of 10,000 draws are 2 % of the mean at most.
            assert!((drawn(text) - mean).abs() < mean * 0.02, "{text}: {}", drawn(text));
        }
        let cut = sampler("lognormal(1000, 500, 1..1000)", 7).mean();
        assert!((cut - drawn("lognormal(1000, 500, 1..1000)")).abs() < 10.0, "{cut}");
    }

    #[test]
    fn a_length_depends_on_the_seed_the_purpose_and_the_number_alone() {
        let lengths = "uniform(1..1000000)".parse().unwrap();
        let of = |seed, purpose| LengthSampler::new(&lengths, seed, purpose, &Corpus::default()).unwrap().of(&[3]);
        assert_eq!(of(7, LengthPurpose::Prompt), of(7, LengthPurpose::Prompt));
        assert_ne!(of(7, LengthPurpose::Prompt), of(8, LengthPurpose::Prompt));
        assert_ne!(of(7, LengthPurpose::Prompt), of(7, LengthPurpose::Answer));
        // A longer mean makes each prompt longer, not others.
        let (short, long) = (sampler("lognormal(1000, 500)", 7), sampler("lognormal(2000, 1000)", 7));
        assert!((0..100).all(|number| long.of(&[number]).abs_diff(2 * short.of(&[number])) <= 2));
    }

    #[test]
    fn lines_of_files_are_drawn_and_the_same_line_for_prompt_and_answer() {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str, text: &str| {
            fs_err::write(folder.path().join(name), text).unwrap();
            LengthDistribution::File(folder.path().join(name))
        };
        let corpus = Corpus::default();
        let prompts = LengthSampler::new(&file("prompts.txt", "10\n20\n\n30\n"), 7, LengthPurpose::Prompt, &corpus).unwrap();
        let answers = LengthSampler::new(&file("answers.txt", "1\n2\n3\n"), 7, LengthPurpose::Answer, &corpus).unwrap();
        assert!((0..100).all(|number| prompts.of(&[number]) == 10 * answers.of(&[number])));
        let counts = [10, 20, 30].map(|length| (0..3_000).filter(|number| prompts.of(&[*number]) == length).count());
        // A third of 3,000 each, with standard deviation 26.
        assert!(counts.iter().all(|count| count.abs_diff(1000) < 104), "{counts:?}");
        assert_eq!((prompts.longest(), prompts.mean()), (30, 20.0));
        let message = |text: &str| Corpus::default().lengths(file("wrong.txt", text).file().unwrap()).unwrap_err().to_string();
        assert!(message("10\n0").contains("wrong.txt:2`: `0` is no length"), "{}", message("10\n0"));
        assert!(message("10\nten").contains(":2`: `ten` is no length"));
        assert!(message(" ").contains("holds no length"));
    }
}
