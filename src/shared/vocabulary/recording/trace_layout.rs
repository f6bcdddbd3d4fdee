//! The layouts of recorded traces, told by what is in the file: which fields or columns a row has, what its times are in, how many tokens a hash id
//! stands for.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::error::in_words;
use crate::foundation::sentence::sentence;
use crate::foundation::units::TimeUnit;

/// What a file is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum TraceLayout {
    /// As published with Mooncake: `timestamp` in milliseconds, `input_length`, `output_length`, `hash_ids` of 512 tokens each.
    Mooncake,
    /// Turns of chats: the same with `chat_id` and `parent_chat_id`, times in seconds and blocks of 16 tokens.
    ChatBlocks,
    /// The public Azure table: `TIMESTAMP` as a date, `ContextTokens`, `GeneratedTokens`.
    Azure(TableColumns),
    /// The public `BurstGPT` table: `Timestamp` in seconds, `Request tokens`, `Response tokens`.
    BurstGpt(TableColumns),
}

/// Which columns hold what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct TableColumns {
    time: usize,
    input: usize,
    output: usize,
}

/// What a row of a trace says.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct TraceRow {
    /// In the unit of the layout, or in milliseconds of an epoch where the layout has dates.
    pub time: f64,
    pub input_length: u64,
    pub output_length: u64,
    pub hash_ids: Vec<u64>,
    /// The names of the three where they are written.
    pub names: [&'static str; 3],
}

const JSON_NAMES: [&str; 3] = ["timestamp", "input_length", "output_length"];
const AZURE_NAMES: [&str; 3] = ["TIMESTAMP", "ContextTokens", "GeneratedTokens"];
const BURST_NAMES: [&str; 3] = ["Timestamp", "Request tokens", "Response tokens"];
const EXAMPLE: &str = r#"{"timestamp": 0, "input_length": 1000, "output_length": 100, "hash_ids": [0, 1]}"#;

/// The row of a trace in JSON; other fields are of no interest.
#[derive(Deserialize)]
struct JsonTraceRow {
    timestamp: f64,
    input_length: u64,
    output_length: u64,
    #[serde(default)]
    hash_ids: Vec<u64>,
}

/// Fields by which layouts in JSON are told apart.
#[derive(Deserialize)]
struct LayoutFields {
    chat_id: Option<IgnoredAny>,
    parent_chat_id: Option<IgnoredAny>,
    session_id: Option<IgnoredAny>,
    delay: Option<IgnoredAny>,
    messages: Option<IgnoredAny>,
    conversations: Option<IgnoredAny>,
}

impl TraceLayout {
    /// The layout of a file that begins with this row.
    pub fn of(row: &[u8]) -> Result<Self, String> {
        if !row.starts_with(b"{") && !row.starts_with(b"\"") && !row.starts_with(b"[") && row.contains(&b',') {
            return Self::of_table(row);
        }
        // What is no JSON object is told when the row is read as one.
        let Ok(fields) = serde_json::from_slice::<LayoutFields>(row) else { return Ok(Self::Mooncake) };
        if fields.session_id.is_some() || fields.delay.is_some() || fields.messages.is_some() || fields.conversations.is_some() {
            return Err("this is a row of a session, and a trace has single requests: send it by `kind = \"sessions\"`".to_owned());
        }
        Ok(if fields.chat_id.is_some() && fields.parent_chat_id.is_some() { Self::ChatBlocks } else { Self::Mooncake })
    }

    fn of_table(header: &[u8]) -> Result<Self, String> {
        let names = cells(header)?;
        let columns = |wanted: [&str; 3]| {
            let at = |name: &str| names.iter().position(|column| column == name);
            Some(TableColumns { time: at(wanted[0])?, input: at(wanted[1])?, output: at(wanted[2])? })
        };
        let known = columns(AZURE_NAMES).map(Self::Azure).or_else(|| columns(BURST_NAMES).map(Self::BurstGpt));
        known.ok_or_else(|| {
            format!(
                "no known table has the columns `{}`: there are {} (Azure) and {} (BurstGPT)",
                sentence(&names.join(", ")),
                AZURE_NAMES.map(|name| format!("`{name}`")).join(", "),
                BURST_NAMES.map(|name| format!("`{name}`")).join(", ")
            )
        })
    }

