//! `bench plan`: every run in run order, with what it sends, and whether its goals can be certified. Connects to nothing.

use std::fmt::Write as _;

use comfy_table::{CellAlignment, ContentArrangement, Table, TableComponent, presets};
use serde_json::{Value, json};

use super::scenarios::plans;
use super::stdout::print;
use super::{ExitReason, plan_blocks};
use crate::cli::{OutputFormat, PlanArgs, VerbosityArgs};
use crate::execution::steering;
use crate::foundation::units::{grouped, waiting_time};
use crate::planning::plan::{Plan, PlanNote, PlanSummary, Run, RunCost, server_starts, short_name, value_text};

pub fn run(args: &PlanArgs, talk: VerbosityArgs) -> anyhow::Result<ExitReason> {
    let Some(plans) = plans(&args.scenario, talk)? else { return Ok(ExitReason::Usage) };
    let outlooks = plans.iter().map(|plan| Ok((plan, outlook(plan)?))).collect::<anyhow::Result<Vec<_>>>()?;
    let text = match args.format {
        OutputFormat::Text if args.blocks => {
            outlooks.iter().map(|(plan, outlook)| plan_blocks::as_text(plan, outlook)).collect::<Vec<_>>().join("\n")
        }
        OutputFormat::Json if args.blocks => {
            let all = outlooks.iter().map(|(plan, outlook)| plan_blocks::as_json(plan, outlook)).collect::<anyhow::Result<Vec<_>>>()?;
            serde_json::to_string_pretty(&all)? + "\n"
        }
        OutputFormat::Text => outlooks.iter().map(|(plan, outlook)| as_text(plan, outlook)).collect::<Vec<_>>().join("\n"),
        OutputFormat::Json => {
            let all: Vec<Value> = outlooks.iter().map(|(plan, outlook)| as_json(plan, outlook)).collect();
            serde_json::to_string_pretty(&all)? + "\n"
        }
    };
    print(&text)?;
    Ok(ExitReason::Success)
}

/// The costs, with what there is to say of cells that end early.
fn outlook(plan: &Plan) -> anyhow::Result<PlanSummary> {
    let mut outlook = PlanSummary::of(plan)?;
    outlook.notes.extend(steering::remarks(plan).into_iter().map(|text| PlanNote { warning: false, text }));
    Ok(outlook)
}

/// What a plan comes to, in a line, and what is wrong with it: without the table of its runs and its remarks.
pub(super) fn plan_summary(plan: &Plan) -> anyhow::Result<String> {
    let outlook = outlook(plan)?;
    let mut text = match &plan.frontier {
        None => format!("plan: {}\n", size(plan)),
        Some(frontier) => {
            let axes: Vec<&str> = frontier.axes.iter().map(|axis| short_name(axis)).collect();
            let count = frontier.cell_count(plan.search.max_cells);
            let (expected, most) = (count.expected, grouped(count.most as u64));
            let time = outlook.searched_s.filter(|_| !plan.simulated);
            let time = time.map(|[about, at_most]| format!(": {} of load, {} at most", waiting_time(about), waiting_time(at_most)));
            format!("plan: a search along {}, about {expected} cells, {most} at most{}\n", axes.join(" and "), time.unwrap_or_default())
        }
    };
    for note in outlook.notes.iter().filter(|note| note.warning) {
        let _ = writeln!(text, "warning: {}", note.text);
    }
    Ok(text)
}

/// The table, the sums, and what there is to say.
fn as_text(plan: &Plan, outlook: &PlanSummary) -> String {
    let mut text = String::new();
    let simulated = if plan.simulated { ", simulated" } else { "" };
    let _ = writeln!(text, "{}: {}, seed {}{simulated}\n", plan.name, size(plan), plan.seed);
    let _ = writeln!(text, "{}\n", table(plan, outlook));
    let _ = writeln!(text, "{}", sums(outlook));
    let _ = writeln!(text, "prompt and answers: tokens; rows: what the goals look at in a cell, all repeats, of how many they need");
    for note in &outlook.notes {
        let _ = writeln!(text, "{}: {}", if note.warning { "warning" } else { "note" }, note.text);
    }
    text
}

fn size(plan: &Plan) -> String {
    let cells = plan.runs.len() / (plan.repeats as usize * plan.variants.len()).max(1);
    let counted = |number: usize, one: &str| if number == 1 { format!("1 {one}") } else { format!("{number} {one}s") };
    let factors = [counted(plan.variants.len(), "variant"), counted(cells, "cell"), counted(plan.repeats as usize, "repeat")];
    format!("{} = {}", factors.join(" × "), counted(plan.runs.len(), "run"))
}

