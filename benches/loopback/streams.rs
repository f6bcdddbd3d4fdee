//! Many streams at once, each read by the same client: what they take together, from when all their connections stand.

use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Runtime;
use tokio::sync::Barrier;
use tokio::task::JoinSet;

use crate::account::{Account, Meter, held_kb};
use crate::pace::Pace;
use crate::task::Load;

/// A client of the harness: how one stream asks, and what it makes of the answer.
pub trait Reader: Clone + Send + Sync + 'static {
    /// What a stream keeps from one answer to the next.
    type Stream: Send;

    /// To be made on the runtime of the streams.
    fn new(url: &str, load: &Load) -> Self;

    fn open(&self, number: u32) -> impl Future<Output = Self::Stream> + Send;

    /// Asks for so many tokens, and reads them all.
    fn answer(&self, stream: &mut Self::Stream, events: u32) -> impl Future<Output = Answer> + Send;
}

/// What came of one answer, or of several.
#[derive(Debug, Clone, Copy, Default)]
pub struct Answer {
    /// Tokens.
    pub events: u64,
    /// Reads that brought something.
    pub reads: u64,
    pub failed: u64,
}

impl std::ops::AddAssign for Answer {
    fn add_assign(&mut self, other: Self) {
        self.events += other.events;
        self.reads += other.reads;
        self.failed += other.failed;
    }
}

pub fn runtime(load: &Load) -> Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(load.threads).enable_all().build().unwrap()
}

/// Reads the load.
pub fn read<R: Reader>(url: &str, load: &Load) -> Account {
    runtime(load).block_on(async {
        let reader = R::new(url, load);
        let mut account = Account { idle_kb: held_kb(), ..Account::default() };
        let pace = Pace::start(*load);
        let all_stand = Arc::new(Barrier::new(load.streams as usize + 1));
        let mut streams = JoinSet::new();
        for number in 0..load.streams {
            streams.spawn(stream(reader.clone(), *load, number, Arc::clone(&all_stand), pace.clone()));
        }
        all_stand.wait().await;
        let meter = Meter::start();
        tokio::time::sleep(Duration::from_micros(load.first_us + 2 * load.spread_us())).await;
        account.begun_kb = held_kb();
        while let Some(ended) = streams.join_next().await {
            let Answer { events, reads, failed } = ended.unwrap();
            account.requests += u64::from(load.answers);
            account.events += events;
            account.reads += reads;
            account.failed += failed;
        }
        meter.read(&mut account);
        account.end_kb = held_kb();
        account
    })
}

/// All answers of a stream, after one that only opens its connection.
async fn stream<R: Reader>(reader: R, load: Load, number: u32, all_stand: Arc<Barrier>, pace: Pace) -> Answer {
    let mut stream = reader.open(number).await;
    let first = reader.answer(&mut stream, 1).await;
    all_stand.wait().await;
    let moments = pace.moments(number);
    let mut all = Answer { failed: first.failed, ..Answer::default() };
    for answer in 0..load.answers {
        moments.until(answer).await;
        all += reader.answer(&mut stream, load.events).await;
    }
    all
}
