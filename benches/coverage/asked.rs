//! What was asked for on the command line.

use std::path::PathBuf;

use bench::foundation::units::Seconds;

use crate::truth::LongRuns;

/// Which rows, and how many replications of each.
#[derive(Debug)]
pub struct AskedRows {
    pub replications: u32,
    pub seed: u64,
    pub systems: Vec<String>,
    pub arrivals: Vec<String>,
    pub utilisations: Vec<u32>,
    /// Of open loops; cells of sessions have their own, of which these are chosen where they are said.
    pub durations_s: Vec<f64>,
    are_durations_said: bool,
    pub repeats: Vec<u32>,
    /// Searches along a frontier.
    pub searches: u32,
    long_runs: u32,
    /// Where each replication's times to first token are written as text.
    pub series: Option<PathBuf>,
}

impl AskedRows {
    /// Words that a test runner adds are read over.
    pub fn read(words: &[String]) -> Self {
        let after = |name: &str| words.iter().position(|word| word == name).and_then(|at| words.get(at + 1));
        let list = |name: &str, or: &str| -> Vec<String> {
            after(name).map_or(or, String::as_str).split(',').filter(|word| !word.is_empty()).map(str::to_owned).collect()
        };
        let quick = words.iter().any(|word| word == "--quick");
        let choose = |quickly: &'static str, whole: &'static str| if quick { quickly } else { whole };
        let seconds = |text: &String| text.parse::<Seconds>().unwrap_or_else(|error| panic!("--durations: {error}")).0;
        Self {
            replications: number(after("--replications").map_or(choose("50", "500"), String::as_str)),
            seed: number(after("--seed").map_or("1", String::as_str)),
            systems: list("--systems", choose("queue,engine,frontier", "queue,engine,chat,document_qa,frontier")),
            arrivals: list("--arrivals", choose("poisson", "poisson,gamma")),
            utilisations: list("--utilisations", choose("50,90", "50,80,90,95")).iter().map(|text| number(text)).collect(),
            durations_s: list("--durations", choose("30s,2m", "30s,2m,10m")).iter().map(seconds).collect(),
            are_durations_said: after("--durations").is_some(),
            repeats: list("--repeats", "1,3").iter().map(|text| number(text)).collect(),
            searches: number(after("--searches").map_or(choose("10", "200"), String::as_str)),
            long_runs: number(after("--long-runs").map_or(choose("2", "32"), String::as_str)),
            series: after("--series").map(PathBuf::from),
        }
    }

    /// Behind each true value that is not known in closed form: in all 128 times as long as the longest cell, three repeats of ten minutes.
    pub fn long_runs(&self) -> LongRuns {
        LongRuns { runs: self.long_runs, duration_s: 7200.0 }
    }

    /// Of the lengths that a cell of sessions is run for, those that were asked for.
    pub fn chosen(&self, own_s: &[f64]) -> Vec<f64> {
        own_s.iter().copied().filter(|own_s| !self.are_durations_said || self.durations_s.contains(own_s)).collect()
    }

    pub fn has(&self, system: &str) -> bool {
        self.systems.iter().any(|asked| asked == system)
    }
}

fn number<T: std::str::FromStr>(text: &str) -> T {
    text.parse().unwrap_or_else(|_| panic!("`{text}` is no number"))
}
