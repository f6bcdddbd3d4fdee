//! The job files of Kubernetes: an indexed job with an index a block, and a job that merges.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Serialize;

use super::job_files::{BlockJobs, BlockResults, JobFile, JobFiles};
use super::job_template::{JobTemplate, JobTemplateError};
use super::names::dns_label_of;
use super::spec::KubernetesSpec;

const BLOCKS: &str = include_str!("../../../../templates/cluster/blocks.yaml");
const MERGE: &str = include_str!("../../../../templates/cluster/merge.yaml");

/// Where a scenario's file lies in a pod to which its text is given.
const SCENARIO_FOLDER: &str = "/etc/bench";
/// The most that a `ConfigMap` holds, less what it is wrapped in.
const LARGEST_TEXT: usize = 1_000_000;

/// Why no job files can be made.
#[derive(Debug, thiserror::Error)]
pub enum KubernetesJobError {
    #[error(
        "pods need an image that holds `bench` and the servers that are measured\nhint: name it in `cluster.toml`: `[kubernetes]` and below it `image = \"...\"`"
    )]
    NoImage,
    #[error("`{folder}` is on none of the volumes of `kubernetes.volumes`, so that its results would end with their pods\nhint: {hint}")]
    Unmounted { folder: String, hint: String },
    #[error(
        "the scenario extends another file, which pods do not have\nhint: put both into the image or on a volume, and say where by `kubernetes.scenario`"
    )]
    Extends,
    #[error(
        "the scenario has {0} bytes, more than go along with a job\nhint: put it into the image or on a volume, and say where by `kubernetes.scenario`"
    )]
    TooLarge(usize),
    #[error(transparent)]
    Template(#[from] JobTemplateError),
}

/// What the templates' fields stand for. Words of commands have their dollars doubled, since a pod's arguments name variables with them.
#[derive(Serialize)]
struct KubernetesJobContext<'a> {
    name: &'a str,
    /// Of the job that does the blocks.
    job_name: String,
    kubernetes: &'a KubernetesSpec,
    blocks: usize,
    parallelism: usize,
    program: Vec<String>,
    /// Behind the program, up to the block.
    sweep: Vec<String>,
    /// The blocks that are left, where some are not: the index counts in this list.
    among: Option<String>,
    merge: Vec<String>,
    env: BTreeMap<&'a str, String>,
    scenario: Option<ScenarioFile<'a>>,
}

/// A scenario whose text goes along.
#[derive(Serialize)]
struct ScenarioFile<'a> {
    folder: &'static str,
    file: String,
    text: &'a str,
}

/// What a job is named after: the scenario and the moment, so that no two submissions have one name.
#[must_use]
pub fn job_name(scenario: &str, moment: &str) -> String {
    format!("bench-{}-{moment}", dns_label_of(scenario, 24))
}

/// Makes the job files; `template` stands for the built-in template of the indexed job.
pub fn kubernetes_jobs(
    jobs: &BlockJobs,
    kubernetes: &KubernetesSpec,
    job_name: &str,
    template: Option<(&str, &str)>,
) -> Result<JobFiles, KubernetesJobError> {
    if kubernetes.image.is_none() {
        return Err(KubernetesJobError::NoImage);
    }
    mounted(jobs, kubernetes)?;
    let scenario = scenario_file(jobs, kubernetes)?;
    let file = match (&scenario, &kubernetes.scenario) {
        (Some(scenario), _) => format!("{}/{}", scenario.folder, scenario.file),
        (None, Some(path)) => path.clone(),
        (None, None) => jobs.scenario.file.display().to_string(),
    };
    let words = |words: Vec<String>| words.iter().map(|word| word.replace('$', "$$")).collect();
    let numbers = || jobs.blocks.iter().map(|block| block.number.to_string()).collect::<Vec<_>>().join(",");
    let context = KubernetesJobContext {
        name: &jobs.name,
        job_name: job_name.to_owned(),
        kubernetes,
        blocks: jobs.blocks.len(),
        parallelism: kubernetes.parallelism.map_or(usize::MAX, |most| most as usize).min(jobs.blocks.len()),
        program: words(kubernetes.program.clone()),
        sweep: words(jobs.sweep_words(file)),
        among: (jobs.blocks.len() < jobs.planned).then(numbers),
        merge: words(jobs.merge_words()),
        env: kubernetes.env.iter().map(|(name, value)| (name.as_str(), value.replace('$', "$$"))).collect(),
        scenario,
    };
    let blocks = template.map_or(JobTemplate { name: "blocks.yaml", text: BLOCKS }, |(name, text)| JobTemplate { name, text });
    Ok(JobFiles {
        blocks: JobFile { name: "blocks.yaml", text: blocks.render(&context)? },
        merge: JobFile { name: "merge.yaml", text: JobTemplate { name: "merge.yaml", text: MERGE }.render(&context)? },
    })
}

