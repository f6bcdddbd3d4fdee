//! Looks at what has come for requests that await their first token, while the threads that measure are too late to read it.
//!
//! The kernel joins segments that lie unread and keeps the last one's stamp. So where a client reads later than the gap between two tokens, the
//! first one would have the second's time. One thread that sleeps nearly always is let in by the scheduler even on a busy core: it looks,
//! without taking anything, up to which byte the socket has been filled and when. The socket then reads no further than up to such a
//! byte, and that read has its stamp.
//!
//! It looks once a millisecond, at those sockets alone that have held something since the last look and were not read, and only where reads
//! were late a moment ago or nothing has been read yet: what is read at once costs it next to nothing.

use std::collections::HashMap;
use std::io;
use std::os::fd::{AsRawFd, RawFd};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use mio::unix::SourceFd;
use mio::{Events, Interest, Poll, Registry, Token, Waker};
use tokio::net::TcpStream;

use super::arrival_samples::ArrivalSamples;
use super::stamps::ArrivalStamp;
use super::system::{self, StampedRead};
use crate::foundation::clock::{Clock, Micros};

/// A read this late calls for the sampler: far less than any engine takes for a token.
const LATE: Micros = Micros(1_000);
/// How long it looks out from then on.
const WARY: Micros = Micros(2_000_000);
/// Is not renewed more often than that.
const RENEWED: Micros = Micros(100_000);
/// How long it rests between two looks, and how long something has lain when it is looked at: what comes within twice as much may be joined,
/// which is far less than engines take for a token.
const REST: Duration = Duration::from_millis(1);
/// The most that is looked at of a socket: a head and the first events are a few hundred bytes.
const ROOM: usize = 64 * 1024;
/// Events that are taken at once.
const EVENTS: usize = 256;
/// Calls the thread. Sockets count up from 0.
const CALL: Token = Token(usize::MAX);

/// Looks out for the sockets of one server.
#[derive(Debug)]
pub(super) struct ArrivalSampler {
    clock: Clock,
    /// From the first socket on; `None` where the system refused what it takes.
    post: OnceLock<Option<Arc<SocketRegistry>>>,
}

/// Where sockets are announced.
#[derive(Debug)]
struct SocketRegistry {
    clock: Clock,
    registry: Registry,
    waker: Waker,
    sockets: Mutex<HashMap<Token, Arc<SampledSocket>>>,
    /// So many there have been.
    count: AtomicUsize,
    /// In microseconds of the clock.
    wary_until: AtomicU64,
    over: AtomicBool,
}

/// A socket to look at.
#[derive(Debug)]
struct SampledSocket {
    token: Token,
    /// Its first token has not been read yet.
    awaited: AtomicBool,
    state: Mutex<SampledSocketState>,
}

#[derive(Debug)]
struct SampledSocketState {
    /// `None` once it is closed.
    socket: Option<RawFd>,
    /// The thread is woken by what comes.
    announced: bool,
    /// Reads and requests so far: what has lain since one of them has not been read.
    turns: u64,
    sightings: ArrivalSamples,
}

/// Something has come to a socket.
#[derive(Debug)]
struct SocketReadiness {
    watched: Arc<SampledSocket>,
    /// The socket's turns by then.
    turns: u64,
}

/// A socket's side of it. Cheap to clone.
#[derive(Debug, Clone)]
pub(super) struct SamplerHandle(Option<(Arc<SocketRegistry>, Arc<SampledSocket>)>);

impl ArrivalSampler {
    pub(super) fn new(clock: Clock) -> Self {
        Self { clock, post: OnceLock::new() }
    }

    pub(super) fn watch(&self, stream: &TcpStream) -> SamplerHandle {
        let post = self.post.get_or_init(|| SocketRegistry::open(self.clock).ok());
        SamplerHandle(post.as_ref().map(|post| (Arc::clone(post), post.take(stream.as_raw_fd()))))
    }
}

impl Drop for ArrivalSampler {
    fn drop(&mut self) {
        if let Some(Some(post)) = self.post.get() {
            post.over.store(true, Relaxed);
            // Where it cannot be woken it is not there.
            let _ = post.waker.wake();
        }
    }
}

