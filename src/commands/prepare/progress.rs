//! What happens, on stderr: a bar on a terminal, else a line for each thing that happened.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::cli::VerbosityArgs;
use crate::foundation::units::Bytes;
use crate::workloads::prepare::PrepareEvent;

/// Listens to news.
pub(super) struct PrepareProgress {
    loudness: VerbosityArgs,
    bar: ProgressBar,
    began: bool,
    name: String,
}

impl PrepareProgress {
    pub(super) fn new(talk: VerbosityArgs) -> Self {
        let target = if talk.quiet { ProgressDrawTarget::hidden() } else { ProgressDrawTarget::stderr_with_hz(10) };
        let style = ProgressStyle::with_template("[{bar:30}] {pos}/{len} {wide_msg}");
        let style = style.unwrap_or_else(|_| ProgressStyle::default_bar()).progress_chars("=> ");
        let bar = ProgressBar::with_draw_target(Some(0), target).with_style(style);
        Self { loudness: talk, bar, began: false, name: String::new() }
    }

    pub(super) fn on(&mut self, news: &PrepareEvent<'_>) {
        match *news {
            PrepareEvent::Began { sources } => self.bar.set_length(sources as u64),
            PrepareEvent::RecipeChanged { what } => self.say(&format!("{what} is not what it was: everything is made anew")),
            PrepareEvent::Source { name } => {
                name.clone_into(&mut self.name);
                if std::mem::replace(&mut self.began, true) {
                    self.bar.inc(1);
                }
                self.bar.set_message(self.name.clone());
            }
            PrepareEvent::Bytes { done, of } => {
                let of = of.map_or_else(String::new, |of| format!(" of {}", Bytes(of)));
                self.bar.set_message(format!("{} {}{of}", self.name, Bytes(done)));
            }
            PrepareEvent::Again { url, why, wait } => self.say(&format!("`{url}`: {why}; again in {} s", wait.as_secs())),
            PrepareEvent::Kept { name } if self.loudness.verbose > 0 => self.say(&format!("{name}: stands as it was")),
            PrepareEvent::Kept { .. } => {}
            PrepareEvent::Made { name, path, tokens } => self.say(&format!("{name}: {path}, {tokens} tokens")),
            PrepareEvent::LeftOut { name, why } => self.say(&format!("{name}: left out: {why}")),
            PrepareEvent::Failed { name, why } => self.say(&format!("{name}: failed: {why}")),
            PrepareEvent::Note { text } => self.say(text),
        }
    }

    /// A line that stays.
    pub(super) fn say(&self, line: &str) {
        if !self.loudness.quiet {
            self.bar.suspend(|| eprintln!("{line}"));
        }
    }

    pub(super) fn end(&self) {
        self.bar.finish_and_clear();
    }
}
