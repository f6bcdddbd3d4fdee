//! The watch over one run: a first reading of everything right before the load, one a period while it goes on, a last one right after it.
//!
//! Deadlines are absolute, and one that has passed is left out: a slow page is read less often, and never twice at once. One that cannot be
//! read disturbs neither the others nor the load.

use std::path::Path;
use std::sync::Arc;

use futures_util::future::join_all;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::gpu::GpuWatcher;
use super::host::HostWatcher;
use super::name_filter::MetricNameFilter;
use super::page::MetricsPage;
use super::watched_page::WatchedPage;
use crate::foundation::clock::{Clock, Micros};
use crate::records::record::ServerSample;
use crate::servers::endpoint::{BaseUrl, ServerEndpoint};
use crate::servers::server::endpoint_request::asked_servers;
use crate::vocabulary::spec::target::TargetSpec;
use crate::vocabulary::spec::watch::WatchSpec;

/// The shortest period: below it, reading would be most of what is measured.
const SHORTEST: Micros = Micros(10_000);
/// The program that tells of NVIDIA's GPUs.
const GPU_PROGRAM: &str = "nvidia-smi";

/// Where samples go, from wherever they come.
type Sink = Arc<dyn Fn(Vec<ServerSample>) + Send + Sync>;

/// Watches until it is told to finish, or dropped.
#[derive(Debug)]
pub struct MetricsWatcher {
    stop: CancellationToken,
    watching: JoinSet<WatchSummary>,
}

/// What is known at the end beside the samples.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct WatchSummary {
    /// Remarks for people: what could not be read, and why. Texts hold no secret of the target's.
    pub notes: Vec<String>,
    /// Tokens that the server's KV cache holds on its device, where a page told.
    pub kv_pool_tokens: Option<u64>,
}

/// Something that is asked.
#[derive(Debug)]
enum WatchSource {
    Page(Box<WatchedPage>),
    Host(HostWatcher),
}

impl WatchSource {
    async fn read(&mut self, at: Micros) -> Vec<ServerSample> {
        match self {
            Self::Page(page) => page.read(at).await,
            Self::Host(host) => host.read(at),
        }
    }
}

/// When to read, and where to.
#[derive(Clone)]
struct WatchSchedule {
    clock: Clock,
    period: Micros,
    stop: CancellationToken,
    sink: Sink,
}

impl MetricsWatcher {
    /// Takes the first reading, and goes on in the background. Whatever cannot be read is a note at the end. `sink` is called from the
    /// background with all that was told at one time; it must not block.
    pub async fn start(
        spec: &WatchSpec,
        target: &TargetSpec,
        clock: Clock,
        sink: impl Fn(Vec<ServerSample>) + Send + Sync + 'static,
    ) -> Self {
        Self::start_with(Path::new(GPU_PROGRAM), spec, target, clock, sink).await
    }

    async fn start_with(
        gpu_program: &Path,
        spec: &WatchSpec,
        target: &TargetSpec,
        clock: Clock,
        sink: impl Fn(Vec<ServerSample>) + Send + Sync + 'static,
    ) -> Self {
        let rhythm = WatchSchedule {
            clock,
            period: Micros::from_secs_f64(spec.period.0).max(SHORTEST),
            stop: CancellationToken::new(),
            sink: Arc::new(sink),
        };
        let mut notes = Vec::new();
        let mut sources = pages(spec, target, &mut notes);
        // A server elsewhere has another machine's GPUs.
        let is_here = addresses(target).any(|url| url.parse::<BaseUrl>().is_ok_and(|address| address.is_here()));
        let host = spec.host && is_here;
        if host || spec.storage.is_some() {
            sources.push(WatchSource::Host(HostWatcher::new(host, spec.storage.as_deref())));
        }
        let mut gpus = (spec.gpu && is_here).then(|| GpuWatcher::start(gpu_program, rhythm.period)).flatten();
        let first = clock.now();
        let read = async |source: &mut WatchSource| (rhythm.sink)(source.read(clock.now()).await);
        let told = async {
            if let Some(gpus) = &mut gpus {
                (rhythm.sink)(gpus.first(clock).await);
            }
        };
        tokio::join!(join_all(sources.iter_mut().map(read)), told);
        let stop = rhythm.stop.clone();
        let mut watching = JoinSet::new();
        watching.spawn(watch(sources, gpus, rhythm, first, notes));
        Self { stop, watching }
    }