impl SocketRegistry {
    fn open(clock: Clock) -> io::Result<Arc<Self>> {
        let poll = Poll::new()?;
        let post = Arc::new(Self {
            clock,
            registry: poll.registry().try_clone()?,
            waker: Waker::new(poll.registry(), CALL)?,
            sockets: Mutex::default(),
            count: AtomicUsize::new(0),
            wary_until: AtomicU64::new((clock.now() + WARY).0),
            over: AtomicBool::new(false),
        });
        let thread = Arc::clone(&post);
        std::thread::Builder::new().name("sampler".to_owned()).spawn(move || thread.look_out(poll))?;
        Ok(post)
    }

    fn take(&self, socket: RawFd) -> Arc<SampledSocket> {
        let token = Token(self.count.fetch_add(1, Relaxed));
        let state = SampledSocketState { socket: Some(socket), announced: false, turns: 0, sightings: ArrivalSamples::default() };
        let watched = Arc::new(SampledSocket { token, awaited: AtomicBool::new(false), state: Mutex::new(state) });
        lock(&self.sockets).insert(token, Arc::clone(&watched));
        watched
    }

    fn is_wary(&self) -> bool {
        self.clock.now().0 < self.wary_until.load(Relaxed)
    }

    /// A read was late: whatever is awaited is looked at for a while.
    fn be_wary(&self, now: Micros) {
        let until = Micros(self.wary_until.load(Relaxed));
        if until.since(now) + RENEWED >= WARY {
            return;
        }
        self.wary_until.store((now + WARY).0, Relaxed);
        if until <= now {
            // Where the thread cannot be woken nothing is seen, and stamps are the kernel's.
            let _ = self.waker.wake();
        }
    }

    fn look_out(&self, mut poll: Poll) {
        let (mut events, mut room, mut came) = (Events::with_capacity(EVENTS), vec![0; ROOM], Vec::new());
        loop {
            match poll.poll(&mut events, None) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(_) => return,
                Ok(()) => {}
            }
            for event in &events {
                if event.token() != CALL {
                    came.extend(lock(&self.sockets).get(&event.token()).and_then(SocketReadiness::of));
                } else if self.over.load(Relaxed) {
                    return;
                } else {
                    self.announce_all();
                }
            }
            // What is read in the meantime is not looked at.
            std::thread::sleep(REST);
            came.drain(..).for_each(|came| came.look(&mut room));
        }
    }

    fn announce_all(&self) {
        let sockets: Vec<_> = lock(&self.sockets).values().filter(|watched| watched.awaited.load(Relaxed)).cloned().collect();
        for watched in sockets {
            let mut state = lock(&watched.state);
            // Read in the meantime, it is not awaited any more.
            if watched.awaited.load(Relaxed) {
                self.announce(watched.token, &mut state);
            }
        }
    }

    /// From now on, and for what lies there already, the thread is woken.
    fn announce(&self, token: Token, state: &mut SampledSocketState) {
        if let (Some(socket), false) = (state.socket, state.announced) {
            state.announced = self.registry.register(&mut SourceFd(&socket), token, Interest::READABLE).is_ok();
        }
    }

    fn renounce(&self, state: &mut SampledSocketState) {
        if let (Some(socket), true) = (state.socket, std::mem::take(&mut state.announced)) {
            // Where it is not known it does not wake anybody.
            let _ = self.registry.deregister(&mut SourceFd(&socket));
        }
    }
}

impl SocketReadiness {
    /// To that socket, where its first token is awaited.
    fn of(watched: &Arc<SampledSocket>) -> Option<Self> {
        watched.awaited.load(Relaxed).then(|| Self { turns: lock(&watched.state).turns, watched: Arc::clone(watched) })
    }

    /// Notes how far the socket is filled, where nobody has turned to it since.
    fn look(self, room: &mut [u8]) {
        let mut state = lock(&self.watched.state);
        let Some(socket) = state.socket.filter(|_| state.announced && state.turns == self.turns) else { return };
        if let Ok(StampedRead { bytes, stamp: Some(stamp), .. }) = system::peek(socket, room) {
            state.sightings.note(bytes, stamp);
        }
    }
}

