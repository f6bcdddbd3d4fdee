//! How many requests of the running cell are good, where a goal asks for it: requests in, a few words out.

use crate::records::record::RequestRecord;
use crate::vocabulary::goal::{Goal, Measure};

/// The first goal that holds single requests to levels of service, and how many of the running cell meet them.
#[derive(Debug, Clone)]
pub(super) struct LiveGoodput {
    measure: Measure,
    /// ` (goal >= 95%)`, where the goal is about the share itself.
    limit: String,
    seen: u64,
    good: u64,
}

impl LiveGoodput {
    /// `None` where no goal has levels.
    pub fn of(goals: &[Goal]) -> Option<Self> {
        let goal = goals.iter().find(|goal| !goal.measure.levels().is_empty())?;
        let limit = format!(" (goal {} {})", goal.comparison.symbol(), goal.measure.show_limit(goal.limit));
        let limit = if goal.measure.is_share() { limit } else { String::new() };
        Some(Self { measure: goal.measure.clone(), limit, seen: 0, good: 0 })
    }

    /// The same for the next cell.
    pub fn restarted(&self) -> Self {
        Self { seen: 0, good: 0, ..self.clone() }
    }

    /// Takes a measured request in.
    pub fn add(&mut self, record: &RequestRecord) {
        if record.fulfils(&self.measure.filter) {
            self.seen += 1;
            self.good += u64::from(record.meets(self.measure.levels()));
        }
    }

    /// `goodput 97.3 % (goal >= 95%)`; `None` before any request.
    #[expect(clippy::cast_precision_loss, reason = "for people")]
    pub fn text(&self) -> Option<String> {
        let share = 100.0 * self.good as f64 / self.seen as f64;
        (self.seen > 0).then(|| format!("goodput {share:.1} %{}", self.limit))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::records::{record, rich_record};
    use crate::foundation::clock::Micros;

    fn goals(text: &str) -> Vec<Goal> {
        vec![text.parse().unwrap()]
    }

    #[test]
    fn requests_that_keep_to_all_levels_are_counted_and_failed_ones_keep_to_none() {
        let answered = |milliseconds: u64| {
            let row = rich_record(0);
            RequestRecord { first_token_us: Some(row.sent_us + Micros(milliseconds * 1000)), ..row }
        };
        let mut live = LiveGoodput::of(&goals("goodput(ttft <= 500ms) >= 95%")).unwrap();
        assert_eq!(live.text(), None);
        for row in [answered(100), answered(500), answered(501), RequestRecord { failure: record(0).failure, ..answered(100) }] {
            live.add(&row);
        }
        assert_eq!(live.text().as_deref(), Some("goodput 50.0 % (goal >= 95%)"));
        assert_eq!(live.restarted().text(), None);
        assert!(LiveGoodput::of(&goals("throughput(requests) >= 1/s")).is_none());
        assert_eq!(LiveGoodput::of(&goals("goodput_rps(ttft <= 1s) >= 1/s")).unwrap().limit, "");
    }
}
