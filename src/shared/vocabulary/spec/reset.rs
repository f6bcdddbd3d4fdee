//! What a scenario may say about the caches of a server: `[server] reset`.

use std::fmt;

use schemars::JsonSchema;
use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{self, Deserializer, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Serialize, Serializer};

/// How caches are emptied.
#[derive(Debug, Clone, PartialEq, Eq, JsonSchema)]
#[schemars(untagged)]
pub enum ResetSpec {
    /// Endpoints and commands, one after the other.
    Steps(Vec<ResetStep>),
    /// One word for all of it.
    Whole(ResetMode),
}

/// Words for all that is done about the server's caches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ResetMode {
    /// All processes of the server are started anew before each cell.
    Restart,
    /// Every prompt of a run begins with words that no other run has, and no other attempt at it.
    Salt,
    /// Nothing: warm caches are wanted.
    None,
}

/// What is done so that a cell does not meet what another one left in the server's caches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CachePolicy<'a> {
    /// They are emptied by endpoints and commands.
    Emptied(&'a [ResetStep]),
    /// The server is started anew.
    Restarted,
    /// Every prompt begins with words of the attempt's own.
    Salted(SaltReason),
    /// Nothing, and that is wanted.
    LeftWarm,
}

/// Why prompts are salted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SaltReason {
    /// The scenario asks for it.
    Asked,
    /// It says nothing of the caches.
    Unsaid,
}

/// One step of emptying the caches.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum ResetStep {
    /// A path on the target's server or a whole URL, which is sent a POST.
    Endpoint(String),
    /// A command that must end with status 0.
    Command(ResetCommand),
}

/// A command that empties a cache.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ResetCommand {
    /// The program and its arguments, with the same fields as the server's command.
    pub command: Vec<String>,
    /// Hands the command to `sh -c`, as one line.
    #[serde(default, skip_serializing_if = "is_false")]
    pub shell: bool,
}

impl ResetSpec {
    /// The endpoints and commands; none where the caches are emptied otherwise.
    pub fn steps(&self) -> &[ResetStep] {
        match self {
            Self::Steps(steps) => steps,
            Self::Whole(_) => &[],
        }
    }

    /// Nothing is said of the caches.
    pub fn is_unset(&self) -> bool {
        matches!(self, Self::Steps(steps) if steps.is_empty())
    }
}

impl Default for ResetSpec {
    fn default() -> Self {
        Self::Steps(Vec::new())
    }
}

// By hand: serde's `untagged` reads into a buffer first and so forgets where in the scenario a fault lies.

impl<'de> Deserialize<'de> for ResetSpec {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ResetVisitor;
        impl<'de> Visitor<'de> for ResetVisitor {
            type Value = ResetSpec;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list such as `[\"/reset_prefix_cache\"]`, `restart`, `salt`, or `none`")
            }
            fn visit_str<E: de::Error>(self, word: &str) -> Result<ResetSpec, E> {
                match word {
                    "restart" => Ok(ResetSpec::Whole(ResetMode::Restart)),
                    "salt" => Ok(ResetSpec::Whole(ResetMode::Salt)),
                    "none" => Ok(ResetSpec::Whole(ResetMode::None)),
                    _ => Err(E::invalid_value(de::Unexpected::Str(word), &self)),
                }
            }
            fn visit_seq<A: SeqAccess<'de>>(self, steps: A) -> Result<ResetSpec, A::Error> {
                Vec::deserialize(SeqAccessDeserializer::new(steps)).map(ResetSpec::Steps)
            }
        }
        deserializer.deserialize_any(ResetVisitor)
    }
}

impl Serialize for ResetSpec {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Steps(steps) => steps.serialize(serializer),
            Self::Whole(whole) => whole.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for ResetStep {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct StepVisitor;
        impl<'de> Visitor<'de> for StepVisitor {
            type Value = ResetStep;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an endpoint such as `/reset_prefix_cache`, or `{ command = [\"...\"] }`")
            }
            fn visit_str<E>(self, endpoint: &str) -> Result<ResetStep, E> {
                Ok(ResetStep::Endpoint(endpoint.to_owned()))
            }
            fn visit_map<A: MapAccess<'de>>(self, entries: A) -> Result<ResetStep, A::Error> {
                ResetCommand::deserialize(MapAccessDeserializer::new(entries)).map(ResetStep::Command)
            }
        }
        deserializer.deserialize_any(StepVisitor)
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "what serde asks for")]
fn is_false(value: &bool) -> bool {
    !*value
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::vocabulary::spec::server::ServerSpec;

    fn read(value: serde_json::Value) -> ServerSpec {
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn a_reset_is_a_list_or_a_word() {
        let steps = read(json!({ "reset": ["/a", { "command": ["rm", "x"] }] })).reset;
        let command = ResetCommand { command: vec!["rm".into(), "x".into()], shell: false };
        assert_eq!(steps.steps(), [ResetStep::Endpoint("/a".into()), ResetStep::Command(command)]);
        assert_eq!(read(json!({ "reset": "salt" })).reset, ResetSpec::Whole(ResetMode::Salt));
        assert_eq!(read(json!({ "reset": "none" })).reset, ResetSpec::Whole(ResetMode::None));
        let error = serde_json::from_value::<ServerSpec>(json!({ "reset": "hope" })).unwrap_err().to_string();
        assert!(error.contains("`restart`, `salt`, or `none`"), "{error}");
    }

    #[test]
    fn where_nothing_is_said_of_the_caches_prompts_are_fresh() {
        let policy = |value| format!("{:?}", read(value).cache_policy());
        assert_eq!(policy(json!({})), "Salted(Unsaid)");
        assert_eq!(policy(json!({ "reset": [] })), "Salted(Unsaid)");
        assert_eq!(policy(json!({ "reset": "salt" })), "Salted(Asked)");
        assert_eq!(policy(json!({ "reset": "none" })), "LeftWarm");
        assert_eq!(policy(json!({ "reset": "restart" })), "Restarted");
        assert!(matches!(read(json!({ "reset": ["/a"] })).cache_policy(), CachePolicy::Emptied([_])));
    }
}