impl SamplerHandle {
    /// An answer is awaited from now on.
    pub(super) fn expect(&self) {
        let Some((post, watched)) = &self.0 else { return };
        let mut state = lock(&watched.state);
        state.turns += 1;
        state.sightings = ArrivalSamples::default();
        watched.awaited.store(true, Relaxed);
        if post.is_wary() {
            post.announce(watched.token, &mut state);
        } else {
            post.renounce(&mut state);
        }
    }

    /// The first token has come. What is announced stays so until the rest of the answer is found to be longer: of most one-token answers
    /// nothing follows, and the next request need not be announced.
    pub(super) fn relax(&self) {
        if let Some((_, watched)) = &self.0 {
            watched.awaited.store(false, Relaxed);
        }
    }

    /// The rest of the answer need not be looked out for.
    pub(super) fn renounce(&self) {
        if let Some((post, watched)) = &self.0 {
            post.renounce(&mut lock(&watched.state));
        }
    }

    /// Whether an answer is awaited whose first token has not been read.
    pub(super) fn is_awaited(&self) -> bool {
        self.0.as_ref().is_some_and(|(_, watched)| watched.awaited.load(Relaxed))
    }

    /// Reads no further than to where the next bytes that were seen end: they have their own stamp then.
    pub(super) fn read(&self, bytes: &mut [u8], receive: impl FnOnce(&mut [u8]) -> io::Result<StampedRead>) -> io::Result<StampedRead> {
        let Some((_, watched)) = &self.0 else { return receive(bytes) };
        let mut state = lock(&watched.state);
        state.turns += 1;
        let Some((length, stamp)) = state.sightings.next() else {
            let got = receive(bytes)?;
            state.sightings.take(got.bytes);
            return Ok(got);
        };
        let end = length.min(bytes.len());
        let got = receive(&mut bytes[..end])?;
        state.sightings.take(got.bytes);
        Ok(StampedRead { stamp: got.stamp.map(|last| last.min(stamp)), ..got })
    }

    /// Says when bytes came that have just been read.
    pub(super) fn was_read(&self, arrival: ArrivalStamp) {
        if let (Some((post, _)), Some(lag)) = (&self.0, arrival.lag.filter(|lag| *lag >= LATE)) {
            post.be_wary(arrival.at + lag);
        }
    }

