//! A `tokenizer.json` of anybody's: loaded, and asked for the tokens of a few texts.

use bench::workloads::tokens::{LocalTokenizer, TokenCounter};

use super::contract::message;

const TEXTS: [&str; 4] = ["", "Read this novel, now.", "naïve \u{1F980}\u{200d}\u{fe0f} \u{0} e\u{301}", "aaaaaaaaaaaaaaaa    \r\n\t12345"];

pub fn read(data: &[u8]) {
    let file = tempfile::NamedTempFile::new().unwrap();
    fs_err::write(file.path(), data).unwrap();
    let tokenizer = match LocalTokenizer::load(file.path()) {
        Ok(tokenizer) => TokenCounter::Tokenizer(tokenizer),
        Err(fault) => return message(&fault.to_string()),
    };
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    for text in TEXTS {
        match (runtime.block_on(tokenizer.count(text)), tokenizer.ends(text)) {
            (Err(fault), _) | (_, Err(fault)) => message(&fault.to_string()),
            (Ok(_), Ok(ends)) => assert!(ends.into_iter().flatten().all(|end| end <= text.len()), "tokens end in the text"),
        }
    }
}