    /// Takes the last reading and ends.
    pub async fn finish(mut self) -> WatchSummary {
        self.stop.cancel();
        match self.watching.join_next().await {
            Some(Ok(watched)) => watched,
            Some(Err(panic)) if panic.is_panic() => std::panic::resume_unwind(panic.into_panic()),
            Some(Err(_)) | None => WatchSummary::default(),
        }
    }
}

/// Where the target's servers are.
fn addresses(target: &TargetSpec) -> impl Iterator<Item = &String> {
    target.urls.iter().chain(target.urls.is_empty().then_some(&target.url))
}

/// The pages of the section: a path is one of each server, a URL is one page however many servers there are. Where an address of the target
/// cannot be used there are none: the run says so itself.
fn pages(spec: &WatchSpec, target: &TargetSpec, notes: &mut Vec<String>) -> Vec<WatchSource> {
    // Connections of its own, apart from those that are measured.
    let endpoints = match ServerEndpoint::open_all(target) {
        Ok(endpoints) => endpoints,
        Err(fault) => {
            notes.push(format!("no metrics: {fault}"));
            return Vec::new();
        }
    };
    let keep = MetricNameFilter::new(&spec.kept_names());
    let mut pages = Vec::new();
    for place in &spec.endpoints {
        for endpoint in asked_servers(place, &endpoints) {
            match MetricsPage::at(place, endpoint, target) {
                Ok(page) => pages.push(WatchSource::Page(Box::new(WatchedPage::new(page, keep.clone(), spec.roles.get(place).copied())))),
                Err(fault) => notes.push(format!("no metrics: {fault}")),
            }
        }
    }
    pages
}

/// Everything at its own pace, in one task.
async fn watch(
    sources: Vec<WatchSource>,
    gpus: Option<GpuWatcher>,
    rhythm: WatchSchedule,
    first: Micros,
    notes: Vec<String>,
) -> WatchSummary {
    let sources = join_all(sources.into_iter().map(|source| keep_reading(source, &rhythm, first)));
    let gpus = async {
        match gpus {
            Some(gpus) => keep_listening(gpus, &rhythm).await,
            None => None,
        }
    };
    let (sources, gpu_note) = tokio::join!(sources, gpus);
    let mut watched = WatchSummary { notes, kv_pool_tokens: None };
    for source in &sources {
        match source {
            WatchSource::Page(page) => {
                watched.notes.extend(page.notes());
                // Each server has a pool of its own.
                watched.kv_pool_tokens = watched.kv_pool_tokens.into_iter().chain(page.pool_tokens()).reduce(u64::saturating_add);
            }
            WatchSource::Host(host) => watched.notes.extend(host.notes()),
        }
    }
    watched.notes.extend(gpu_note);
    watched
}

async fn keep_reading(mut source: WatchSource, rhythm: &WatchSchedule, first: Micros) -> WatchSource {
    let WatchSchedule { clock, period, stop, sink } = rhythm;
    loop {
        let next = next_deadline(first, *period, clock.now());
        tokio::select! {
            biased;
            () = stop.cancelled() => break,
            () = clock.sleep_until(next) => {}
        }
        tokio::select! {
            biased;
            // The reading under way tells of a time before the end; the last one tells of it.
            () = stop.cancelled() => break,
            samples = source.read(clock.now()) => sink(samples),
        }
    }
    sink(source.read(clock.now()).await);
    source
}

/// The first deadline that is still ahead.
fn next_deadline(first: Micros, period: Micros, now: Micros) -> Micros {
    let passed = now.since(first).0 / period.0;
    Micros(first.0 + (passed + 1) * period.0)
}

