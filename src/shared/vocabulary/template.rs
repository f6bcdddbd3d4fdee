//! Commands with fields in braces: `{model}`, `{port}`, `{args}`. In come the texts of a `[server]` section; out come the words that are
//! started. Knows what the fields stand for, and nothing of processes.
//!
//! Only `{` name `}` is a field, so JSON such as `{"kv_connector": ...}` stays as it is; `{{name}}` stands for `{name}` itself.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::vocabulary::spec::server::ServerSpec;
use crate::vocabulary::spec::target::TargetSpec;

/// What fields stand for, for one target and one set of flags.
#[derive(Debug, Clone)]
pub struct TemplateContext {
    values: BTreeMap<String, String>,
    flags: Vec<String>,
}

/// A field that stands for nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{{{name}}}` stands for nothing")]
pub struct UnknownFieldError {
    pub name: String,
    /// What there is instead.
    pub known: Vec<String>,
}

/// How the words of a command are started.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CommandMode {
    /// As they are, one after the other.
    Direct,
    /// As one line, by `sh -c`.
    Shell,
}

impl CommandMode {
    #[must_use]
    pub fn of(shell: bool) -> Self {
        if shell { Self::Shell } else { Self::Direct }
    }
}

/// A piece of a text.
enum TemplatePiece<'a> {
    Text(&'a str),
    Field(&'a str),
    /// `{{name}}`, with the inner braces.
    Literal(&'a str),
}

impl TemplateContext {
    /// What the fields stand for; `{url}`, `{host}` and `{port}` are those of `target.url`.
    #[must_use]
    pub fn new(target: &TargetSpec, args: &Map<String, Value>) -> Self {
        let mut values = BTreeMap::new();
        if let Ok(Value::Object(fields)) = serde_json::to_value(target) {
            let texts = fields.iter().filter_map(|(name, value)| Some((format!("target.{name}"), scalar(value)?)));
            values.extend(texts);
        }
        values.extend(args.iter().filter_map(|(name, value)| Some((format!("server.args.{name}"), scalar(value)?))));
        values.insert("model".to_owned(), target.model.clone());
        values.insert("url".to_owned(), target.url.clone());
        if let Some((host, port)) = host_and_port(&target.url) {
            values.insert("host".to_owned(), host);
            values.insert("port".to_owned(), port.to_string());
        }
        Self { values, flags: flags(args) }
    }

    /// A text with its fields filled in.
    pub fn text(&self, text: &str) -> Result<String, UnknownFieldError> {
        let mut filled = String::with_capacity(text.len());
        for piece in pieces(text) {
            match piece {
                TemplatePiece::Text(text) | TemplatePiece::Literal(text) => filled.push_str(text),
                TemplatePiece::Field("args") => filled.push_str(&quoted_all(&self.flags)),
                TemplatePiece::Field(name) => filled.push_str(self.values.get(name).ok_or_else(|| self.unknown(name))?),
            }
        }
        Ok(filled)
    }

    /// The server's command: where `{args}` is a word of its own it becomes the flags, and without it they go to the end. For a shell it
    /// is one line, the flags quoted.
    pub fn server_command(&self, spec: &ServerSpec) -> Result<Vec<String>, UnknownFieldError> {
        let words = CommandMode::of(spec.shell);
        let placed = spec.command.iter().any(|word| pieces(word).any(|piece| matches!(piece, TemplatePiece::Field("args"))));
        let mut command = spec.command.clone();
        if !placed && !self.flags.is_empty() {
            command.push("{args}".to_owned());
        }
        self.command(&command, words)
    }

    /// A command with its fields filled in.
    pub fn command(&self, command: &[String], words: CommandMode) -> Result<Vec<String>, UnknownFieldError> {
        let mut filled = Vec::with_capacity(command.len());
        for word in command {
            match words {
                CommandMode::Direct if word == "{args}" => filled.extend(self.flags.iter().cloned()),
                CommandMode::Direct | CommandMode::Shell => filled.push(self.text(word)?),
            }
        }
        Ok(match words {
            CommandMode::Direct => filled,
            CommandMode::Shell => vec![filled.join(" ")],
        })
    }

    fn unknown(&self, name: &str) -> UnknownFieldError {
        let known = self.values.keys().cloned().chain(["args".to_owned()]).collect();
        UnknownFieldError { name: name.to_owned(), known }
    }
}

/// Whether a field of this name stands in the text.
#[must_use]
pub fn names(text: &str, field: &str) -> bool {
    pieces(text).any(|piece| matches!(piece, TemplatePiece::Field(name) if name == field))
}

/// Host and port of a URL, as a command wants them: without the brackets of IPv6, and with the scheme's own port where none is written.
#[must_use]
pub fn host_and_port(url: &str) -> Option<(String, u16)> {
    let uri: http::Uri = url.trim().parse().ok()?;
    let host = uri.host()?.trim_start_matches('[').trim_end_matches(']').to_owned();
    let port = uri.port_u16().unwrap_or(if uri.scheme_str() == Some("https") { 443 } else { 80 });
    Some((host, port))
}

/// The URL with another port.
#[must_use]
pub fn with_port(url: &str, port: u16) -> Option<String> {
    let uri: http::Uri = url.trim().parse().ok()?;
    let path = uri.path().trim_end_matches('/');
    Some(format!("{}://{}:{port}{path}", uri.scheme_str()?, uri.host()?))
}

/// The words as a shell reads them back.
#[must_use]
pub fn quoted_all(words: &[String]) -> String {
    words.iter().map(|word| quoted(word)).collect::<Vec<_>>().join(" ")
}

/// The word as a shell reads it back.
#[must_use]
pub fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=,@%+".contains(c);
    if !word.is_empty() && word.chars().all(plain) { word.to_owned() } else { format!("'{}'", word.replace('\'', r"'\''")) }
}

/// The flags of `server.args`, in the order of the scenario.
fn flags(args: &Map<String, Value>) -> Vec<String> {
    let mut flags = Vec::new();
    for (name, value) in args {
        let flag = if name.starts_with('-') { name.clone() } else { format!("--{name}") };
        match value {
            Value::Null | Value::Bool(false) => {}
            Value::Bool(true) => flags.push(flag),
            Value::Array(values) => {
                flags.push(flag);
                flags.extend(values.iter().map(word));
            }
            other => flags.extend([flag, word(other)]),
        }
    }
    flags
}

/// A value as a word of a command: a text as it is, anything else as JSON.
fn word(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(_) | Value::Number(_) | Value::Bool(_) => Some(word(value)),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

/// Splits a text at its fields.
fn pieces(text: &str) -> impl Iterator<Item = TemplatePiece<'_>> {
    let mut rest = text;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let Some((start, piece, length)) = rest.match_indices('{').find_map(|(at, _)| opening(&rest[at..]).map(|(p, l)| (at, p, l))) else {
            return Some(TemplatePiece::Text(std::mem::take(&mut rest)));
        };
        if start > 0 {
            let before = &rest[..start];
            rest = &rest[start..];
            return Some(TemplatePiece::Text(before));
        }
        rest = &rest[length..];
        Some(piece)
    })
}