fn table(plan: &Plan, outlook: &PlanSummary) -> Table {
    let variants = plan.variants.len() > 1 || plan.variants.iter().any(|name| name != "default");
    let timed = outlook.costs.iter().any(|cost| cost.duration_s.is_some());
    let mut table = Table::new();
    table
        .load_preset(presets::NOTHING)
        .set_style(TableComponent::HeaderLines, '─')
        .set_style(TableComponent::MiddleHeaderIntersections, '─');
    table.set_content_arrangement(ContentArrangement::Dynamic).set_width(WIDTH);
    let mut header = vec!["run".to_owned()];
    header.extend(variants.then(|| "variant".to_owned()));
    header.extend(plan.axes.iter().map(|(path, _)| short_name(path).to_owned()));
    header.extend((plan.repeats > 1).then(|| "repeat".to_owned()));
    header.extend(["requests", "prompt", "answers"].map(str::to_owned));
    header.extend(timed.then(|| "time".to_owned()));
    header.push("rows".to_owned());
    table.set_header(header);
    let between = |run: &Run| plan.frontier.as_ref().is_some_and(|frontier| frontier.is_climbed() && !frontier.is_rung(&run.axes));
    // What lies between the steps of an axis without an end is run where the search leads there.
    for (index, (run, cost)) in plan.runs.iter().zip(&outlook.costs).enumerate().filter(|(_, (run, _))| !between(run)) {
        let mut row = vec![(index + 1).to_string()];
        row.extend(variants.then(|| run.variant.clone()));
        row.extend(run.axes.iter().map(|(_, value)| value_text(value)));
        row.extend((plan.repeats > 1).then(|| run.repeat.to_string()));
        row.extend(sent(cost));
        row.extend(
            timed.then(|| cost.duration_s.map_or_else(|| "?".to_owned(), |seconds| format!("{} s", (seconds * 10.0).round() / 10.0))),
        );
        row.push(rows(outlook.samples[index], outlook.needed()));
        table.add_row(row);
    }
    for (index, column) in table.column_iter_mut().enumerate() {
        // The border is a blank already, and seven numbers and two names have to go into 80.
        column.set_padding((0, 0));
        if !(variants && index == 1) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table
}

/// What a terminal has at least; what is longer takes two lines.
const WIDTH: u16 = 80;

/// Requests, prompt tokens and answer tokens; `~` before what is expected or estimated.
fn sent(cost: &RunCost) -> [String; 3] {
    let about = if cost.exact { "" } else { "~" };
    let tokens = |tokens: Option<u64>| tokens.map_or_else(|| "?".to_owned(), |tokens| format!("{about}{}", grouped(tokens)));
    let requests = if cost.duration_s.is_some() { about } else { "" };
    let requests = cost.requests.map_or_else(|| "?".to_owned(), |number| format!("{requests}{}", grouped(number)));
    [requests, tokens(cost.prompt_tokens), tokens(cost.answer_tokens)]
}

fn rows(samples: Option<u64>, needed: Option<u64>) -> String {
    let Some(samples) = samples else { return needed.map_or_else(|| "?".to_owned(), |needed| format!("?/{needed}")) };
    match needed {
        Some(needed) if samples < needed => format!("{}/{needed} !", grouped(samples)),
        Some(needed) => format!("{}/{needed}", grouped(samples)),
        None => grouped(samples),
    }
}

fn sums(outlook: &PlanSummary) -> String {
    let about = if outlook.costs.iter().all(|cost| cost.exact) { "" } else { "~" };
    let tokens =
        |tokens: Option<u64>| tokens.map_or_else(|| "an unknown number of".to_owned(), |tokens| format!("{about}{}", grouped(tokens)));
    let requests = if outlook.duration_s.is_some() { about } else { "" };
    let requests = outlook.requests.map_or_else(|| "an unknown number of".to_owned(), |number| format!("{requests}{}", grouped(number)));
    format!("in all: {requests} requests, {} prompt tokens, {} answer tokens", tokens(outlook.prompt_tokens), tokens(outlook.answer_tokens))
}

fn as_json(plan: &Plan, outlook: &PlanSummary) -> Value {
    let run = |(run, (cost, samples)): (&Run, (&RunCost, &Option<u64>))| {
        let mut header = serde_json::to_value(run.header()).unwrap_or_default();
        header["cost"] = serde_json::to_value(cost).unwrap_or_default();
        header["rows"] = (*samples).into();
        header
    };
    let runs: Vec<Value> = plan.runs.iter().zip(outlook.costs.iter().zip(&outlook.samples)).map(run).collect();
    json!({
        "name": plan.name,
        "seed": plan.seed,
        "repeats": plan.repeats,
        "simulated": plan.simulated,
        "scenario_hash": plan.scenario_hash,
        "changes": plan.changes,
        "variants": plan.variants,
        "axes": plan.axes,
        "goals": outlook.needs,
        "plots": plan.plots,
        "frontier": plan.frontier.as_ref().map(|frontier| json!({
            "axes": frontier.axes,
            "walks": plan.walks().len(),
            "cells": frontier.cell_count(plan.search.max_cells),
        })),
        "requests": outlook.requests,
        "prompt_tokens": outlook.prompt_tokens,
        "answer_tokens": outlook.answer_tokens,
        "duration_s": outlook.duration_s,
        "server_starts": server_starts(&plan.runs).into_iter().collect::<std::collections::BTreeMap<String, u64>>(),
        "notes": outlook.notes,
        "runs": runs,
    })
}
