//! The watch over what a cell runs on: a server and its machine by [`crate::servers::server::MetricsWatcher`], the simulated engine by its own snapshot. In
//! comes the cell's target; out go samples as events, and at the end what is known of the server.
//!
//! Of the simulated engine there is a reading every 10 s of virtual time, the same in every start.

use std::sync::Arc;

use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::event::SweepEvent;
use crate::foundation::clock::{Clock, Micros};
use crate::planning::plan::{EnvironmentRedactor, Run};
use crate::records::record::{SampleKind, ServerSample, labels_text};
use crate::servers::client::{SimTarget, Target};
use crate::servers::server::{MetricNameFilter, MetricsWatcher, WatchSummary};
use crate::simulation::engine::{CACHE_CONFIG, EngineMetric, EngineMetricKind, EngineSnapshot};

/// Between two readings of the simulated engine.
const SIMULATED_PERIOD: Micros = Micros(10_000_000);

/// A watch that lasts until it is finished or dropped.
#[derive(Debug)]
pub(super) enum TargetMonitor {
    Server(MetricsWatcher),
    Simulated { stop: CancellationToken, watching: JoinSet<WatchSummary> },
}

impl TargetMonitor {
    /// Takes the first reading, and goes on in the background.
    pub async fn start(run: &Run, target: &Target, clock: Clock, events: &mpsc::UnboundedSender<SweepEvent>) -> Self {
        let (cell, events) = (&run.cell, events.clone());
        match target {
            Target::Http(_) => {
                let mask = cell.mask().and(target.masked());
                let sink = move |samples: Vec<ServerSample>| tell(hidden(samples, &mask), &events);
                Self::Server(MetricsWatcher::start(&cell.server.watch, &cell.target, clock, sink).await)
            }
            Target::Sim(target) => {
                let stop = CancellationToken::new();
                let mut engine =
                    SimulatedEngineMetrics::new(target.clone(), &cell.target.model, MetricNameFilter::new(&cell.server.watch.kept_names()));
                let first = clock.now();
                tell(engine.read(first).await, &events);
                let mut watching = JoinSet::new();
                watching.spawn(engine.keep_reading(clock, first, stop.clone(), events));
                Self::Simulated { stop, watching }
            }
        }
    }

    /// Takes the last reading and ends.
    pub async fn finish(self) -> WatchSummary {
        match self {
            Self::Server(watcher) => watcher.finish().await,
            Self::Simulated { stop, mut watching } => {
                stop.cancel();
                match watching.join_next().await {
                    Some(Ok(watched)) => watched,
                    Some(Err(panic)) if panic.is_panic() => std::panic::resume_unwind(panic.into_panic()),
                    Some(Err(_)) | None => WatchSummary::default(),
                }
            }
        }
    }
}

/// Where nobody listens any more, the recorder has failed and stops the sweep by its own means.
fn tell(samples: Vec<ServerSample>, events: &mpsc::UnboundedSender<SweepEvent>) {
    if !samples.is_empty() {
        let _ = events.send(SweepEvent::Watched(samples));
    }
}

/// Without what the environment says of addresses and names.
fn hidden(mut samples: Vec<ServerSample>, mask: &EnvironmentRedactor) -> Vec<ServerSample> {
    if mask.pairs().is_empty() {
        return samples;
    }
    let hide = |text: &mut Arc<str>| {
        let plain = mask.hide(text.to_string());
        if plain != **text {
            *text = plain.into();
        }
    };
    for sample in &mut samples {
        hide(&mut sample.source);
        hide(&mut sample.labels);
    }
    samples
}

/// The simulated engine, and the names of what is kept of its figures.
struct SimulatedEngineMetrics {
    target: SimTarget,
    model: String,
    keep: MetricNameFilter,
    source: Arc<str>,
    /// For each of a snapshot's figures its name and labels; `None` where it is not kept. Made once.
    series: Vec<Option<(Arc<str>, Arc<str>)>>,
    /// The same of the cache's size, which does not change.
    cache_config: Option<(Arc<str>, Arc<str>)>,
    pool_tokens: u64,
}

impl SimulatedEngineMetrics {
    fn new(target: SimTarget, model: &str, keep: MetricNameFilter) -> Self {
        let (series, cache_config, source) = (Vec::new(), None, "simulated engine".into());
        Self { target, model: model.to_owned(), keep, source, series, cache_config, pool_tokens: 0 }
    }

    async fn keep_reading(
        mut self,
        clock: Clock,
        first: Micros,
        stop: CancellationToken,
        events: mpsc::UnboundedSender<SweepEvent>,
    ) -> WatchSummary {
        let mut next = first + SIMULATED_PERIOD;
        loop {
            tokio::select! {
                biased;
                () = stop.cancelled() => break,
                () = clock.sleep_until(next) => {}
            }
            tell(self.read(next).await, &events);
            next = next + SIMULATED_PERIOD;
        }
        tell(self.read(clock.now()).await, &events);
        WatchSummary { notes: Vec::new(), kv_pool_tokens: (self.pool_tokens > 0).then_some(self.pool_tokens) }
    }

    async fn read(&mut self, at: Micros) -> Vec<ServerSample> {
        let snapshot = self.target.observe().await;
        let figures = snapshot.figures();
        if self.series.is_empty() {
            self.name_all(&snapshot, &figures);
        }
        let sample = |(name, labels): &(Arc<str>, Arc<str>), kind, value| ServerSample {
            at_us: at,
            source: Arc::clone(&self.source),
            name: Arc::clone(name),
            labels: Arc::clone(labels),
            kind,
            value,
        };
        let told = figures.iter().zip(&self.series).filter_map(|(figure, series)| {
            let kind = match figure.kind {
                EngineMetricKind::Counter => SampleKind::Counter,
                EngineMetricKind::Gauge => SampleKind::Gauge,
            };
            series.as_ref().map(|series| sample(series, kind, figure.value))
        });
        told.chain(self.cache_config.iter().map(|series| sample(series, SampleKind::Gauge, 1.0))).collect()
    }

    fn name_all(&mut self, snapshot: &EngineSnapshot, figures: &[EngineMetric]) {
        let keep = &self.keep;
        let series = |name: &str, mut labels: Vec<(&str, &str)>| {
            labels.sort_unstable();
            keep.keeps(name).then(|| (name.into(), labels_text(labels).into()))
        };
        let engine = [("engine", "0"), ("model_name", self.model.as_str())];
        self.series = figures.iter().map(|figure| series(figure.name, engine.into_iter().chain(figure.label).collect())).collect();
        let (block, blocks) = (snapshot.block_tokens.to_string(), snapshot.blocks.to_string());
        self.cache_config = series(CACHE_CONFIG, vec![("block_size", &block), ("engine", "0"), ("num_gpu_blocks", &blocks)]);
        self.pool_tokens = snapshot.pool_tokens();
    }
}
