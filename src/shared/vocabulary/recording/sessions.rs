//! Recorded sessions: when each begins, which turns it has, what each of them waits for, and what it asks.
//!
//! In goes a file, read row by row; kept are 64 bytes a turn and 24 a session. Texts and hash ids stay in the file, and are read again when a session is
//! made. A row that does not fit is a fault with file, line, value and what is allowed. It must not know clocks, nor who sends the turns.

use std::collections::HashMap;
use std::io::{BufReader, Read};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::conversation_row::exchanges;
use super::error::{RecordingError, RowError};
use super::row_scanner::{RowForm, RowPlace, RowScanner, ScannedRow};
use super::session_row::{ChatIds, SessionLayout, TurnRow};
use super::stored_row::{LONGEST_ROW, StoredRow};
use super::time_unit_check::TimeSpread;
use super::trace_layout::TraceLayout;
use super::trace_reader::{check_blocks, length};
use crate::foundation::named_file::NamedFile;
use crate::foundation::units::TimeUnit;
use crate::vocabulary::session::ChatMessage;

/// How far sessions are read, and what their layout does not say.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SessionReadOptions {
    /// What times and delays are in; where nobody told, what the layout says.
    pub unit: Option<TimeUnit>,
    /// Tokens that a hash id stands for; where nobody told, those of the layout.
    pub block_tokens: Option<u64>,
    /// No more sessions than this.
    pub sessions: u64,
    /// No more turns than this: of more, it is a fault.
    pub turns: u64,
}

/// The sessions of a file, in the order in which they begin.
#[derive(Debug)]
pub struct SessionRecording {
    file: PathBuf,
    layout: SessionLayout,
    block_tokens: u64,
    has_times: bool,
    sessions: Vec<StoredSession>,
    turns: Vec<StoredTurn>,
}

#[derive(Debug, Clone)]
struct StoredSession {
    start_ms: f64,
    turns: Range<u32>,
}

/// 64 bytes at most.
#[derive(Debug, Clone)]
struct StoredTurn {
    turn: RecordedTurn,
    /// Which of a conversation's turns it is.
    exchange: u32,
    blocks: u32,
    row: StoredRow,
}

/// When a turn is due, what it waits for, and how long it is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RecordedTurn {
    pub due: TurnTrigger,
    /// The turn of the same session whose answer it waits for; `None` of the first.
    pub parent: Option<u32>,
    /// Tokens of what it asks, where the file tells a length and no text.
    pub input_tokens: Option<u32>,
    /// Tokens of its answer, where the file tells.
    pub output_tokens: Option<u32>,
}

/// When a turn is due.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum TurnTrigger {
    /// So many milliseconds after the beginning of its session, and not before the answer that it waits for is over.
    At(f64),
    /// So many milliseconds after the answer that it waits for is over.
    After(f64),
}

/// What a turn asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RecordedAsk {
    /// A text behind what was said before; and the answer that was recorded, where one was.
    Text { opening: Vec<ChatMessage>, ask: Arc<str>, answer: Option<Arc<str>> },
    /// So many tokens behind what was said before.
    Tokens(u64),
    /// A whole prompt of so many tokens, whatever was said before: a hash id for each block.
    Blocks { hash_ids: Vec<u64>, tokens: u64 },
}

const WANTED: &str = "name a file with a conversation or a turn in each row";

impl SessionRecording {
    /// Reads a file up to the cut.
    pub fn read(file: &Path, cut: SessionReadOptions) -> Result<Self, RecordingError> {
        let reader = NamedFile::Conversations.open(file).map_err(std::io::Error::from)?;
        let read = SessionReader::new(cut).read(reader).map_err(|error| error.of(file))?;
        let recording = read.filter(|recording| !recording.sessions.is_empty());
        let recording = recording.ok_or_else(|| RecordingError::Empty { file: file.to_owned(), wanted: WANTED })?;
        Ok(Self { file: file.to_owned(), ..recording })
    }

