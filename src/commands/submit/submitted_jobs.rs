//! Which jobs a folder was submitted as, so that its blocks are not in a queue twice.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, bail};
use serde::{Deserialize, Serialize};

/// The jobs, by the names that their scheduler knows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "scheduler", rename_all = "lowercase")]
pub(super) enum SubmittedJobs {
    Slurm { blocks: String, merge: String },
    Kubernetes { blocks: String, namespace: Option<String> },
}

const FILE: &str = "submitted.json";

impl SubmittedJobs {
    pub fn save(&self, folder: &Path) -> anyhow::Result<()> {
        Ok(fs_err::write(folder.join(FILE), serde_json::to_string_pretty(self)? + "\n")?)
    }

    /// An error where the jobs that were submitted last are in their queue still. A scheduler that does not know them has forgotten that they ended.
    pub fn refuse_queued(folder: &Path) -> anyhow::Result<()> {
        let path = folder.join(FILE);
        if !path.exists() {
            return Ok(());
        }
        let told = || format!("`{}` does not tell which jobs are queued\nhint: delete it once none of them is", path.display());
        let jobs: Self = serde_json::from_str(&fs_err::read_to_string(&path)?).with_context(told)?;
        if jobs.are_queued() {
            bail!("these blocks are in the queue already, as {jobs}\nhint: await the job, or end it first: {}", jobs.ending());
        }
        Ok(())
    }

    fn are_queued(&self) -> bool {
        match self {
            Self::Slurm { blocks, .. } => said(Command::new("squeue").args(["--noheader", "--format", "%i", "--jobs", blocks]))
                .is_some_and(|text| !text.trim().is_empty()),
            Self::Kubernetes { blocks, .. } => {
                let conditions = "jsonpath={.status.conditions[*].type}";
                let said =
                    said(Command::new("kubectl").args(["get", &format!("job/{blocks}"), "--output", conditions]).args(self.namespace()));
                said.is_some_and(|text| !text.split_whitespace().any(|word| ["Complete", "Failed"].contains(&word)))
            }
        }
    }

    fn namespace(&self) -> Vec<String> {
        match self {
            Self::Kubernetes { namespace: Some(namespace), .. } => vec!["--namespace".to_owned(), namespace.clone()],
            _ => Vec::new(),
        }
    }

    fn ending(&self) -> String {
        match self {
            Self::Slurm { blocks, merge } => format!("scancel {blocks} {merge}"),
            Self::Kubernetes { blocks, .. } => [vec![format!("kubectl delete job/{blocks}")], self.namespace()].concat().join(" "),
        }
    }
}

impl std::fmt::Display for SubmittedJobs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (Self::Slurm { blocks, .. } | Self::Kubernetes { blocks, .. }) = self;
        write!(f, "job {blocks}")
    }
}

/// What a command says where it succeeds.
fn said(command: &mut Command) -> Option<String> {
    let output = command.output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}
