//! Texts of a trace's blocks: what a hash id stands for, so that equal ids give equal text and prompts share prefixes as the trace's did.
//!
//! In go hash ids and lengths, out come texts. A block's text is a function of the seed and its id alone. It begins with a space: most
//! token rules begin a token there, so that the tokens of a prompt are those of its blocks, one after the other. Where a rule joins
//! signs across a seam all the same, the prompt's count says so; nothing is made to fit by changing a block. It must not know times.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use super::WorkloadError;
use super::prose::ProseKind;
use super::text::CountedText;
use super::text_generator::TextGenerator;

/// Whole blocks in a generation of what is kept: two of them are some ten megabytes at 512 tokens a block.
const GENERATION: usize = 2048;

/// The blocks of one trace.
#[derive(Debug)]
pub struct TraceBlockTexts {
    block_tokens: u64,
    recent: Mutex<RecentBlockTexts>,
}

/// Texts used not long ago: what was used in the last generation moves into the present one when it is used again.
#[derive(Debug, Default)]
struct RecentBlockTexts {
    present: BTreeMap<u64, CountedText>,
    last: BTreeMap<u64, CountedText>,
}

impl RecentBlockTexts {
    fn find(&mut self, id: u64) -> Option<CountedText> {
        if let Some(text) = self.present.get(&id) {
            return Some(text.clone());
        }
        let text = self.last.remove(&id)?;
        self.keep(id, text.clone());
        Some(text)
    }

    fn keep(&mut self, id: u64, text: CountedText) {
        if self.present.len() >= GENERATION {
            self.last = std::mem::take(&mut self.present);
        }
        self.present.insert(id, text);
    }
}

impl TraceBlockTexts {
    pub fn new(block_tokens: u64) -> Self {
        Self { block_tokens: block_tokens.max(1), recent: Mutex::default() }
    }

    /// The prompt of these blocks, `tokens` long, the last block cut so that it is.
    pub async fn prompt(&self, author: &TextGenerator, hash_ids: &[u64], tokens: u64) -> Result<CountedText, WorkloadError> {
        let Some((last, whole)) = hash_ids.split_last() else { return Ok(CountedText { text: "".into(), tokens: 0 }) };
        let mut prompt = String::new();
        for id in whole {
            prompt.push_str(&self.whole(author, *id).await?.text);
        }
        // Seams that a rule joins, and blocks that it allows no exact text for, come out even in the last one.
        let before = if whole.is_empty() { 0 } else { author.counter().count(&prompt).await? };
        let left = tokens.saturating_sub(before).max(1);
        let end = if left == self.block_tokens { self.whole(author, *last).await? } else { self.made(author, *last, left).await? };
        prompt.push_str(&end.text);
        Ok(CountedText::counted(&prompt, author.counter()).await?)
    }

    async fn whole(&self, author: &TextGenerator, id: u64) -> Result<CountedText, WorkloadError> {
        if let Some(text) = self.recent().find(id) {
            return Ok(text);
        }
        let text = self.made(author, id, self.block_tokens).await?;
        self.recent().keep(id, text.clone());
        Ok(text)
    }

    async fn made(&self, author: &TextGenerator, id: u64, tokens: u64) -> Result<CountedText, WorkloadError> {
        let text = author.write(ProseKind::Passage, [id, 0], tokens, &format!(" {}", author.title(id))).await?;
        // The shortest texts are filling words alone, with no title in front.
        Ok(if text.text.starts_with(' ') { text } else { CountedText::counted(&format!(" {}", text.text), author.counter()).await? })
    }

    /// A panic elsewhere leaves the texts whole: moving them is all that is done.
    fn recent(&self) -> std::sync::MutexGuard<'_, RecentBlockTexts> {
        self.recent.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_that_are_used_again_stay_and_others_go() {
        let mut recent = RecentBlockTexts::default();
        let text = || CountedText { text: "a".into(), tokens: 1 };
        recent.keep(0, text());
        for id in 1..=2 * GENERATION as u64 + 1 {
            recent.keep(id, text());
            assert!(recent.find(0).is_some());
        }
        assert!(recent.find(1).is_none());
        assert!(recent.present.len() + recent.last.len() <= 2 * GENERATION);
    }
}
