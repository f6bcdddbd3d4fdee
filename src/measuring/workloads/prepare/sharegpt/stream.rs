//! A file of conversations, record by record: each is handed on as it is read and then let go.
//!
//! In goes a reader; out come conversations with their number, or the record and byte at which the file stops being one. A single
//! conversation is bounded too, so that no file can fill the memory.

use std::cell::Cell;
use std::fmt;
use std::io::{self, Read};

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error, SeqAccess, Visitor};

use crate::workloads::prepare::PrepareError;

/// The most bytes of one conversation: the longest public ones have a few hundred thousand.
const MOST_BYTES: u64 = 16 * 1024 * 1024;

/// A conversation as it is written; other fields are of no interest.
#[derive(Debug, Deserialize)]
pub struct StreamedConversation {
    #[serde(default)]
    pub id: serde_json::Value,
    pub conversations: Vec<StreamedMessage>,
}

#[derive(Debug, Deserialize)]
pub struct StreamedMessage {
    pub from: String,
    pub value: String,
}

/// Whether more is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StreamControl {
    GoOn,
    Stop,
}

/// Why reading ended before the end of the file.
#[derive(Debug)]
pub enum SharegptStreamError {
    /// What was done with a conversation failed.
    Use(PrepareError),
    /// Conversation `record`, counted from 0, cannot be read.
    Conversation { record: u64, byte: u64, reason: String },
    /// The file is no list of conversations.
    Layout { byte: u64, reason: String },
}

/// Hands every conversation on, with its number and how many bytes have been read; returns how many there were.
pub fn each(
    reader: impl Read,
    take: impl FnMut(u64, u64, StreamedConversation) -> Result<StreamControl, PrepareError>,
) -> Result<u64, SharegptStreamError> {
    each_of_at_most(MOST_BYTES, reader, take)
}

fn each_of_at_most(
    most: u64,
    reader: impl Read,
    mut take: impl FnMut(u64, u64, StreamedConversation) -> Result<StreamControl, PrepareError>,
) -> Result<u64, SharegptStreamError> {
    let place = StreamPosition { most, at: Cell::new(0), end: Cell::new(most) };
    let mut deserializer = serde_json::Deserializer::from_reader(CountingReader { reader, place: &place });
    let mut list = ConversationListVisitor { place: &place, take: &mut take, read: 0, ended: None };
    let parsed = (&mut list).deserialize(&mut deserializer);
    let (read, byte) = (list.read, place.at.get());
    match (list.ended, parsed) {
        (Some(StreamEndReason::Stopped), _) => Ok(read),
        (Some(StreamEndReason::Used(error)), _) => Err(SharegptStreamError::Use(error)),
        (Some(StreamEndReason::Broken), Err(error)) => {
            Err(SharegptStreamError::Conversation { record: read, byte, reason: reason(&error) })
        }
        (_, Err(error)) => Err(SharegptStreamError::Layout { byte, reason: reason(&error) }),
        (_, Ok(())) => {
            place.end.set(u64::MAX);
            deserializer.end().map_err(|error| SharegptStreamError::Layout { byte: place.at.get(), reason: reason(&error) })?;
            Ok(read)
        }
    }
}

fn reason(error: &serde_json::Error) -> String {
    if error.is_eof() { format!("the file ends here, in the middle; it was cut off ({error})") } else { error.to_string() }
}

/// Where the reading is, and where the conversation must have ended.
struct StreamPosition {
    /// The most bytes of a conversation.
    most: u64,
    at: Cell<u64>,
    end: Cell<u64>,
}

/// Counts what goes through. Behind a buffer: the parser takes byte after byte, so the count is exact.
struct CountingReader<'p, R> {
    reader: R,
    place: &'p StreamPosition,
}

impl<R: Read> Read for CountingReader<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let at = self.place.at.get();
        let room = self.place.end.get().saturating_sub(at);
        if room == 0 {
            return Err(io::Error::other(format!("it has more than {} bytes", self.place.most)));
        }
        let most = buffer.len().min(usize::try_from(room).unwrap_or(usize::MAX));
        let read = self.reader.read(&mut buffer[..most])?;
        self.place.at.set(at + read as u64);
        Ok(read)
    }
}

struct ConversationListVisitor<'l, F> {
    place: &'l StreamPosition,
    take: &'l mut F,
    read: u64,
    ended: Option<StreamEndReason>,
}

/// Why the list was left before its end. The parser only carries its own errors, so this is kept beside them.
enum StreamEndReason {
    Stopped,
    Used(PrepareError),
    Broken,
}

