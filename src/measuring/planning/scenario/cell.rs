//! One cell: the four sections that say what is sent, to whom, and how the engine and the server behind it are set.
//!
//! Comes in typed, with every default applied and every `${NAME}` replaced by the environment's value; goes out to the executor as it is,
//! and to files with the `${NAME}` put back. So a value from the environment is used but never saved or shown.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Serialize, Serializer};
use serde_json::Value;

use super::secret::{EnvironmentRedactor, EnvironmentSecret};
use crate::vocabulary::spec::engine::EngineSpec;
use crate::vocabulary::spec::server::ServerSpec;
use crate::vocabulary::spec::target::TargetSpec;
use crate::vocabulary::spec::workload::WorkloadSpec;

/// A point of the matrix for one variant, with nothing left to decide. Serialized it is the resolved form, without secrets.
#[derive(Clone, PartialEq)]
pub struct CellSpec {
    pub workload: WorkloadSpec,
    pub target: TargetSpec,
    pub engine: EngineSpec,
    pub server: ServerSpec,
    /// By path, all values that hold something from the environment.
    secrets: BTreeMap<Vec<String>, EnvironmentSecret>,
    /// Prompts and answers are kept: asked for on the command line, never by a scenario, and no part of what is resolved.
    keeps_texts: bool,
    /// Rows keep hashes of prompts and answers.
    hashes_answers: bool,
}

impl CellSpec {
    #[must_use]
    pub fn new(workload: WorkloadSpec, target: TargetSpec, engine: EngineSpec, server: ServerSpec) -> Self {
        // What is asked beside prompts is asked of the first.
        let url = target.urls.first().unwrap_or(&target.url).clone();
        Self {
            workload,
            target: TargetSpec { url, ..target },
            engine,
            server,
            secrets: BTreeMap::new(),
            keeps_texts: false,
            hashes_answers: false,
        }
    }

    /// Marks values that hold something from the environment, by their paths.
    pub(super) fn with_secrets(self, mut secrets: BTreeMap<Vec<String>, EnvironmentSecret>) -> Self {
        let path = |path: &[&str]| path.iter().map(|key| (*key).to_owned()).collect::<Vec<String>>();
        if !self.target.urls.is_empty() {
            secrets.remove(&path(&["target", "url"]));
            let first = secrets.get(&path(&["target", "urls", "0"])).cloned();
            secrets.extend(first.map(|secret| (path(&["target", "url"]), secret)));
        }
        Self { secrets, ..self }
    }

    /// From now on what is said in this cell is kept.
    pub fn keep_texts(&mut self) {
        self.keeps_texts = true;
    }

    /// Whether rows keep hashes of what is said in this cell.
    pub(super) fn with_answer_hashes(self, hashes_answers: bool) -> Self {
        Self { hashes_answers, ..self }
    }

    #[must_use]
    pub fn hashes_answers(&self) -> bool {
        self.hashes_answers
    }

    #[must_use]
    pub fn keeps_texts(&self) -> bool {
        self.keeps_texts
    }

    /// What takes the environment's values out of messages that are shown or saved with this cell.
    #[must_use]
    pub fn mask(&self) -> EnvironmentRedactor {
        EnvironmentRedactor::of(self.secrets.values())
    }

    /// The resolved form without secrets, as it is saved.
    #[must_use]
    pub fn resolved(&self) -> Value {
        serde_json::to_value(self).unwrap_or(Value::Null)
    }
}

impl Serialize for CellSpec {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Sections<'a> {
            workload: &'a WorkloadSpec,
            target: &'a TargetSpec,
            engine: &'a EngineSpec,
            server: &'a ServerSpec,
        }
        let sections = Sections { workload: &self.workload, target: &self.target, engine: &self.engine, server: &self.server };
        if self.secrets.is_empty() {
            return sections.serialize(serializer);
        }
        let mut value = serde_json::to_value(&sections).map_err(serde::ser::Error::custom)?;
        for (path, secret) in &self.secrets {
            let pointer: String = path.iter().flat_map(|key| ["/".to_owned(), key.replace('~', "~0").replace('/', "~1")]).collect();
            match value.pointer_mut(&pointer) {
                Some(found) => *found = Value::String(secret.written.clone()),
                // A secret that cannot be found in the resolved form could not be hidden in it either.
                None => {
                    return Err(serde::ser::Error::custom(format!("`{}` holds a secret and is not where it should be", path.join("."))));
                }
            }
        }
        value.serialize(serializer)
    }
}

/// Shows the resolved form without secrets, so that not even a debugging line gives one away.
impl fmt::Debug for CellSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Cell({})", self.resolved())
    }
}
