//! `bench submit`: the blocks of a scenario that are left, as job files of a cluster's scheduler; with `--go` they are submitted.

mod blocks_left;
mod scheduler;
mod submitted_jobs;

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};

use super::ExitReason;
use super::scenarios::{plans, scenario_flags, style};
use super::stdout::print;
use crate::cli::{ScenarioArgs, SchedulerArg, SubmitArgs, VerbosityArgs};
use crate::foundation::named_file::NamedFile;
use crate::planning::cluster::{
    BlockJobs, BlockResults, ClusterSpec, JobFiles, KubernetesSpec, ScenarioWords, job_name, kubernetes_jobs, read_cluster, slurm_jobs,
};
use crate::planning::plan::Plan;
use crate::records::bucket::{BucketError, CloudProvider, ResultsAddress};

use blocks_left::BlocksLeft;
use scheduler::JobScheduler;
use submitted_jobs::SubmittedJobs;

pub fn run(args: &SubmitArgs, talk: VerbosityArgs) -> anyhow::Result<ExitReason> {
    let Some(cluster) = cluster(args, talk) else { return Ok(ExitReason::Usage) };
    refuse_headers(&args.scenario)?;
    let Some(plans) = plans(&args.scenario, talk)? else { return Ok(ExitReason::Usage) };
    let [plan] = plans.as_slice() else { bail!("{} scenarios were named, and one is submitted at a time", plans.len()) };
    let left = blocks_left(args, plan)?;
    if left.blocks.is_empty() {
        print(&format!("{}\nnext: bench merge {}\n", left.sentence(), args.output))?;
        return Ok(ExitReason::Success);
    }
    let (files, scheduler) = job_files(args, plan, &left, &cluster)?;
    let folder = files_folder(args, plan)?;
    write(&folder, &files)?;
    let mut text = format!("{}: {}\n", plan.name, left.sentence());
    if !talk.quiet {
        text += &shown(&folder, &files);
    }
    if let Some(remark) = remark(args, &cluster) {
        let _ = writeln!(text, "note: {remark}");
    }
    let commands = scheduler.commands(&folder, &files);
    if !args.go {
        let _ = writeln!(text, "nothing is submitted yet: add `--go`, or type\n{}", indented(&commands.join("\n")));
        print(&text)?;
        return Ok(ExitReason::Success);
    }
    print(&text)?;
    SubmittedJobs::refuse_queued(&folder)?;
    let jobs = scheduler.submit(&folder, &files)?;
    jobs.save(&folder)?;
    let is_of_pods = args.to == SchedulerArg::Kubernetes && matches!(args.output, ResultsAddress::Folder(_));
    let results = (!is_of_pods).then(|| args.output.to_string());
    print(&scheduler.submitted(&jobs, &folder, &files, results.as_deref()))?;
    Ok(ExitReason::Success)
}

/// Pods have keys of their own, with which a bucket may answer them that does not answer here.
fn blocks_left(args: &SubmitArgs, plan: &Plan) -> anyhow::Result<BlocksLeft> {
    let left = BlocksLeft::of(plan, args.keep_text, &args.output);
    let is_asked_by_pods = args.to == SchedulerArg::Kubernetes && matches!(args.output, ResultsAddress::Bucket(_));
    match left {
        Err(error) if is_asked_by_pods && is_unreachable(&error) => {
            eprintln!("warning: what is sealed already is not known here, and blocks that are will end at once: {error:#}");
            Ok(BlocksLeft::all(plan))
        }
        left => left,
    }
}

fn is_unreachable(error: &anyhow::Error) -> bool {
    matches!(error.downcast_ref(), Some(BucketError::Settings { .. } | BucketError::Request { .. }))
}

/// The site's settings; `None` where they have faults, which have then been printed.
fn cluster(args: &SubmitArgs, talk: VerbosityArgs) -> Option<ClusterSpec> {
    match args.cluster.as_deref().map_or_else(|| Ok(ClusterSpec::default()), read_cluster) {
        Ok(cluster) => Some(cluster),
        Err(faults) => {
            eprintln!("{}", faults.render(style(talk)));
            None
        }
    }
}

/// A header's value is a secret, and job files are read by others.
fn refuse_headers(scenario: &ScenarioArgs) -> anyhow::Result<()> {
    match scenario.target.headers.first() {
        None => Ok(()),
        Some(header) => {
            let name = header.split(':').next().unwrap_or_default();
            bail!(
                "`--header` holds a secret, which would stand in the job files\nhint: write `headers = {{ {name} = \"${{VARIABLE}}\" }}` into the scenario's `[target]`, and hand the variable to the jobs"
            )
        }
    }
}

