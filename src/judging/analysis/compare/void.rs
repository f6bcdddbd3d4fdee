//! Measures of a pair of cells that certify nothing on a side: answers that came whole tell no time to first token, a slow client no server's.
//! They are not compared. Pairs and their rows in, reasons out.

use super::compared_measure::MeasureProbe;
use super::comparison::ComparedMeasure;
use super::comparison_note::{ComparisonNote, VoidCell};
use super::pairs::CellPair;
use crate::analysis::cells::CellRuns;
use crate::analysis::client::{limited, worst_client};
use crate::analysis::summary::{StreamFigures, VoidReason};
use crate::analysis::{AnalysisError, RequestTable};
use crate::records::record::ClientEnvironment;
use crate::vocabulary::goal::Goal;

/// Why a side certifies nothing.
#[derive(Debug)]
pub(super) struct SideValidity {
    is_client_limited: bool,
    streams: StreamFigures,
}

impl SideValidity {
    pub fn of(cell: &CellRuns<'_>, table: &RequestTable, machine: &ClientEnvironment, goals: &[Goal]) -> Result<Self, AnalysisError> {
        let is_client_limited = limited(&worst_client(cell), machine, goals).is_limited();
        Ok(Self { is_client_limited, streams: StreamFigures::of(table)? })
    }

    pub fn reason(&self, probe: &MeasureProbe) -> Option<VoidReason> {
        match &probe.measure {
            _ if self.is_client_limited => Some(VoidReason::ClientLimited),
            ComparedMeasure::Measure(measure) => self.streams.void(measure),
            ComparedMeasure::OutputTokens | ComparedMeasure::HitRate => None,
        }
    }
}

/// Which cells have measures that were not compared, and why.
pub(super) fn note(pairs: &[CellPair<'_>], reasons: &[Option<VoidReason>]) -> Option<ComparisonNote> {
    let told = |(pair, reason): (&CellPair<'_>, &Option<VoidReason>)| Some(VoidCell { cell: pair.axes.clone(), reason: (*reason)? });
    let cells: Vec<VoidCell> = pairs.iter().zip(reasons).filter_map(told).collect();
    (!cells.is_empty()).then_some(ComparisonNote::NotCertified { cells })
}
