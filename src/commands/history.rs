//! `bench history`: the saved sweeps of many nights as a series of scores and of one measure, and the gate against getting worse. The gate
//! exits with 1 where it is worse, with 2 where there are too few nights to ask.

mod figures;
mod nights;

use super::destination::folder_of;
use super::report::goals;
use super::{ExitReason, stdout};
use crate::analysis::SummaryOptions;
use crate::analysis::compare::SettingDifference;
use crate::analysis::history::{GateOptions, GateResult, GateVerdict, NightSweep, SweepHistory, by_work, gate, history};
use crate::cli::{HistoryArgs, HistoryFormat, VerbosityArgs};
use crate::presentation::report::history::{HistoryReport, json, junit, markdown, terminal};
use crate::records::bucket::ResultsAddress;
use crate::vocabulary::goal::Measure;

/// Nights of the same work, and what sets them apart from the first such series of the same name.
type Series = (Vec<NightSweep>, Vec<SettingDifference>);

pub fn run(args: &HistoryArgs, talk: VerbosityArgs) -> anyhow::Result<ExitReason> {
    let Some(goals) = goals(&args.goals) else { return Ok(ExitReason::Usage) };
    let (shown, cell) = match (shown(args), cell(args), contradiction(args)) {
        (Ok(shown), Ok(cell), None) => (shown, cell),
        (shown, cell, contradiction) => {
            for fault in [shown.err(), cell.err(), contradiction].into_iter().flatten() {
                eprintln!("error: {fault}");
            }
            return Ok(ExitReason::Usage);
        }
    };
    let question = SummaryOptions { goals, shown, ..SummaryOptions::default() };
    let read = |address: &ResultsAddress| nights::read(&folder_of(address)?, args.name.as_deref(), &question);
    let found = read(&args.folder)?;
    let base = args.base.as_ref().map(read).transpose()?;
    let notes = found.notes.iter().chain(base.iter().flat_map(|base| &base.notes));
    notes.filter(|_| !talk.quiet).for_each(|note| eprintln!("note: {note}"));
    let series = by_work(found.nights, &args.accept);
    let mut told: Vec<HistoryReport> = Vec::new();
    let mut faults: Vec<String> = Vec::new();
    for (nights, differences) in &series {
        let Some(mut history) = history(nights, cell.as_deref()) else {
            eprintln!("warning: no night of `{}` has a cell `{}`", nights[0].summary.name, args.cell.as_deref().unwrap_or_default());
            continue;
        };
        history.notes.extend(apart(differences));
        let gate =
            if args.gate { judged(args, nights, &series, base.as_ref().map(|base| base.nights.as_slice()), &mut faults) } else { None };
        history.notes.extend((args.gate && gate.is_none()).then(|| older(&history)).flatten());
        told.push(HistoryReport { history, gate });
    }
    if told.is_empty() {
        return Ok(ExitReason::Usage);
    }
    print(&told, args.format)?;
    if let Some(output) = &args.output {
        figures::write(output, &told, talk)?;
    }
    Ok(ended(&told, &faults))
}

/// Flags that cannot go together.
fn contradiction(args: &HistoryArgs) -> Option<String> {
    if args.format == HistoryFormat::Junit && !args.gate {
        return Some("`--format junit` shows what the gate says; add `--gate`".to_owned());
    }
    let (n, k) = (args.nights, args.regressed);
    (k > n).then(|| format!("`--regressed {k}` of `--nights {n}` can never be; ask for at most {n}, or look at more nights"))
}

/// Worse is 1 whatever else is; a gate that had too few nights is a fault; one that could not tell is warned of.
fn ended(told: &[HistoryReport], faults: &[String]) -> ExitReason {
    let gates = || told.iter().filter_map(|told| Some((&told.history, told.gate.as_ref()?)));
    for fault in faults {
        eprintln!("error: {fault}");
    }
    for (history, _) in gates().filter(|(_, gate)| gate.finding == GateVerdict::NotEnoughData && faults.is_empty()) {
        eprintln!("warning: the gate of `{}` cannot tell: that it is not worse is not shown", history.name);
    }
    if gates().any(|(_, gate)| gate.finding == GateVerdict::Worse) {
        ExitReason::GoalsMissed
    } else if faults.is_empty() {
        ExitReason::Success
    } else {
        ExitReason::Usage
    }
}

