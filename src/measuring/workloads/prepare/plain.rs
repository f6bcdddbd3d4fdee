//! Bytes of a file to plain text: UTF-8 with or without a byte-order mark, else Latin-1; line ends as `\n`.

use serde::{Deserialize, Serialize};

/// What a file's bytes were taken for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum TextEncoding {
    #[serde(rename = "utf-8")]
    Utf8,
    /// Not UTF-8, so every byte was taken for a character: never wrong for Western texts of old, and said in the manifest.
    #[serde(rename = "iso-8859-1")]
    Latin1,
}

/// Why bytes are no text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PlainTextError {
    #[error("is empty")]
    Empty,
    #[error("is UTF-16: convert it, for example with `iconv -f UTF-16 -t UTF-8`")]
    Utf16,
    #[error("is no text: it holds NUL bytes")]
    Binary,
    #[error("is an HTML page, not a plain text")]
    Html,
}

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// The text of a file.
pub fn read(bytes: &[u8]) -> Result<(String, TextEncoding), PlainTextError> {
    if bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") {
        return Err(PlainTextError::Utf16);
    }
    let bytes = bytes.strip_prefix(BYTE_ORDER_MARK).unwrap_or(bytes);
    if bytes.trim_ascii().is_empty() {
        return Err(PlainTextError::Empty);
    }
    if bytes.contains(&0) {
        return Err(PlainTextError::Binary);
    }
    if is_html(bytes) {
        return Err(PlainTextError::Html);
    }
    Ok(match std::str::from_utf8(bytes) {
        Ok(text) => (with_plain_line_ends(text.to_owned()), TextEncoding::Utf8),
        Err(_) => (with_plain_line_ends(bytes.iter().copied().map(char::from).collect()), TextEncoding::Latin1),
    })
}

/// Whether bytes begin as an HTML page does: mirrors say "not found" and "too many requests" in such pages.
pub fn is_html(bytes: &[u8]) -> bool {
    let start = bytes.strip_prefix(BYTE_ORDER_MARK).unwrap_or(bytes).trim_ascii_start();
    [&b"<!doctype html"[..], b"<html"].iter().any(|tag| start.get(..tag.len()).is_some_and(|start| start.eq_ignore_ascii_case(tag)))
}

fn with_plain_line_ends(text: String) -> String {
    if text.contains('\r') { text.replace("\r\n", "\n").replace('\r', "\n") } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn utf8_with_and_without_a_mark_and_latin1_are_read() {
        assert_eq!(read("\u{feff}naïve\r\ntext\rend".as_bytes()), Ok(("naïve\ntext\nend".into(), TextEncoding::Utf8)));
        assert_eq!(read(b"na\xefve\r\n"), Ok(("naïve\n".into(), TextEncoding::Latin1)));
    }

    #[test]
    fn what_is_no_text_is_refused_by_kind() {
        assert_eq!(read(b"\xef\xbb\xbf \n"), Err(PlainTextError::Empty));
        assert_eq!(read(b"\xff\xfea\0"), Err(PlainTextError::Utf16));
        assert_eq!(read(b"a\0b"), Err(PlainTextError::Binary));
        assert_eq!(read(b" \n<!DOCTYPE html><p>"), Err(PlainTextError::Html));
        assert_eq!(read(b"<HTML>"), Err(PlainTextError::Html));
        assert!(read(b"<htm").is_ok());
    }
}
