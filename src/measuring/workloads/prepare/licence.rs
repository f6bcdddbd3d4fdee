//! Project Gutenberg's header and licence: found by their marks, of all ages, and taken off; the title is read from the header.
//!
//! In goes a text, out comes what the author wrote. A text without marks stays as it is.

use memchr::memmem;
use serde::{Deserialize, Serialize};

/// What was found of the marks around the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LicenceMarks {
    Both,
    StartOnly,
    EndOnly,
    None,
}

/// A text without header and licence.
#[derive(Debug, PartialEq, Eq)]
pub struct StrippedText<'t> {
    pub text: &'t str,
    pub title: Option<String>,
    pub marks: LicenceMarks,
}

/// A mark's line may be broken; what goes on for longer is text.
const MARK_LINES: usize = 4;
/// The title stands in the first lines.
const HEADER_LINES: usize = 200;

/// Takes header and licence off.
pub fn strip(text: &str) -> StrippedText<'_> {
    let start = start_of(text);
    let body = &text[start.unwrap_or(0)..];
    let end = end_of(body);
    let marks = match (start, end) {
        (Some(_), Some(_)) => LicenceMarks::Both,
        (Some(_), None) => LicenceMarks::StartOnly,
        (None, Some(_)) => LicenceMarks::EndOnly,
        (None, None) => LicenceMarks::None,
    };
    let title = (marks != LicenceMarks::None).then(|| title(&text[..start.unwrap_or(text.len())])).flatten();
    let text = if marks == LicenceMarks::None { text } else { body[..end.unwrap_or(body.len())].trim() };
    StrippedText { text, title, marks }
}

/// Where the text begins: behind the later of the first start mark and the small print that old headers end with. The small print counts
/// in the first half only: some texts have it at their end.
fn start_of(text: &str) -> Option<usize> {
    let start = lines(text).find(|(_, line)| is_mark(line, "START OF TH")).map(|(at, _)| behind_mark(text, at));
    let half = &text[..text.floor_char_boundary(text.len() / 2)];
    let print = memmem::find(half.as_bytes(), b"*END").and_then(|_| lines(half).filter(|(_, line)| is_small_print(line)).last());
    start.max(print.map(|(at, _)| behind_mark(text, at)))
}

/// Where it ends: before the first end mark, and before the sentence of the same meaning that old texts have above or instead of it.
fn end_of(body: &str) -> Option<usize> {
    let mark = lines(body).find(|(_, line)| is_mark(line, "END OF TH")).map(|(at, _)| at);
    let sentence = lines(&body[..mark.unwrap_or(body.len())]).filter(|(_, line)| is_end_sentence(line)).last();
    // Only blank lines may lie between the sentence and the mark; without a mark it must stand in the last tenth, or the small print follows.
    let sentence = sentence.map(|(at, _)| at).filter(|at| match mark {
        Some(mark) => body[*at..mark].lines().filter(|line| !line.trim().is_empty()).count() <= 3,
        None => *at >= body.len() / 10 * 9 || body[*at..].to_ascii_lowercase().contains("small print"),
    });
    sentence.or(mark)
}

/// `*** START OF THE PROJECT GUTENBERG EBOOK`, `***START OF THIS PROJECT GUTENBERG ETEXT`, ...
fn is_mark(line: &str, words: &str) -> bool {
    let Some(rest) = line.trim_start().strip_prefix("***") else { return false };
    let rest = rest.trim_start().to_ascii_uppercase();
    rest.starts_with(words) && rest.contains("PROJECT GUTENBERG")
}

/// `*END*THE SMALL PRINT! FOR PUBLIC DOMAIN ETEXTS*Ver.04.29.93*END*`, `*END THE SMALL PRINT! ...`
fn is_small_print(line: &str) -> bool {
    let line = line.trim_start();
    line.starts_with("*END") && line.to_ascii_uppercase().contains("THE SMALL PRINT!")
}

/// `End of the Project Gutenberg EBook of ...`, `End of Project Gutenberg's ...`
fn is_end_sentence(line: &str) -> bool {
    let line = line.trim_start().to_ascii_lowercase();
    (line.starts_with("end of the project gutenberg") || line.starts_with("end of project gutenberg"))
        || line.starts_with("end of this project gutenberg")
}

