//! The tasks of one step of a real Slurm as the clients of one load: `srun` tells each which one it is.

use bench::records::store::read_sweep;

use super::slurm::{Slurm, free_port};
use crate::stage::{Stage, program, serving};

#[test]
fn the_tasks_of_one_step_send_one_load() {
    let Some(slurm) = Slurm::get() else { return };
    let (_runtime, server) = serving(r#"{"preset": "tiny"}"#);
    let text = format!(
        "name = \"shared\"\n[workload]\nkind = \"requests\"\nrequests = 30\nqps = 60\nprompt_tokens = 20\nanswer_tokens = 4\n\
         [target]\nmodel = \"small\"\nurl = \"{}\"\n",
        server.url()
    );
    let stage = Stage::with("shared.toml", &text);
    let (folder, program) = (stage.folder().display().to_string(), program().display().to_string());
    // The names of this Slurm's nodes are no addresses.
    let meet = format!("127.0.0.1:{}", free_port());
    let step = ["--quiet", "--nodes=3", "--ntasks-per-node=1", "--chdir", &folder];
    let sweep = [&program, "sweep", "shared.toml", "-q", "-o", "out", "--clients", "launcher", "--meet", &meet];
    slurm.ask("srun", &[&step[..], &sweep].concat());

    let run = read_sweep(&stage.path("out")).unwrap().runs.remove(0);
    assert!(run.record.outcome.is_whole(), "{:?}", run.record.outcome);
    let parts: Vec<(u32, u64)> = run.record.clients.iter().map(|client| (client.rank, client.requests)).collect();
    assert_eq!(parts, [(0, 10), (1, 10), (2, 10)], "each task sends its part");
}