    /// How many sessions there are.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.sessions.len() as u64
    }

    /// Whether the file tells when sessions begin.
    #[must_use]
    pub fn has_times(&self) -> bool {
        self.has_times
    }

    /// Whether each prompt stands by itself in the file, so that no answer is part of a later prompt.
    #[must_use]
    pub fn has_whole_prompts(&self) -> bool {
        match self.layout {
            SessionLayout::Chats | SessionLayout::Requests(_) => true,
            SessionLayout::Turns => self.turns.first().is_some_and(|first| first.blocks > 0),
            SessionLayout::Conversations => false,
        }
    }

    /// How many tokens a hash id stands for.
    #[must_use]
    pub fn block_tokens(&self) -> u64 {
        self.block_tokens
    }

    /// When a session begins, in milliseconds after the first one; 0 where the file tells no times.
    #[must_use]
    pub fn start_ms(&self, session: u64) -> Option<f64> {
        self.session(session).map(|session| session.start_ms)
    }

    /// The turns of a session; none of one that there is not.
    pub fn turns(&self, session: u64) -> impl ExactSizeIterator<Item = &RecordedTurn> {
        self.stored(session).iter().map(|stored| &stored.turn)
    }

    /// What a turn of a session asks, read again from the file.
    pub fn ask(&self, session: u64, turn: u32) -> Result<RecordedAsk, RecordingError> {
        let changed = || RecordingError::Changed { file: self.file.clone() };
        let stored = self.stored(session).get(turn as usize).ok_or_else(changed)?;
        let tokens = stored.turn.input_tokens.map(u64::from);
        if let Some(tokens) = tokens.filter(|_| stored.blocks == 0) {
            return Ok(RecordedAsk::Tokens(tokens));
        }
        let bytes = stored.row.read(NamedFile::Conversations, &self.file)?;
        let ask = match &self.layout {
            SessionLayout::Conversations => exchanges(&bytes).ok().and_then(|mut exchanges| {
                let place = stored.exchange as usize;
                let exchange = (place < exchanges.len()).then(|| exchanges.swap_remove(place))?;
                Some(RecordedAsk::Text { opening: exchange.opening, ask: exchange.ask, answer: exchange.answer })
            }),
            SessionLayout::Turns => TurnRow::of(&bytes).ok().and_then(|row| match (row.text, tokens) {
                (Some(text), None) => Some(RecordedAsk::Text { opening: Vec::new(), ask: text.into(), answer: None }),
                (_, Some(tokens)) => Some(RecordedAsk::Blocks { hash_ids: row.hash_ids, tokens }),
                (None, None) => None,
            }),
            SessionLayout::Chats => of_blocks(&TraceLayout::ChatBlocks, &bytes, tokens),
            SessionLayout::Requests(layout) => of_blocks(layout, &bytes, tokens),
        };
        ask.filter(|ask| !matches!(ask, RecordedAsk::Blocks { hash_ids, .. } if hash_ids.len() != stored.blocks as usize))
            .ok_or_else(changed)
    }

    fn session(&self, session: u64) -> Option<&StoredSession> {
        self.sessions.get(usize::try_from(session).ok()?)
    }

    fn stored(&self, session: u64) -> &[StoredTurn] {
        let turns = self.session(session).and_then(|session| {
            let Range { start, end } = session.turns;
            self.turns.get(start as usize..end as usize)
        });
        turns.unwrap_or_default()
    }
}

fn of_blocks(layout: &TraceLayout, bytes: &[u8], tokens: Option<u64>) -> Option<RecordedAsk> {
    let row = layout.row(bytes).ok()?;
    Some(RecordedAsk::Blocks { hash_ids: row.hash_ids, tokens: tokens? })
}

/// Reads a file row by row.
struct SessionReader {
    cut: SessionReadOptions,
    times: TimeSpread,
    scale: f64,
    block_tokens: u64,
    /// Turns in the order of the file, each with its session and its time.
    rows: Vec<(u32, StoredTurn)>,
    /// Of each session when it begins, and how many turns it has.
    sessions: Vec<(f64, u32)>,
    /// Sessions by name, and of chats by turn: its session and its number there.
    known: HashMap<SessionName, (u32, u32)>,
}

