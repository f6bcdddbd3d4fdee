//! `bench prepare`: from a folder, from a mirror that misbehaves, from a large file; and what the workloads make of it.

mod books;
mod command;
mod documents;
mod downloads;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use bench::records::record::TokenRule;
use bench::workloads::prepare::{
    DocumentsRecipe, DownloadPolicy, Downloader, GutenbergLibrary, LengthBuckets, PrepareDocumentsJob, TokenizerIdentity,
};
use bench::workloads::tokens::{LocalTokenizer, TokenCounter};
use serde_json::json;

use crate::faults::socket::{Act, write};

/// No wait anywhere; what hangs is noticed after a while that no answer on loopback takes.
const AT_ONCE: DownloadPolicy = DownloadPolicy {
    pause: Duration::ZERO,
    first_wait: Duration::ZERO,
    most_wait: Duration::ZERO,
    longest_wait: Duration::from_secs(10),
    attempts: 4,
    idle: Duration::from_mins(10),
};

fn library(url: &str, folder: &Path) -> GutenbergLibrary {
    GutenbergLibrary::open(url, folder.join(".source"), Downloader::new(AT_ONCE, 1 << 20)).unwrap()
}

/// A byte-level tokenizer whose few merges make pieces of some words and leave the others in letters, as real ones do with rare words.
fn pieces(folder: &Path, words: &[&str]) -> PathBuf {
    let mut vocabulary: Vec<String> = ('!'..='~').map(String::from).collect();
    vocabulary.extend(["Ġ", "Ċ", "Ã", "©", "¯"].map(String::from));
    let mut merges: Vec<String> = Vec::new();
    for word in words {
        let mut letters = word.chars();
        let mut piece = letters.next().map(String::from).unwrap();
        for letter in letters {
            let pair = format!("{piece} {letter}");
            piece.push(letter);
            if !merges.contains(&pair) {
                merges.push(pair);
                vocabulary.push(piece.clone());
            }
        }
    }
    let vocabulary: BTreeMap<String, usize> = vocabulary.into_iter().zip(0..).collect();
    let json = json!({
        "version": "1.0", "added_tokens": [], "normalizer": null, "post_processor": null, "decoder": null,
        "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": true},
        "model": {"type": "BPE", "vocab": vocabulary, "merges": merges},
    });
    let path = folder.join("tokenizer.json");
    std::fs::write(&path, json.to_string()).unwrap();
    path
}

const WORDS: [&str; 12] = ["Ġthe", "Ġand", "Ġof", "Ġsea", "Ġwhale", "Ġcaptain", "Ġto", "er", "ing", "ed", "Ġwas", "Ġa"];

/// The job of a folder of buckets, with its counter.
fn job(output: &Path, tokenizer: &Path, buckets: &str) -> (PrepareDocumentsJob, TokenCounter) {
    let counter = TokenCounter::Tokenizer(LocalTokenizer::load(tokenizer).unwrap());
    let TokenRule::Tokenizer { blake3, .. } = counter.rule() else { panic!("another rule") };
    let tokenizer = TokenizerIdentity::File { file: "tokenizer.json".into(), blake3 };
    let buckets = buckets.parse::<LengthBuckets>().unwrap().sizes().to_vec();
    let recipe = DocumentsRecipe { tokenizer, buckets, all_buckets: false, limit: None };
    (PrepareDocumentsJob { output: output.to_owned(), recipe, max_bytes: 1 << 20 }, counter)
}

/// Prose of so many sentences, different for every seed, with line ends, unknown words and characters of two bytes.
fn prose(seed: usize, sentences: usize) -> String {
    let mut text = String::new();
    for place in 0..sentences {
        let number = seed * 7919 + place * 31;
        let name = ["Ahab", "Elinor", "Père Goriot", "Dounia", "naïve"][number % 5];
        let end = if place % 3 == 2 { "\n\n" } else { " " };
        let _ = write!(text, "The captain {name} was watching the sea, number {number}, and wanted to see the whale of it.{end}");
    }
    text
}

/// A book as the mirror has it.
fn book(title: &str, text: &str) -> String {
    format!(
        "The Project Gutenberg eBook of {title}\r\n\r\nTitle: {title}\r\n\r\n*** START OF THE PROJECT GUTENBERG EBOOK {title} ***\r\n\r\n{text}\r\n\
         *** END OF THE PROJECT GUTENBERG EBOOK {title} ***\r\n\r\nThis licence must not come into a document.\r\n"
    )
}

/// A whole answer with further headers.
fn reply(status: &str, headers: &str, body: &str) -> Vec<Act> {
    vec![write(format!("HTTP/1.1 {status}\r\n{headers}content-length: {}\r\n\r\n{body}", body.len()))]
}

/// An answer that says a length and closes before it.
fn cut_off(headers: &str, length: usize, body: &str) -> Vec<Act> {
    vec![write(format!("HTTP/1.1 200 OK\r\n{headers}content-length: {length}\r\n\r\n{body}")), Act::Close]
}

/// All files of a folder by their relative paths, without locks.
fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in std::fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.file_name().unwrap() != ".lock" {
                let name = path.strip_prefix(folder).unwrap().display().to_string();
                found.insert(name, std::fs::read(&path).unwrap());
            }
        }
    }
    found
}
