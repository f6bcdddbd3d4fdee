//! Bytes to server-sent events, purely and as they come: any split of the stream gives the same events.
//!
//! In go buffers as the network delivered them; out comes the `data` of each event, complete and in order, and whether the server calls the
//! event an error. Other fields are read over: no OpenAI-compatible server says anything in them. What the data means is not known here.

/// The most bytes of an event, and of a line: an answer's event is a few hundred bytes, so this bounds memory without ever being met.
const LIMIT: usize = 16 * 1024 * 1024;

/// So much of a comment is kept, in bytes: of an error without data it is all that the server says.
const COMMENT: usize = 4096;

const BYTE_ORDER_MARK: [u8; 3] = [0xEF, 0xBB, 0xBF];

/// A line or an event beyond [`LIMIT`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an event is longer than 16 MiB")]
pub(super) struct EventTooLongError;

/// An event as the server sent it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct SseEvent<'a> {
    /// Its data; of an error without any, the words of its comments.
    pub(super) data: &'a [u8],
    /// The server calls it an error: by `event: error`, or by a field `error` in place of `data`.
    pub(super) is_error: bool,
}

#[derive(Debug, Default)]
struct SseEventFlags {
    /// It has at least one `data` field.
    has_data: bool,
    is_error: bool,
}

/// The state between two network reads: at most an unfinished line and the data of an unfinished event.
#[derive(Debug, Default)]
pub(super) struct SseDecoder {
    /// The beginning of a line whose end has not come yet.
    line: Vec<u8>,
    /// The data of the event being read, lines joined by a line feed; of the event handed out last where `complete`.
    data: Vec<u8>,
    /// What is known of the event being read, or of the one handed out last where `complete`.
    event: SseEventFlags,
    /// The comments of the event being read.
    comment: Vec<u8>,
    /// `data` was handed out and is to be cleared.
    complete: bool,
    /// The last line ended in a carriage return: a line feed that follows belongs to it.
    after_carriage_return: bool,
    /// How many bytes of a byte order mark have been seen at the stream's start; 3 once that is settled.
    mark: usize,
}

impl SseDecoder {
    /// Reads from `bytes` up to the end of the next event; `None` when `bytes` is used up.
    pub(super) fn next_event<'a, 'b: 'a>(&'a mut self, bytes: &mut &'b [u8]) -> Result<Option<SseEvent<'a>>, EventTooLongError> {
        self.forget_handed_out();
        self.skip_byte_order_mark(bytes);
        if let Some((data, rest)) = self.between_events().then(|| plain_event(bytes)).flatten() {
            *bytes = rest;
            return Ok(Some(SseEvent { data, is_error: false }));
        }
        loop {
            if self.after_carriage_return && !bytes.is_empty() {
                self.after_carriage_return = false;
                if bytes[0] == b'\n' {
                    *bytes = &bytes[1..];
                }
            }
            let Some(end) = memchr::memchr2(b'\n', b'\r', bytes) else {
                self.keep(bytes)?;
                *bytes = &[];
                return Ok(None);
            };
            let (head, rest) = bytes.split_at(end);
            self.after_carriage_return = rest[0] == b'\r';
            *bytes = &rest[1..];
            if self.end_line(head)? {
                return Ok(Some(SseEvent { data: &self.data, is_error: self.event.is_error }));
            }
        }
    }

    fn forget_handed_out(&mut self) {
        if self.complete {
            self.data.clear();
            (self.complete, self.event.is_error) = (false, false);
        }
    }

    /// Nothing of an event has been read, and all that opens a stream has.
    fn between_events(&self) -> bool {
        let untouched = self.line.is_empty() && !self.event.has_data && !self.event.is_error && self.comment.is_empty();
        untouched && !self.after_carriage_return && self.mark == BYTE_ORDER_MARK.len()
    }