/// A folder must be on a volume that is written to.
fn mounted(jobs: &BlockJobs, kubernetes: &KubernetesSpec) -> Result<(), KubernetesJobError> {
    let BlockResults::Folder(folder) = &jobs.results else { return Ok(()) };
    let within = Path::new(kubernetes.working_dir.as_deref().unwrap_or("/")).join(folder);
    let writable = || kubernetes.volumes.iter().filter(|volume| !volume.read_only);
    if writable().any(|volume| within.starts_with(&volume.mount)) {
        return Ok(());
    }
    let hint = writable().next().map_or_else(
        || "add a volume: `volumes = [{ claim = \"bench-results\", mount = \"/results\" }]`".to_owned(),
        |volume| format!("as `-o {}/{}`", volume.mount.trim_end_matches('/'), folder.file_name().unwrap_or_default().display()),
    );
    Err(KubernetesJobError::Unmounted { folder: within.display().to_string(), hint })
}

/// The scenario's text, where the site does not say where pods find the file.
fn scenario_file<'a>(jobs: &'a BlockJobs, kubernetes: &KubernetesSpec) -> Result<Option<ScenarioFile<'a>>, KubernetesJobError> {
    if kubernetes.scenario.is_some() {
        return Ok(None);
    }
    let text = jobs.scenario.text.as_str();
    if extends(text) {
        return Err(KubernetesJobError::Extends);
    }
    if text.len() > LARGEST_TEXT {
        return Err(KubernetesJobError::TooLarge(text.len()));
    }
    let ending = jobs.scenario.file.extension().and_then(|ending| ending.to_str()).unwrap_or("toml");
    Ok(Some(ScenarioFile { folder: SCENARIO_FOLDER, file: format!("scenario.{ending}"), text }))
}

/// Whether the scenario lies over another one. Either notation writes the key at the beginning of a line, or of the text in braces.
fn extends(text: &str) -> bool {
    let is_key = |line: &str| {
        let line = line.trim_start_matches(['{', ' ', '"', '\'']);
        line.strip_prefix("extends").is_some_and(|rest| rest.trim_start_matches(['"', '\'', ' ']).starts_with(['=', ':']))
    };
    text.lines().any(is_key)
}

#[cfg(test)]
mod tests {
    use super::super::job_files::{JobBlock, ScenarioWords};
    use super::super::site::read_cluster_text;
    use super::*;

    const SITE: &str = r#"
[kubernetes]
namespace = "llm-bench"
image = "registry.example.com/team/bench-vllm:1.0"
pull_policy = "IfNotPresent"
pull_secrets = ["registry"]
working_dir = "/work"
parallelism = 2
queue = "gpu-queue"
service_account = "bench"
shared_memory = "16Gi"
node_selector = { "nvidia.com/gpu.product" = "NVIDIA-H200" }
tolerations = [{ key = "nvidia.com/gpu", effect = "NoSchedule" }, { key = "team", operator = "Equal", value = "llm" }]
resources = { cpu = 8, memory = "64Gi", "nvidia.com/gpu" = 1 }
volumes = [{ claim = "bench-results", mount = "/results" }, { claim = "models", mount = "/models", read_only = true }]
env_from = ["bucket-keys"]
env = { HF_HOME = "/models", GREETING = "it's $(HOME): 5" }
secrets = { HF_TOKEN = { secret = "hugging-face", key = "token" } }
"#;

    fn folder(path: &str) -> BlockResults {
        BlockResults::Folder(path.into())
    }

    fn bucket(address: &str) -> BlockResults {
        BlockResults::Bucket(address.to_owned())
    }

