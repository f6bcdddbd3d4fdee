//! `bench sim`: the simulated engine as an OpenAI-compatible server, until Ctrl-C.

use std::io::Write;

use anyhow::Context;
use serde_json::{Map, Value};

use super::ExitReason;
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
    let mut section = Map::new();
    section.insert("preset".to_owned(), Value::String(args.preset.clone()));
    for change in &args.set {
        let (path, value) = change.split_once('=').with_context(|| format!("`--set {change}` has no `=`; write `--set FIELD=VALUE`"))?;
        let value = read_value(value.trim());
        insert(&mut section, path.trim(), value).with_context(|| format!("`--set {change}`: a part of the path is no section"))?;
    }
    let spec: EngineSpec = serde_json::from_value(Value::Object(section)).context("the engine's figures cannot be read")?;
    Ok(EngineParameters::resolve(&spec, 0)?)
}

/// A value as TOML has it, or else the text itself: `4`, `"4k"` and `4k` can all be said.
fn read_value(text: &str) -> Value {
    let document: Result<Map<String, Value>, _> = toml::from_str(&format!("value = {text}"));
    document.ok().and_then(|mut document| document.remove("value")).unwrap_or_else(|| Value::String(text.to_owned()))
}

/// Puts a value at a dotted path.
fn insert(section: &mut Map<String, Value>, path: &str, value: Value) -> Option<()> {
    match path.split_once('.') {
        None => {
            section.insert(path.to_owned(), value);
            Some(())
        }
        Some((head, rest)) => {
            let inner = section.entry(head).or_insert_with(|| Value::Object(Map::new()));
            insert(inner.as_object_mut()?, rest, value)
        }
    }
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
