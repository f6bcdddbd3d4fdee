//! What is typed: goals, ranges, `--set`, `--only`, `--url`, quantities with units, whole command lines.

use std::fmt::{Debug, Display};
use std::path::Path;
use std::str::FromStr;

use bench::cli::Cli;
use bench::foundation::units::{Bytes, BytesPerSecond, Seconds, Tokens};
use bench::planning::scenario::ScenarioOverrides;
use bench::vocabulary::goal::Goal;
use clap::Parser;

use super::contract::message;
use super::scenario::loaded;

const SCENARIO: &str = "[workload]\nkind = \"document_qa\"\ndocuments = { synthetic_tokens = 500 }\nrounds = 2\nanswer_tokens = 4\n\
                        [target]\nkind = \"sim\"\n[engine]\npreset = \"tiny\"\n";
const MATRIX: &str = "[matrix]\nconcurrent = [1, 2]\nsequential = [1, 2]\n";

/// The first byte says what the rest is.
pub fn read(data: &[u8]) {
    let Some((what, rest)) = data.split_first() else { return };
    let Ok(text) = str::from_utf8(rest) else { return };
    let lines = || text.lines().map(str::to_owned).collect();
    match what % 8 {
        0 => goal(text),
        1 => range(text, ""),
        2 => range(text, "[search]\nkind = \"frontier\"\n[[goals]]\nrequire = \"p95(ttft) <= 2s\"\n"),
        3 => options(&ScenarioOverrides { set: lines(), ..ScenarioOverrides::default() }),
        4 => options(&ScenarioOverrides { only: lines(), ..ScenarioOverrides::default() }),
        5 => options(&ScenarioOverrides { url: Some(text.to_owned()), ..ScenarioOverrides::default() }),
        6 => quantities(text),
        _ => command(text),
    }
}

fn goal(text: &str) {
    match text.parse::<Goal>() {
        Ok(goal) => assert_eq!(goal.to_string().parse::<Goal>().as_ref(), Ok(&goal), "what is shown can be read again"),
        Err(fault) => {
            message(&fault.to_string());
            assert!(text.get(..fault.offset).is_some(), "the fault lies in the text");
            fault.hint.iter().for_each(|hint| message(hint));
        }
    }
}

/// As an axis, and as both of two.
fn range(text: &str, more: &str) {
    let quoted = serde_json::to_string(text).unwrap();
    let path = Path::new("fuzz.toml");
    loaded(path, &format!("{SCENARIO}[matrix]\nconcurrent = {quoted}\n{more}"), &ScenarioOverrides::default());
    loaded(path, &format!("{SCENARIO}[matrix]\nconcurrent = {quoted}\nsequential = [{quoted}]\n{more}"), &ScenarioOverrides::default());
}

fn options(options: &ScenarioOverrides) {
    loaded(Path::new("fuzz.toml"), &format!("{SCENARIO}{MATRIX}"), options);
}

fn quantities(text: &str) {
    quantity::<Seconds>(text);
    quantity::<Tokens>(text);
    quantity::<Bytes>(text);
    quantity::<BytesPerSecond>(text);
}

fn quantity<Q: FromStr<Err: Display> + Debug + Display>(text: &str) {
    match text.parse::<Q>() {
        Ok(quantity) => assert!(quantity.to_string().parse::<Q>().is_ok(), "`{quantity}` can be read again"),
        Err(fault) => message(&fault.to_string()),
    }
}

fn command(text: &str) {
    if let Err(fault) = Cli::try_parse_from(std::iter::once("bench").chain(text.lines())) {
        assert!(!fault.to_string().trim().is_empty());
    }
}
