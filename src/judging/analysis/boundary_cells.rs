//! A cell that fails and the nearest that passes: what the figures of the two say about each other.

use super::summary::{
    CellSummary, FigureChange, GaugeSummary, LoadGrowth, MetricChange, ReuseChange, ServerFigures, TokenResidence, TokenReuse,
};

/// Requests in flight have grown from this factor on.
const GROWN: f64 = 1.1;
/// Sessions that fill less of the pool than this fit for certain: blocks that are partly filled, and prompts that are being computed, cost
/// some too.
const FITS: f64 = 0.8;

/// Two cells, the second of which passes; it is missing where nothing smaller does.
pub struct BoundaryCells<'a> {
    pub fails: &'a CellSummary,
    pub passes: Option<&'a CellSummary>,
}

impl BoundaryCells<'_> {
    /// What grew on the way from the cell that passes.
    pub fn growth(&self, passes: &CellSummary) -> Option<LoadGrowth> {
        let means = passes.sessions.in_flight_mean.zip(self.fails.sessions.in_flight_mean);
        let in_flight_mean = means.filter(|_| self.load_grew()).map(|(from, to)| FigureChange { from, to });
        let waiting_max = self.change(passes, |server| server.waiting.as_ref(), |gauge| gauge.max).filter(|change| change.to > change.from);
        let has_grown = in_flight_mean.is_some() || waiting_max.is_some();
        let gpu_utilization_mean = self.change(passes, |server| server.gpu_utilization.as_ref(), |gauge| gauge.mean);
        has_grown.then_some(LoadGrowth { in_flight_mean, waiting_max, gpu_utilization_mean })
    }

    /// A figure of a gauge that the servers of both cells told.
    fn change(
        &self,
        passes: &CellSummary,
        gauge: impl Fn(&ServerFigures) -> Option<&GaugeSummary>,
        figure: impl Fn(&GaugeSummary) -> f64,
    ) -> Option<MetricChange> {
        let (from, to) = (gauge(&passes.server)?, gauge(&self.fails.server)?);
        Some(MetricChange { from: figure(from), to: figure(to), by: to.by.clone() })
    }

    /// Whether clearly more requests were in flight in the failing cell.
    pub fn load_grew(&self) -> bool {
        let mean = |cell: &CellSummary| cell.sessions.in_flight_mean;
        let grew = |passes: &CellSummary| Some(mean(self.fails)? > mean(passes)? * GROWN);
        self.passes.and_then(grew).unwrap_or(false)
    }

    /// The failing cell's share of reuse beside that of the one that passes.
    pub fn reuse_change(&self, share: f64) -> ReuseChange {
        let by = self.fails.sessions.reused_by.clone().unwrap_or_else(|| "cached_tokens".to_owned());
        let share_before = self.passes.and_then(|cell| cell.sessions.reused);
        ReuseChange { share_before, reuse: TokenReuse { share, by }, residence: self.residence() }
    }

    /// What the failing cell's sessions keep alive, and what the pool holds.
    pub fn residence(&self) -> TokenResidence {
        let CellSummary { sessions, server, .. } = self.fails;
        TokenResidence { resident_tokens: sessions.resident_tokens, kv_pool_tokens: server.kv_pool_tokens.clone() }
    }

    /// Whether the failing cell's sessions fit into the pool.
    pub fn fits(&self) -> Option<bool> {
        match (fits(self.fails)?, outgrown(self.fails)?) {
            (true, _) => Some(true),
            (false, true) => Some(false),
            // Nearly full: the rows must say.
            (false, false) => None,
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "token counts are far below 2^53")]
fn residents(cell: &CellSummary) -> Option<f64> {
    cell.sessions.resident_tokens.map(|tokens| tokens as f64)
}

/// Whether a cell's sessions surely fit into the pool.
pub fn fits(cell: &CellSummary) -> Option<bool> {
    Some(residents(cell)? <= FITS * cell.server.kv_pool_tokens.as_ref()?.value)
}

/// Whether they are more than it holds.
pub fn outgrown(cell: &CellSummary) -> Option<bool> {
    Some(residents(cell)? > cell.server.kv_pool_tokens.as_ref()?.value)
}
