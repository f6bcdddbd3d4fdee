//! `bench history`: the saved sweeps of many nights as a series of scores and of one measure.

mod nights;

use super::report::goals;
use super::{Exit, stdout};
use crate::analysis::Question;
use crate::analysis::history::{History, by_work, history};
use crate::cli::{HistoryArgs, HistoryFormat, Talk};
use crate::goal::Measure;
use crate::report::history::{json, markdown, terminal};

pub fn run(args: &HistoryArgs, talk: Talk) -> anyhow::Result<Exit> {
    let Some(goals) = goals(&args.goals) else { return Ok(Exit::Usage) };
    let (shown, cell) = match (shown(args), cell(args)) {
        (Ok(shown), Ok(cell)) => (shown, cell),
        (shown, cell) => {
            for fault in [shown.err(), cell.err()].into_iter().flatten() {
                eprintln!("error: {fault}");
            }
            return Ok(Exit::Usage);
        }
    };
    let found = nights::read(&args.folder, args.name.as_deref(), &Question { goals, shown })?;
    let mut histories: Vec<History> = Vec::new();
    for (nights, differences) in by_work(found.nights) {
        let Some(mut history) = history(&nights, cell.as_deref()) else {
            eprintln!("warning: no night of `{}` has a cell `{}`", nights[0].summary.name, args.cell.as_deref().unwrap_or_default());
            continue;
        };
        let told: Vec<String> = differences.iter().map(|d| format!("`{}` is {}, not {}", d.what, d.new, d.base)).collect();
        if !told.is_empty() {
            history.notes.insert(0, format!("a series of its own, for it is not the same work as the first: {}", told.join("; ")));
        }
        histories.push(history);
    }
    if histories.is_empty() {
        return Ok(Exit::Usage);
    }
    if !talk.quiet {
        for note in &found.notes {
            eprintln!("note: {note}");
        }
    }
    let text = match args.format {
        HistoryFormat::Text => terminal(&histories),
        HistoryFormat::Markdown => markdown(&histories),
        HistoryFormat::Json => json(&histories),
    };
    stdout::print(&text)?;
    Ok(Exit::Success)
}

fn shown(args: &HistoryArgs) -> Result<Option<Measure>, String> {
    args.z.as_deref().map(|text| text.parse::<Measure>().map_err(|error| format!("`-z {text}`: {error}"))).transpose()
}

/// `C=4,S=3` as pairs.
fn cell(args: &HistoryArgs) -> Result<Option<Vec<(String, String)>>, String> {
    let Some(text) = &args.cell else { return Ok(None) };
    let pair = |part: &str| {
        let (name, value) = part.split_once('=').ok_or_else(|| format!("`--cell {text}`: `{part}` is no `AXIS=VALUE`"))?;
        Ok((name.trim().to_owned(), value.trim().to_owned()))
    };
    text.split(',').map(pair).collect::<Result<Vec<_>, String>>().map(Some)
}