    /// The event that the end of the stream cut off before its blank line, if it has data. Some servers leave the last line feeds out.
    pub(super) fn finish(&mut self) -> Result<Option<SseEvent<'_>>, EventTooLongError> {
        self.forget_handed_out();
        if !self.line.is_empty() {
            self.end_line(&[])?;
        }
        Ok(self.end_event().then_some(SseEvent { data: &self.data, is_error: self.event.is_error }))
    }

    /// Ends the event being read; true where there is one to be handed out.
    fn end_event(&mut self) -> bool {
        if self.event.is_error && !self.event.has_data {
            std::mem::swap(&mut self.data, &mut self.comment);
        }
        self.comment.clear();
        self.complete = std::mem::take(&mut self.event.has_data) || self.event.is_error;
        self.complete
    }

    /// Ends the line that consists of what was kept and `rest`; true where that completes an event with data.
    fn end_line(&mut self, rest: &[u8]) -> Result<bool, EventTooLongError> {
        if self.line.is_empty() {
            return self.take_line(rest);
        }
        self.keep(rest)?;
        let mut line = std::mem::take(&mut self.line);
        let complete = self.take_line(&line);
        line.clear();
        self.line = line;
        complete
    }

    fn take_line(&mut self, line: &[u8]) -> Result<bool, EventTooLongError> {
        if line.is_empty() {
            return Ok(self.end_event());
        }
        let (field, value) = match memchr::memchr(b':', line) {
            Some(end) => (&line[..end], line[end + 1..].strip_prefix(b" ").unwrap_or(&line[end + 1..])),
            None => (line, &[][..]),
        };
        match field {
            b"data" => {}
            b"error" => self.event.is_error = true,
            b"event" => {
                self.event.is_error = value.trim_ascii().eq_ignore_ascii_case(b"error");
                return Ok(false);
            }
            b"" => {
                self.note(value);
                return Ok(false);
            }
            _ => return Ok(false),
        }
        if self.data.len() + value.len() >= LIMIT {
            return Err(EventTooLongError);
        }
        if self.event.has_data {
            self.data.push(b'\n');
        }
        self.data.extend_from_slice(value);
        self.event.has_data = true;
        Ok(false)
    }

    /// Keeps what a comment says, as long as the event goes on.
    fn note(&mut self, words: &[u8]) {
        if !self.comment.is_empty() {
            self.comment.push(b' ');
        }
        let room = COMMENT.saturating_sub(self.comment.len());
        self.comment.extend_from_slice(&words[..words.len().min(room)]);
    }

    fn keep(&mut self, bytes: &[u8]) -> Result<(), EventTooLongError> {
        if self.line.len() + bytes.len() > LIMIT {
            return Err(EventTooLongError);
        }
        self.line.extend_from_slice(bytes);
        Ok(())
    }

    /// A byte order mark may open the stream; what only looked like one is the start of the first line.
    fn skip_byte_order_mark(&mut self, bytes: &mut &[u8]) {
        while self.mark < BYTE_ORDER_MARK.len() && !bytes.is_empty() {
            if bytes[0] != BYTE_ORDER_MARK[self.mark] {
                self.line.extend_from_slice(&BYTE_ORDER_MARK[..self.mark]);
                self.mark = BYTE_ORDER_MARK.len();
                return;
            }
            self.mark += 1;
            *bytes = &bytes[1..];
        }
    }
}

/// What stands behind the line that names an event at the start of `bytes`, unless that calls it an error.
fn behind_name(bytes: &[u8]) -> Option<&[u8]> {
    let named = bytes.strip_prefix(b"event: ")?;
    let end = memchr::memchr2(b'\n', b'\r', named)?;
    let is_plain = named[end] == b'\n' && !named[..end].trim_ascii().eq_ignore_ascii_case(b"error");
    is_plain.then(|| &named[end + 1..])
}

