//! Events that differ from one before in their token alone: they mean the same but for that token, and need not be parsed again. In goes an
//! event's data, out comes its token; nothing where it has to be read like any other.
//!
//! Engines write thousands of events by one template. What stands before and behind the token of one that was parsed is kept; where both are
//! met again byte by byte, with nothing between them that could end or escape a JSON string, the parse would take the same way.

use super::chunk::{CompletionChunk, TokenKind};

/// The template of a stream, once there was an event that has one.
#[derive(Debug, Default)]
pub(super) struct TokenEventTemplate {
    /// All but the token; empty where nothing is known.
    template: Vec<u8>,
    /// So many of these bytes stand before the token, its opening quote the last of them.
    before: usize,
    kind: Option<TokenKind>,
}

impl TokenEventTemplate {
    /// The token of an event by this template, and what it is part of.
    #[inline]
    pub(super) fn token<'d>(&self, data: &'d [u8]) -> Option<(TokenKind, &'d str)> {
        let (before, after) = self.template.split_at_checked(self.before).filter(|(before, _)| !before.is_empty())?;
        let token = data.strip_prefix(before)?.strip_suffix(after)?;
        let plain = !token.is_empty() && token.iter().all(|byte| !matches!(byte, b'"' | b'\\' | 0..0x20));
        self.kind.zip(std::str::from_utf8(token).ok().filter(|_| plain))
    }

    /// Takes the template of an event that was parsed, where it bears a token and says nothing else.
    pub(super) fn learn(&mut self, data: &[u8], chunk: &CompletionChunk<'_>) {
        let Some((kind, token)) = chunk.only_token() else { return };
        // A borrowed text lies within the data; nothing else tells where.
        let Some(start) = token.as_ptr().addr().checked_sub(data.as_ptr().addr()) else { return };
        let end = start + token.len();
        if data.get(start..end) != Some(token.as_bytes()) {
            return;
        }
        self.template.clear();
        self.template.extend_from_slice(&data[..start]);
        self.template.extend_from_slice(&data[end..]);
        (self.before, self.kind) = (start, Some(kind));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn learned(data: &str) -> TokenEventTemplate {
        let mut alike = TokenEventTemplate::default();
        alike.learn(data.as_bytes(), &CompletionChunk::read(data.as_bytes()).unwrap());
        alike
    }

    fn chat(token: &str) -> String {
        format!(r#"{{"id":"a","choices":[{{"index":0,"delta":{{"content":"{token}"}},"finish_reason":null}}]}}"#)
    }

    #[test]
    fn an_event_that_differs_in_its_token_alone_has_that_token() {
        let completion = |token: &str| format!(r#"{{"choices":[{{"text":"{token}","finish_reason":null}}],"usage":null}}"#);
        let reasoning = |token: &str| format!(r#"{{"choices":[{{"delta":{{"reasoning_content":"{token}"}}}}]}}"#);
        for (event, kind) in
            [(&chat as &dyn Fn(&str) -> String, TokenKind::Answer), (&completion, TokenKind::Answer), (&reasoning, TokenKind::Reasoning)]
        {
            let alike = learned(&event("first"));
            for token in ["a", " longer than the first", "ünï, 語", "}]}", "first"] {
                let data = event(token);
                assert_eq!(alike.token(data.as_bytes()), Some((kind, token)));
                let read = CompletionChunk::read(data.as_bytes()).unwrap();
                read.each_text(&mut |read_kind, read| assert_eq!((read_kind, read), (kind, token)));
            }
        }
    }

    #[test]
    fn whatever_else_differs_has_to_be_read() {
        let alike = learned(&chat("first"));
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
            assert_eq!(learned(&data).token(data.as_bytes()), None, "{data}");
        }
    }
}