/// Hands on each line as it comes.
async fn keep_listening(mut gpus: GpuWatcher, rhythm: &WatchSchedule) -> Option<String> {
    loop {
        tokio::select! {
            biased;
            () = rhythm.stop.cancelled() => break,
            samples = gpus.next(rhythm.clock) => match samples {
                Some(samples) => (rhythm.sink)(samples),
                None => break,
            },
        }
    }
    gpus.end().await
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;
    use std::sync::atomic::{AtomicU32, Ordering};
    use std::time::Duration;

    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::{TcpListener, TcpStream};

    use super::*;
    use crate::records::record::SampleKind;

    /// A page that counts how often it was asked; `slow` is how long it takes for each answer.
    struct Page {
        address: String,
        asked: Arc<AtomicU32>,
        _serving: JoinSet<()>,
    }

    async fn page(status: &'static str, slow: Duration) -> Page {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let asked = Arc::new(AtomicU32::new(0));
        let mut serving = JoinSet::new();
        let counter = Arc::clone(&asked);
        serving.spawn(async move {
            let mut talks = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                talks.spawn(answer(stream, status, slow, Arc::clone(&counter)));
            }
        });
        Page { address, asked, _serving: serving }
    }

    async fn answer(mut stream: TcpStream, status: &'static str, slow: Duration, asked: Arc<AtomicU32>) {
        while stream.read(&mut [0; 4096]).await.is_ok_and(|read| read > 0) {
            let count = asked.fetch_add(1, Ordering::SeqCst) + 1;
            tokio::time::sleep(slow).await;
            let body = format!(
                "# TYPE asked counter\nasked_total {count}\n# TYPE asked_total counter\nasked_total{{a=\"1\"}} {count}\nother 1\n\
                 vllm:cache_config_info{{block_size=\"16\",num_gpu_blocks=\"10\"}} 1\n"
            );
            let reply = format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\n\r\n{body}", body.len());
            if stream.write_all(reply.as_bytes()).await.is_err() {
                return;
            }
        }
    }

    fn spec(endpoints: &[&str]) -> WatchSpec {
        let json = serde_json::json!({ "endpoints": endpoints, "period": 0.01, "keep": ["asked*"], "gpu": false, "host": false });
        serde_json::from_value(json).unwrap()
    }

    fn target(url: &str) -> TargetSpec {
        serde_json::from_value(serde_json::json!({ "url": url })).unwrap()
    }

    type Told = Arc<Mutex<Vec<ServerSample>>>;

    /// Watches until `enough` of what was told, and then finishes.
    async fn watched(spec: &WatchSpec, target: &TargetSpec, enough: impl Fn(&[ServerSample]) -> bool) -> (Vec<ServerSample>, WatchSummary) {
        let told = Told::default();
        let sink = Arc::clone(&told);
        let watcher = MetricsWatcher::start(spec, target, Clock::real(), move |samples| sink.lock().unwrap().extend(samples)).await;
        let limit = std::time::Instant::now() + Duration::from_mins(10);
        while !enough(&told.lock().unwrap()) && std::time::Instant::now() < limit {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        let end = watcher.finish().await;
        let told = told.lock().unwrap().clone();
        (told, end)
    }

    #[tokio::test]
    async fn the_first_reading_is_there_when_the_load_begins_and_the_last_when_it_has_ended() {
        let page = page("200 OK", Duration::ZERO).await;
        let told = Told::default();
        let sink = Arc::clone(&told);
        let clock = Clock::real();
        let mut slow = spec(&["/metrics"]);
        slow.period.0 = 3_600.0;
        let watcher =
            MetricsWatcher::start(&slow, &target(&page.address), clock, move |samples| sink.lock().unwrap().extend(samples)).await;
        let before = clock.now();
        assert_eq!(told.lock().unwrap().len(), 2);
        let end = watcher.finish().await;
        let told = told.lock().unwrap();
        assert_eq!(told.iter().map(|sample| sample.value.to_bits()).collect::<Vec<_>>(), [1.0_f64, 1.0, 2.0, 2.0].map(f64::to_bits));
        assert!(told[1].at_us <= before && told[2].at_us >= before);
        assert_eq!((&*told[1].name, &*told[1].labels, told[1].kind), ("asked_total", "{a=\"1\"}", SampleKind::Counter));
        assert_eq!(&*told[1].source, format!("{}/metrics", page.address));
        // The pool is known though its metric is not kept.
        assert_eq!(end, WatchSummary { notes: vec![], kv_pool_tokens: Some(160) });
    }

    #[tokio::test]
    async fn a_page_is_read_once_a_period_and_what_cannot_be_read_is_a_note() {
        let page = page("200 OK", Duration::ZERO).await;
        // Taken, so that nobody else gets it, and refused to whoever connects.
        let dead = tokio::net::TcpSocket::new_v4().unwrap();
        dead.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let nobody = format!("http://{}/metrics", dead.local_addr().unwrap());
        let spec = spec(&["/metrics", &nobody, "ftp://h/metrics"]);
        let (told, end) = watched(&spec, &target(&page.address), |told| told.len() >= 8).await;
        assert!(told.len() >= 8, "{told:?}");
        assert!(told.windows(2).all(|pair| pair[0].at_us <= pair[1].at_us));
        assert_eq!(end.notes.len(), 2, "{:?}", end.notes);
        assert!(end.notes[0].contains("`ftp://h/metrics` is neither a path"), "{}", end.notes[0]);
        assert!(end.notes[1].starts_with(&format!("`{nobody}` could not be read ")), "{}", end.notes[1]);
    }

    #[tokio::test]
    async fn a_page_that_does_not_exist_is_asked_once_and_quietly_noted() {
        let (missing, there) = (page("404 Not Found", Duration::ZERO).await, page("200 OK", Duration::ZERO).await);
        let spec = spec(&["/metrics", &format!("{}/metrics", there.address)]);
        let (_, end) = watched(&spec, &target(&missing.address), |told| told.len() >= 6).await;
        assert_eq!(missing.asked.load(Ordering::SeqCst), 1);
        assert_eq!(end.notes, [format!("`{}/metrics` does not exist: no metrics from there", missing.address)]);
    }

    #[tokio::test]
    async fn a_slow_page_is_never_asked_twice_at_once_and_holds_up_no_other() {
        let (slow, quick) = (page("200 OK", Duration::from_millis(200)).await, page("200 OK", Duration::ZERO).await);
        let spec = spec(&["/metrics", &format!("{}/metrics", quick.address)]);
        let of_slow = format!("{}/metrics", slow.address);
        let count = |told: &[ServerSample]| told.iter().filter(|sample| *sample.source == *of_slow).count() / 2;
        let (told, end) = watched(&spec, &target(&slow.address), |told| count(told) >= 2).await;
        let asked = slow.asked.load(Ordering::SeqCst) as usize;
        // One reading may have been given up at the end.
        assert!(asked == count(&told) || asked == count(&told) + 1, "{asked} {}", count(&told));
        assert!(told.len() / 2 - count(&told) > count(&told), "the quick page was read more often");
        assert_eq!(end.notes, Vec::<String>::new());
    }

    #[test]
    fn deadlines_are_absolute_and_those_that_have_passed_are_left_out() {
        let next = |now| next_deadline(Micros(1_000), Micros(100), Micros(now)).0;
        assert_eq!([next(1_000), next(1_099), next(1_100), next(1_555), next(0)], [1_100, 1_100, 1_200, 1_600, 1_100]);
    }

    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn the_machine_is_read_beside_the_pages_and_a_missing_gpu_is_no_news() {
        let json = serde_json::json!({ "endpoints": [], "period": 0.01, "gpu": true, "host": true });
        let spec: WatchSpec = serde_json::from_value(json).unwrap();
        let told = Told::default();
        let sink = Arc::clone(&told);
        let push = move |samples| sink.lock().unwrap().extend::<Vec<_>>(samples);
        let watcher =
            MetricsWatcher::start_with(Path::new("no/such/program"), &spec, &target("http://localhost"), Clock::real(), push).await;
        let end = watcher.finish().await;
        assert_eq!(end, WatchSummary::default());
        let told = told.lock().unwrap();
        assert_eq!(told.iter().filter(|sample| &*sample.name == "memory_total_bytes").count(), 2);
    }

    #[tokio::test]
    async fn of_a_server_elsewhere_this_machine_says_nothing() {
        let spec: WatchSpec = serde_json::from_value(serde_json::json!({ "endpoints": [], "period": 0.01 })).unwrap();
        let told = Told::default();
        let sink = Arc::clone(&told);
        let push = move |samples| sink.lock().unwrap().extend::<Vec<_>>(samples);
        MetricsWatcher::start(&spec, &target("http://h"), Clock::real(), push).await.finish().await;
        assert_eq!(told.lock().unwrap().len(), 0);
    }
}
