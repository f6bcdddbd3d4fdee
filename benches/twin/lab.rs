//! A real engine: saved sweeps of `scenarios/lab-twin.toml`, each variant and document length fitted in 3 to 5 cells, and all others predicted.

use std::collections::BTreeMap;
use std::path::Path;

use bench::analysis::{CellSummary, SummaryOptions, SweepSummary, summarize};
use bench::execution::twin::{CellObservation, CellStatistic, TwinFile, TwinPrediction, fit, measured_cells, predict, replay};
use bench::planning::plan::{Plan, Run};
use bench::planning::scenario::{ScenarioOverrides, load_text};
use bench::records::record::RequestRecord;
use bench::records::store::{SavedSweep, read_sweep};
use bench::vocabulary::spec::engine::EngineSpec;
use serde_json::Value;

use super::held_out::{HeldOut, tell};

/// The cells that are fitted, by C and S.
const SPLITS: [&[(u64, u64)]; 3] =
    [&[(1, 1), (2, 2), (3, 4)], &[(1, 1), (1, 4), (3, 2), (3, 4)], &[(1, 1), (1, 3), (2, 2), (3, 1), (3, 4)]];

/// A fit, the cells that it was not given, and the largest C×S.
struct LabFit {
    name: String,
    error: f64,
    misfits: Vec<String>,
    /// As it was measured, and the ends of its interval.
    largest: (f64, f64, f64),
    cells: Vec<HeldOut>,
    twin: TwinFile,
}

/// What a saved sweep says beside what is predicted of it.
pub struct Lab {
    sweep: SavedSweep,
    summary: SweepSummary,
    plan: Plan,
}

impl Lab {
    pub fn read(dir: &Path) -> Self {
        let sweep = read_sweep(dir).unwrap();
        let scenario = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios/lab-twin.toml");
        let text = fs_err::read_to_string(&scenario).unwrap();
        let options = ScenarioOverrides { simulate: true, ..ScenarioOverrides::default() };
        let scenario = load_text(&scenario, &text, &options).unwrap_or_else(|faults| panic!("{faults}"));
        let summary = summarize(&sweep, &SummaryOptions::default()).unwrap();
        Self { sweep, summary, plan: Plan::new(&scenario).unwrap() }
    }

    /// Prints every fit, and the table of all held-out cells.
    pub fn tell(&self) {
        let name = &self.sweep.manifest.name;
        println!(
            "{name}: {} runs; a document length of a variant is fitted in 3 to 5 cells, its others and those of the other length are predicted",
            self.sweep.runs.len()
        );
        let fits = self.fits();
        for LabFit { name, error, misfits, largest: (measured, low, high), .. } in &fits {
            let fits = if misfits.is_empty() { "fits".to_owned() } else { format!("DOES NOT FIT: {}", misfits.join("; ")) };
            println!("{name:<40} off by {:>5.1} %  max C×S {measured} in {low} to {high}  {fits}", 100.0 * error);
        }
        let holds = fits.iter().filter(|LabFit { largest: (measured, low, high), .. }| low <= measured && measured <= high).count();
        println!("the interval of max C×S holds the measured one in {holds} of {} fits", fits.len());
        tell(&fits.iter().flat_map(|fit| &fit.cells).collect::<Vec<_>>());
        self.tell_what_ifs(&fits);
    }

    fn fits(&self) -> Vec<LabFit> {
        let mut fits = Vec::new();
        for variant in &self.plan.variants {
            for tokens in self.lengths() {
                fits.extend(SPLITS.iter().filter_map(|split| self.fitted(variant, tokens, split)));
            }
        }
        fits
    }

    fn lengths(&self) -> Vec<u64> {
        self.plan.axes.iter().find(|(axis, _)| axis.ends_with("synthetic_tokens")).unwrap().1.iter().filter_map(Value::as_u64).collect()
    }

    /// The fit of some cells of a variant; `None` where the sweep has too few of them.
    fn twin_of(&self, variant: &str, tokens: u64, split: &[(u64, u64)]) -> Option<TwinFile> {
        let of_split = |run: &Run| place(&run.axes).0 == tokens && split.contains(&place(&run.axes).1);
        let plan = self.plan_of(variant, of_split);
        let measured = measured_cells(&self.sweep, &plan, variant, &|_| false).ok().filter(|found| found.cells.len() == split.len())?;
        let outcome = fit(&measured.cells, &measured.rows.iter().collect::<Vec<_>>(), &measured.told, |_, _| {})?;
        let runs: Vec<&Run> = measured.cells.iter().flat_map(|cell| &cell.runs).collect();
        Some(TwinFile::new(outcome, variant, measured.server, &runs).unwrap())
    }

    /// The runs of a variant that are wanted.
    fn plan_of(&self, variant: &str, is_wanted: impl Fn(&Run) -> bool) -> Plan {
        let runs = self.plan.runs.iter().filter(|run| run.variant == variant && is_wanted(run)).cloned().collect();
        Plan { runs, variants: vec![variant.to_owned()], ..self.plan.clone() }
    }

