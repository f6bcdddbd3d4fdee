//! The job files of Slurm: an array with a task a block, and a job that merges.

use std::path::{Path, PathBuf};

use serde::Serialize;

use super::job_files::{BlockJobs, BlockResults, JobBlock, JobFile, JobFiles};
use super::job_template::{JobTemplate, JobTemplateError};
use super::slurm_rules::SEAL_SECONDS;
use super::spec::SlurmSpec;
use crate::vocabulary::template::quoted_all;

const BLOCKS: &str = include_str!("../../../../templates/cluster/blocks.sbatch");
const MERGE: &str = include_str!("../../../../templates/cluster/merge.sbatch");

/// Why no job files can be made.
#[derive(Debug, thiserror::Error)]
pub enum SlurmJobError {
    #[error("Slurm cannot be told of the path `{}`: it holds `{character}`, which means something else in a job file", path.display())]
    Path { path: PathBuf, character: char },
    #[error(transparent)]
    Template(#[from] JobTemplateError),
}

/// What the templates' fields stand for.
#[derive(Serialize)]
struct SlurmJobContext<'a> {
    name: &'a str,
    job_name: String,
    slurm: &'a SlurmSpec,
    /// `0-3,7%2`.
    array: String,
    /// Each with its number and its id.
    blocks: Vec<BlockContext<'a>>,
    seal_seconds: u64,
    working_dir: String,
    logs: String,
    /// The folder of results, where they are in one.
    folder: Option<String>,
    /// The command that measures a block, up to the block, as a shell reads it.
    sweep: String,
    merge: String,
}

#[derive(Serialize)]
struct BlockContext<'a> {
    number: usize,
    id: &'a str,
}

/// Makes the job files. `working_dir` is where `bench` is started, `program` what starts it unless the site says, and `template` stands for the built-in
/// template of the array.
pub fn slurm_jobs(
    jobs: &BlockJobs,
    slurm: &SlurmSpec,
    working_dir: &Path,
    program: &[String],
    template: Option<(&str, &str)>,
) -> Result<JobFiles, SlurmJobError> {
    let logs = jobs.files.join("logs");
    for path in [working_dir, &logs] {
        if let Some(character) = path.to_string_lossy().chars().find(|c| c.is_control() || "%\"'\\".contains(*c)) {
            return Err(SlurmJobError::Path { path: path.to_owned(), character });
        }
    }
    let program = if slurm.program.is_empty() { program } else { &slurm.program };
    let command = |words: Vec<String>| quoted_all(&[program.to_vec(), words].concat());
    let context = SlurmJobContext {
        name: &jobs.name,
        job_name: format!("bench-{}", jobs.name),
        slurm,
        array: array(&jobs.blocks, slurm.parallelism),
        blocks: jobs.blocks.iter().map(|block| BlockContext { number: block.number, id: &block.id }).collect(),
        seal_seconds: SEAL_SECONDS,
        working_dir: in_option(working_dir),
        logs: logs.display().to_string(),
        folder: match &jobs.results {
            BlockResults::Folder(folder) => Some(folder.display().to_string()),
            BlockResults::Bucket(_) => None,
        },
        sweep: command(jobs.sweep_words(jobs.scenario.file.display().to_string())),
        merge: command(jobs.merge_words()),
    };
    let blocks = template.map_or(JobTemplate { name: "blocks.sbatch", text: BLOCKS }, |(name, text)| JobTemplate { name, text });
    Ok(JobFiles {
        blocks: JobFile { name: "blocks.sbatch", text: blocks.render(&context)? },
        merge: JobFile { name: "merge.sbatch", text: JobTemplate { name: "merge.sbatch", text: MERGE }.render(&context)? },
    })
}

/// A path as the value of an option of `#SBATCH`.
fn in_option(path: &Path) -> String {
    let path = path.display().to_string();
    if path.contains(char::is_whitespace) { format!("\"{path}\"") } else { path }
}

/// The tasks of an array, neighbours taken together: `0-3,7`, and `%2` where at most two run at once.
fn array(blocks: &[JobBlock], parallelism: Option<u32>) -> String {
    let mut ranges: Vec<(usize, usize)> = Vec::new();
    for number in blocks.iter().map(|block| block.number) {
        match ranges.last_mut() {
            Some((_, last)) if *last + 1 == number => *last = number,
            _ => ranges.push((number, number)),
        }
    }
    let range = |(first, last): &(usize, usize)| if first == last { first.to_string() } else { format!("{first}-{last}") };
    let tasks: Vec<String> = ranges.iter().map(range).collect();
    let at_once = parallelism.map(|most| format!("%{most}")).unwrap_or_default();
    tasks.join(",") + &at_once
}