/// How a session is known while its file is read: in 16 bytes, whatever its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct SessionName([u8; 16]);

impl SessionName {
    fn of(name: &[u8]) -> Self {
        let mut short = [0; 16];
        blake3::Hasher::new().update(name).finalize_xof().fill(&mut short);
        Self(short)
    }
}

impl SessionReader {
    fn new(cut: SessionReadOptions) -> Self {
        Self {
            cut,
            times: TimeSpread::default(),
            scale: 1.0,
            block_tokens: 1,
            rows: Vec::new(),
            sessions: Vec::new(),
            known: HashMap::new(),
        }
    }

    fn read(mut self, reader: impl Read) -> Result<Option<SessionRecording>, RowError> {
        let mut scanner = RowScanner::new(BufReader::with_capacity(1 << 16, reader), RowForm::Json, LONGEST_ROW);
        let mut known: Option<SessionLayout> = None;
        while let Some(row) = scanner.next_row()? {
            let fault = |reason| RowError::at(row.place, reason);
            let layout = if let Some(layout) = &known {
                layout
            } else {
                let layout = SessionLayout::of(row.bytes).map_err(fault)?;
                self.begin(&layout).map_err(fault)?;
                let has_header = matches!(&layout, SessionLayout::Requests(layout) if layout.has_header());
                let layout = known.insert(layout);
                if has_header {
                    continue;
                }
                layout
            };
            self.take(layout, row).map_err(fault)?;
            if self.rows.len() as u64 > self.cut.turns {
                return Err(fault(format!("these are more than the {} turns of one run: name a part of the file", self.cut.turns)));
            }
        }
        let Some(layout) = known else { return Ok(None) };
        if self.cut.unit.is_none()
            && let Some(doubt) = default_unit(&layout).and_then(|assumed| self.times.doubt(assumed, "time_unit"))
        {
            return Err(RowError::Unit(doubt));
        }
        Ok(Some(self.recording(layout)))
    }

    fn begin(&mut self, layout: &SessionLayout) -> Result<(), String> {
        let unit = default_unit(layout);
        if let Some(told) = self.cut.unit.filter(|_| unit.is_none()) {
            return Err(format!("this layout has no times in a unit: leave `time_unit = \"{}\"` out", told.name()));
        }
        self.scale = self.cut.unit.or(unit).unwrap_or(TimeUnit::Ms).milliseconds();
        let blocks = match layout {
            SessionLayout::Chats => TraceLayout::ChatBlocks.block_tokens(),
            SessionLayout::Conversations | SessionLayout::Turns | SessionLayout::Requests(_) => TraceLayout::Mooncake.block_tokens(),
        };
        self.block_tokens = self.cut.block_tokens.unwrap_or(blocks).max(1);
        Ok(())
    }

    fn take(&mut self, layout: &SessionLayout, ScannedRow { bytes, place }: ScannedRow<'_>) -> Result<(), String> {
        match layout {
            SessionLayout::Conversations => self.conversation(bytes, place),
            SessionLayout::Turns => self.turn(&TurnRow::of(bytes)?, place),
            SessionLayout::Chats => {
                let row = TraceLayout::ChatBlocks.row(bytes)?;
                let ids = ChatIds::of(bytes)?;
                let name = SessionName::of(&ids.chat_id.to_le_bytes());
                if self.known.contains_key(&name) {
                    return Err(format!("`chat_id` is {}, and a row before has the same: each turn has one of its own", ids.chat_id));
                }
                let parent = if ids.parent_chat_id < 0 {
                    None
                } else {
                    let parent = self.known.get(&SessionName::of(&ids.parent_chat_id.to_le_bytes())).copied();
                    Some(parent.ok_or_else(|| {
                        format!(
                            "`parent_chat_id` is {}, and no row before has this `chat_id`: a turn stands behind the one that it waits for",
                            ids.parent_chat_id
                        )
                    })?)
                };
                self.request(&row, parent, Some(name), place)
            }
            SessionLayout::Requests(layout) => self.request(&layout.row(bytes)?, None, None, place),
        }
    }

