//! How late the open loop sends: a run like any other, at a thousand requests a second.

use super::report::TimingDeviation;
use super::whole::SelftestError;
use crate::event::SweepEvent;
use crate::executor::{PlanScheduler, ServerLaunchPaths, StopToken, sweep};
use crate::planning::plan::Plan;
use crate::planning::scenario::{ScenarioOverrides, load_text};
use crate::records::record::RequestRecord;
use crate::vocabulary::spec::failure_policy::FailurePolicy;

/// Requests a second.
pub(super) const RATE: f64 = 1_000.0;
const SECONDS: u32 = 4;

/// Sends, and gives how late each request went.
pub(super) fn send_lag(url: &str, rate: f64) -> Result<(TimingDeviation, u64), SelftestError> {
    let scenario = load_text("selftest.toml".as_ref(), &scenario(url, rate), &ScenarioOverrides::default());
    let scenario = scenario.map_err(|faults| SelftestError::Load(faults.to_string()))?;
    let plan = Plan::new(&scenario).map_err(|error| SelftestError::Load(error.to_string()))?;
    let (events, mut heard) = tokio::sync::mpsc::unbounded_channel();
    let launch = ServerLaunchPaths { program: "bench".into(), logs: "servers".into() };
    let mut course = PlanScheduler::new(&plan, &std::collections::BTreeSet::new());
    sweep(&mut course, FailurePolicy::default(), &StopToken::new(), &launch, &events, None)
        .map_err(|error| SelftestError::Load(error.to_string()))?;
    drop(events);
    let mut rows: Vec<RequestRecord> = Vec::new();
    while let Some(event) = heard.blocking_recv() {
        if let SweepEvent::RequestDone(row) = event {
            rows.push(*row);
        }
    }
    let failed = rows.iter().filter(|row| row.failure.is_some()).count() as u64;
    let mut late: Vec<i64> = rows.iter().map(|row| row.sent_us.0.cast_signed() - row.intended_us.0.cast_signed()).collect();
    Ok((TimingDeviation::of(&mut late), failed))
}

fn scenario(url: &str, rate: f64) -> String {
    format!(
        "name = \"selftest\"\n[workload]\nkind = \"requests\"\narrival = \"constant\"\nqps = {rate}\nduration = {SECONDS}\n\
         prompt_tokens = 20\nanswer_tokens = 1\n[target]\nurl = \"{url}\"\nmodel = \"emitter\"\n\
         body = {{ emit = {{ first_us = 2000 }} }}\n"
    )
}
