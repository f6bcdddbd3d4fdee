//! Goals and measures in saved files: as the one text that reads back to the same. What another version wrote and this one does not read
//! (a metric that is newer, a limit without a unit, which older ones took) stays a text, so that the rest of a file is read.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::{Goal, GoalError, Measure};
use crate::foundation::sentence::sentence;

impl Serialize for Goal {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Goal {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(|fault| de::Error::custom(format!("`{text}` is no goal: {fault}")))
    }
}

impl Serialize for Measure {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Measure {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(|fault| de::Error::custom(format!("`{text}` is no measure: {fault}")))
    }
}

/// A goal in a file.
#[derive(Debug, Clone, PartialEq)]
pub enum SavedGoal {
    Read(Goal),
    /// One that this version does not read.
    Unread(String),
}

/// A saved goal is none that this version reads.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{}` is no goal: {}", sentence(goal), sentence(reason))]
pub struct UnreadGoalError {
    pub goal: String,
    pub reason: String,
}

impl SavedGoal {
    #[must_use]
    pub fn goal(&self) -> Option<&Goal> {
        match self {
            Self::Read(goal) => Some(goal),
            Self::Unread(_) => None,
        }
    }

    /// The goals of a file.
    ///
    /// # Errors
    /// Where one of them is none that this version reads.
    pub fn all(saved: &[Self]) -> Result<Vec<Goal>, UnreadGoalError> {
        let read = |saved: &Self| match saved {
            Self::Read(goal) => Ok(goal.clone()),
            Self::Unread(text) => {
                text.parse().map_err(|fault: GoalError| UnreadGoalError { goal: text.clone(), reason: fault.to_string() })
            }
        };
        saved.iter().map(read).collect()
    }
}

impl From<Goal> for SavedGoal {
    fn from(goal: Goal) -> Self {
        Self::Read(goal)
    }
}

impl fmt::Display for SavedGoal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Read(goal) => goal.fmt(f),
            Self::Unread(text) => f.write_str(text),
        }
    }
}

impl Serialize for SavedGoal {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for SavedGoal {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Ok(text.parse().map_or_else(|_| Self::Unread(text), Self::Read))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_goal_that_this_version_does_not_read_stays_a_text_and_is_named_where_it_is_asked_for() {
        let written = r#"["p95(ttft) <= 2","p95(ttft) <= 2s"]"#;
        let saved: Vec<SavedGoal> = serde_json::from_str(written).unwrap();
        assert_eq!((saved[0].goal(), saved[1].goal().map(ToString::to_string).as_deref()), (None, Some("p95(ttft) <= 2s")));
        assert_eq!(serde_json::to_string(&saved).unwrap(), written);
        assert_eq!(SavedGoal::all(&saved).unwrap_err().goal, "p95(ttft) <= 2");
        assert_eq!(SavedGoal::all(&saved[1..]).unwrap().len(), 1);
    }
}
