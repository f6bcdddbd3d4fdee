//! Books of Project Gutenberg: which numbers are asked for, and under which URLs a mirror has them.

use std::collections::BTreeSet;
use std::str::FromStr;

use reqwest::Url;

/// Numbers of books, ascending, each once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BookIds(BTreeSet<u32>);

/// A list that is no list of book numbers.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BookIdsError {
    #[error("`{0}` is no book number or range of them; write `1342`, `1..=100` or `1..=100,1342`")]
    Form(String),
    #[error("`{0}` is an empty range")]
    EmptyRange(String),
    #[error("these are more than {MOST_IDS} books: ask for fewer at a time")]
    TooMany,
}

/// There are fewer than 100,000 books.
const MOST_IDS: usize = 100_000;

impl BookIds {
    pub fn iter(&self) -> impl Iterator<Item = u32> {
        self.0.iter().copied()
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl FromStr for BookIds {
    type Err = BookIdsError;

    fn from_str(text: &str) -> Result<Self, BookIdsError> {
        let mut ids = BTreeSet::new();
        for part in text.split(',').map(str::trim) {
            let id = |text: &str| text.trim().parse::<u32>().ok().filter(|id| *id > 0).ok_or_else(|| BookIdsError::Form(part.to_owned()));
            let (first, last) = match part.split_once("..") {
                None => (id(part)?, id(part)?),
                Some((first, last)) => match last.strip_prefix('=') {
                    Some(last) => (id(first)?, id(last)?),
                    None => (id(first)?, id(last)?.saturating_sub(1)),
                },
            };
            if first > last {
                return Err(BookIdsError::EmptyRange(part.to_owned()));
            }
            if (last - first) as usize >= MOST_IDS {
                return Err(BookIdsError::TooMany);
            }
            ids.extend(first..=last);
            if ids.len() > MOST_IDS {
                return Err(BookIdsError::TooMany);
            }
        }
        Ok(Self(ids))
    }
}

/// Where a mirror may have the plain text of a book, likeliest first: made anew from the master by the main site and by mirrors of the
/// generated files, the master itself on the main site, and the master in the tree of digits that mirrors of the archive have.
pub fn places(base: &Url, id: u32) -> Vec<Url> {
    let digits: Vec<char> = id.to_string().chars().collect();
    let tree: String = match &digits[..digits.len() - 1] {
        [] => "0/".to_owned(),
        leading => leading.iter().flat_map(|digit| [*digit, '/']).collect(),
    };
    [format!("cache/epub/{id}/pg{id}.txt"), format!("files/{id}/{id}-0.txt"), format!("{tree}{id}/{id}-0.txt")]
        .iter()
        .map(|path| {
            let mut url = base.clone();
            url.set_path(&format!("{}/{path}", base.path().trim_end_matches('/')));
            url
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_ranges_are_read_and_sorted() {
        let ids = |text: &str| text.parse::<BookIds>().map(|ids| ids.iter().collect::<Vec<_>>());
        assert_eq!(ids("1342, 1..=3,2"), Ok(vec![1, 2, 3, 1342]));
        assert_eq!(ids("5..7"), Ok(vec![5, 6]));
        assert_eq!(ids("3..=1"), Err(BookIdsError::EmptyRange("3..=1".into())));
        assert_eq!(ids("3..3"), Err(BookIdsError::EmptyRange("3..3".into())));
        assert_eq!(ids("1..=4000000000"), Err(BookIdsError::TooMany));
        for text in ["", "0", "a", "1..", "-3", "1,,2", "1-3"] {
            assert!(matches!(ids(text), Err(BookIdsError::Form(_))), "{text}");
        }
    }

    #[test]
    fn a_book_is_looked_for_where_the_site_and_its_mirrors_have_it() {
        let places = |base: &str, id| places(&base.parse().unwrap(), id).iter().map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!(
            places("https://mirror.example/gutenberg/", 1342),
            [
                "https://mirror.example/gutenberg/cache/epub/1342/pg1342.txt",
                "https://mirror.example/gutenberg/files/1342/1342-0.txt",
                "https://mirror.example/gutenberg/1/3/4/1342/1342-0.txt"
            ]
        );
        assert_eq!(places("http://h", 7)[2], "http://h/0/7/7-0.txt");
    }
}
