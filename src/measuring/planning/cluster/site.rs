//! Reads `cluster.toml`: all its faults at once, before anything is submitted.

use std::path::Path;

use super::spec::ClusterSpec;
use super::{kubernetes_rules, slurm_rules};
use crate::planning::scenario::{ScenarioError, SettingsFile};

const SECTIONS: [&str; 2] = ["slurm", "kubernetes"];

/// The settings of a file.
pub fn read_cluster(path: &Path) -> Result<ClusterSpec, ScenarioError> {
    checked(SettingsFile::read(path, &SECTIONS)?)
}

/// The settings of a text, shown under this name.
#[cfg(test)]
pub(super) fn read_cluster_text(name: &str, text: &str) -> Result<ClusterSpec, ScenarioError> {
    checked(SettingsFile::of_text(name, text, &SECTIONS)?)
}

fn checked(mut file: SettingsFile) -> Result<ClusterSpec, ScenarioError> {
    let spec = ClusterSpec { slurm: file.section("slurm").unwrap_or_default(), kubernetes: file.section("kubernetes").unwrap_or_default() };
    slurm_rules::check(&spec.slurm, &mut file);
    kubernetes_rules::check(&spec.kubernetes, &mut file);
    file.finish()?;
    Ok(spec)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults(text: &str) -> String {
        read_cluster_text("cluster.toml", text).unwrap_err().to_string()
    }

    #[test]
    fn a_file_without_faults_is_read_and_what_is_not_said_has_its_default() {
        let spec = read_cluster_text("cluster.toml", "[slurm]\npartition = \"gpu\"\ngres = \"gpu:1\"\ntime_limit = \"4:00:00\"\n").unwrap();
        assert_eq!((spec.slurm.partition.as_deref(), spec.slurm.parallelism), (Some("gpu"), None));
        assert_eq!((spec.kubernetes.retries, spec.kubernetes.user), (2, 65_532));
        assert_eq!(ClusterSpec::default(), read_cluster_text("cluster.toml", "").unwrap());
    }

    #[test]
    fn every_fault_of_slurm_settings_is_told_at_its_place_with_what_to_write() {
        insta::assert_snapshot!(faults(
            r#"
[slurn]
[slurm]
partition = "gpu long"
acount = "llm"
time_limit = "4h"
cpus = 0
memory = "64GB"
parallelism = 0
options = ["exclusive", "--mail-user=a\n#SBATCH --uid=0", "--array=0-3"]
setup = ["module load cuda\nrm -r /"]
program = [""]
gres = 1
"#
        ));
    }

    #[test]
    fn a_time_limit_leaves_time_to_seal() {
        insta::assert_snapshot!(faults("[slurm]\ntime_limit = \"00:02:00\"\n"));
    }

    #[test]
    fn every_fault_of_kubernetes_settings_is_told_at_its_place_with_what_to_write() {
        insta::assert_snapshot!(faults(
            r#"
[kubernetes]
namespace = "Team A"
image = ":latest"
pull_policy = "Sometimes"
pull_secrets = ["_"]
env_from = ["bucket keys"]
program = []
working_dir = "work"
parallelism = 0
queue = "gpu queue"
user = 0
node_selector = { "nvidia.com/gpu product" = "H200", zone = "a b" }
tolerations = [{ key = "gpu", operator = "Equal" }, { operator = "Exists", value = "yes" }, { effect = "NoExecution" }]
resources = { cpu = "8 cores", memory = "64GB", "nvidia.com/gpu" = "500m" }
volumes = [{ claim = "results", mount = "results" }, { claim = "Results", mount = "/a" }, { claim = "b", mount = "/a" }]
shared_memory = "much"
env = { "1X" = "a", HF_TOKEN = "b" }
secrets = { HF_TOKEN = { secret = "hugging face", key = "a b" } }
"#
        ));
    }
}
