//! What happens, on stderr: a bar on a terminal, else a line for each thing that happened.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::cli::Talk;
use crate::prepare::News;
use crate::units::Bytes;

/// Listens to news.
pub(super) struct Screen {
    loudness: Talk,
    bar: ProgressBar,
    began: bool,
    name: String,
}

impl Screen {
    pub(super) fn new(talk: Talk) -> Self {
        let target = if talk.quiet { ProgressDrawTarget::hidden() } else { ProgressDrawTarget::stderr_with_hz(10) };
        let style = ProgressStyle::with_template("[{bar:30}] {pos}/{len} {wide_msg}");
        let style = style.unwrap_or_else(|_| ProgressStyle::default_bar()).progress_chars("=> ");
        let bar = ProgressBar::with_draw_target(Some(0), target).with_style(style);
        Self { loudness: talk, bar, began: false, name: String::new() }
    }

    pub(super) fn on(&mut self, news: &News<'_>) {
        match *news {
            News::Began { sources } => self.bar.set_length(sources as u64),
            News::RecipeChanged { what } => self.say(&format!("{what} is not what it was: everything is made anew")),
            News::Source { name } => {
                name.clone_into(&mut self.name);
                if std::mem::replace(&mut self.began, true) {
                    self.bar.inc(1);
                }
                self.bar.set_message(self.name.clone());
            }
            News::Bytes { done, of } => {
                let of = of.map_or_else(String::new, |of| format!(" of {}", Bytes(of)));
                self.bar.set_message(format!("{} {}{of}", self.name, Bytes(done)));
            }
            News::Again { url, why, wait } => self.say(&format!("`{url}`: {why}; again in {} s", wait.as_secs())),
            News::Kept { name } if self.loudness.verbose > 0 => self.say(&format!("{name}: stands as it was")),
            News::Kept { .. } => {}
            News::Made { name, path, tokens } => self.say(&format!("{name}: {path}, {tokens} tokens")),
            News::LeftOut { name, why } => self.say(&format!("{name}: left out: {why}")),
            News::Failed { name, why } => self.say(&format!("{name}: failed: {why}")),
            News::Note { text } => self.say(text),
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
