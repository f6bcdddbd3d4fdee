//! A plan's blocks to the jobs that run them on a cluster: the site's file, its faults, and the job files of Slurm and Kubernetes.
//!
//! In: `cluster.toml`, the blocks of a plan and the words that run them. Out: checked settings, and job files with the commands that submit them. It must
//! not know how jobs are submitted, how a block is measured, or what a terminal shows.

mod job_files;
mod job_template;
mod kubernetes_jobs;
mod kubernetes_rules;
mod names;
mod site;
mod slurm_jobs;
mod slurm_rules;
mod spec;

pub use job_files::{BlockJobs, BlockResults, JobBlock, JobFile, JobFiles, ScenarioWords};
pub use job_template::JobTemplateError;
pub use kubernetes_jobs::{KubernetesJobError, job_name, kubernetes_jobs};
pub use site::read_cluster;
pub use slurm_jobs::{SlurmJobError, slurm_jobs};
pub use spec::{ClusterSpec, KubernetesSpec, ResourceQuantity, SlurmSpec};
