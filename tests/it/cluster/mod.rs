//! A sweep's blocks as jobs of a cluster: `bench submit` as its users meet it, and the jobs that it makes in a real Slurm.

mod arrays;
mod documents;
mod slurm;
mod steps;
mod submissions;

/// Three blocks, one a repeat, on the simulated engine.
const SCENARIO: &str = r#"
name = "small"
seed = 7
repeats = 3
spread = "repeats"

[workload]
kind = "document_qa"
documents = { synthetic_tokens = 1000 }
rounds = 5
answer_tokens = 8

[engine]
preset = "tiny"
kv_memory = "3MB"

[matrix]
concurrent = [1, 2]

[[goals]]
require = "p95(ttft where turn >= 1) <= 10s"
"#;