/// Behind the line of a mark, and behind the lines that it goes on for: it ends with an asterisk.
fn behind_mark(text: &str, at: usize) -> usize {
    let mut end = at;
    for (count, line) in text[at..].split_inclusive('\n').enumerate() {
        end += line.len();
        let bare = line.trim_end();
        if bare.ends_with('*') && !bare.trim_start_matches('*').is_empty() {
            return end;
        }
        if bare.is_empty() || count + 1 == MARK_LINES {
            break;
        }
    }
    // No end was found: the mark has one line.
    at + text[at..].find('\n').map_or(text.len() - at, |line| line + 1)
}

/// The title of the header, which may go on in indented lines.
fn title(header: &str) -> Option<String> {
    let mut lines = header.lines().take(HEADER_LINES);
    let first = lines.find_map(|line| line.strip_prefix("Title:"))?;
    let more = lines.take_while(|line| line.starts_with(' ') && !line.trim().is_empty());
    let words: Vec<&str> = std::iter::once(first).chain(more).flat_map(str::split_whitespace).collect();
    (!words.is_empty()).then(|| words.join(" "))
}

/// Lines with where they begin.
fn lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut at = 0;
    text.split_inclusive('\n').map(move |line| {
        let start = at;
        at += line.len();
        (start, line)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn header_and_licence_of_today_are_taken_off() {
        let text = "The Project Gutenberg eBook of Emma\n\nTitle: Emma\n\nAuthor: Jane Austen\n\n\
            *** START OF THE PROJECT GUTENBERG EBOOK EMMA ***\n\n\nEMMA\n\n*** a line of stars ***\nThe end.\n\n\
            *** END OF THE PROJECT GUTENBERG EBOOK EMMA ***\n\nUpdated editions will replace the previous one.\n";
        assert_eq!(
            strip(text),
            StrippedText { text: "EMMA\n\n*** a line of stars ***\nThe end.", title: Some("Emma".into()), marks: LicenceMarks::Both }
        );
    }

    #[test]
    fn marks_of_earlier_years_are_known() {
        let text = "Title: A Long\n       Title\n\n***START OF THIS PROJECT GUTENBERG EBOOK A LONG\nTITLE***\nE-text\n\nText.\n\n\
            End of the Project Gutenberg EBook of A Long Title\n\n*** END OF THIS PROJECT GUTENBERG EBOOK A LONG TITLE ***\nmore";
        assert_eq!(strip(text), StrippedText { text: "E-text\n\nText.", title: Some("A Long Title".into()), marks: LicenceMarks::Both });
    }

    #[test]
    fn the_small_print_of_the_oldest_texts_ends_the_header() {
        let text = format!(
            "***START**THE SMALL PRINT!**FOR PUBLIC DOMAIN ETEXTS**START***\nWhy is this here?\n\
             *END*THE SMALL PRINT! FOR PUBLIC DOMAIN ETEXTS*Ver.04.29.93*END*\n\nCHAPTER I\n{}\n\nEnd of Project Gutenberg's Etext of Moby\n",
            "The sea. ".repeat(100)
        );
        let bare = strip(&text);
        assert!(bare.text.starts_with("CHAPTER I") && bare.text.ends_with("The sea."), "{bare:?}");
        assert_eq!(bare.marks, LicenceMarks::Both);
    }

    #[test]
    fn a_mark_that_does_not_end_takes_one_line_only() {
        let text = "*** START OF THE PROJECT GUTENBERG EBOOK X\n\nText\n*** END OF THE PROJECT GUTENBERG EBOOK X";
        assert_eq!(strip(text).text, "Text");
    }

    #[test]
    fn a_text_without_marks_stays_as_it_is_and_one_cut_off_is_told() {
        let own = "  My own text.\nTitle: none of theirs\nEnd of the story.\n";
        assert_eq!(strip(own), StrippedText { text: own, title: None, marks: LicenceMarks::None });
        let cut_off = "Title: X\n*** START OF THE PROJECT GUTENBERG EBOOK X ***\nText goes on";
        assert_eq!(strip(cut_off), StrippedText { text: "Text goes on", title: Some("X".into()), marks: LicenceMarks::StartOnly });
    }
}
