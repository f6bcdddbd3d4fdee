//! Content as servers write it: a text, a part, or a list of both. Reasoning may stand among its parts.

use std::borrow::Cow;
use std::fmt;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Error, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

use crate::servers::client::api::api_event::TokenKind;

/// It borrows where a text holds no escapes.
#[derive(Debug)]
pub enum DeltaContent<'a> {
    Text(Cow<'a, str>),
    List(Vec<DeltaContent<'a>>),
    Part(Box<ContentPart<'a>>),
}

/// `{"type": "text", "text": ".."}`, `{"type": "thinking", "thinking": [..]}`, ...
#[derive(Debug, Deserialize)]
pub struct ContentPart<'a> {
    #[serde(borrow, default, rename = "type")]
    kind: Option<DeltaContent<'a>>,
    #[serde(borrow, default)]
    text: Option<DeltaContent<'a>>,
    #[serde(borrow, default)]
    content: Option<DeltaContent<'a>>,
    #[serde(borrow, default)]
    refusal: Option<DeltaContent<'a>>,
    #[serde(borrow, default)]
    thinking: Option<DeltaContent<'a>>,
    #[serde(borrow, default)]
    reasoning: Option<DeltaContent<'a>>,
    #[serde(borrow, default)]
    summary: Option<DeltaContent<'a>>,
}

impl DeltaContent<'_> {
    /// Hands on the texts that are not empty, each with what it is part of: `kind`, unless its part says that it is reasoning.
    pub fn each_text(&self, kind: TokenKind, take: &mut dyn FnMut(TokenKind, &str)) {
        match self {
            Self::Text(text) if text.is_empty() => {}
            Self::Text(text) => take(kind, text),
            Self::List(list) => list.iter().for_each(|content| content.each_text(kind, take)),
            Self::Part(part) => part.each_text(kind, take),
        }
    }
}

impl ContentPart<'_> {
    fn each_text(&self, kind: TokenKind, take: &mut dyn FnMut(TokenKind, &str)) {
        let is_reasoning =
            matches!(&self.kind, Some(DeltaContent::Text(name)) if name.starts_with("reasoning") || name.starts_with("thinking"));
        let kind = if is_reasoning { TokenKind::Reasoning } else { kind };
        for content in [&self.text, &self.content, &self.refusal].into_iter().flatten() {
            content.each_text(kind, take);
        }
        for content in [&self.thinking, &self.reasoning, &self.summary].into_iter().flatten() {
            content.each_text(TokenKind::Reasoning, take);
        }
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for DeltaContent<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ContentVisitor)
    }
}

struct ContentVisitor;

impl<'de> Visitor<'de> for ContentVisitor {
    type Value = DeltaContent<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text, a part or a list of parts")
    }

    fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(DeltaContent::Text(Cow::Borrowed(text)))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
        Ok(DeltaContent::Text(Cow::Owned(text.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        let mut contents = Vec::new();
        while let Some(content) = list.next_element()? {
            contents.push(content);
        }
        Ok(DeltaContent::List(contents))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
        ContentPart::deserialize(MapAccessDeserializer::new(map)).map(|part| DeltaContent::Part(Box::new(part)))
    }
}