    /// What a twin's engine, or that with something changed, says of the cells of a variant; those at the places that `is_left_out` are not among them.
    fn held_out(
        &self,
        name: &str,
        twin: &TwinFile,
        engine: &EngineSpec,
        of: &str,
        is_left_out: impl Fn(u64, (u64, u64)) -> bool,
    ) -> (TwinPrediction, Vec<HeldOut>) {
        let plan = self.plan_of(of, |_| true);
        let predicted = predict(&plan, twin, engine, |_, _| {}).unwrap();
        let truths = self.truths(of);
        let mut cells = Vec::new();
        for cell in &predicted.cells {
            let (tokens, at) = place(&cell.axes);
            let Some(truth) = truths.get(&(tokens, at)).filter(|_| !is_left_out(tokens, at)) else { continue };
            let interval = cell.figures.goals[0].interval.unwrap();
            let of_cell: Vec<(&Run, _)> =
                plan.runs.iter().filter(|run| place(&run.axes) == (tokens, at)).map(|run| (run, engine)).collect();
            cells.push(HeldOut {
                fit: name.to_owned(),
                fits: predicted.misfits.is_empty(),
                fitted_cells: twin.fit.cells.len(),
                measured: truth.value,
                predicted: interval.value.get(),
                low: interval.low.get(),
                high: interval.high.get(),
                hits: truth.hits,
                predicted_hits: Some(hits(&replay(&of_cell))),
                chance: cell.figures.chance,
                is_met: truth.passes,
                // The other length is beyond what was fitted, and so is a cell outside of the fitted C and S.
                is_within: cell.figures.is_within,
            });
        }
        (predicted, cells)
    }

    fn fitted(&self, variant: &str, tokens: u64, split: &[(u64, u64)]) -> Option<LabFit> {
        let twin = self.twin_of(variant, tokens, split)?;
        let name = format!("{variant}, {tokens} tokens, {} cells", split.len());
        let is_fitted = |of_tokens, at| of_tokens == tokens && split.contains(&at);
        let (predicted, cells) = self.held_out(&name, &twin, &twin.engine, variant, is_fitted);
        let load = predicted.largest_loads.iter().find(|load| load.within.iter().any(|(_, value)| value.as_u64() == Some(tokens)))?;
        let truths = self.truths(variant);
        let best = truths.iter().filter(|((of, _), truth)| *of == tokens && truth.passes).map(|((_, (c, s)), _)| c * s).max().unwrap_or(0);
        #[expect(clippy::cast_precision_loss, reason = "a dozen sessions")]
        let largest = (best as f64, load.sessions.low.get(), load.sessions.high.get());
        Some(LabFit { name, error: twin.fit.error, misfits: predicted.misfits, largest, cells, twin })
    }

    /// Prints what the fits say of servers that they were not fitted to: of the same with the other pool, and of one to which a tier was added, as
    /// the fit to the other pool's server with one has it.
    fn tell_what_ifs(&self, fits: &[LabFit]) {
        let mut pools = Vec::new();
        let mut tiers = Vec::new();
        for LabFit { name, twin, .. } in fits {
            let (kind, pool) = twin.fit.variant.split_once('-').unwrap();
            let other_pool = if pool == "32M" { "64M" } else { "32M" };
            let of = format!("{kind}-{other_pool}");
            let Some(other) = fits.iter().find(|fit| fit.twin.fit.variant == of) else { continue };
            let engine = EngineSpec { kv_memory: other.twin.engine.kv_memory, ..twin.engine.clone() };
            pools.extend(self.held_out(name, twin, &engine, &of, |_, _| false).1);
            // The figures of the tier come from another server than the one that is predicted.
            let own = format!("{name} ").replace(&twin.fit.variant, "");
            let tiered =
                fits.iter().find(|fit| fit.twin.fit.variant == format!("lmcache-{other_pool}") && format!("{} ", fit.name).ends_with(&own));
            if let Some(tiered) = tiered.filter(|_| kind == "vllm") {
                let engine = EngineSpec { host_tier: tiered.twin.engine.host_tier.clone(), ..twin.engine.clone() };
                tiers.extend(self.held_out(name, twin, &engine, &format!("lmcache-{pool}"), |_, _| false).1);
            }
        }
        println!("\nwhat if: the other KV pool");
        tell(&pools.iter().collect::<Vec<_>>());
        println!("\nwhat if: a tier is added, with the figures that were fitted to the other pool's server");
        tell(&tiers.iter().collect::<Vec<_>>());
    }

    /// What was measured of a variant, by document length, C and S.
    fn truths(&self, variant: &str) -> BTreeMap<(u64, (u64, u64)), Truth> {
        let cells = self.summary.variants.iter().filter(|known| known.name == variant).flat_map(|variant| &variant.cells);
        let truth = |cell: &CellSummary| {
            let axes: Vec<(String, Value)> = cell.axes.iter().map(|(axis, value)| (axis.clone(), value.clone())).collect();
            let of_cell = self.sweep.runs.iter().filter(|run| run.record.header.variant == variant && run.record.header.axes == axes);
            let rows: Vec<Vec<RequestRecord>> = of_cell.map(|run| run.requests.records().unwrap()).collect();
            let estimate = cell.shown.as_ref()?;
            let truth = Truth { value: estimate.value?.get(), passes: cell.passes == Some(true), hits: hits(&rows) };
            Some((place(&axes), truth))
        };
        cells.filter_map(truth).collect()
    }
}

struct Truth {
    value: f64,
    passes: bool,
    hits: f64,
}

fn hits(runs: &[Vec<RequestRecord>]) -> f64 {
    CellObservation::plain(runs).get(&CellStatistic::LaterHitShare).copied().unwrap_or(f64::NAN)
}

/// The document's length, then C and S.
fn place(axes: &[(String, Value)]) -> (u64, (u64, u64)) {
    let at = |name: &str| axes.iter().find(|(axis, _)| axis.ends_with(name)).and_then(|(_, value)| value.as_u64()).unwrap_or_default();
    (at("synthetic_tokens"), (at("concurrent"), at("sequential")))
}
