//! Conversations in the public ShareGPT layout: `[{"id": .., "conversations": [{"from": "human", "value": ".."}, ..]}, ..]`.
//!
//! In goes a file of any size, read as a stream; out come the first rounds of the conversations that have enough of them. Only these
//! texts are held in memory: at most `rounds` questions and answers of each. It must not know users.

use std::fmt;
use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error, SeqAccess, Visitor};

use super::WorkloadError;
use crate::foundation::named_file::NamedFile;

/// The conversations of a file that have enough rounds.
#[derive(Debug)]
pub struct SharegptDataset {
    pub file: PathBuf,
    pub list: Vec<SharegptConversation>,
}

/// The first rounds of a conversation.
#[derive(Debug, PartialEq, Eq)]
pub struct SharegptConversation {
    /// Its place in the file, from 0.
    pub place: usize,
    pub rounds: Vec<ConversationRound>,
}

/// A question and the answer that it had.
#[derive(Debug, PartialEq, Eq)]
pub struct ConversationRound {
    pub question: String,
    pub answer: String,
}

impl SharegptDataset {
    /// Reads the conversations that begin with the user (a system message before it is passed over), alternate, and go on so for at
    /// least `rounds` questions with answers; each is cut off there.
    pub fn read(file: &Path, rounds: u32) -> Result<Self, WorkloadError> {
        let list = parse(BufReader::with_capacity(1 << 20, NamedFile::Conversations.open(file).map_err(std::io::Error::from)?), rounds);
        let list = list.map_err(|error| WorkloadError::ShareGpt { file: file.to_owned(), reason: error.to_string() })?;
        Ok(Self { file: file.to_owned(), list })
    }
}

fn parse(reader: impl Read, rounds: u32) -> serde_json::Result<Vec<SharegptConversation>> {
    let mut deserializer = serde_json::Deserializer::from_reader(reader);
    let list = ConversationFilter { rounds }.deserialize(&mut deserializer)?;
    deserializer.end()?;
    Ok(list)
}

/// Takes one conversation after the other and keeps those with enough rounds.
struct ConversationFilter {
    rounds: u32,
}

impl<'de> DeserializeSeed<'de> for ConversationFilter {
    type Value = Vec<SharegptConversation>;
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for ConversationFilter {
    type Value = Vec<SharegptConversation>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of conversations")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        let mut kept = Vec::new();
        for place in 0.. {
            let written = list.next_element().map_err(|error| A::Error::custom(format_args!("conversation {place}: {error}")))?;
            let Some(written) = written else { break };
            kept.extend(first_rounds(written, self.rounds).map(|rounds| SharegptConversation { place, rounds }));
        }
        Ok(kept)
    }
}

/// A conversation as it is written; other fields are of no interest.
#[derive(Deserialize)]
struct SharegptEntry {
    conversations: Vec<SharegptMessage>,
}

#[derive(Deserialize)]
struct SharegptMessage {
    from: String,
    value: String,
}

/// The first `rounds` questions and answers; `None` where there are fewer.
fn first_rounds(written: SharegptEntry, rounds: u32) -> Option<Vec<ConversationRound>> {
    let mut messages = written.conversations.into_iter().peekable();
    messages.next_if(|first| first.from == "system");
    (0..rounds)
        .map(|_| {
            let question = messages.next().filter(|message| matches!(message.from.as_str(), "human" | "user"))?;
            let answer =
                messages.next().filter(|message| matches!(message.from.as_str(), "gpt" | "assistant" | "chatgpt" | "bing" | "bard"))?;
            let both_say_something = [&question, &answer].iter().all(|message| !message.value.trim().is_empty());
            both_say_something.then_some(ConversationRound { question: question.value, answer: answer.value })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = r#"[
        {"id": "a_0", "conversations": [
            {"from": "human", "value": "Hello"}, {"from": "gpt", "value": "Hi."},
            {"from": "user", "value": "How are you?"}, {"from": "assistant", "value": "Well."}]},
        {"id": "b", "conversations": []},
        {"id": "c", "conversations": [{"from": "gpt", "value": "I begin."}, {"from": "human", "value": "No."}]},
        {"id": 4, "conversations": [
            {"from": "system", "value": "Be brief."}, {"from": "human", "value": "One", "weight": 1}, {"from": "gpt", "value": "Two"},
            {"from": "gpt", "value": "Three"}]},
        {"id": "e", "conversations": [{"from": "human", "value": "Say nothing"}, {"from": "gpt", "value": " "}]},
        {"conversations": [{"from": "human", "value": "Search"}, {"from": "tool", "value": "found"}]}
    ]"#;

    fn places(rounds: u32) -> Vec<usize> {
        parse(FILE.as_bytes(), rounds).unwrap().iter().map(|conversation| conversation.place).collect()
    }

    #[test]
    fn conversations_count_that_begin_with_the_user_and_alternate_long_enough() {
        assert_eq!(places(1), [0, 3]);
        assert_eq!(places(2), [0]);
        assert_eq!(places(3), Vec::<usize>::new());
        let list = parse(FILE.as_bytes(), 1).unwrap();
        assert_eq!(list[1].rounds, [ConversationRound { question: "One".into(), answer: "Two".into() }]);
        assert_eq!(parse("[]".as_bytes(), 1).unwrap(), []);
    }

    #[test]
    fn a_file_in_another_layout_is_refused_with_its_name_and_the_place() {
        let message = |text: &str| {
            let file = tempfile::NamedTempFile::new().unwrap();
            fs_err::write(file.path(), text).unwrap();
            let message = SharegptDataset::read(file.path(), 1).unwrap_err().to_string();
            assert!(message.contains(&file.path().display().to_string()), "{message}");
            message
        };
        assert!(message("").contains("EOF"));
        assert!(message("{}").contains("expected a list of conversations"));
        assert!(message(r#"[{"conversations": []}, {"id": "a"}]"#).contains("conversation 1: missing field `conversations`"));
        assert!(message(r#"[{"conversations": [{"from": "human"}]}]"#).contains("conversation 0: missing field `value`"));
        assert!(message(r#"[{"conversations": []"#).contains("conversation 0: EOF"));
        assert!(message("[] []").contains("trailing characters"));
    }
}