    /// Whether another session is kept.
    fn has_room(&self) -> bool {
        (self.sessions.len() as u64) < self.cut.sessions
    }

    fn conversation(&mut self, bytes: &[u8], place: RowPlace) -> Result<(), String> {
        let exchanges = exchanges(bytes)?;
        let count = u32::try_from(exchanges.len()).map_err(|_| "the conversation has too many turns".to_owned())?;
        if !self.has_room() {
            return Ok(());
        }
        let session = u32::try_from(self.sessions.len()).unwrap_or(u32::MAX);
        self.sessions.push((0.0, count));
        for (number, exchange) in (0..count).zip(exchanges) {
            let turn = RecordedTurn {
                due: if number == 0 { TurnTrigger::At(0.0) } else { TurnTrigger::After(0.0) },
                parent: number.checked_sub(1),
                input_tokens: None,
                output_tokens: exchange.output_tokens,
            };
            self.rows.push((session, StoredTurn { turn, exchange: number, blocks: 0, row: StoredRow::of(place) }));
        }
        Ok(())
    }

    fn turn(&mut self, row: &TurnRow, place: RowPlace) -> Result<(), String> {
        let input_tokens = row.input_length.map(|found| length("input_length", found)).transpose()?;
        let output_tokens = row.output_length.map(|found| length("output_length", found)).transpose()?;
        if let Some(tokens) = row.input_length {
            check_blocks(row.hash_ids.len(), tokens, self.block_tokens)?;
        }
        if self.rows.first().is_some_and(|(_, first)| (first.blocks > 0) == row.hash_ids.is_empty()) {
            return Err("either all turns of a file have `hash_ids`, which stand for whole prompts, or none has".to_owned());
        }
        let timestamp = row.timestamp.map(|found| time("timestamp", found)).transpose()?;
        let delay = row.delay.map(|found| time("delay", found)).transpose()?;
        let name = SessionName::of(row.session.as_bytes());
        let (session, number) = match self.known.get(&name).copied() {
            Some((session, last)) => (session, last + 1),
            None if !self.has_room() => return Ok(()),
            None => {
                if delay.is_some_and(|delay| delay > 0.0) && timestamp.is_none() {
                    return Err(
                        "the first turn of a session waits for no answer: write a `timestamp` instead of `delay`, or neither".to_owned()
                    );
                }
                let session = u32::try_from(self.sessions.len()).map_err(|_| "there are too many sessions".to_owned())?;
                self.sessions.push((timestamp.unwrap_or(0.0), 0));
                (session, 0)
            }
        };
        self.known.insert(name, (session, number));
        let Some((start, count)) = self.sessions.get_mut(session as usize) else { return Ok(()) };
        *count = number + 1;
        let due = match (timestamp, delay) {
            _ if number == 0 => TurnTrigger::At(0.0),
            (Some(_), Some(_)) => return Err("a turn has `timestamp` or `delay`, not both".to_owned()),
            (Some(at), None) if at < *start => {
                return Err(format!("`timestamp` is {at}, before the {start} at which its session begins"));
            }
            (Some(at), None) => TurnTrigger::At((at - *start) * self.scale),
            (None, delay) => TurnTrigger::After(delay.unwrap_or(0.0) * self.scale),
        };
        if let Some(at) = timestamp {
            self.times.add(at);
        }
        let turn = RecordedTurn { due, parent: number.checked_sub(1), input_tokens, output_tokens };
        let blocks = u32::try_from(row.hash_ids.len()).unwrap_or(u32::MAX);
        self.rows.push((session, StoredTurn { turn, exchange: 0, blocks, row: StoredRow::of(place) }));
        Ok(())
    }

