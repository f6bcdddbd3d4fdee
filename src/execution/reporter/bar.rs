//! Progress on a terminal: one bar for the whole sweep, one line for the running cell, and a line that stays for each finished one.
//!
//! Drawn at most ten times a second: in virtual time events come far faster than eyes.

use std::time::{Duration, Instant};

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::live::LiveProgress;
use super::{ExpectedRun, Reporter, ReporterError};
use crate::event::SweepEvent;
use crate::vocabulary::goal::Goal;

const REDRAW: Duration = Duration::from_millis(100);

/// The bars.
#[derive(Debug)]
pub struct ProgressBarReporter {
    live: LiveProgress,
    screen: MultiProgress,
    sweep: ProgressBar,
    cell: ProgressBar,
    /// What a search knows of every cell.
    map: ProgressBar,
    drawn: Option<Instant>,
}

impl ProgressBarReporter {
    /// Whether stderr is a terminal that can show bars.
    #[must_use]
    pub fn can_show() -> bool {
        !ProgressDrawTarget::stderr().is_hidden()
    }

    /// Bars on stderr.
    #[must_use]
    pub fn on_stderr(goals: &[Goal], expected: Vec<ExpectedRun>) -> Self {
        Self::on(ProgressDrawTarget::stderr(), goals, expected)
    }

    fn on(target: ProgressDrawTarget, goals: &[Goal], expected: Vec<ExpectedRun>) -> Self {
        let screen = MultiProgress::with_draw_target(target);
        let style = |template: &str| ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
        let map = screen.add(ProgressBar::no_length()).with_style(style("{msg}"));
        let cell = screen.add(ProgressBar::no_length()).with_style(style("{msg}"));
        let sweep = screen.add(ProgressBar::no_length()).with_style(style("[{bar:30}] {msg}").progress_chars("=> "));
        Self { live: LiveProgress::new(goals, expected), screen, sweep, cell, map, drawn: None }
    }

    fn draw(&mut self) {
        self.sweep.set_length(self.live.planned as u64);
        self.sweep.set_position((self.live.planned - self.live.to_do.min(self.live.planned) + self.live.finished) as u64);
        self.sweep.set_message(self.live.sweep_line());
        self.cell.set_message(self.live.cell_line().unwrap_or_default());
        self.drawn = Some(Instant::now());
    }

    fn draw_if_due(&mut self) {
        if self.drawn.is_none_or(|drawn| drawn.elapsed() >= REDRAW) {
            self.draw();
        }
    }
}

impl Reporter for ProgressBarReporter {
    // A terminal that cannot be written to is no reason to lose a sweep: errors of drawing are let go.
    fn on(&mut self, event: &SweepEvent) -> Result<(), ReporterError> {
        if let Some(line) = self.live.on(event) {
            self.draw();
            let _ = self.screen.println(line);
        }
        match event {
            SweepEvent::Searched { map: Some(map), ended: false, .. } => self.map.set_message(map.clone()),
            SweepEvent::Searched { map: Some(map), ended: true, .. } => {
                self.map.set_message("");
                let _ = self.screen.println(map);
            }
            _ => {}
        }
        if let SweepEvent::SweepFinished { .. } = event {
            self.map.finish_and_clear();
            self.cell.finish_and_clear();
            self.sweep.finish_and_clear();
        } else {
            self.draw_if_due();
        }
        Ok(())
    }

    fn tick(&mut self) -> Result<(), ReporterError> {
        self.draw();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::fixtures::records::{header, rich_record, run_record};

    #[test]
    fn the_bars_say_where_the_sweep_is() {
        let mut bar = ProgressBarReporter::on(ProgressDrawTarget::hidden(), &[], Vec::new());
        bar.on(&SweepEvent::SweepStarted { planned: 3, sealed: 1, about: false }).unwrap();
        bar.on(&SweepEvent::RunStarted { run: Arc::new(header("a")), requests: Some(2), started_at: jiff::Timestamp::UNIX_EPOCH }).unwrap();
        bar.on(&SweepEvent::RequestDone(Box::new(rich_record(0)))).unwrap();
        bar.tick().unwrap();
        assert_eq!((bar.sweep.position(), bar.sweep.length()), (1, Some(3)));
        assert!(bar.cell.message().contains("p50 500 ms"), "{}", bar.cell.message());
        bar.on(&SweepEvent::RunFinished(Box::new(run_record(header("a"), 1)))).unwrap();
        bar.tick().unwrap();
        assert_eq!(bar.sweep.position(), 2);
        bar.on(&SweepEvent::SweepFinished { interrupted: false }).unwrap();
    }
}
