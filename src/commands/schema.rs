//! `bench schema`: the JSON Schema of a scenario, for editors.

use super::ExitReason;
use super::stdout::print;
use crate::planning::scenario;

pub fn run() -> anyhow::Result<ExitReason> {
    print(&text()?)?;
    Ok(ExitReason::Success)
}

/// The schema as it is printed and as it lies in `scenarios/schema.json`.
pub fn text() -> anyhow::Result<String> {
    Ok(serde_json::to_string_pretty(&scenario::schema())? + "\n")
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_schema_beside_the_scenarios_is_the_one_that_is_printed() {
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/scenarios/schema.json");
        let saved = fs_err::read_to_string(file).unwrap();
        assert!(saved == super::text().unwrap(), "renew it: `bench schema > scenarios/schema.json`");
    }
}