#[cfg(test)]
mod tests {
    use super::super::job_files::ScenarioWords;
    use super::super::site::read_cluster_text;
    use super::*;

    fn blocks(numbers: &[usize]) -> Vec<JobBlock> {
        numbers.iter().map(|number| JobBlock { number: *number, id: format!("block-{number}-1a2b3c4d") }).collect()
    }

    fn jobs(results: BlockResults) -> BlockJobs {
        BlockJobs {
            name: "lmcache".to_owned(),
            blocks: blocks(&[0, 1, 2, 5]),
            planned: 6,
            scenario: ScenarioWords {
                file: "scenarios/lmcache.toml".into(),
                text: String::new(),
                flags: vec!["--set".to_owned(), "target.model=it's".to_owned(), "--simulate".to_owned()],
            },
            results,
            files: "/home/ada/nights/submit".into(),
        }
    }

    fn rendered(jobs: &BlockJobs, cluster: &str) -> JobFiles {
        let slurm = read_cluster_text("cluster.toml", cluster).unwrap_or_else(|faults| panic!("{faults}")).slurm;
        slurm_jobs(jobs, &slurm, Path::new("/home/ada"), &["/opt/bench".to_owned()], None).unwrap()
    }

    const SITE: &str = r#"
[slurm]
partition = "gpu"
account = "llm"
qos = "long"
gres = "gpu:h200:1"
constraint = "h200"
time_limit = "04:00:00"
cpus = 16
memory = "128G"
parallelism = 2
options = ["--exclusive", "--mail-type=END"]
setup = ["module load cuda", "source venv/bin/activate"]
program = ["apptainer", "exec", "--nv", "vllm.sif", "bench"]
merge_partition = "cpu"
"#;

    #[test]
    fn the_array_of_a_site_has_its_options_and_does_what_is_left() {
        let files = rendered(&jobs(BlockResults::Folder("/home/ada/nights".into())), SITE);
        insta::assert_snapshot!("slurm_blocks", files.blocks.text);
        insta::assert_snapshot!("slurm_merge", files.merge.text);
    }

    #[test]
    fn without_a_site_nothing_is_asked_for_and_a_bucket_is_passed_on() {
        let files = rendered(&jobs(BlockResults::Bucket("s3://nights/2026-11-29".to_owned())), "");
        insta::assert_snapshot!("slurm_plain", files.blocks.text);
        assert!(files.merge.text.ends_with("exec /opt/bench merge s3://nights/2026-11-29\n"), "{}", files.merge.text);
    }

    #[test]
    fn tasks_that_follow_one_another_are_a_range() {
        assert_eq!(array(&blocks(&[0, 1, 2, 3]), None), "0-3");
        assert_eq!(array(&blocks(&[3, 7, 8, 9]), Some(2)), "3,7-9%2");
        assert_eq!(array(&blocks(&[4]), Some(1)), "4%1");
    }

    #[test]
    fn a_path_that_slurm_would_read_as_something_else_is_refused() {
        for folder in ["/a/%j", "/a/\"b", "/a/b\nc"] {
            let jobs = BlockJobs { files: folder.into(), ..jobs(BlockResults::Folder("/a".into())) };
            let error = slurm_jobs(&jobs, &SlurmSpec::default(), Path::new("/"), &[], None).unwrap_err();
            assert!(matches!(error, SlurmJobError::Path { .. }), "{error}");
        }
    }

    #[test]
    fn a_template_of_the_site_stands_for_the_built_in_one() {
        let own = Some(("own.sbatch", "#!/bin/bash\n#SBATCH --array={{ array }}\n{{ sweep }} --block \"$SLURM_ARRAY_TASK_ID\"\n"));
        let files = slurm_jobs(&jobs(BlockResults::Folder("/a".into())), &SlurmSpec::default(), Path::new("/"), &["bench".to_owned()], own)
            .unwrap();
        assert!(files.blocks.text.starts_with("#!/bin/bash\n#SBATCH --array=0-2,5\nbench sweep "), "{}", files.blocks.text);
    }
}
