//! `--twin`: a fitted engine in place of the simulated one, where a search looks first, and what a report says of cells that were not measured.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::{Context, bail};

use super::saved_plan::simulated_plan;
use super::scenarios::{options, plans, plans_with};
use crate::analysis::{CellPrediction, SweepForecast};
use crate::cli::{SweepArgs, VerbosityArgs};
use crate::execution::twin::{TwinFile, fitted_variant, predict};
use crate::planning::plan::{CellChance, Plan, SearchSpace};
use crate::planning::scenario::ScenarioOverrides;
use crate::records::store::SavedSweep;
use crate::vocabulary::goal::Goal;

/// The plans of a sweep; `None` where the scenarios have faults, which have then been printed.
pub(super) fn guided_plans(args: &SweepArgs, talk: VerbosityArgs) -> anyhow::Result<Option<Vec<Plan>>> {
    let Some(file) = &args.twin else { return plans(&args.scenario, talk) };
    let twin = TwinFile::read(file)?;
    let measured = options(&args.scenario);
    let simulated = ScenarioOverrides { simulate: true, url: None, ..measured.clone() };
    let Some(cells) = plans_with(&args.scenario.scenarios, &simulated, talk)? else { return Ok(None) };
    let wanted = if args.scenario.simulate { fitted(&simulated, &cells, &twin)? } else { measured };
    let Some(mut plans) = plans_with(&args.scenario.scenarios, &wanted, talk)? else { return Ok(None) };
    for (plan, cells) in plans.iter_mut().zip(&cells) {
        match (args.scenario.simulate, plan.frontier.is_some()) {
            (false, false) => bail!(
                "`--twin` says where a search looks first, and every cell of {} is run\nhint: add `--search frontier`, or `--simulate` to run the fitted engine",
                plan.name
            ),
            (true, _) => demand_engine(plan, &twin)?,
            _ => {}
        }
        if plan.frontier.is_some() {
            expect(plan, cells, &twin, talk)?;
        }
    }
    Ok(Some(plans))
}

/// The fitted engine's fields in place of the scenario's, for the variant that was fitted.
fn fitted(simulated: &ScenarioOverrides, cells: &[Plan], twin: &TwinFile) -> anyhow::Result<ScenarioOverrides> {
    let mut changed = simulated.clone();
    for (field, value) in &toml::Table::try_from(&twin.engine)? {
        changed.set.push(format!("engine.{field}={value}"));
    }
    if cells.iter().any(|plan| plan.variants.len() > 1) {
        let variants = cells.iter().map(|plan| fitted_variant(plan, &twin.fit.variant)).collect::<Result<BTreeSet<_>, _>>()?;
        let named: Vec<&str> = variants.into_iter().collect();
        let [variant] = named.as_slice() else {
            bail!(
                "the scenarios call what the twin would stand for by several names: {}\nhint: sweep them one after the other",
                named.join(", ")
            )
        };
        changed.only.push(format!("variant={variant}"));
    }
    Ok(changed)
}

/// What the scenario says of the engine beyond what was fitted would be another engine.
fn demand_engine(plan: &Plan, twin: &TwinFile) -> anyhow::Result<()> {
    match plan.runs.iter().find(|run| run.cell.engine != twin.engine) {
        None => Ok(()),
        Some(_) => bail!(
            "{}: its `[engine]` says more than the twin's has (a tier, a slowdown, faults), so that another engine would run\nhint: leave that out of the scenario, or ask `bench predict` what if",
            plan.name
        ),
    }
}

/// Tells the plan's search how its cells are expected to come out. What does not fit is expected nothing of.
fn expect(plan: &mut Plan, cells: &Plan, twin: &TwinFile, talk: VerbosityArgs) -> anyhow::Result<()> {
    let misfits = twin.fit.misfits();
    if !misfits.is_empty() {
        eprintln!("warning: the twin does not fit what it was fitted to ({}), and guides no search", misfits.join("; "));
        return Ok(());
    }
    if plan.frontier.as_ref().is_some_and(SearchSpace::is_climbed) {
        bail!("{}: a twin guides searches of listed values, and an axis here has no end\nhint: give it one: `\"1..=64\"`", plan.name);
    }
    let progress = |done: usize, of: usize| {
        if talk.verbose > 0 {
            eprintln!("the twin predicts cell {} of {of}", done + 1);
        }
    };
    let predicted = predict(cells, twin, &twin.engine, progress)?;
    let chance = |cell: CellPrediction| CellChance { variant: cell.variant, axes: cell.axes, chance: cell.figures.chance };
    let chances: Vec<CellChance> = predicted.cells.into_iter().map(chance).collect();
    if !talk.quiet {
        eprintln!("{}: a twin of {} says where to look first; every verdict is measured", plan.name, twin.fit.variant);
    }
    if let Some(frontier) = &mut plan.frontier {
        frontier.expected = chances;
    }
    Ok(())
}

/// What a twin says of the cells of a saved sweep, by these goals or by the scenario's where there are none.
pub(super) fn forecast(sweep: &SavedSweep, file: &Path, goals: &[Goal]) -> anyhow::Result<SweepForecast> {
    let twin = TwinFile::read(file)?;
    let silent = VerbosityArgs { verbose: 0, quiet: true, no_color: true };
    let plan = simulated_plan(sweep, &[], &[], silent)?;
    let mut plan = plan.with_context(|| format!("the scenario of `{}` cannot be planned again", sweep.dir.display()))?;
    if !goals.is_empty() {
        plan.goals = goals.to_vec();
    }
    Ok(predict(&plan, &twin, &twin.engine, |_, _| {})?.forecast(&twin, &[]))
}
