//! Large saved sweeps: how long sealing, opening, judging and drawing take, how much memory at most, and how many bytes a token takes on
//! disk. The rows are made up with fixed seeds and saved by the store's own writer.
//!
//! `cargo bench --bench bulk` makes 1,000,000 rows in 100 cells and 10,000 small runs; `-- --rows 10000000 --small 100000` is the whole of it.
//! `--cells`, `--turns` and `--tokens` shape the rows, `--dir` names the folder to work in. Every step runs in a process of its own, so that its
//! memory is its own.

mod rows;
mod step;
mod tokens;

use std::path::{Path, PathBuf};
use std::process::Command;

use rows::Sizes;

fn main() {
    let asked = Asked::read(&std::env::args().skip(1).collect::<Vec<_>>());
    if let Some(step) = &asked.step {
        println!("{}", step::run(step, &asked.dir, &asked.rows));
        return;
    }
    let folder = tempfile::tempdir_in(&asked.dir).unwrap();
    let Sizes { runs, rows, turns, tokens } = asked.rows;
    println!("{} rows in {runs} runs, {turns} rows a session, {tokens} tokens a row", rows * runs);
    let large = folder.path().join("large");
    for step in ["write", "open", "summary", "itl", "heatmap"] {
        tell(step, &large, &asked.rows);
    }
    drop(fs_err::remove_dir_all(&large));
    println!("{} runs of 4 rows", asked.small);
    let small = folder.path().join("small");
    for step in ["copies", "open", "summary", "resume"] {
        tell(step, &small, &Sizes { runs: asked.small, rows: 4, turns: 4, tokens: 16 });
    }
    tokens::table(folder.path());
}

/// Runs a step in a process of its own and shows what it says of itself.
fn tell(step: &str, dir: &Path, rows: &Sizes) {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--step", step, "--dir"]).arg(dir);
    for (name, value) in [("--rows", rows.rows * rows.runs), ("--cells", rows.runs), ("--turns", rows.turns), ("--tokens", rows.tokens)] {
        command.args([name, &value.to_string()]);
    }
    let output = command.output().unwrap();
    let (said, complaint) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    println!("{step:>8}  {}{complaint}", said.trim_end());
}

/// What was asked for on the command line.
struct Asked {
    rows: Sizes,
    small: u64,
    dir: PathBuf,
    step: Option<String>,
}

impl Asked {
    /// Words that a test runner adds are read over.
    fn read(words: &[String]) -> Self {
        let after = |name: &str| words.iter().position(|word| word == name).and_then(|at| words.get(at + 1));
        let number = |name: &str, or: u64| after(name).map_or(or, |text| text.parse().unwrap_or_else(|_| panic!("`{text}` is no number")));
        let runs = number("--cells", 100);
        Self {
            rows: Sizes {
                runs,
                rows: number("--rows", 1_000_000) / runs.max(1),
                turns: number("--turns", 4),
                tokens: number("--tokens", 16),
            },
            small: number("--small", 10_000),
            dir: after("--dir").map_or_else(std::env::temp_dir, PathBuf::from),
            step: after("--step").cloned(),
        }
    }
}