fn print(told: &[HistoryReport], format: HistoryFormat) -> anyhow::Result<()> {
    stdout::print(&match format {
        HistoryFormat::Text => terminal(told),
        HistoryFormat::Markdown => markdown(told),
        HistoryFormat::Json => json(told),
        HistoryFormat::Junit => junit(told)?,
    })
}

/// What the gate says of a series; nothing of one that is not the newest of its name: what was measured otherwise before is history.
fn judged(
    args: &HistoryArgs,
    nights: &[NightSweep],
    series: &[Series],
    base: Option<&[NightSweep]>,
    faults: &mut Vec<String>,
) -> Option<GateResult> {
    if !is_newest(nights, series) {
        return None;
    }
    let options = GateOptions {
        nights: args.nights,
        regressed: args.regressed,
        window: args.window,
        margin: args.margin,
        accept: args.accept.clone(),
    };
    let newest = nights.last()?;
    let fitting = base.map(|base| base.iter().filter(|night| night.differs(newest, &args.accept).is_empty()).cloned().collect::<Vec<_>>());
    if let (Some([]), Some(first)) = (fitting.as_deref(), base.and_then(<[NightSweep]>::first)) {
        faults.push(other_work(args, newest, first));
    } else {
        faults.extend(too_few(nights, series, &options, fitting.is_some()));
    }
    Some(gate(nights, fitting.as_deref(), &options))
}

fn is_newest(nights: &[NightSweep], series: &[Series]) -> bool {
    let newest = |nights: &[NightSweep]| nights.last().map(NightSweep::created_at);
    same_name(nights, series).all(|(other, _)| newest(other) <= newest(nights))
}

/// The series of the same scenario, this one included.
fn same_name<'a>(nights: &'a [NightSweep], series: &'a [Series]) -> impl Iterator<Item = &'a Series> {
    series.iter().filter(|other| other.0[0].summary.name == nights[0].summary.name)
}

/// Where no number of regressed nights could make it worse, that must not pass for fine.
fn too_few(nights: &[NightSweep], series: &[Series], options: &GateOptions, has_base: bool) -> Option<String> {
    let needed = options.nights_needed(has_base);
    if nights.len() >= needed {
        return None;
    }
    let name = &nights[0].summary.name;
    let count = |count: usize| if count == 1 { "1 night".to_owned() } else { format!("{count} nights") };
    let others: usize = same_name(nights, series).map(|(other, _)| other.len()).sum::<usize>() - nights.len();
    let others = match others {
        0 => String::new(),
        others => format!(" ({} did other work; `--accept` puts them into one series)", count(others)),
    };
    let base = if has_base { "wait for more" } else { "wait for more, or name nights to compare with: `--base DIR`" };
    Some(format!("the gate of `{name}` needs {} of the same work and has {}{others}; {base}", count(needed), nights.len()))
}

fn other_work(args: &HistoryArgs, newest: &NightSweep, base: &NightSweep) -> String {
    let differences = base.differs(newest, &args.accept);
    let told: Vec<String> = differences.iter().map(|one| format!("`{}`: {} and {}", one.what, one.base, one.new)).collect();
    let paths: Vec<&str> = differences.iter().map(|one| one.what.as_str()).collect();
    let folder = args.base.as_ref().unwrap_or(&args.folder);
    format!("no night of `{folder}` did the same work: {}; name other nights, or say `--accept {}`", told.join("; "), paths.join(","))
}

/// Why nights of the same name are a series of their own.
fn apart(differences: &[SettingDifference]) -> Option<String> {
    let told: Vec<String> = differences.iter().map(|d| format!("`{}` is {}, not {}", d.what, d.new, d.base)).collect();
    let paths: Vec<&str> = differences.iter().map(|difference| difference.what.as_str()).collect();
    let accept = paths.join(",");
    (!told.is_empty()).then(|| {
        format!("a series of its own, for it is not the same work as the first: {}; `--accept {accept}` joins them", told.join("; "))
    })
}

fn older(history: &SweepHistory) -> Option<String> {
    history
        .nights
        .last()
        .map(|last| format!("not judged by the gate: `{}` has newer nights than {} of other work", history.name, last.label))
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