impl<'de, F: FnMut(u64, u64, StreamedConversation) -> Result<StreamControl, PrepareError>> DeserializeSeed<'de>
    for &mut ConversationListVisitor<'_, F>
{
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de, F: FnMut(u64, u64, StreamedConversation) -> Result<StreamControl, PrepareError>> Visitor<'de>
    for &mut ConversationListVisitor<'_, F>
{
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of conversations")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        loop {
            self.place.end.set(self.place.at.get().saturating_add(self.place.most));
            self.ended = Some(StreamEndReason::Broken);
            let Some(written) = list.next_element()? else { break };
            self.ended = None;
            let number = self.read;
            self.read += 1;
            self.ended = match (self.take)(number, self.place.at.get(), written) {
                Ok(StreamControl::GoOn) => continue,
                Ok(StreamControl::Stop) => Some(StreamEndReason::Stopped),
                Err(error) => Some(StreamEndReason::Used(error)),
            };
            return Err(A::Error::custom("no more is wanted"));
        }
        self.ended = None;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A file of so many conversations that is never anywhere as a whole; says how far it has been read.
    struct Endless<'c> {
        left: u64,
        record: &'static [u8],
        at: usize,
        given: &'c Cell<u64>,
    }

    impl Read for Endless<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            if self.left == 0 {
                return Ok(0);
            }
            let piece = &self.record[self.at..];
            let length = piece.len().min(buffer.len());
            buffer[..length].copy_from_slice(&piece[..length]);
            self.at = (self.at + length) % self.record.len();
            self.left -= u64::from(self.at == 0);
            self.given.set(self.given.get() + length as u64);
            Ok(length)
        }
    }

    #[test]
    fn conversations_are_handed_on_while_the_file_is_still_being_read() {
        const BUFFER: usize = 4096;
        let record: &[u8] = br#"{"id": "x", "conversations": [{"from": "human", "value": "Hello"}, {"from": "gpt", "value": "Hi."}]},"#;
        let given = Cell::new(1);
        let reader = io::BufReader::with_capacity(BUFFER, (&b"["[..]).chain(Endless { left: 20_000, record, at: 0, given: &given }));
        let mut most_ahead = 0;
        let ended = each(reader.chain(&b"{\"conversations\": []}]"[..]), |number, at, _| {
            // What has been taken from the file and not handed on yet: never more than the buffer and the record at hand.
            most_ahead = most_ahead.max(given.get().saturating_sub(at));
            assert!(at >= (number + 1).min(20_000) * (record.len() as u64 - 1));
            Ok(StreamControl::GoOn)
        });
        assert_eq!(ended.unwrap(), 20_001);
        assert!(given.get() > 2_000_000);
        assert!(most_ahead <= (BUFFER + record.len()) as u64, "{most_ahead} bytes ahead");
    }

    #[test]
    fn one_conversation_without_end_is_refused_before_it_fills_the_memory() {
        let given = Cell::new(0);
        let endless = Endless { left: u64::MAX, record: &[b'a'; 4096], at: 0, given: &given };
        let reader = io::BufReader::with_capacity(1 << 16, (&br#"[{"id": ""#[..]).chain(endless));
        let ended = each_of_at_most(100_000, reader, |_, _, _| Ok(StreamControl::GoOn));
        let Err(SharegptStreamError::Conversation { record: 0, byte, reason }) = ended else { panic!("{ended:?}") };
        assert!((100_000..100_010).contains(&byte) && reason.contains("more than 100000 bytes"), "{byte}: {reason}");
    }

    #[test]
    fn a_file_that_breaks_off_or_is_another_is_told_with_record_and_byte() {
        let told = |text: &str| match each(text.as_bytes(), |_, _, _| Ok(StreamControl::GoOn)) {
            Ok(read) => format!("{read} read"),
            Err(SharegptStreamError::Conversation { record, byte, reason }) => format!("record {record} byte {byte}: {reason}"),
            Err(SharegptStreamError::Layout { byte, reason }) => format!("byte {byte}: {reason}"),
            Err(SharegptStreamError::Use(error)) => error.to_string(),
        };
        assert_eq!(told("[]"), "0 read");
        let cut = told(r#"[{"conversations": []}, {"conversations": [{"from": "human""#);
        assert!(cut.starts_with("record 1 byte 59: the file ends here, in the middle; it was cut off"), "{cut}");
        let comma = told(r#"[{"conversations": []},"#);
        assert!(comma.starts_with("record 1 byte 23: the file ends here"), "{comma}");
        let open = told(r#"[{"conversations": []}"#);
        assert!(open.starts_with("record 1 byte 22: the file ends here"), "{open}");
        let missing = told(r#"[{"id": 1}]"#);
        assert!(missing.starts_with("record 0 byte 11: missing field `conversations`"), "{missing}");
        assert!(told("{}").contains("expected a list of conversations"));
        assert!(told("").contains("the file ends here"));
        assert!(told("[] x").starts_with("byte 4: trailing characters"), "{}", told("[] x"));
    }

    #[test]
    fn whoever_has_enough_stops_without_reading_on() {
        let text = r#"[{"conversations": []}, {"conversations": []}, and no JSON any more"#;
        assert_eq!(
            each(text.as_bytes(), |number, _, _| Ok(if number == 1 { StreamControl::Stop } else { StreamControl::GoOn })).unwrap(),
            2
        );
    }
}
