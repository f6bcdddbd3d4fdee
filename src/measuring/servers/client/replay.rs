//! A recorded answer heard again: its bytes in the pieces in which the network delivered them go in, an [`HttpExchange`] comes out.
//!
//! Purely, as a target does it that has sent nothing; the stamp of a piece is its number, or as it is told.

use super::answer_parser::{AnswerParser, AnswerProgress};
use super::{HttpExchange, TransportStats};
use crate::foundation::clock::Micros;
use crate::servers::endpoint::SecretValues;
use crate::vocabulary::spec::target_api::TargetApi;

/// Hears the pieces of one answer, which ends in order behind the last one.
pub fn replay<'a>(api: TargetApi, pieces: impl Iterator<Item = &'a [u8]>) -> HttpExchange {
    let exchange = replay_at(api, (0..).map(Micros).zip(pieces));
    // What pieces there are is up to the caller.
    HttpExchange { carriage: TransportStats::default(), ..exchange }
}

/// The same with the moment at which each piece came, as a read of its own.
pub fn replay_at<'a>(api: TargetApi, pieces: impl Iterator<Item = (Micros, &'a [u8])>) -> HttpExchange {
    let secrets = SecretValues::default();
    let mut listener = AnswerParser::new(api, &secrets, None);
    let mut done = Micros::default();
    let mut verdict = Ok(AnswerProgress::More);
    for (at, piece) in pieces {
        done = at;
        let before = listener.exchange.token_events.len();
        verdict = listener.hear(at, piece);
        let events = listener.exchange.token_events.len() - before;
        listener.exchange.carriage.reads.take(None, events);
        if !matches!(verdict, Ok(AnswerProgress::More)) {
            break;
        }
    }
    let verdict = match verdict {
        Ok(AnswerProgress::More) => listener.end(done),
        Ok(AnswerProgress::Done) => listener.judge(AnswerProgress::Done),
        Err(failure) => Err(failure),
    };
    HttpExchange { done, failure: verdict.err(), ..listener.exchange }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STREAM: &[u8] = include_bytes!("../../../../tests/fixtures/engine/vllm_stream.sse");

    #[test]
    fn a_recorded_answer_is_the_same_in_any_pieces() {
        let whole = replay(TargetApi::Chat, std::iter::once(STREAM));
        assert_eq!((whole.failure.as_ref(), whole.token_events.len()), (None, 12));
        for length in [1, 2, 7, 100] {
            let cut = replay(TargetApi::Chat, STREAM.chunks(length));
            assert_eq!((cut.failure, cut.usage, cut.answer), (None, whole.usage, whole.answer.clone()));
            assert_eq!(cut.token_events.len(), 12);
        }
        let torn = replay(TargetApi::Chat, STREAM[..STREAM.len() / 2].chunks(5));
        assert!(torn.failure.is_some());
    }
}