    /// Whether its first row names columns.
    pub fn has_header(&self) -> bool {
        matches!(self, Self::Azure(_) | Self::BurstGpt(_))
    }

    /// What its times are in where nobody tells; `None` where they are dates, so that nobody may.
    pub fn time_unit(&self) -> Option<TimeUnit> {
        match self {
            Self::Mooncake => Some(TimeUnit::Ms),
            Self::ChatBlocks | Self::BurstGpt(_) => Some(TimeUnit::S),
            Self::Azure(_) => None,
        }
    }

    /// How many tokens a hash id stands for where nobody tells.
    pub fn block_tokens(&self) -> u64 {
        match self {
            Self::ChatBlocks => 16,
            Self::Mooncake | Self::Azure(_) | Self::BurstGpt(_) => 512,
        }
    }

    /// What a row says.
    pub fn row(&self, bytes: &[u8]) -> Result<TraceRow, String> {
        match self {
            Self::Mooncake | Self::ChatBlocks => {
                let row: JsonTraceRow = serde_json::from_slice(bytes).map_err(|error| in_words(&error, EXAMPLE))?;
                let JsonTraceRow { timestamp: time, input_length, output_length, hash_ids } = row;
                Ok(TraceRow { time, input_length, output_length, hash_ids, names: JSON_NAMES })
            }
            Self::Azure(columns) => columns
                .row(bytes, AZURE_NAMES, |text| date_ms(text).ok_or_else(|| "a date such as `2023-11-16 18:15:46.6805900`".to_owned())),
            Self::BurstGpt(columns) => columns.row(bytes, BURST_NAMES, |text| text.parse().map_err(|_| "a number, in seconds".to_owned())),
        }
    }
}

impl TableColumns {
    fn row(&self, bytes: &[u8], names: [&'static str; 3], time: impl Fn(&str) -> Result<f64, String>) -> Result<TraceRow, String> {
        let cells = cells(bytes)?;
        let cell = |at: usize, name: &str| {
            cells
                .get(at)
                .map(String::as_str)
                .ok_or_else(|| format!("the line has {} columns, and `{name}` is column {}", cells.len(), at + 1))
        };
        let number = |at: usize, name: &str| {
            let text = cell(at, name)?;
            text.parse::<u64>().map_err(|_| format!("`{name}` is `{}`: it is a whole number of tokens", sentence(text)))
        };
        let text = cell(self.time, names[0])?;
        let time = time(text).map_err(|expected| format!("`{}` is `{}`: it is {expected}", names[0], sentence(text)))?;
        let (input_length, output_length) = (number(self.input, names[1])?, number(self.output, names[2])?);
        Ok(TraceRow { time, input_length, output_length, hash_ids: Vec::new(), names })
    }
}

/// The cells of one line of a table, without white space around them.
fn cells(line: &[u8]) -> Result<Vec<String>, String> {
    let mut reader = csv::ReaderBuilder::new().has_headers(false).trim(csv::Trim::All).buffer_capacity(line.len() + 1).from_reader(line);
    let mut record = csv::StringRecord::new();
    match reader.read_record(&mut record) {
        Ok(_) => Ok(record.iter().map(str::to_owned).collect()),
        Err(_) => Err("the line is not UTF-8 text".to_owned()),
    }
}

/// A date in milliseconds since 1970; where it has no offset it is in UTC.
fn date_ms(text: &str) -> Option<f64> {
    let moment = text.parse::<Timestamp>().ok().or_else(|| {
        let civil: DateTime = text.parse().ok()?;
        civil.to_zoned(TimeZone::UTC).ok().map(|zoned| zoned.timestamp())
    })?;
    #[expect(clippy::cast_precision_loss, reason = "a quarter of a microsecond is lost")]
    Some(moment.as_nanosecond() as f64 / 1e6)
}