    /// The socket is about to be closed.
    pub(super) fn end(&self) {
        let Some((post, watched)) = &self.0 else { return };
        let mut state = lock(&watched.state);
        post.renounce(&mut state);
        state.socket = None;
        drop(state);
        lock(&post.sockets).remove(&watched.token);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Nothing that may panic happens under these locks.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::net::{TcpListener, TcpStream};
    use std::time::Instant;

    use super::*;
    use crate::servers::wire::socket::StampedSocket;

    /// A connected socket whose bytes the kernel stamps already, and its peer.
    fn connected(sampler: &ArrivalSampler) -> (StampedSocket, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let stream = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        stream.set_nonblocking(true).unwrap();
        let (stream, mut peer) = (tokio::net::TcpStream::from_std(stream).unwrap(), listener.accept().unwrap().0);
        system::prepare(&stream);
        await_stamps(&stream, &mut peer);
        (StampedSocket::new(stream, sampler, Clock::real()).unwrap(), peer)
    }

    /// The kernel begins to stamp a moment after the first socket has asked for it.
    fn await_stamps(stream: &tokio::net::TcpStream, peer: &mut TcpStream) {
        let begun = Instant::now();
        peer.write_all(b".").unwrap();
        loop {
            match system::receive(stream, &mut [0]) {
                Ok(StampedRead { stamp: Some(_), .. }) => return,
                Ok(_) => peer.write_all(b".").unwrap(),
                Err(error) => assert_eq!(error.kind(), io::ErrorKind::WouldBlock),
            }
            assert!(begun.elapsed() < Duration::from_mins(10), "nothing is stamped");
            std::thread::yield_now();
        }
    }

    fn seen(socket: &StampedSocket) -> usize {
        lock(&socket.watch().0.as_ref().unwrap().1.state).sightings.unread()
    }

    /// Has the peer write, and waits until that was seen.
    fn write(peer: &mut TcpStream, bytes: &[u8], socket: &StampedSocket) {
        let before = seen(socket);
        peer.write_all(bytes).unwrap();
        let begun = Instant::now();
        while seen(socket) == before {
            assert!(begun.elapsed() < Duration::from_mins(10), "nobody looked");
            std::thread::yield_now();
        }
    }

    async fn read(socket: &mut StampedSocket) -> (usize, ArrivalStamp) {
        let mut bytes = [0; 100];
        let read = std::future::poll_fn(|cx| socket.poll_receive(cx, &mut bytes)).await.unwrap();
        (read, socket.arrival())
    }

    #[tokio::test]
    async fn what_came_apart_and_was_read_too_late_still_has_its_own_stamp() {
        let sampler = ArrivalSampler::new(Clock::real());
        let (mut socket, mut peer) = connected(&sampler);
        socket.watch().expect();
        write(&mut peer, b"first", &socket);
        write(&mut peer, b"and second", &socket);
        let (first, second) = (read(&mut socket).await, read(&mut socket).await);
        assert_eq!((first.0, second.0), (5, 10));
        assert!(first.1.at < second.1.at, "{first:?} {second:?}");
        assert!(first.1.lag > second.1.lag, "{first:?} {second:?}");
    }

    #[tokio::test]
    async fn nothing_is_looked_at_once_the_first_token_has_come() {
        let sampler = ArrivalSampler::new(Clock::real());
        let (mut socket, mut peer) = connected(&sampler);
        socket.watch().expect();
        write(&mut peer, b"first", &socket);
        assert_eq!(read(&mut socket).await.0, 5);
        socket.watch().relax();
        peer.write_all(b"and").unwrap();
        assert_eq!(read(&mut socket).await.0, 3);
        assert!(!lock(&socket.watch().0.as_ref().unwrap().1.state).announced);
        peer.write_all(b"second").unwrap();
        peer.write_all(b" and third").unwrap();
        drop(peer);
        let mut length = 0;
        while let (read @ 1.., _) = read(&mut socket).await {
            length += read;
        }
        assert_eq!((length, seen(&socket)), (16, 0));
    }

    #[tokio::test]
    async fn a_late_read_has_what_is_awaited_elsewhere_looked_at_too() {
        let sampler = ArrivalSampler::new(Clock::real());
        let (late, _peer) = connected(&sampler);
        let (awaited, mut to_awaited) = connected(&sampler);
        let post = Arc::clone(&late.watch().0.as_ref().unwrap().0);
        post.wary_until.store(0, Relaxed);
        awaited.watch().expect();
        assert!(!post.is_wary());
        late.watch().was_read(ArrivalStamp { at: post.clock.now(), lag: Some(LATE) });
        assert!(post.is_wary());
        write(&mut to_awaited, b"first", &awaited);
    }

    #[tokio::test]
    async fn only_what_nobody_has_turned_to_since_it_came_is_looked_at() {
        let sampler = ArrivalSampler::new(Clock::real());
        let (mut socket, mut peer) = connected(&sampler);
        let (post, watched) = socket.watch().0.clone().unwrap();
        // The thread itself stays out of it.
        post.wary_until.store(0, Relaxed);
        socket.watch().expect();
        lock(&watched.state).announced = true;
        let came = || SocketReadiness::of(&watched).unwrap();
        let (first, mut room) = (came(), vec![0; ROOM]);
        peer.write_all(b"first").unwrap();
        assert_eq!(read(&mut socket).await.0, 5);
        peer.write_all(b"and second").unwrap();
        first.look(&mut room);
        assert_eq!(seen(&socket), 0);
        came().look(&mut room);
        assert_eq!(seen(&socket), 1);
        socket.watch().relax();
        assert!(SocketReadiness::of(&watched).is_none(), "no token is awaited");
    }

    #[tokio::test]
    async fn a_closed_socket_is_forgotten() {
        let sampler = ArrivalSampler::new(Clock::real());
        let (socket, _peer) = connected(&sampler);
        let post = Arc::clone(&socket.watch().0.as_ref().unwrap().0);
        socket.watch().expect();
        assert_eq!(lock(&post.sockets).len(), 1);
        drop(socket);
        assert_eq!(lock(&post.sockets).len(), 0);
    }
}
