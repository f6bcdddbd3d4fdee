//! An answer's bytes through the listener, as each API reads them: however the network cuts them, they mean the same.

use bench::foundation::clock::Micros;
use bench::servers::client::{HttpExchange, replay};
use bench::vocabulary::spec::target_api::TargetApi;

use super::contract::message;

/// Two bytes say how long the pieces are, the rest is the stream.
pub fn read(data: &[u8]) {
    let [first, second, stream @ ..] = data else { return };
    for api in [TargetApi::Chat, TargetApi::Responses, TargetApi::Messages] {
        let whole = replay(api, std::iter::once(stream));
        let cut = replay(api, pieces(stream, [usize::from(*first), usize::from(*second)]).into_iter());
        assert_eq!(meaning(&cut), meaning(&whole), "where it was cut changes what it means");
        if let Some(failure) = &whole.failure {
            message(&failure.detail);
        }
        assert!(whole.token_events.len() <= stream.len());
    }
}

/// Pieces of two lengths in turn; a length of 0 is an empty piece.
fn pieces(stream: &[u8], lengths: [usize; 2]) -> Vec<&[u8]> {
    let mut pieces = Vec::new();
    let mut rest = stream;
    for turn in 0_usize.. {
        if rest.is_empty() {
            break;
        }
        let length = if lengths == [0, 0] { 1 } else { lengths[turn % 2] }.min(rest.len());
        let (piece, behind) = rest.split_at(length);
        pieces.push(piece);
        rest = behind;
    }
    pieces
}

/// An exchange without its stamps, of which a cut stream has others.
fn meaning(exchange: &HttpExchange) -> HttpExchange {
    let no_stamp = |at: &Micros| at.since(*at);
    HttpExchange {
        first_event: exchange.first_event.as_ref().map(no_stamp),
        token_events: exchange.token_events.iter().map(no_stamp).collect(),
        first_answer: exchange.first_answer.as_ref().map(no_stamp),
        done: Micros(0),
        ..exchange.clone()
    }
}
