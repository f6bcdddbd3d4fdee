//! What the types of `[slurm]` cannot say: what `sbatch` would refuse, or read as something else.

use super::names::{is_name_list, is_option_value, is_slurm_memory, slurm_seconds};
use super::spec::SlurmSpec;
use crate::planning::scenario::SettingsFile;

/// How long before the time limit the sweep is told to seal.
pub const SEAL_SECONDS: u64 = 120;
/// The least that leaves time to measure anything before that.
const LEAST_LIMIT: u64 = SEAL_SECONDS + 60;
/// Options that the job files have of their own.
const OWN_OPTIONS: [&str; 10] =
    ["--array", "--job-name", "--output", "--error", "--open-mode", "--requeue", "--no-requeue", "--signal", "--dependency", "--chdir"];

pub fn check(spec: &SlurmSpec, file: &mut SettingsFile) {
    let names =
        [("partition", &spec.partition), ("account", &spec.account), ("qos", &spec.qos), ("merge_partition", &spec.merge_partition)];
    for (field, value) in names {
        if let Some(value) = value.as_deref().filter(|value| !is_name_list(value)) {
            let message = format!("`slurm.{field}` is a name, or several with commas between, not `{value}`");
            file.fault(&["slurm", field], message, "names have letters, digits, `_`, `.` and `-`");
        }
    }
    for (field, value, example) in [("gres", &spec.gres, "gpu:h200:1"), ("constraint", &spec.constraint, "h200")] {
        if let Some(value) = value.as_deref().filter(|value| !is_option_value(value)) {
            file.fault(&["slurm", field], format!("`slurm.{field}` is one word, not `{value}`"), format!("as `{example}`"));
        }
    }
    if let Some(memory) = spec.memory.as_deref().filter(|memory| !is_slurm_memory(memory)) {
        file.fault(&["slurm", "memory"], format!("`slurm.memory` is a number with `K`, `M`, `G` or `T`, not `{memory}`"), "as `64G`");
    }
    for (field, value) in [("cpus", spec.cpus), ("parallelism", spec.parallelism)] {
        if value == Some(0) {
            file.fault(&["slurm", field], format!("`slurm.{field}` is 1 or more, not 0"), "leave it out for what the site gives");
        }
    }
    time_limit(spec, file);
    options(spec, file);
    setup(spec, file);
    if spec.program.first().is_some_and(String::is_empty) || spec.program.iter().any(|word| word.contains(char::is_control)) {
        file.fault(&["slurm", "program"], "`slurm.program` holds no word that starts a program", "as `[\"bench\"]`");
    }
}

fn time_limit(spec: &SlurmSpec, file: &mut SettingsFile) {
    let Some(limit) = spec.time_limit.as_deref() else { return };
    match slurm_seconds(limit) {
        None => file.fault(
            &["slurm", "time_limit"],
            format!("`slurm.time_limit` is no time limit of Slurm: `{limit}`"),
            "minutes, or `hours:minutes:seconds`, or `days-hours:minutes:seconds`: `04:00:00`",
        ),
        Some(seconds) if seconds < LEAST_LIMIT => file.fault(
            &["slurm", "time_limit"],
            format!("`slurm.time_limit` leaves nothing to measure: `{limit}` is {seconds} s, and what is finished is sealed {SEAL_SECONDS} s before"),
            format!("write {} minutes or more", LEAST_LIMIT / 60),
        ),
        Some(_) => {}
    }
}

fn options(spec: &SlurmSpec, file: &mut SettingsFile) {
    for (number, option) in spec.options.iter().enumerate() {
        let number = number.to_string();
        let name = option.split(['=', ' ']).next().unwrap_or_default();
        if !option.starts_with("--") || option.contains(char::is_control) {
            let message = format!("`slurm.options` holds options of `sbatch`, one each, not `{option}`");
            file.fault(&["slurm", "options", &number], message, "as `--exclusive` or `--mail-type=END`");
        } else if OWN_OPTIONS.contains(&name) {
            let message = format!("`{name}` is set by the job files, and `slurm.options` cannot set it as well");
            file.fault(&["slurm", "options", &number], message, "leave it out, or bring a job file of your own with `--template`");
        }
    }
}

fn setup(spec: &SlurmSpec, file: &mut SettingsFile) {
    for (number, line) in spec.setup.iter().enumerate() {
        if line.contains(char::is_control) {
            file.fault(
                &["slurm", "setup", &number.to_string()],
                "a line of `slurm.setup` is several lines",
                "write each as a text of its own",
            );
        }
    }
}
