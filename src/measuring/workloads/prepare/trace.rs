//! What is in a recorded trace: rate, lengths, and how much of its prompts earlier ones share.

use std::path::Path;

use serde::Serialize;

use super::shared_blocks::SharedBlockCounter;
use super::token_statistics::{TokenCountRecorder, TokenStatistics};
use crate::vocabulary::recording::{RecordingError, Trace, TraceReadOptions};

/// A trace in figures.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TraceStatistics {
    pub requests: u64,
    /// From the first request to the last.
    pub span_s: f64,
    /// Requests over span; `None` where all come at once.
    pub rate_per_s: Option<f64>,
    pub input_tokens: TokenStatistics,
    pub output_tokens: TokenStatistics,
    /// Blocks of all prompts, a hash id each.
    pub blocks: u64,
    /// Blocks at the beginning of a prompt that an earlier prompt had too: the hits of a prefix cache without limits.
    pub shared_blocks: u64,
    /// The one over the other; `None` where the trace has no hash ids.
    pub shared_share: Option<f64>,
}

/// Looks through the file of a trace, row by row: once, and again for as many hash ids as are kept at a time.
#[expect(clippy::cast_precision_loss, reason = "shares of counts far below 2^53")]
pub fn figures(file: &Path, options: TraceReadOptions) -> Result<TraceStatistics, RecordingError> {
    let (mut inputs, mut outputs) = (TokenCountRecorder::default(), TokenCountRecorder::default());
    let (mut requests, mut blocks, mut span_s) = (0, 0, 0.0);
    let mut shared = SharedBlockCounter::default();
    Trace::each(file, options, |request, hash_ids| {
        inputs.add(request.input_tokens);
        outputs.add(request.output_tokens.into());
        requests += 1;
        blocks += hash_ids.len() as u64;
        shared.add(hash_ids);
        span_s = request.at_ms / 1e3;
    })?;
    while shared.needs_another_pass() {
        let mut blocks_again = 0;
        Trace::each(file, options, |_, hash_ids| {
            blocks_again += hash_ids.len() as u64;
            shared.add(hash_ids);
        })?;
        if blocks_again != blocks {
            return Err(RecordingError::Changed { file: file.to_owned() });
        }
    }
    let shared_blocks = shared.shared_blocks();
    Ok(TraceStatistics {
        requests,
        span_s,
        rate_per_s: (span_s > 0.0).then(|| requests as f64 / span_s),
        input_tokens: inputs.figures(),
        output_tokens: outputs.figures(),
        blocks,
        shared_blocks,
        shared_share: (blocks > 0).then(|| shared_blocks as f64 / blocks as f64),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_of_a_small_trace_are_those_counted_by_hand() {
        let line = |at: u32, input: u32, output: u32, ids: &str| {
            format!(r#"{{"timestamp": {at}, "input_length": {input}, "output_length": {output}, "hash_ids": {ids}}}"#)
        };
        // Of the second prompt the first two blocks are shared; of the third none, since sharing ends at the first block that differs.
        let lines = [line(1000, 25, 5, "[1, 2, 3]"), line(2000, 30, 7, "[1, 2, 9]"), line(5000, 20, 6, "[8, 2]")];
        let file = tempfile::NamedTempFile::new().unwrap();
        fs_err::write(file.path(), lines.join("\n")).unwrap();
        let options = TraceReadOptions { unit: None, block_tokens: Some(10), requests: u64::MAX, until_ms: None };
        let figures = figures(file.path(), options).unwrap();
        assert_eq!((figures.requests, figures.span_s, figures.rate_per_s), (3, 4.0, Some(0.75)));
        assert_eq!((figures.input_tokens.total, figures.input_tokens.p50, figures.output_tokens.max), (75, 25, 7));
        assert_eq!((figures.blocks, figures.shared_blocks, figures.shared_share), (8, 2, Some(0.25)));
    }
}