/// A field at the beginning of a text, and how many bytes it takes.
fn opening(text: &str) -> Option<(TemplatePiece<'_>, usize)> {
    if let Some(inner) = text.strip_prefix("{{")
        && let Some(name) = name_before_brace(inner)
        && inner[name.len()..].starts_with("}}")
    {
        return Some((TemplatePiece::Literal(&text[1..name.len() + 3]), name.len() + 4));
    }
    let name = name_before_brace(text.strip_prefix('{')?)?;
    Some((TemplatePiece::Field(name), name.len() + 2))
}

/// The field's name that the text begins with, where a brace follows it.
fn name_before_brace(text: &str) -> Option<&str> {
    let end = text.find('}')?;
    let name = &text[..end];
    let begins = name.starts_with(|c: char| c.is_ascii_lowercase());
    let goes_on = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "_.-".contains(c);
    (begins && name.chars().all(goes_on)).then_some(name)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn template(args: Value) -> TemplateContext {
        let target: TargetSpec =
            serde_json::from_value(json!({ "model": "org/m", "url": "http://[::1]:8000/v1", "context_limit": 4096 })).unwrap();
        let Value::Object(args) = args else { panic!("flags are a table") };
        TemplateContext::new(&target, &args)
    }

    fn server(value: Value) -> ServerSpec {
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn fields_are_filled_in_and_json_is_left_alone() {
        let filled = |text: &str| template(json!({ "block-size": 16 })).text(text).unwrap();
        assert_eq!(filled("{model} at {host}:{port}, {url}"), "org/m at ::1:8000, http://[::1]:8000/v1");
        assert_eq!(filled("{target.context_limit}/{server.args.block-size}"), "4096/16");
        let json = r#"{"kv_connector":"LMCacheConnectorV1","extra":{"a":{}}}"#;
        assert_eq!(filled(json), json);
        assert_eq!(filled("{{model}} {{{model}}} {} { model } {Model}"), "{model} {{model}} {} { model } {Model}");
    }

    #[test]
    fn a_field_that_stands_for_nothing_is_named_with_what_there_is() {
        let unknown = template(json!({ "list": [1] })).text("--m {modle}").unwrap_err();
        assert_eq!(unknown.to_string(), "`{modle}` stands for nothing");
        assert!(unknown.known.contains(&"model".to_owned()) && unknown.known.contains(&"args".to_owned()), "{unknown:?}");
        // A list is no one value.
        assert!(template(json!({ "list": [1] })).text("{server.args.list}").is_err());
    }

    #[test]
    fn flags_go_where_they_are_placed_or_to_the_end() {
        let args = json!({ "max-num-seqs": 16, "eager": true, "off": false, "nothing": null, "cudagraph": [1, "2"], "-O": 3, "kv": { "a": "b c" } });
        let flags = ["--max-num-seqs", "16", "--eager", "--cudagraph", "1", "2", "-O", "3", "--kv", r#"{"a":"b c"}"#];
        let words = |command: Value| template(args.clone()).server_command(&server(json!({ "command": command }))).unwrap();
        assert_eq!(words(json!(["vllm", "{port}"])), [["vllm", "8000"].as_slice(), &flags].concat());
        assert_eq!(words(json!(["vllm", "{args}", "--last"])), [["vllm"].as_slice(), &flags, &["--last"]].concat());
    }

    #[test]
    fn a_shell_gets_one_line_with_its_flags_quoted() {
        let spec = server(json!({ "command": ["exec vllm {model} {args}", "| tee x"], "shell": true }));
        let line = template(json!({ "kv": { "a": "it's" } })).server_command(&spec).unwrap();
        assert_eq!(line, [r#"exec vllm org/m --kv '{"a":"it'\''s"}' | tee x"#]);
    }

    #[test]
    fn a_port_is_replaced_and_the_rest_of_the_url_stays() {
        assert_eq!(with_port("http://127.0.0.1:0/v1", 81).as_deref(), Some("http://127.0.0.1:81/v1"));
        assert_eq!(with_port("http://[::1]:0", 81).as_deref(), Some("http://[::1]:81"));
        assert_eq!(host_and_port("https://gpu7/v1"), Some(("gpu7".to_owned(), 443)));
    }

    #[test]
    fn words_are_quoted_so_that_a_shell_reads_them_back() {
        assert_eq!(quoted("results/lmcache-2026"), "results/lmcache-2026");
        assert_eq!(quoted("a b"), "'a b'");
        assert_eq!(quoted("it's"), r"'it'\''s'");
        assert_eq!(quoted(""), "''");
    }
}
