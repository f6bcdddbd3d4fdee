//! What `cluster.toml` may say: the site's own, where jobs run and with what. No part of what is measured, and so of no run's identity.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The whole file.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ClusterSpec {
    pub slurm: SlurmSpec,
    pub kubernetes: KubernetesSpec,
}

/// The `[slurm]` section: each field is the option of `sbatch` of that name, unless it says otherwise.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SlurmSpec {
    /// Partitions, separated by commas.
    pub partition: Option<String>,
    pub account: Option<String>,
    pub qos: Option<String>,
    /// Generic resources of a job: `gpu:h200:1`.
    pub gres: Option<String>,
    /// Features that a node must have: `h200`. Blocks that are compared should have nodes of one kind.
    pub constraint: Option<String>,
    /// Limit of one job: `04:00:00`, `1-00:00:00`, or minutes. Two minutes before it the sweep seals what is finished and is queued again.
    pub time_limit: Option<String>,
    /// Cores of a job (`--cpus-per-task`).
    pub cpus: Option<u32>,
    /// Memory of a job (`--mem`): `64G`.
    pub memory: Option<String>,
    /// The most blocks that run at once; without it, as many as the site lets run.
    pub parallelism: Option<u32>,
    /// Further options of `sbatch`, one each: `--exclusive`.
    pub options: Vec<String>,
    /// Lines of bash before the program: `module load cuda`, `source venv/bin/activate`.
    pub setup: Vec<String>,
    /// The words that start `bench` in a job, as `["apptainer", "exec", "--nv", "vllm.sif", "bench"]`; without it, the program that submits.
    pub program: Vec<String>,
    /// The partition of the job that merges, which needs no GPU; without it, that of the blocks.
    pub merge_partition: Option<String>,
}

/// The `[kubernetes]` section.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct KubernetesSpec {
    /// Without it, that of the current context.
    pub namespace: Option<String>,
    /// The image, which holds `bench` and the servers that the scenario starts. Jobs are not made without it.
    pub image: Option<String>,
    pub pull_policy: Option<PullPolicy>,
    /// Secrets with which the image is pulled, by name.
    pub pull_secrets: Vec<String>,
    /// The words that start `bench` in the image.
    pub program: Vec<String>,
    /// The folder in which `bench` runs; without it, that of the image. Relative paths, also of results, begin there.
    pub working_dir: Option<String>,
    /// The scenario's path in the image or on a volume; without it, the file's text goes along with the jobs.
    pub scenario: Option<String>,
    /// The most blocks that run at once; without it, all of them.
    pub parallelism: Option<u32>,
    /// How often a block whose pod failed is tried again.
    pub retries: u32,
    /// The local queue of Kueue that admits the jobs.
    pub queue: Option<String>,
    pub service_account: Option<String>,
    /// The user id, group id and group of volumes that pods run with. Never root.
    pub user: u32,
    /// Labels that a node must have: `"nvidia.com/gpu.product" = "NVIDIA-H200"`. Blocks that are compared should have nodes of one kind.
    pub node_selector: BTreeMap<String, String>,
    pub tolerations: Vec<TolerationSpec>,
    /// What a pod is given, as requests and as limits: `cpu`, `memory`, `"nvidia.com/gpu"`.
    pub resources: BTreeMap<String, ResourceQuantity>,
    pub volumes: Vec<VolumeSpec>,
    /// Size of `/dev/shm`, through which engines of several GPUs speak: `16Gi`.
    pub shared_memory: Option<ResourceQuantity>,
    /// Secrets of the cluster whose every key becomes an environment variable, by name: as those of a bucket, `AWS_ACCESS_KEY_ID` and the rest.
    pub env_from: Vec<String>,
    /// Environment variables. Keys belong into `env_from` or `secrets`.
    pub env: BTreeMap<String, String>,
    /// Environment variables whose values are in secrets of the cluster.
    pub secrets: BTreeMap<String, SecretKeySpec>,
}

impl Default for KubernetesSpec {
    fn default() -> Self {
        Self {
            namespace: None,
            image: None,
            pull_policy: None,
            pull_secrets: Vec::new(),
            program: vec!["bench".to_owned()],
            working_dir: None,
            scenario: None,
            parallelism: None,
            retries: 2,
            queue: None,
            service_account: None,
            // `nonroot` of distroless images.
            user: 65_532,
            node_selector: BTreeMap::new(),
            tolerations: Vec::new(),
            resources: BTreeMap::new(),
            volumes: Vec::new(),
            shared_memory: None,
            env_from: Vec::new(),
            env: BTreeMap::new(),
            secrets: BTreeMap::new(),
        }
    }
}

/// When the image is pulled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum PullPolicy {
    Always,
    IfNotPresent,
    Never,
}

/// Nodes that are kept for some pods are open to these.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TolerationSpec {
    /// The taint's key; without it, any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    #[serde(default)]
    pub operator: TolerationOperator,
    /// The taint's value, where the operator is `Equal`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub effect: Option<TaintEffect>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum TolerationOperator {
    #[default]
    Exists,
    Equal,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum TaintEffect {
    NoSchedule,
    PreferNoSchedule,
    NoExecute,
}

/// A number or a quantity as Kubernetes writes it: `1`, `"500m"`, `"64Gi"`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged, expecting = "it is a whole number or a quantity such as `64Gi`")]
pub enum ResourceQuantity {
    Number(u64),
    Text(String),
}

impl std::fmt::Display for ResourceQuantity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Number(number) => number.fmt(f),
            Self::Text(text) => text.fmt(f),
        }
    }
}

/// A persistent volume claim and where it is mounted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VolumeSpec {
    pub claim: String,
    /// An absolute path.
    pub mount: String,
    #[serde(default)]
    pub read_only: bool,
}

/// A key of a secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SecretKeySpec {
    pub secret: String,
    pub key: String,
}
