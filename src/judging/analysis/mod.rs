//! From saved runs to numbers and verdicts, by the store's reader alone: the judging half of the program begins here.
//!
//! Rows become a [`RequestTable`] per cell; a measure over it becomes an [`Estimate`] with its interval; a goal turns that into a [`GoalJudgement`];
//! cells become a [`SweepSummary`] with scores. Nothing here knows how a run is made, and nothing prints. Formulas: `docs/metrics.md`.

mod amount;
mod axes;
mod backlog;
mod backlog_growth;
pub mod binomial;
mod bootstrap;
mod bottleneck;
mod boundary_cells;
mod cell_bottleneck;
mod cell_selector;
mod cells;
mod client;
pub mod clusters;
mod columns;
pub mod compare;
#[cfg(test)]
mod coverage;
mod distribution;
mod early_stop;
mod estimate;
mod extended_real;
mod external;
#[cfg(test)]
#[expect(dead_code, reason = "some are for the tests of the crates that use this one")]
pub(crate) mod fixture;
mod formula;
mod frontier;
pub mod history;
mod increase;
pub mod interval;
mod load_goals;
mod moments;
mod monotone;
mod nodes;
mod number_column;
mod origin;
mod percentile;
mod rates;
mod reason;
mod repeats;
mod request_metrics;
mod row_selection;
mod score_bound;
mod scores;
mod session_rows;
mod sessions;
pub mod settling;
mod standard;
mod stream_figures;
mod summarize;
mod summary;
mod table;
mod throughput;
mod time_series;
mod timeline;
mod token_gaps;
mod tool_ttft;
mod transient;
mod undecided_cell;
mod untested;
mod value_order;
mod verdict;
mod watched;
mod window_rate;

pub use axes::{Axes, axis_label, is_same_place, is_within, named_cell, plain, short, show_axes, show_value};
pub use cell_selector::{CellSelector, CellSelectorError, parse_cell};
pub use cells::CellRuns;
pub use distribution::{CellDistribution, EmpiricalDistribution, PopulationDistributions, distributions};
pub use early_stop::judge_curtailed;
pub use estimate::estimate;
pub use extended_real::ExtendedReal;
pub use frontier::frontier;
pub use increase::increase;
pub use origin::SweepOrigin;
pub use percentile::percentile;
pub use request_metrics::RequestMetrics;
pub use summarize::summarize;
pub use summary::{
    AxisSummary, BacklogGrowth, Bottleneck, BottleneckEvidence, BoundDirection, CacheHitShares, CapacityScore, CapacityShape, CellNote,
    CellPrediction, CellState, CellSummary, CellThroughput, ClientLimit, ClientLimits, ComputeEvidence, EarlyStopBound, Estimate,
    ExternalCache, ExternalCacheUse, FailureMessage, FittedServer, ForecastOrigin, FrontierCounts, GaugeSummary, GoalJudgement,
    GoalPrediction, GoalVerdict, HeldCoverage, ImpliedOutcome, InitialTransient, IntervalMethod, KvMemoryEvidence, LargestPredictedLoad,
    LargestScore, LatencyPercentiles, LoadComparison, LoadReversal, NoteList, PredictedFigures, PredictedInterval, RaisedScoreKind,
    RateSummary, RatioBound, RatioRemark, RatioRemarks, RepeatCacheState, RepeatSummary, ReversalReason, RoleFigures, RunCounts, Score,
    ScoreBound, ScoreRatio, ServerFigures, ServerMetricValue, ServerRole, SessionFigures, StandardFigures, StreamFigures,
    SuccessPercentiles, SummaryOptions, SweepForecast, SweepNote, SweepSummary, TokenCost, ToolTtftSummary, TwinQuestion, UndecidedCell,
    UnsettledReason, UselessCacheEvidence, UserThroughput, VariantSummary, VoidReason,
};
pub use table::RequestTable;
pub use timeline::{RequestSpan, RunTimeline, RunTimelineLane, ServerMetricTrack, timeline};
pub use verdict::judge;

use crate::foundation::sentence::sentence;
use crate::vocabulary::metric::Metric;

/// Why saved runs could not be judged.
#[derive(Debug, thiserror::Error)]
pub enum AnalysisError {
    #[error(transparent)]
    Store(#[from] crate::records::store::StoreError),
    #[error("the saved rows are no table of requests: {}", sentence(&.0.to_string()))]
    Table(#[from] polars::error::PolarsError),
    #[error(transparent)]
    Goal(#[from] crate::vocabulary::goal::UnreadGoalError),
    #[error("the rows of run `{}` cannot be read: {}", sentence(run), sentence(reason))]
    Rows { run: String, reason: String },
    #[error("`{metric}` has many values a request")]
    NotPerRow { metric: Metric },
}

#[cfg(test)]
mod tests {
    use crate::records::record::FailureKind as Kind;
    use crate::vocabulary::metric::{Metric, MetricDirection};

    const DOCS: &str = include_str!("../../../docs/metrics.md");

    #[test]
    fn the_documentation_names_every_metric_with_its_unit_and_direction() {
        for metric in Metric::ALL {
            let head = format!("| `{}` | {} |", metric.name(), metric.unit());
            let row = DOCS.lines().find(|line| line.starts_with(&head)).unwrap_or_else(|| panic!("no row begins with {head}"));
            let better = if metric.better() == MetricDirection::Lower { "| lower |" } else { "| higher |" };
            assert!(row.ends_with(better), "{row}");
        }
    }

    #[test]
    fn the_documentation_names_every_failure_kind_and_every_field() {
        let kinds = [
            Kind::Connect,
            Kind::Tls,
            Kind::TimeoutFirstToken,
            Kind::TimeoutIdle,
            Kind::TimeoutTotal,
            Kind::ResetMidStream,
            Kind::MalformedStream,
            Kind::ErrorEvent,
            Kind::NoToken,
            Kind::Truncated,
            Kind::Cancelled,
        ];
        for name in kinds.into_iter().map(Kind::name).chain(["http_<status>".to_owned()]) {
            assert!(DOCS.contains(&format!("| `{name}` |")), "{name}");
        }
        for field in crate::vocabulary::goal::ConditionField::ALL {
            assert!(DOCS.contains(&format!("`{}`", field.name())), "{}", field.name());
        }
    }

    #[test]
    fn the_goals_of_the_documentation_are_goals() {
        let examples = DOCS.lines().find(|line| line.starts_with("Examples: `p95")).unwrap();
        let goals: Vec<&str> = examples.split('`').skip(1).step_by(2).collect();
        assert_eq!(goals.len(), 4);
        for goal in goals {
            assert_eq!(goal.parse::<crate::vocabulary::goal::Goal>().unwrap().to_string(), goal);
        }
    }
}
