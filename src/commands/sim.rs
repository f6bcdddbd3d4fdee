//! `bench sim`: the simulated engine as an OpenAI-compatible server, until Ctrl-C.

use std::io::Write;

use anyhow::Context;

use super::ExitReason;
use super::engine_section::changed;
use crate::cli::{SimArgs, VerbosityArgs};
use crate::simulation::engine::EngineParameters;
use crate::simulation::serve::{self, ServeOptions};
use crate::vocabulary::spec::engine::EngineSpec;

pub fn run(args: &SimArgs, talk: VerbosityArgs) -> anyhow::Result<ExitReason> {
    let parameters = match parameters(args) {
        Ok(parameters) => parameters,
        Err(fault) => {
            eprintln!("error: {fault:#}");
            return Ok(ExitReason::Usage);
        }
    };
    let runtime = tokio::runtime::Runtime::new().context("cannot start the runtime")?;
    runtime.block_on(async {
        let serving = serve::bind(ServeOptions { host: args.host, port: args.port, model: args.model.clone(), parameters }).await?;
        println!("listening on {} (simulated engine, preset {})", serving.url(), args.preset);
        std::io::stdout().flush()?;
        if !talk.quiet {
            eprintln!("model `{}`; press Ctrl-C to end", args.model);
        }
        stop_signal().await?;
        serving.stop().await;
        Ok(ExitReason::Success)
    })
}

/// The preset with what `--set` changes in it.
fn parameters(args: &SimArgs) -> anyhow::Result<EngineParameters> {
    let preset = format!("preset={}", toml::Value::String(args.preset.clone()));
    let changes: Vec<&str> = std::iter::once(preset.as_str()).chain(args.set.iter().map(String::as_str)).collect();
    Ok(EngineParameters::resolve(&changed(&EngineSpec::default(), &changes)?, 0)?)
}

/// Waits for Ctrl-C or, where there is such a thing, SIGTERM.
async fn stop_signal() -> std::io::Result<()> {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let mut terminate = signal(SignalKind::terminate())?;
        tokio::select! {
            biased;
            ended = tokio::signal::ctrl_c() => ended,
            _ = terminate.recv() => Ok(()),
        }
    }
    #[cfg(not(unix))]
    tokio::signal::ctrl_c().await
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::foundation::units::Bytes;

    fn args(preset: &str, set: &[&str]) -> SimArgs {
        let set = set.iter().map(|change| (*change).to_owned()).collect();
        SimArgs { host: [127, 0, 0, 1].into(), port: 0, model: "m".into(), preset: preset.into(), set }
    }

    #[test]
    fn figures_of_the_preset_can_be_changed_by_path() {
        let set = ["kv_memory=1GB", "noise=0.1", "host_tier.capacity=2GB", "host_tier.bandwidth=\"1GB/s\"", "max_sequences = 3"];
        let parameters = parameters(&args("tiny", &set)).unwrap();
        assert_eq!((parameters.blocks, parameters.max_sequences), (62_500, 3));
        assert_eq!(parameters.host_tier.map(|tier| tier.capacity), Some(Bytes(2_000_000_000)));
    }

    #[test]
    fn what_is_no_figure_is_a_fault_that_names_what_is_allowed() {
        for (preset, set, said) in [
            ("huge", vec![], "qwen2.5-7b-h200"),
            ("tiny", vec!["kv_memry=1GB"], "kv_memory"),
            ("tiny", vec!["kv_memory"], "FIELD=VALUE"),
            ("tiny", vec!["kv_memory=lots"], "112GB"),
            ("tiny", vec!["block_tokens=0"], "positive"),
            ("tiny", vec!["noise=1", "noise.more=1"], "no section"),
        ] {
            let fault = format!("{:#}", parameters(&args(preset, &set)).unwrap_err());
            assert!(fault.contains(said), "{preset} {set:?}: {fault}");
        }
    }
}