    fn jobs(numbers: &[usize], results: BlockResults) -> BlockJobs {
        BlockJobs {
            name: "Night: Qwen 2.5".to_owned(),
            blocks: numbers.iter().map(|number| JobBlock { number: *number, id: format!("block-{number}") }).collect(),
            planned: 6,
            scenario: ScenarioWords {
                file: "scenarios/lmcache.toml".into(),
                text: "name = \"lmcache\"\n\n[workload]\nkind = \"document_qa\"\n".to_owned(),
                flags: vec!["--set".to_owned(), "target.model=$MODEL".to_owned()],
            },
            results,
            files: "/results/night/submit".into(),
        }
    }

    fn rendered(jobs: &BlockJobs, cluster: &str) -> Result<JobFiles, KubernetesJobError> {
        let spec = read_cluster_text("cluster.toml", cluster).unwrap_or_else(|faults| panic!("{faults}")).kubernetes;
        kubernetes_jobs(jobs, &spec, &job_name(&jobs.name, "1129-0200"), None)
    }

    #[test]
    fn the_jobs_of_a_site_have_its_settings_and_do_what_is_left() {
        let files = rendered(&jobs(&[0, 1, 5], folder("/results/night")), SITE).unwrap();
        insta::assert_snapshot!("kubernetes_blocks", files.blocks.text);
        insta::assert_snapshot!("kubernetes_merge", files.merge.text);
    }

    #[test]
    fn the_least_that_a_site_says_is_an_image_and_a_bucket() {
        let files = rendered(&jobs(&[0, 1, 2, 3, 4, 5], bucket("s3://nights/2026-11-29")), "[kubernetes]\nimage = \"bench\"\n").unwrap();
        insta::assert_snapshot!("kubernetes_plain", files.blocks.text);
    }

    #[test]
    fn results_that_would_end_with_their_pods_are_refused() {
        let site = |rest: &str| format!("[kubernetes]\nimage = \"bench\"\n{rest}\n");
        let volume = "volumes = [{ claim = \"a\", mount = \"/results\" }]";
        assert!(rendered(&jobs(&[0], folder("/results/night")), &site(volume)).is_ok());
        assert!(rendered(&jobs(&[0], folder("night")), &site(&format!("working_dir = \"/results\"\n{volume}"))).is_ok());
        for results in ["/elsewhere/night", "night", "/results-of-others/night"] {
            let error = rendered(&jobs(&[0], folder(results)), &site(volume)).unwrap_err();
            assert!(error.to_string().contains("hint: as `-o /results/night`"), "{error}");
        }
        let read_only = site("volumes = [{ claim = \"a\", mount = \"/results\", read_only = true }]");
        assert!(matches!(rendered(&jobs(&[0], folder("/results/night")), &read_only), Err(KubernetesJobError::Unmounted { .. })));
        assert!(matches!(rendered(&jobs(&[0], bucket("s3://a/b")), ""), Err(KubernetesJobError::NoImage)));
    }

    #[test]
    fn a_scenario_that_extends_another_is_named_by_its_path_in_the_pods() {
        for text in ["extends = \"base.toml\"\n", "extends: base.yaml\n", "{\"extends\": \"a.yaml\"}", "'extends' : a.yaml"] {
            let mut jobs = jobs(&[0], bucket("s3://a/b"));
            jobs.scenario.text = text.to_owned();
            assert!(matches!(rendered(&jobs, "[kubernetes]\nimage = \"bench\"\n"), Err(KubernetesJobError::Extends)), "{text}");
            let files = rendered(&jobs, "[kubernetes]\nimage = \"bench\"\nscenario = \"/scenarios/night.toml\"\n").unwrap();
            assert!(
                files.blocks.text.contains("\"/scenarios/night.toml\"") && !files.blocks.text.contains("ConfigMap"),
                "{}",
                files.blocks.text
            );
        }
        assert!(!extends("# extends = \"a\"\nname = \"extends\"\n"));
    }

    #[test]
    fn a_job_has_a_name_that_its_pods_can_have_too() {
        assert_eq!(job_name("Night: Qwen 2.5", "20261129-020000"), "bench-night-qwen-2-5-20261129-020000");
        // An index of five digits and a dash come behind it.
        assert!(job_name(&"x".repeat(64), "20261129-020000").len() + 6 <= 63);
    }
}
