//! Events that differ from one before in their token alone: they mean the same but for that token, and need not be parsed again. In goes an
//! event's data, out comes its token; nothing where it has to be read like any other.
//!
//! Engines write thousands of events by one template. What stands before and behind the token of one that was parsed is kept; where both are
//! met again byte by byte, with nothing between them that could end or escape a JSON string, the parse would take the same way. Some APIs number their
//! events; that number may differ, too, since nothing is read from it.

use memchr::memmem;

use super::api::TokenKind;

/// The field by which events are numbered.
const NUMBER: &[u8] = b"\"sequence_number\":";
/// The most digits of an event's number.
const DIGITS: usize = 20;

/// The template of a stream, once there was an event that has one.
#[derive(Debug, Default)]
pub(super) struct TokenEventTemplate {
    /// All but the token and the event's number; empty where nothing is known.
    template: Vec<u8>,
    /// Where these bytes are parted by the token and the number, in order; both at the token where there is no number.
    cuts: [usize; 2],
    number: EventNumberPlace,
    kind: Option<TokenKind>,
}

/// Where an event's number stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum EventNumberPlace {
    #[default]
    Nowhere,
    BeforeToken,
    BehindToken,
}

impl TokenEventTemplate {
    /// The token of an event by this template, and what it is part of.
    #[inline]
    pub(super) fn token<'d>(&self, data: &'d [u8]) -> Option<(TokenKind, &'d str)> {
        let (before, rest) = self.template.split_at_checked(self.cuts[0]).filter(|(before, _)| !before.is_empty())?;
        let (between, after) = rest.split_at_checked(self.cuts[1] - self.cuts[0])?;
        let inner = data.strip_prefix(before)?.strip_suffix(after)?;
        let token = match self.number {
            EventNumberPlace::Nowhere => inner,
            EventNumberPlace::BeforeToken => {
                let digits = inner.iter().take_while(|byte| byte.is_ascii_digit()).count();
                (1..=DIGITS).contains(&digits).then(|| inner[digits..].strip_prefix(between)).flatten()?
            }
            EventNumberPlace::BehindToken => {
                let digits = inner.iter().rev().take_while(|byte| byte.is_ascii_digit()).count();
                (1..=DIGITS).contains(&digits).then(|| inner[..inner.len() - digits].strip_suffix(between)).flatten()?
            }
        };
        let plain = !token.is_empty() && token.iter().all(|byte| !matches!(byte, b'"' | b'\\' | 0..0x20));
        self.kind.zip(std::str::from_utf8(token).ok().filter(|_| plain))
    }

    /// Takes the template of an event that was parsed, where it bears a token of these data and says nothing else.
    pub(super) fn learn(&mut self, data: &[u8], only_token: Option<(TokenKind, &str)>) {
        let Some((kind, token)) = only_token else { return };
        // A borrowed text lies within the data; nothing else tells where.
        let Some(start) = token.as_ptr().addr().checked_sub(data.as_ptr().addr()) else { return };
        let end = start + token.len();
        if data.get(start..end) != Some(token.as_bytes()) {
            return;
        }
        let behind = number_in(&data[end..]).map(|[from, to]| [end + from, end + to]);
        let (number, [first, second]) = match (behind, number_in(&data[..start])) {
            (Some(number), _) => (EventNumberPlace::BehindToken, [[start, end], number]),
            (None, Some(number)) => (EventNumberPlace::BeforeToken, [number, [start, end]]),
            (None, None) => (EventNumberPlace::Nowhere, [[start, end], [end, end]]),
        };
        self.template.clear();
        self.template.extend_from_slice(&data[..first[0]]);
        self.template.extend_from_slice(&data[first[1]..second[0]]);
        self.template.extend_from_slice(&data[second[1]..]);
        (self.cuts, self.number, self.kind) = ([first[0], first[0] + second[0] - first[1]], number, Some(kind));
    }
}

/// From where to where an event's number stands in a part of its data.
fn number_in(part: &[u8]) -> Option<[usize; 2]> {
    let from = memmem::find(part, NUMBER)? + NUMBER.len();
    let digits = part[from..].iter().take_while(|byte| byte.is_ascii_digit()).count();
    (1..=DIGITS).contains(&digits).then_some([from, from + digits])
}

#[cfg(test)]
mod tests {
    use super::super::api::ApiEvent;
    use super::*;
    use crate::vocabulary::spec::target_api::TargetApi::{self, Chat, Completions, Messages, Responses};

    /// Writes an event with this token.
    type EventOfToken<'a> = &'a dyn Fn(&str) -> String;