/// An event that lies whole at the start of `bytes`, in one line of data as servers write it, with or without its name before, and what is behind
/// it. Any other is read line by line.
fn plain_event(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let data = bytes.strip_prefix(b"data: ").or_else(|| behind_name(bytes)?.strip_prefix(b"data: "))?;
    let end = memchr::memchr2(b'\n', b'\r', data)?;
    let rest = data[end..].strip_prefix(b"\n\n")?;
    (end < LIMIT).then(|| (&data[..end], rest))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const RECORDED: [&[u8]; 5] = [
        include_bytes!("../../../../tests/fixtures/engine/vllm_messages.sse"),
        include_bytes!("../../../../tests/fixtures/engine/vllm_responses.sse"),
        include_bytes!("../../../../tests/fixtures/engine/vllm_completions.sse"),
        include_bytes!("../../../../tests/fixtures/engine/vllm_stream.sse"),
        include_bytes!("../../../../tests/fixtures/engine/vllm_stream_continuous_usage.sse"),
    ];

    /// All events of a stream that came in these pieces.
    fn events<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> Vec<String> {
        let mut decoder = SseDecoder::default();
        let mut events = Vec::new();
        let mut take = |event: SseEvent<'_>| {
            let mark = if event.is_error { "error: " } else { "" };
            events.push(format!("{mark}{}", String::from_utf8_lossy(event.data)));
        };
        for mut piece in pieces {
            while let Some(event) = decoder.next_event(&mut piece).unwrap() {
                take(event);
            }
        }
        if let Some(event) = decoder.finish().unwrap() {
            take(event);
        }
        events
    }

    fn whole(stream: &str) -> Vec<String> {
        events([stream.as_bytes()])
    }

    #[test]
    fn an_event_ends_at_a_blank_line_whatever_ends_its_lines() {
        for end in ["\n", "\r\n", "\r"] {
            let stream = format!("data: one{end}{end}data:two{end}{end}");
            assert_eq!(whole(&stream), ["one", "two"], "{end:?}");
        }
        assert_eq!(whole("data: one\r\n\ndata: two\n\r\ndata: three\r\r\n"), ["one", "two", "three"]);
    }

    #[test]
    fn lines_of_data_are_joined_and_only_one_space_is_dropped() {
        assert_eq!(whole("data: one\ndata:  two\ndata\ndata:\n\n"), ["one\n two\n\n"]);
    }

    #[test]
    fn comments_other_fields_and_events_without_data_are_no_events() {
        assert_eq!(whole(": ping\n\nevent: message\nid: 7\nretry: 10\n\ndatabase: x\n\n\n\nevent: e\ndata: one\n\n"), ["one"]);
    }

    #[test]
    fn an_error_is_known_by_its_type_or_its_field_and_says_what_its_data_or_its_comments_say() {
        for stream in [
            "data: one\n\nevent: error\ndata: out of memory\n\ndata: two\n\n",
            "data: one\n\nevent:error\n: out of memory\n\ndata: two\n\n",
            ": ping\n\ndata: one\n\n: out of memory\nevent: error\n\ndata: two\n\n",
            "data: one\r\n\r\nevent: Error\r\n: out of\r\n: memory\r\n\r\ndata: two\r\n\r\n",
            "data: one\n\nerror: out of memory\n\ndata: two",
            "event: error\nevent: message\ndata: one\n\ndata: out of memory\nevent: error\n\n: late\ndata: two\n\n",
        ] {
            let expected: Vec<String> = ["one", "error: out of memory", "two"].map(str::to_owned).into();
            cut_at_every_byte(stream.as_bytes(), &expected, stream);
        }
        assert_eq!(whole("event: error\n\ndata: one\n\n"), ["error: ", "one"]);
        assert_eq!(whole("event: error\n: cut off"), ["error: cut off"]);
    }

    #[test]
    fn a_byte_order_mark_is_skipped_once_and_only_at_the_start() {
        assert_eq!(whole("\u{feff}data: one\n\n\u{feff}data: two\n\n"), ["one"]);
        assert_eq!(events([&b"\xEF"[..], b"\xBB", b"\xBFdata: one\n\n"]), ["one"]);
        assert_eq!(events([&b"\xEF\xBBdata: no field\n\ndata: one\n\n"[..]]), ["one"]);
    }

    #[test]
    fn a_last_event_without_its_blank_line_still_counts() {
        assert_eq!(whole("data: one\n\ndata: [DONE]"), ["one", "[DONE]"]);
        assert_eq!(whole("data: one\n\ndata: [DONE]\n"), ["one", "[DONE]"]);
        assert_eq!(whole("data: one\n\n"), ["one"]);
        assert_eq!(whole("data: one\n\n: bye"), ["one"]);
        assert!(whole("").is_empty());
    }

    #[test]
    fn an_event_is_given_out_with_the_byte_that_ends_it() {
        let mut decoder = SseDecoder::default();
        for end in ["\n\n", "\r\r"] {
            let text = format!("data: one{end}");
            let (last, first) = text.as_bytes().split_last().unwrap();
            assert_eq!(decoder.next_event(&mut &*first).unwrap(), None);
            let event = SseEvent { data: b"one", is_error: false };
            assert_eq!(decoder.next_event(&mut &[*last][..]).unwrap(), Some(event));
        }
    }

    #[test]
    fn a_line_or_an_event_without_end_is_refused_before_memory_runs_out() {
        let megabyte = vec![b'x'; 1 << 20];
        let mut decoder = SseDecoder::default();
        assert!((0..17).any(|_| decoder.next_event(&mut &megabyte[..]).is_err()));
        let line = [b"data: ", &megabyte[..], b"\n"].concat();
        let mut decoder = SseDecoder::default();
        assert!((0..17).any(|_| decoder.next_event(&mut &line[..]).is_err()));
    }

    #[test]
    fn recorded_streams_cut_at_any_byte_give_the_same_events() {
        for (stream, count) in RECORDED.into_iter().zip([13, 16, 5, 15, 6]) {
            let expected = events([stream]);
            assert_eq!(expected.len(), count);
            let last = expected.last().unwrap();
            assert!(["[DONE]", "message_stop", "response.completed"].iter().any(|end| last.contains(end)), "{last}");
            for cut in 0..=stream.len() {
                let (head, tail) = stream.split_at(cut);
                assert_eq!(events([head, tail]), expected, "cut at byte {cut}");
            }
            assert_eq!(events(stream.chunks(1)), expected);
        }
    }

    /// The events of the stream, cut in two at every byte.
    fn cut_at_every_byte(stream: &[u8], expected: &[String], what: &str) {
        for cut in 0..=stream.len() {
            let (head, tail) = stream.split_at(cut);
            assert_eq!(events([head, tail]), expected, "{what}, cut at byte {cut}");
        }
    }

    #[test]
    fn a_recorded_stream_says_the_same_in_whatever_way_it_is_written() {
        for stream in RECORDED {
            let expected = events([stream]);
            let text = std::str::from_utf8(stream).unwrap();
            let several_lines = text.replacen("data: {", "data: {\ndata: ", 1);
            let mut broken = expected.clone();
            broken[0].insert(1, '\n');
            for (what, stream, expected) in [
                ("carriage return and line feed", text.replace('\n', "\r\n"), &expected),
                ("carriage return", text.replace('\n', "\r"), &expected),
                ("comments and other fields", text.replace("data: ", ": ping\nevent: x\ndata: "), &expected),
                ("a byte order mark", format!("\u{feff}{text}"), &expected),
                ("no end of the last line", text.trim_end().to_owned(), &expected),
                ("an event of two lines", several_lines, &broken),
            ] {
                cut_at_every_byte(stream.as_bytes(), expected, what);
            }
        }
    }

    #[test]
    fn a_line_of_a_megabyte_is_one_event_wherever_it_is_cut() {
        let long = "x".repeat(1 << 20);
        let stream = format!("data: one\r\n\r\ndata: {long}\r\n\r\ndata: [DONE]\r\n\r\n").into_bytes();
        let expected = ["one".to_owned(), long, "[DONE]".to_owned()];
        let near = |place: usize| place.saturating_sub(12)..(place + 12).min(stream.len());
        for cut in near(20).chain(near(1 << 19)).chain(near(stream.len())) {
            let (head, tail) = stream.split_at(cut);
            assert_eq!(events([head, tail]), expected, "cut at byte {cut}");
        }
        assert_eq!(events(stream.chunks(8192)), expected);
    }

    proptest! {
        #[test]
        fn any_bytes_in_any_pieces_give_the_same_events_as_in_one(
            lines in proptest::collection::vec("(data|data:|data: |event: |:|\u{feff})?[a-zä:\u{feff}]{0,3}(\n|\r|\r\n)", 0..30),
            cuts in proptest::collection::vec(any::<proptest::sample::Index>(), 0..8),
        ) {
            let stream = lines.concat().into_bytes();
            let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(stream.len() + 1)).collect();
            cuts.extend([0, stream.len()]);
            cuts.sort_unstable();
            let pieces: Vec<&[u8]> = cuts.windows(2).map(|pair| &stream[pair[0]..pair[1]]).collect();
            prop_assert_eq!(events(pieces), events([&stream[..]]));
        }
    }
}