    /// A request of a trace, which belongs to the session of the turn that it waits for, or begins one.
    fn request(
        &mut self,
        row: &super::trace_layout::TraceRow,
        parent: Option<(u32, u32)>,
        name: Option<SessionName>,
        place: RowPlace,
    ) -> Result<(), String> {
        let [time_name, input_name, output_name] = row.names;
        let at = time(time_name, row.time)?;
        if self.times.rows > 0 && at < self.times.last {
            return Err(format!("`{time_name}` is {at}, before the {} of the request before it: sort the file by time", self.times.last));
        }
        let (input_tokens, output_tokens) = (length(input_name, row.input_length)?, length(output_name, row.output_length)?);
        check_blocks(row.hash_ids.len(), row.input_length, self.block_tokens)?;
        let (session, number, due) = if let Some((session, _)) = parent {
            let Some((start, count)) = self.sessions.get_mut(session as usize) else { return Ok(()) };
            *count += 1;
            (session, *count - 1, TurnTrigger::At((at - *start) * self.scale))
        } else {
            if !self.has_room() {
                return Ok(());
            }
            let session = u32::try_from(self.sessions.len()).map_err(|_| "there are too many sessions".to_owned())?;
            self.sessions.push((at, 1));
            (session, 0, TurnTrigger::At(0.0))
        };
        self.times.add(at);
        if let Some(name) = name {
            self.known.insert(name, (session, number));
        }
        let turn = RecordedTurn {
            due,
            parent: parent.map(|(_, turn)| turn),
            input_tokens: Some(input_tokens),
            output_tokens: Some(output_tokens),
        };
        let blocks = u32::try_from(row.hash_ids.len()).unwrap_or(u32::MAX);
        self.rows.push((session, StoredTurn { turn, exchange: 0, blocks, row: StoredRow::of(place) }));
        Ok(())
    }

    /// Sessions by when they begin, each with its turns in a row.
    fn recording(mut self, layout: SessionLayout) -> SessionRecording {
        self.known = HashMap::new();
        let first = self.sessions.iter().map(|(start, _)| *start).fold(f64::INFINITY, f64::min);
        let mut order: Vec<u32> = (0..u32::try_from(self.sessions.len()).unwrap_or(u32::MAX)).collect();
        let start = |session: u32| self.sessions.get(session as usize).map_or(0.0, |(start, _)| *start);
        order.sort_by(|a, b| start(*a).total_cmp(&start(*b)));
        let mut place = vec![0_u32; order.len()];
        for (position, session) in (0..).zip(&order) {
            place[*session as usize] = position;
        }
        // Stable: the turns of a session stay in the order of the file.
        self.rows.sort_by_key(|(session, _)| place[*session as usize]);
        let mut sessions = Vec::with_capacity(order.len());
        let mut from = 0;
        for session in order {
            let (start, count) = self.sessions[session as usize];
            sessions.push(StoredSession { start_ms: (start - first) * self.scale, turns: from..from + count });
            from += count;
        }
        let turns = self.rows.into_iter().map(|(_, turn)| turn).collect();
        let has_times = self.times.rows > 0;
        SessionRecording { file: PathBuf::new(), layout, block_tokens: self.block_tokens, has_times, sessions, turns }
    }
}

/// What times are in where nobody tells; `None` where there are none, or dates.
fn default_unit(layout: &SessionLayout) -> Option<TimeUnit> {
    match layout {
        SessionLayout::Conversations => None,
        SessionLayout::Turns => Some(TimeUnit::Ms),
        SessionLayout::Chats => TraceLayout::ChatBlocks.time_unit(),
        SessionLayout::Requests(layout) => layout.time_unit(),
    }
}

fn time(name: &str, found: f64) -> Result<f64, String> {
    if found.is_finite() && found >= 0.0 { Ok(found) } else { Err(format!("`{name}` is {found}: it is a number, 0 or more")) }
}

#[cfg(test)]
mod tests;
