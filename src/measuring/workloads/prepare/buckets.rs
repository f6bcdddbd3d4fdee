//! Buckets: the lengths that documents are cut to. A document goes into the largest one strictly below its own length.

use std::fmt;
use std::str::FromStr;

use crate::foundation::units::{Tokens, UnitError};

/// Lengths in tokens, ascending, each once, at least one, none of them 0.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LengthBuckets(Vec<u64>);

/// A list that is no list of buckets.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LengthBucketsError {
    #[error(transparent)]
    Unit(#[from] UnitError),
    #[error("a bucket has at least one token")]
    Zero,
    #[error("`{0}` comes twice")]
    Twice(String),
}

impl LengthBuckets {
    pub fn sizes(&self) -> &[u64] {
        &self.0
    }

    pub fn largest(&self) -> u64 {
        self.0.last().copied().unwrap_or_default()
    }

    /// The buckets strictly below a length, largest first.
    pub fn below(&self, tokens: u64) -> impl Iterator<Item = u64> {
        self.0.iter().rev().copied().filter(move |size| *size < tokens)
    }

    /// The name of a bucket's folder: `8k`.
    pub fn name(size: u64) -> String {
        Tokens(size).to_string()
    }
}

impl Default for LengthBuckets {
    /// 8k, 16k, ... 1m.
    fn default() -> Self {
        Self((13..=20).map(|power| 1 << power).collect())
    }
}

impl FromStr for LengthBuckets {
    type Err = LengthBucketsError;

    fn from_str(text: &str) -> Result<Self, LengthBucketsError> {
        let mut sizes = text.split(',').map(|size| Ok(size.trim().parse::<Tokens>()?.0)).collect::<Result<Vec<u64>, UnitError>>()?;
        sizes.sort_unstable();
        if sizes.first() == Some(&0) {
            return Err(LengthBucketsError::Zero);
        }
        match sizes.windows(2).find(|pair| pair[0] == pair[1]) {
            Some(pair) => Err(LengthBucketsError::Twice(Self::name(pair[0]))),
            None => Ok(Self(sizes)),
        }
    }
}

impl fmt::Display for LengthBuckets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<String> = self.0.iter().map(|size| Self::name(*size)).collect();
        f.write_str(&names.join(","))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_goes_into_the_largest_bucket_strictly_below_its_length() {
        let buckets = LengthBuckets::default();
        assert_eq!(buckets.to_string(), "8k,16k,32k,64k,128k,256k,512k,1m");
        assert_eq!(buckets.below(8192).next(), None);
        assert_eq!(buckets.below(8193).next(), Some(8192));
        assert_eq!(buckets.below(16_384).next(), Some(8192));
        assert_eq!(buckets.below(40_000).collect::<Vec<_>>(), [32_768, 16_384, 8192]);
        assert_eq!(buckets.below(9_000_000).next(), Some(1_048_576));
    }

    #[test]
    fn buckets_are_read_in_any_order_and_what_is_no_bucket_is_refused() {
        assert_eq!("1m, 8k,100".parse::<LengthBuckets>().unwrap().sizes(), [100, 8192, 1_048_576]);
        assert_eq!("8k,8192".parse::<LengthBuckets>(), Err(LengthBucketsError::Twice("8k".into())));
        assert_eq!("0".parse::<LengthBuckets>(), Err(LengthBucketsError::Zero));
        assert!("8k,".parse::<LengthBuckets>().unwrap_err().to_string().contains("number of tokens"));
    }
}