    fn read(api: TargetApi, data: &str) -> ApiEvent<'_> {
        ApiEvent::read(api, data.as_bytes()).unwrap()
    }

    fn learned(api: TargetApi, data: &str) -> TokenEventTemplate {
        let mut alike = TokenEventTemplate::default();
        alike.learn(data.as_bytes(), read(api, data).told().only_token());
        alike
    }

    fn chat(token: &str) -> String {
        format!(r#"{{"id":"a","choices":[{{"index":0,"delta":{{"content":"{token}"}},"finish_reason":null}}]}}"#)
    }

    #[test]
    fn an_event_that_differs_in_its_token_alone_has_that_token() {
        let completion = |token: &str| format!(r#"{{"choices":[{{"text":"{token}","finish_reason":null}}],"usage":null}}"#);
        let reasoning = |token: &str| format!(r#"{{"choices":[{{"delta":{{"reasoning_content":"{token}"}}}}]}}"#);
        let text = |token: &str| format!(r#"{{"type":"response.output_text.delta","delta":"{token}"}}"#);
        let block = |token: &str| format!(r#"{{"type":"content_block_delta","delta":{{"type":"text_delta","text":"{token}"}}}}"#);
        let events: [(TargetApi, EventOfToken<'_>, TokenKind); 5] = [
            (Chat, &chat, TokenKind::Answer),
            (Completions, &completion, TokenKind::Answer),
            (Chat, &reasoning, TokenKind::Reasoning),
            (Responses, &text, TokenKind::Answer),
            (Messages, &block, TokenKind::Answer),
        ];
        for (api, event, kind) in events {
            let alike = learned(api, &event("first"));
            for token in ["a", " longer than the first", "ünï, 語", "}]}", "first"] {
                let data = event(token);
                assert_eq!(alike.token(data.as_bytes()), Some((kind, token)));
                read(api, &data).told().each_text(&mut |read_kind, read| assert_eq!((read_kind, read), (kind, token)));
            }
        }
    }

    #[test]
    fn the_number_of_an_event_may_differ_wherever_it_stands() {
        let behind = |token: &str, number: &str| {
            format!(r#"{{"delta":"{token}","item_id":"m","sequence_number":{number},"type":"response.output_text.delta"}}"#)
        };
        let before = |token: &str, number: &str| {
            format!(r#"{{"type":"response.output_text.delta","sequence_number":{number},"delta":"{token}","logprobs":[]}}"#)
        };
        for event in [&behind as &dyn Fn(&str, &str) -> String, &before] {
            let alike = learned(Responses, &event("first", "9"));
            for (token, number) in [("a", "10"), ("7", "123"), ("first", "9")] {
                assert_eq!(alike.token(event(token, number).as_bytes()), Some((TokenKind::Answer, token)));
            }
            for (token, number) in
                [("a", ""), ("a", "-1"), ("a", "1.5"), ("a", "1e3"), ("", "1"), (r#"a","x":"b"#, "2"), ("a", &"1".repeat(21))]
            {
                assert_eq!(alike.token(event(token, number).as_bytes()), None, "{token} {number}");
            }
        }
        let other = behind("a", "2").replace("\"m\"", "\"n\"");
        assert_eq!(learned(Responses, &behind("a", "1")).token(other.as_bytes()), None);
    }

    #[test]
    fn whatever_else_differs_has_to_be_read() {
        let alike = learned(Chat, &chat("first"));
        for token in ["", r"a\n", r#"a","role":"b"#, "a\u{1}b", r"\"] {
            assert_eq!(alike.token(chat(token).as_bytes()), None, "{token:?}");
        }
        assert_eq!(alike.token(&chat("x").replace("null", "\"stop\"").into_bytes()), None);
        assert_eq!(alike.token(&chat("x").replace("\"a\"", "\"b\"").into_bytes()), None);
        let mut broken = chat("xyz").into_bytes();
        let at = broken.windows(3).position(|bytes| bytes == b"xyz").unwrap();
        broken[at] = 0xFF;
        assert_eq!(alike.token(&broken), None);
        // The two ends may not share bytes.
        let short = chat("").replace("\"\"", "\"");
        assert_eq!(alike.token(short.as_bytes()), None);
        assert_eq!(TokenEventTemplate::default().token(chat("x").as_bytes()), None);
    }

    #[test]
    fn what_says_more_than_a_token_is_no_template() {
        for data in [
            chat("a").replace("null", "\"stop\""),
            chat("a").replace("}]}", r#"}],"usage":{"prompt_tokens":1,"completion_tokens":1}}"#),
            chat("a").replace("}]}", r#"}],"error":{"message":"a"}}"#),
            chat(""),
            chat(r"a\n"),
            r#"{"choices":[{"delta":{"content":"a"}},{"delta":{"content":"b"}}]}"#.to_owned(),
            r#"{"choices":[{"delta":{"reasoning":"a","content":"b"}}]}"#.to_owned(),
            r#"{"choices":[{"delta":{"content":[{"type":"text","text":"a"}]}}]}"#.to_owned(),
        ] {
            assert_eq!(learned(Chat, &data).token(data.as_bytes()), None, "{data}");
        }
    }
}
