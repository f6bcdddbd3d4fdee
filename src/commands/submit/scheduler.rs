//! The commands of a scheduler: as they are shown, and run.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, bail};

use super::submitted_jobs::SubmittedJobs;
use crate::foundation::sentence::sentence;
use crate::planning::cluster::{JobFile, JobFiles};
use crate::vocabulary::template::{quoted, quoted_all};

/// Who takes the job files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum JobScheduler {
    Slurm,
    Kubernetes { job_name: String, namespace: Option<String> },
}

impl JobScheduler {
    /// The command lines that submit the jobs.
    pub fn commands(&self, folder: &Path, files: &JobFiles) -> Vec<String> {
        let (blocks, merge) = (path(folder, &files.blocks), path(folder, &files.merge));
        match self {
            Self::Slurm => vec![
                format!("blocks=$(sbatch --parsable {})", quoted(&blocks)),
                format!("sbatch --dependency=afterany:${{blocks%%;*}} {}", quoted(&merge)),
            ],
            Self::Kubernetes { .. } => [vec![format!("kubectl create -f {}", quoted(&blocks))], self.merging(folder, files)].concat(),
        }
    }

    /// Submits the jobs: of Kubernetes the blocks alone, since their job has to end before the merging one is created.
    pub fn submit(&self, folder: &Path, files: &JobFiles) -> anyhow::Result<SubmittedJobs> {
        let (blocks, merge) = (path(folder, &files.blocks), path(folder, &files.merge));
        match self {
            Self::Slurm => {
                let blocks = job_id(&output("sbatch", &["--parsable", &blocks])?)?;
                let dependency = format!("--dependency=afterany:{blocks}");
                let words = ["--parsable", &dependency, &merge];
                let merge = output("sbatch", &words).and_then(|text| job_id(&text)).with_context(|| {
                    let line = quoted_all(&words.map(str::to_owned));
                    format!("the blocks are submitted as job {blocks}, and the job that merges them is not\nhint: once the cause is mended: sbatch {line}")
                })?;
                Ok(SubmittedJobs::Slurm { blocks, merge })
            }
            Self::Kubernetes { job_name, namespace } => {
                output("kubectl", &["create", "-f", &blocks])?;
                Ok(SubmittedJobs::Kubernetes { blocks: job_name.clone(), namespace: namespace.clone() })
            }
        }
    }

    /// What was submitted, and what is next; `results` where they can be looked at from here.
    pub fn submitted(&self, jobs: &SubmittedJobs, folder: &Path, files: &JobFiles, results: Option<&str>) -> String {
        let progress = results.map(|results| format!("how far they have come: bench status {}\n", quoted(results))).unwrap_or_default();
        match jobs {
            SubmittedJobs::Slurm { blocks, merge } => {
                format!("submitted: job {blocks} does the blocks, and job {merge} merges them when they have ended\n{progress}")
            }
            SubmittedJobs::Kubernetes { blocks, .. } => {
                let merging = self.merging(folder, files).join("\n  ");
                format!("submitted: job {blocks} does the blocks\n{progress}merge them when they have ended:\n  {merging}\n")
            }
        }
    }

    /// Awaits the end of the blocks, in whatever way, and merges them.
    fn merging(&self, folder: &Path, files: &JobFiles) -> Vec<String> {
        let Self::Kubernetes { job_name, namespace } = self else { return Vec::new() };
        let namespace = namespace.as_ref().map(|namespace| format!(" --namespace {namespace}")).unwrap_or_default();
        let conditions = format!("kubectl get job/{job_name}{namespace} --output 'jsonpath={{.status.conditions[*].type}}'");
        vec![
            format!("until {conditions} | grep -qwE 'Complete|Failed'; do sleep 30; done"),
            format!("kubectl create -f {}", quoted(&path(folder, &files.merge))),
        ]
    }
}

fn path(folder: &Path, file: &JobFile) -> String {
    folder.join(file.name).display().to_string()
}

/// `12`, or `12;cluster`.
fn job_id(said: &str) -> anyhow::Result<String> {
    let id = said.trim().split(';').next().unwrap_or_default();
    if id.is_empty() || !id.chars().all(|c| c.is_ascii_digit()) {
        bail!("`sbatch` names no job: `{}`", sentence(said.trim()));
    }
    Ok(id.to_owned())
}

/// Runs a command of a scheduler; what it says where it succeeds.
fn output(program: &str, words: &[&str]) -> anyhow::Result<String> {
    let output = Command::new(program).args(words).output().map_err(|error| {
        anyhow::anyhow!("cannot start `{program}`: {error}\nhint: run this where the scheduler's commands are, or leave out `--go` and type what is shown there")
    })?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        bail!("`{program}` refuses the job: {}", sentence(said.trim()));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
