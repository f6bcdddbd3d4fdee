//! Rules of `[engine]`, which count where the simulated engine is the target.

use super::RuleReporter;
use crate::vocabulary::spec::engine::{EngineFaultKind, EngineSpec, FaultSpec};

pub fn check(spec: &EngineSpec, look: &mut RuleReporter<'_>) {
    let counts = [
        ("kv_memory", spec.kv_memory.map(|memory| memory.0)),
        ("token_bytes", spec.token_bytes.map(|bytes| bytes.0)),
        ("block_tokens", spec.block_tokens.map(|tokens| tokens.0)),
        ("step_tokens", spec.step_tokens.map(|tokens| tokens.0)),
        ("max_sequences", spec.max_sequences.map(u64::from)),
        ("context_limit", spec.context_limit.map(|tokens| tokens.0)),
    ];
    for (name, value) in counts {
        if let Some(value) = value {
            look.at_least_one(&["engine", name], value);
        }
    }
    for (name, tier) in [("host_tier", &spec.host_tier), ("disk_tier", &spec.disk_tier)] {
        if let Some(tier) = tier {
            look.at_least_one(&["engine", name, "capacity"], tier.capacity.0);
        }
    }
    if spec.noise.is_some_and(|noise| !(0.0..=1.0).contains(&noise)) {
        let message = format!("`engine.noise` lies between 0 and 1, and is not `{}`", look.shown(&["engine", "noise"]));
        look.fault(&["engine", "noise"], message, "standard deviation over mean: `noise = 0.05`");
    }
    for (index, fault) in spec.faults.iter().enumerate() {
        fault_on_purpose(fault, &index.to_string(), look);
    }
}

fn fault_on_purpose(fault: &FaultSpec, index: &str, look: &mut RuleReporter<'_>) {
    look.at_least_one(&["engine", "faults", index, "every"], fault.every);
    match (fault.kind, fault.status) {
        (EngineFaultKind::Status, None) => {
            look.fault(&["engine", "faults", index], "a fault of kind `status` needs `status`", "write `status = 503`");
        }
        (EngineFaultKind::Status, Some(status)) if !(400..=599).contains(&status) => {
            let message = format!("`{status}` is no HTTP error status");
            look.fault(&["engine", "faults", index, "status"], message, "from 400 to 599");
        }
        (kind, Some(_)) if kind != EngineFaultKind::Status => {
            look.fault(&["engine", "faults", index, "status"], "only a fault of kind `status` has a `status`", "leave it out");
        }
        _ => {}
    }
}
