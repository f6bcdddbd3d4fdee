//! Remarks on a ratio between two variants: what each rests on, and its words.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::super::amount::{self, percent};
use super::super::axes::{Axes, named_cell};
use super::external_cache::ExternalCache;
use super::reuse_change::TokenResidence;
use super::server::CacheHitShares;
use crate::foundation::units::grouped;

/// A remark on a ratio.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum RatioRemark {
    /// The external cache of one of the two was needed and brought nothing.
    UselessCache { external: ExternalCache },
    /// A variant with an external cache is no better: the cell whose sessions keep most tokens alive against the device's memory, and where the
    /// prompt tokens of that cell came from.
    NoGain {
        variant: String,
        cell: Axes,
        #[serde(flatten)]
        residence: TokenResidence,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        hits: Option<CacheHitShares>,
    },
}

/// All remarks on a ratio. In files with the words, as `remarks`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(from = "SavedRatioRemarks", into = "SavedRatioRemarks")]
pub struct RatioRemarks(pub Vec<RatioRemark>);

impl fmt::Display for RatioRemark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UselessCache { external } => external.fmt(f),
            Self::NoGain { variant, cell, residence, hits } => {
                write!(f, "no gain of {variant}: ")?;
                write_residence(f, cell, residence)?;
                hits.as_ref().map_or(Ok(()), |hits| write_sources(f, hits))
            }
        }
    }
}

/// Whether what the sessions keep alive fits on the device.
#[expect(clippy::cast_precision_loss, reason = "token counts are far below 2^53")]
fn write_residence(f: &mut fmt::Formatter<'_>, cell: &Axes, residence: &TokenResidence) -> fmt::Result {
    let cell = named_cell(cell);
    let Some(resident) = residence.resident_tokens else {
        return write!(f, "how many tokens the sessions of {cell} keep alive is not told");
    };
    write!(f, "the sessions of {cell} keep {} tokens alive", grouped(resident))?;
    let Some(pool) = &residence.kv_pool_tokens else { return f.write_str("; the size of the KV pool is not known") };
    let fits = if resident as f64 <= pool.value {
        "all of it fits on the device, so a cache behind it had nothing to win"
    } else {
        "it does not fit on the device"
    };
    write!(f, " and the KV pool holds {} ({}): {fits}", amount::grouped(pool.value), pool.by)
}

/// Ends the sentence; adds nothing to it where the sources are not told apart.
fn write_sources(f: &mut fmt::Formatter<'_>, hits: &CacheHitShares) -> fmt::Result {
    let (Some(device), Some(external)) = (hits.device, hits.external) else { return Ok(()) };
    let [device, external, computed] = [device, external, hits.computed].map(percent);
    write!(f, "; its prompt tokens came from the device {device}, external {external}, computed {computed} ({})", hits.by)
}

/// As they stand in a summary's JSON.
#[derive(Serialize, Deserialize)]
struct SavedRatioRemarks {
    /// The words.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    remarks: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    remark_figures: Vec<RatioRemark>,
}

impl From<SavedRatioRemarks> for RatioRemarks {
    fn from(saved: SavedRatioRemarks) -> Self {
        Self(saved.remark_figures)
    }
}

impl From<RatioRemarks> for SavedRatioRemarks {
    fn from(remarks: RatioRemarks) -> Self {
        Self { remarks: remarks.0.iter().map(ToString::to_string).collect(), remark_figures: remarks.0 }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::analysis::summary::{ExternalCacheUse, ServerMetricValue, UselessCacheEvidence};

    fn no_gain(resident_tokens: Option<u64>, pool: Option<f64>, device: Option<f64>) -> RatioRemark {
        let cell = [("workload.concurrent".to_owned(), json!(1)), ("workload.sequential".to_owned(), json!(8))].into_iter().collect();
        let kv_pool_tokens = pool.map(|value| ServerMetricValue { value, by: "log".into() });
        RatioRemark::NoGain {
            variant: "lmcache".into(),
            cell,
            residence: TokenResidence { resident_tokens, kv_pool_tokens },
            hits: Some(CacheHitShares { device, external: Some(0.0), cached: 0.75, computed: 0.25, by: "metrics".into() }),
        }
    }

    #[test]
    fn every_remark_says_its_figures_and_comes_back_from_json() {
        let evidence = UselessCacheEvidence::Answers { cell: Axes::new(), reused_tokens: 12.0, sent_before_tokens: 24_000 };
        let external = ExternalCache {
            connector: None,
            state: ExternalCacheUse::ReusedNothing { variant: "lmcache".into(), evidence },
            asked_tokens: None,
            brought_tokens: None,
        };
        let sentence = external.to_string();
        let all = [
            (RatioRemark::UselessCache { external }, sentence.as_str()),
            (
                no_gain(Some(4_016), Some(6_000.0), Some(0.75)),
                "no gain of lmcache: the sessions of C=1, S=8 keep 4,016 tokens alive and the KV pool holds 6,000 (log): all of it fits on the \
                 device, so a cache behind it had nothing to win; its prompt tokens came from the device 75 %, external 0 %, computed 25 % \
                 (metrics)",
            ),
            (
                no_gain(Some(8_032), Some(6_000.0), None),
                "no gain of lmcache: the sessions of C=1, S=8 keep 8,032 tokens alive and the KV pool holds 6,000 (log): it does not fit on the \
                 device",
            ),
            (
                no_gain(Some(8_032), None, None),
                "no gain of lmcache: the sessions of C=1, S=8 keep 8,032 tokens alive; the size of the KV pool is not known",
            ),
            (no_gain(None, Some(6_000.0), None), "no gain of lmcache: how many tokens the sessions of C=1, S=8 keep alive is not told"),
        ];
        let (remarks, words): (Vec<RatioRemark>, Vec<&str>) = all.into_iter().unzip();
        let remarks = RatioRemarks(remarks);
        let saved = serde_json::to_value(&remarks).unwrap();
        assert_eq!(saved["remarks"], json!(words));
        let figures = &saved["remark_figures"];
        assert_eq!((&figures[0]["kind"], &figures[3]["resident_tokens"]), (&json!("useless_cache"), &json!(8_032)));
        assert_eq!(serde_json::from_value::<RatioRemarks>(saved).unwrap(), remarks);
        assert_eq!(serde_json::to_value(RatioRemarks::default()).unwrap(), json!({}));
    }
}
