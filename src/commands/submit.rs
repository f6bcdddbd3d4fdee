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
    BlockJobs, BlockResults, ClusterSpec, JobFiles, ScenarioWords, job_name, kubernetes_jobs, read_cluster, slurm_jobs, without_cluster,
};
use crate::planning::plan::Plan;

use blocks_left::BlocksLeft;
use scheduler::JobScheduler;
use submitted_jobs::SubmittedJobs;

pub fn run(args: &SubmitArgs, talk: VerbosityArgs) -> anyhow::Result<ExitReason> {
    if args.output.contains("://") {
        bail!(
            "blocks are measured into a folder that all nodes see, and `{0}` is a bucket\nhint: merge them in a folder, then `bench push DIR {0}`",
            args.output
        );
    }
    let Some(cluster) = cluster(args, talk) else { return Ok(ExitReason::Usage) };
    refuse_headers(&args.scenario)?;
    let Some(plans) = plans(&args.scenario, talk)? else { return Ok(ExitReason::Usage) };
    let [plan] = plans.as_slice() else { bail!("{} scenarios were named, and one is submitted at a time", plans.len()) };
    let left = BlocksLeft::of(plan, Path::new(&args.output))?;
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
    if let Some(remark) = remark(args) {
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
    print(&scheduler.submitted(&jobs, &folder, &files, &args.output))?;
    Ok(ExitReason::Success)
}

/// The site's settings; `None` where they have faults, which have then been printed.
fn cluster(args: &SubmitArgs, talk: VerbosityArgs) -> Option<ClusterSpec> {
    match args.cluster.as_deref().map_or_else(|| Ok(without_cluster()), read_cluster) {
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
        results: BlockResults::of(&args.output),
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

/// Where the job files lie: a path in pods is none here, and neither is a bucket.
fn files_folder(args: &SubmitArgs, plan: &Plan) -> anyhow::Result<PathBuf> {
    let folder = match (&args.files, args.to, BlockResults::of(&args.output)) {
        (Some(folder), _, _) => folder.clone(),
        (None, SchedulerArg::Slurm, BlockResults::Folder(folder)) => folder.join("submit"),
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
fn remark(args: &SubmitArgs) -> Option<String> {
    const OF_ONE_MACHINE: [&str; 4] = ["/tmp", "/var/tmp", "/dev/shm", "/run"];
    let folder = std::path::absolute(&args.output).ok()?;
    let is_own = args.to == SchedulerArg::Slurm && OF_ONE_MACHINE.iter().any(|own| folder.starts_with(own));
    is_own.then(|| {
        format!(
            "`{}` is on this machine alone, most likely, and jobs on other nodes would not see it: name a folder that all share",
            args.output
        )
    })
}
