//! The connector to a cache outside the engine that a command names: `kv_connector` in the JSON of vLLM's `--kv-transfer-config`.

use serde_json::Value;

const FLAG: &str = "--kv-transfer-config";
const KEY: &str = "\"kv_connector\"";

/// The connector's name, as the command has it.
pub(super) fn connector(command: &[String]) -> Option<String> {
    let mut words = command.iter();
    while let Some(word) = words.next() {
        let config = match word.strip_prefix(FLAG) {
            Some("") => words.next().map(String::as_str),
            Some(rest) => rest.strip_prefix('='),
            None => in_a_line(word),
        };
        if let Some(name) = config.and_then(named) {
            return Some(name);
        }
    }
    None
}

/// What follows the flag in a line for a shell.
fn in_a_line(line: &str) -> Option<&str> {
    line.contains(char::is_whitespace).then(|| line.find(FLAG).map(|at| &line[at + FLAG.len()..])).flatten()
}

/// The name in the configuration, also where that stands in a line with other words.
fn named(config: &str) -> Option<String> {
    if let Ok(Value::Object(config)) = serde_json::from_str(config) {
        return Some(config.get("kv_connector")?.as_str()?.to_owned());
    }
    let rest = config[config.find(KEY)? + KEY.len()..].trim_start().strip_prefix(':')?.trim_start().strip_prefix('"')?;
    rest.split('"').next().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(words: &[&str]) -> Option<String> {
        connector(&words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn the_connector_is_found_in_every_way_to_write_the_flag() {
        let json = r#"{"kv_role":"kv_both","kv_connector":"LMCacheConnectorV1"}"#;
        let expected = Some("LMCacheConnectorV1".to_owned());
        assert_eq!(of(&["vllm", "serve", FLAG, json, "--port", "1"]), expected);
        assert_eq!(of(&["vllm", &format!("{FLAG}={json}")]), expected);
        assert_eq!(of(&[&format!("exec vllm serve m {FLAG} '{json}' 2>&1")]), expected);
        assert_eq!(of(&["vllm", "serve", "m"]), None);
        assert_eq!(of(&["vllm", FLAG]), None);
        assert_eq!(of(&["vllm", FLAG, "{}"]), None);
    }
}