fn job_files(args: &SubmitArgs, plan: &Plan, left: &BlocksLeft, cluster: &ClusterSpec) -> anyhow::Result<(JobFiles, JobScheduler)> {
    let template = match &args.template {
        Some(path) => Some((path.display().to_string(), NamedFile::Template.read_text(path)?)),
        None => None,
    };
    let template = template.as_ref().map(|(name, text)| (name.as_str(), text.as_str()));
    let mut flags = scenario_flags(&args.scenario);
    flags.extend(args.keep_text.then(|| "--keep-text".to_owned()));
    let mut jobs = BlockJobs {
        name: plan.name.clone(),
        blocks: left.blocks.clone(),
        planned: left.planned,
        scenario: ScenarioWords { file: plan.scenario_path.clone(), text: plan.scenario_text.clone(), flags },
        results: block_results(&args.output),
        files: files_folder(args, plan)?,
    };
    match args.to {
        SchedulerArg::Slurm => {
            let here = std::env::current_dir().context("cannot tell the current folder, in which jobs start")?;
            if let BlockResults::Folder(folder) = &mut jobs.results {
                *folder = here.join(&*folder);
            }
            let program = std::env::current_exe().context("cannot tell which program this is, that jobs would start")?;
            let files = slurm_jobs(&jobs, &cluster.slurm, &here, &[program.display().to_string()], template)?;
            Ok((files, JobScheduler::Slurm))
        }
        SchedulerArg::Kubernetes => {
            let name = job_name(&plan.name, &jiff::Timestamp::now().strftime("%Y%m%d-%H%M%S").to_string());
            let files = kubernetes_jobs(&jobs, &cluster.kubernetes, &name, template)?;
            Ok((files, JobScheduler::Kubernetes { job_name: name, namespace: cluster.kubernetes.namespace.clone() }))
        }
    }
}

/// The address as the jobs name it.
fn block_results(address: &ResultsAddress) -> BlockResults {
    match address {
        ResultsAddress::Folder(folder) => BlockResults::Folder(folder.clone()),
        ResultsAddress::Bucket(bucket) => BlockResults::Bucket(bucket.to_string()),
    }
}

/// Where the job files lie: a path in pods is none here, and neither is a bucket.
fn files_folder(args: &SubmitArgs, plan: &Plan) -> anyhow::Result<PathBuf> {
    let folder = match (&args.files, args.to, &args.output) {
        (Some(folder), _, _) => folder.clone(),
        (None, SchedulerArg::Slurm, ResultsAddress::Folder(folder)) => folder.join("submit"),
        (None, _, _) => Path::new("submit").join(&plan.name),
    };
    std::path::absolute(&folder).with_context(|| format!("`{}` is no folder for job files", folder.display()))
}

fn write(folder: &Path, files: &JobFiles) -> anyhow::Result<()> {
    // Slurm writes no log into a folder that is not there.
    fs_err::create_dir_all(folder.join("logs"))?;
    for file in [&files.blocks, &files.merge] {
        fs_err::write(folder.join(file.name), &file.text)?;
    }
    Ok(())
}

fn shown(folder: &Path, files: &JobFiles) -> String {
    [&files.blocks, &files.merge]
        .map(|file| format!("\n{}:\n{}\n", folder.join(file.name).display(), indented(file.text.trim_end())))
        .concat()
        + "\n"
}

fn indented(text: &str) -> String {
    text.lines().map(|line| if line.is_empty() { String::new() } else { format!("  {line}") }).collect::<Vec<_>>().join("\n")
}

/// What is not wrong, and likely not meant.
fn remark(args: &SubmitArgs, cluster: &ClusterSpec) -> Option<String> {
    match (&args.output, args.to) {
        (ResultsAddress::Folder(folder), SchedulerArg::Slurm) => is_of_one_machine(folder).then(|| {
            format!("`{}` is on this machine alone, most likely, and jobs on other nodes would not see it: name a folder that all share", args.output)
        }),
        (ResultsAddress::Bucket(bucket), SchedulerArg::Kubernetes) => (!hands_keys_on(&cluster.kubernetes, bucket.provider)).then(|| {
            let variables = bucket.provider.variables();
            format!(
                "the pods are given no keys of `{bucket}`: name a secret that holds its `{variables}...` variables by `env_from` in `cluster.toml`, or \
                 a `service_account` that may write there, unless their nodes may"
            )
        }),
        _ => None,
    }
}

fn is_of_one_machine(folder: &Path) -> bool {
    const OF_ONE_MACHINE: [&str; 4] = ["/tmp", "/var/tmp", "/dev/shm", "/run"];
    std::path::absolute(folder).is_ok_and(|folder| OF_ONE_MACHINE.iter().any(|own| folder.starts_with(own)))
}

/// Whether pods are given keys of buckets, as far as names tell.
fn hands_keys_on(kubernetes: &KubernetesSpec, provider: CloudProvider) -> bool {
    let is_of_provider = |name: &String| name.starts_with(provider.variables());
    let names = kubernetes.secrets.keys().chain(kubernetes.env.keys());
    kubernetes.service_account.is_some() || !kubernetes.env_from.is_empty() || names.into_iter().any(is_of_provider)
}
