//! Which machine of a cluster this is, as far as it tells: its name, its GPUs, the job.

use std::env;
use std::path::Path;

use fs_err as fs;

use crate::records::record::NodeIdentity;

/// Where Linux names the host, and NVIDIA's driver its GPUs.
const HOST_NAME: &str = "/proc/sys/kernel/hostname";
const GPUS: &str = "/proc/driver/nvidia/gpus";

/// Slurm's name of the node, else that of a pod's template, else the host's.
pub(super) fn node() -> NodeIdentity {
    let told = ["SLURMD_NODENAME", "NODE_NAME"].into_iter().find_map(|name| env::var(name).ok());
    let host = || fs::read_to_string(HOST_NAME).map(|name| name.trim().to_owned()).ok();
    let name = told.or_else(host).filter(|name| !name.is_empty()).unwrap_or_else(|| "unknown".to_owned());
    NodeIdentity { name, gpus: gpus(Path::new(GPUS)) }
}

/// Slurm's number of the task or job, or the pod's name.
pub(super) fn job() -> Option<String> {
    let of = |name: &str| env::var(name).ok().filter(|value| !value.is_empty());
    match (of("SLURM_ARRAY_JOB_ID"), of("SLURM_ARRAY_TASK_ID")) {
        (Some(job), Some(task)) => Some(format!("slurm {job}_{task}")),
        _ => of("SLURM_JOB_ID")
            .map(|job| format!("slurm {job}"))
            .or_else(|| of("JOB_COMPLETION_INDEX").and_then(|_| of("HOSTNAME")).map(|pod| format!("pod {pod}"))),
    }
}

/// The models that the driver's folder names: a folder for each GPU, with a line `Model:` in its file `information`.
fn gpus(folder: &Path) -> Vec<String> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let model = |path: &Path| {
        let text = fs::read_to_string(path.join("information")).ok()?;
        text.lines().find_map(|line| line.strip_prefix("Model:")).map(|model| model.trim().to_owned())
    };
    let mut models: Vec<String> = entries.flatten().filter_map(|entry| model(&entry.path())).collect();
    models.sort();
    models
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_models_of_gpus_are_those_that_the_driver_names() {
        let folder = tempfile::tempdir().unwrap();
        for (place, model) in [("0000:17:00.0", "NVIDIA H200"), ("0000:2a:00.0", "NVIDIA A100-SXM4-80GB")] {
            fs::create_dir(folder.path().join(place)).unwrap();
            let text = format!("Model: \t\t {model}\nIRQ:   \t\t 18\nVideo BIOS: \t ??.??.??.??.??\n");
            fs::write(folder.path().join(place).join("information"), text).unwrap();
        }
        assert_eq!(gpus(folder.path()), ["NVIDIA A100-SXM4-80GB", "NVIDIA H200"]);
        assert_eq!(gpus(&folder.path().join("nothing")), [""; 0]);
    }
}
