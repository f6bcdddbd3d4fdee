//! Silence of every kind. Limits are a tenth of a second at most, so nothing here waits longer.

use bench::foundation::clock::Micros;
use serde_json::json;
use tokio::sync::oneshot;

use super::socket::{Act, Socket, chunk, stream_head};
use super::{DONE, ROLE, STOP, TOKEN, ask, failure, prompt, target};

#[tokio::test]
async fn silence_before_the_first_token_is_that_timeout_whatever_else_came() {
    let pings = || (0..3).map(|_| chunk(": ping\n\n"));
    let answers: [Vec<Act>; 4] = [
        vec![Act::Hold],
        vec![stream_head(), Act::Hold],
        vec![stream_head(), chunk(ROLE), Act::Hold],
        std::iter::once(stream_head()).chain(pings()).chain([Act::Hold]).collect(),
    ];
    for (index, acts) in answers.into_iter().enumerate() {
        let socket = Socket::serve([acts]).await;
        let (sender, receiver) = oneshot::channel();
        let target = target(&socket.url(), json!({ "first_token_timeout": 0.1, "idle_timeout": 0.001 }));
        let exchange = target.exchange(prompt(), Some(sender)).await;
        assert_eq!(failure(&exchange), ("timeout_first_token".to_owned(), "no token within 100ms"));
        assert!((index > 0 || exchange.headers.is_none()) && (index == 2 || exchange.first_event.is_none()));
        assert!(receiver.await.is_err());
    }
}

#[tokio::test]
async fn silence_between_events_is_the_idle_timeout_and_comments_do_not_break_it() {
    for rest in [Vec::new(), vec![chunk(": ping\n\n"), chunk(": ping\n\n")]] {
        let acts = [stream_head(), chunk(TOKEN)].into_iter().chain(rest).chain([Act::Hold]).collect();
        let socket = Socket::serve([acts]).await;
        let exchange = ask(&socket.url(), json!({ "idle_timeout": 0.1 })).await;
        assert_eq!(failure(&exchange), ("timeout_idle".to_owned(), "no event within 100ms of the one before"));
        assert_eq!(exchange.token_events.len(), 1);
    }
}

#[tokio::test]
async fn the_total_limit_holds_before_and_after_the_first_token() {
    for acts in [vec![Act::Hold], vec![stream_head(), chunk(TOKEN), Act::Hold]] {
        let socket = Socket::serve([acts]).await;
        let exchange = ask(&socket.url(), json!({ "total_timeout": 0.03 })).await;
        assert_eq!(failure(&exchange), ("timeout_total".to_owned(), "the answer was not whole within 30ms"));
    }
}

#[tokio::test]
async fn a_user_who_leaves_closes_the_connection_before_and_after_the_first_token() {
    for (acts, tokens) in [(vec![Act::Hold], 0), (vec![stream_head(), chunk(ROLE), chunk(TOKEN), Act::Hold], 1)] {
        let socket = Socket::serve([acts]).await;
        let target = target(&socket.url(), json!({}));
        let leaving = target.prepare(prompt()).leaving(Some(Micros(50_000)));
        let exchange = target.send(leaving, None).await;
        assert_eq!(failure(&exchange), ("left".to_owned(), "the user left after 50ms, as the scenario asks"));
        assert_eq!(exchange.token_events.len(), tokens);
    }
    let socket = Socket::serve([vec![stream_head(), chunk(ROLE), chunk(TOKEN), chunk(STOP), chunk(DONE)]]).await;
    let target = target(&socket.url(), json!({}));
    let patient = target.prepare(prompt()).leaving(Some(Micros(600_000_000)));
    assert_eq!(target.send(patient, None).await.failure, None, "an answer that is over before is whole");
}

#[tokio::test]
async fn a_token_that_comes_after_its_limit_is_no_token_in_time() {
    // The runtime is kept busy beyond the limit, so that token and timer are both ready when the client looks.
    let (told, heard) = oneshot::channel();
    let mut socket = Socket::serve([vec![stream_head(), chunk(ROLE), Act::Await(heard), chunk(TOKEN), Act::Hold]]).await;
    let target = target(&socket.url(), json!({ "first_token_timeout": 0.03 }));
    let busy = async {
        while socket.received().is_none() {
            tokio::task::yield_now().await;
        }
        // It was sent before this moment, and the token is written after twice its limit.
        let start = std::time::Instant::now();
        told.send(()).unwrap();
        while start.elapsed().as_millis() < 60 {
            std::hint::spin_loop();
        }
    };
    let (exchange, ()) = tokio::join!(target.exchange(prompt(), None), busy);
    assert_eq!(failure(&exchange).0, "timeout_first_token");
}
