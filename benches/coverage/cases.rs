//! What is simulated: a system, its load, and how long and how often it is measured.

use bench::simulation::engine::EngineParameters;
use bench::vocabulary::spec::engine::{EnginePreset, EngineSpec};
use bench::vocabulary::spec::workload::WorkloadSpec;
use serde_json::{Value, json};

use crate::requests::{OpenRun, workload};

/// Who answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SystemKind {
    /// One server that takes an exponential time for each request, in their order.
    Queue,
    /// The simulated engine of the preset `tiny`.
    Engine,
}

/// How requests arrive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ArrivalKind {
    Poisson,
    /// With the shape 0.5: gaps vary twice as much as those of Poisson.
    Gamma,
}

/// Requests a second that the queue serves while it is never empty: about what the engine carries.
pub const SERVICE_PER_S: f64 = 60.0;

/// A system under a load.
#[derive(Debug, Clone, Copy)]
pub struct QueueLoad {
    pub system: SystemKind,
    pub arrival: ArrivalKind,
    /// In percent of what the system carries.
    pub utilisation: u32,
    /// What the system carries, in requests a second.
    pub capacity: f64,
}

impl ArrivalKind {
    pub fn name(self) -> &'static str {
        match self {
            Self::Poisson => "poisson",
            Self::Gamma => "gamma",
        }
    }

    fn fields(self) -> Value {
        match self {
            Self::Poisson => json!({"arrival": "poisson"}),
            Self::Gamma => json!({"arrival": "gamma", "burstiness": self.shape()}),
        }
    }

    /// Of the gaps between requests.
    pub fn shape(self) -> f64 {
        match self {
            Self::Poisson => 1.0,
            Self::Gamma => 0.5,
        }
    }
}

impl QueueLoad {
    pub fn rate(&self) -> f64 {
        self.capacity * f64::from(self.utilisation) / 100.0
    }

    fn workload(&self, duration_s: f64) -> WorkloadSpec {
        workload(&self.arrival.fields(), self.rate(), duration_s)
    }

    /// One run that begins with an empty system.
    pub fn run(&self, duration_s: f64, seed: u64) -> OpenRun {
        let run = OpenRun::new(self.workload(duration_s), seed);
        match self.system {
            SystemKind::Queue => run.queue(self.capacity),
            SystemKind::Engine => run.engine(&engine()),
        }
    }
}

/// The engine of the table.
pub fn engine() -> EngineParameters {
    EngineParameters::resolve(&EngineSpec { preset: EnginePreset::Tiny, ..EngineSpec::default() }, 0).expect("a preset")
}

/// Requests a second that the engine completes while requests wait all the time.
#[expect(clippy::cast_precision_loss, reason = "a few thousand requests")]
pub fn engine_capacity() -> f64 {
    // Some 60 can be carried: with 80 a second coming, some 12,000 wait at the end.
    const DURATION_S: f64 = 600.0;
    let load = QueueLoad { system: SystemKind::Engine, arrival: ArrivalKind::Poisson, utilisation: 100, capacity: 80.0 };
    let run = load.run(DURATION_S, 1);
    let done = run.rows.iter().filter(|row| (60.0..DURATION_S).contains(&row.done_us.as_secs_f64())).count();
    done as f64 / (DURATION_S - 60.0)
}
