//! What JSON holds with its words beside its figures: programs read the one, people the other.

use std::fmt;

use serde::{Serialize, Serializer};

#[derive(Serialize)]
struct WithWords<'a, Figures> {
    #[serde(flatten)]
    figures: &'a Figures,
    words: String,
}

#[derive(Serialize)]
struct WithReason<'a, Figures> {
    #[serde(flatten)]
    figures: &'a Figures,
    reason: String,
}

impl<'a, Figures: fmt::Display> From<&'a Figures> for WithWords<'a, Figures> {
    fn from(figures: &'a Figures) -> Self {
        Self { figures, words: figures.to_string() }
    }
}

/// Each value's fields, and `words` behind them.
pub(super) fn serialize<Figures, S>(values: &[Figures], serializer: S) -> Result<S::Ok, S::Error>
where
    Figures: Serialize + fmt::Display,
    S: Serializer,
{
    serializer.collect_seq(values.iter().map(WithWords::from))
}

/// The same of one value, which may be missing.
#[expect(clippy::ref_option, reason = "a field is handed over as it is")]
pub(super) fn serialize_option<Figures, S>(value: &Option<Figures>, serializer: S) -> Result<S::Ok, S::Error>
where
    Figures: Serialize + fmt::Display,
    S: Serializer,
{
    value.as_ref().map(WithWords::from).serialize(serializer)
}

/// A reason's fields, with the words as `reason` behind them.
pub(super) fn serialize_reason<Figures, S>(figures: &Figures, serializer: S) -> Result<S::Ok, S::Error>
where
    Figures: Serialize + fmt::Display,
    S: Serializer,
{
    WithReason { figures, reason: figures.to_string() }.serialize(serializer)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::analysis::CellState;
    use crate::records::record::{CacheEvidence, InvalidRunReason};

    #[test]
    fn why_a_cell_is_invalid_is_told_by_figures_and_a_sentence() {
        let not_emptied = CacheEvidence::NotEmptied { error: "`clear` is gone".into() };
        let all = [
            (
                InvalidRunReason::WarmCaches { evidence: not_emptied },
                json!({
                    "kind": "invalid", "cause": "warm_caches", "evidence": { "kind": "not_emptied", "error": "`clear` is gone" },
                    "reason": "the caches were not emptied: `clear` is gone",
                }),
            ),
            (
                InvalidRunReason::WarmCaches { evidence: CacheEvidence::Text("the caches are not empty".into()) },
                json!({
                    "kind": "invalid", "cause": "warm_caches", "evidence": "the caches are not empty", "reason": "the caches are not empty",
                }),
            ),
            (
                InvalidRunReason::ClientStandstill { stood_still_s: 4.25 },
                json!({
                    "kind": "invalid", "cause": "client_standstill", "stood_still_s": 4.25,
                    "reason": "the client stood still for 4.2 s (stopped, suspended, or without a processor)",
                }),
            ),
        ];
        for (reason, saved) in all {
            let state = CellState::Invalid { reason };
            assert_eq!(serde_json::to_value(&state).unwrap(), saved);
            assert_eq!(serde_json::from_value::<CellState>(saved).unwrap(), state);
        }
    }
}
