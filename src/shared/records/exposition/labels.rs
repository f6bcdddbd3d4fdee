//! The labels of one sample: the text between braces in, one canonical text out, so that equal labels are equal texts.

use std::borrow::Cow;

use crate::records::record::labels_text;

/// What stood between the braces.
#[derive(Debug, Default, PartialEq)]
pub(super) struct PrometheusLabels<'a> {
    /// The metric's name, where it stands quoted among the labels: `{"my.metric",a="b"}`.
    pub name: Option<Cow<'a, str>>,
    pairs: Vec<(Cow<'a, str>, Cow<'a, str>)>,
}

impl<'a> PrometheusLabels<'a> {
    /// Reads what follows an opening brace. The labels, and what stands behind the closing one; `None` where they are no labels.
    pub fn read(text: &'a str) -> Option<(Self, &'a str)> {
        let mut labels = Self::default();
        let mut rest = blank(text);
        loop {
            if let Some(behind) = rest.strip_prefix('}') {
                return labels.settle().map(|labels| (labels, behind));
            }
            rest = labels.entry(rest)?;
            match rest.strip_prefix(',') {
                Some(next) => rest = blank(next),
                None if rest.starts_with('}') => {}
                None => return None,
            }
        }
    }

    /// One `name="value"` or quoted metric name; what stands behind it.
    fn entry(&mut self, text: &'a str) -> Option<&'a str> {
        let (name, rest) = if let Some(quoted) = text.strip_prefix('"') {
            let (name, rest) = quotation(quoted)?;
            let rest = blank(rest);
            if !rest.starts_with('=') {
                return self.name.replace(name).is_none().then_some(rest);
            }
            (name, rest)
        } else {
            let (name, rest) = word(text)?;
            (Cow::Borrowed(name), blank(rest))
        };
        let quoted = blank(rest.strip_prefix('=')?).strip_prefix('"')?;
        let (value, rest) = quotation(quoted)?;
        self.pairs.push((name, value));
        Some(blank(rest))
    }

    /// Sorted; a name that comes twice tells two things at once.
    fn settle(mut self) -> Option<Self> {
        self.pairs.sort();
        self.pairs.windows(2).all(|pair| pair[0].0 != pair[1].0).then_some(self)
    }

    /// `{a="1",b="2"}`, with the names sorted and the values escaped; empty without any.
    pub fn canonical(&self) -> String {
        labels_text(self.pairs.iter().map(|(name, value)| (&**name, &**value)))
    }
}

/// Without the blanks at its head.
pub(super) fn blank(text: &str) -> &str {
    text.trim_start_matches([' ', '\t'])
}

/// A label's bare name, and what stands behind it.
fn word(text: &str) -> Option<(&str, &str)> {
    let end = text.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(text.len());
    (end > 0 && !text.starts_with(|c: char| c.is_ascii_digit())).then(|| text.split_at(end))
}

/// What stands up to the closing quote, without its escapes, and what stands behind it. An escape that the format does not know is kept.
fn quotation(text: &str) -> Option<(Cow<'_, str>, &str)> {
    let plain = text.find(['"', '\\'])?;
    if text[plain..].starts_with('"') {
        return Some((Cow::Borrowed(&text[..plain]), &text[plain + 1..]));
    }
    let mut value = String::from(&text[..plain]);
    let mut characters = text[plain..].char_indices();
    while let Some((at, c)) = characters.next() {
        match c {
            '"' => return Some((Cow::Owned(value), &text[plain + at + 1..])),
            '\\' => match characters.next()?.1 {
                'n' => value.push('\n'),
                known @ ('\\' | '"') => value.push(known),
                unknown => value.extend(['\\', unknown]),
            },
            other => value.push(other),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn canonical(text: &str) -> Option<String> {
        PrometheusLabels::read(text).map(|(labels, _)| labels.canonical())
    }

    #[test]
    fn equal_labels_are_equal_texts_however_they_were_written() {
        for text in [r#"a="1",b="2"}"#, r#"b="2",a="1",}"#, "\t b = \"2\" , a\t=\"1\" , }", r#""b"="2","a"="1"}"#] {
            assert_eq!(canonical(text).as_deref(), Some(r#"{a="1",b="2"}"#), "{text}");
        }
        assert_eq!(canonical("}").as_deref(), Some(""));
        assert_eq!(canonical(" } 1").as_deref(), Some(""));
    }

    #[test]
    fn escapes_are_read_and_written_again() {
        let text = r#"path="C:\\DIR\\FILE.TXT",error="Cannot find file:\n\"FILE.TXT\"",other="a\tb"}"#;
        let (labels, rest) = PrometheusLabels::read(text).unwrap();
        assert_eq!(rest, "");
        assert_eq!(labels.pairs[0].1, "Cannot find file:\n\"FILE.TXT\"");
        assert_eq!(labels.pairs[1].1, "a\\tb");
        assert_eq!(labels.pairs[2].1, "C:\\DIR\\FILE.TXT");
        assert_eq!(labels.canonical(), r#"{error="Cannot find file:\n\"FILE.TXT\"",other="a\\tb",path="C:\\DIR\\FILE.TXT"}"#);
    }

    #[test]
    fn a_metric_s_name_may_stand_quoted_among_the_labels() {
        let (labels, rest) = PrometheusLabels::read(r#""my.metric", "l.abel"="x" } 3"#).unwrap();
        assert_eq!((labels.name.as_deref(), rest), (Some("my.metric"), " 3"));
        assert_eq!(labels.canonical(), r#"{"l.abel"="x"}"#);
    }

    #[test]
    fn what_are_no_labels_is_told_apart() {
        for text in ["", "a", "a=", "a=1}", r#"a="1"#, r#"a="1" b="2"}"#, r#"1a="1"}"#, ",}", r#"a="1",,}"#, r#"a="1\"#, r#"a="1",a="2"}"#]
        {
            assert_eq!(canonical(text), None, "{text}");
        }
        assert_eq!(canonical(r#""one","two"}"#), None);
    }
}
