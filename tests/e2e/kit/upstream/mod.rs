//! The stand-in for providers: one server, which records what reaches it and answers as the test says.
//!
//! ```text
//! Provider::start ──────> an answer for each case, as the test scripts it; a record of each request
//! Provider::answering ──> an answer that a function makes of each whole request; no records
//! raw::Raw ─────────────> connections that misbehave byte by byte
//! ```

mod answer;
pub(crate) mod pipe;
pub(crate) mod raw;
mod record;
mod serve;
mod socket;
pub(crate) mod tls;

pub(crate) use answer::{Answer, GREETING, Gate};
pub(crate) use record::{Framing, Seen, Tls, sha256};

use super::harness::{runtime, wait};
use raw::Closed;
use record::Records;
use std::collections::{HashMap, VecDeque};
use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use tls::Authority;
use tokio::runtime::Handle;
use tokio::sync::watch;

/// A provider that speaks HTTP/1.1 and HTTP/2 on one port.
///
/// Scripts and records belong to a case, which a request names in its `x-case` header, so tests
/// can share a provider.
#[derive(Clone)]
pub(crate) struct Provider(Arc<Inner>);

struct Inner {
    port: Closed,
    thread: Handle,
    acceptor: Option<tokio_rustls::TlsAcceptor>,
    mode: Mode,
    /// What becomes of its connections.
    state: watch::Sender<State>,
    connections: AtomicUsize,
    on_malformed: OnceLock<Box<dyn Fn(String) + Send + Sync>>,
}

enum Mode {
    Scripted { records: Records, scripts: Mutex<Scripts> },
    Answering(Box<dyn Fn(Seen) -> Answering + Send + Sync>),
}

/// An answer that may take its time; it is dropped when the gateway leaves.
pub(crate) type Answering = Pin<Box<dyn Future<Output = Answer> + Send>>;

#[derive(Default)]
struct Scripts {
    /// The answers to the next requests of a case.
    next: HashMap<String, VecDeque<Answer>>,
    /// Status and body of the JSON documents that answer all others.
    usual: HashMap<String, (u16, Vec<u8>)>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Listening,
    /// Takes no connection, and ends those it has after the request that is under way.
    Leaving,
    /// Has ended all connections where they were.
    Dead,
}

impl Provider {
    /// A cleartext provider.
    pub(crate) fn start() -> Self {
        Self::serve(None, Mode::Scripted { records: Records::default(), scripts: Mutex::default() })
    }

    /// A provider that speaks TLS, with a certificate for `localhost`.
    pub(crate) fn start_tls(authority: &Authority) -> Self {
        let mode = Mode::Scripted { records: Records::default(), scripts: Mutex::default() };
        Self::serve(Some(authority.acceptor()), mode)
    }

    /// A provider that keeps nothing: a function makes an answer of each request, whole or cut.
    pub(crate) fn answering(act: impl Fn(Seen) -> Answering + Send + Sync + 'static) -> Self {
        Self::serve(None, Mode::Answering(Box::new(act)))
    }

    fn serve(acceptor: Option<tokio_rustls::TlsAcceptor>, mode: Mode) -> Self {
        let provider = Self(Arc::new(Inner {
            port: Closed::bind(),
            thread: runtime::new(),
            acceptor,
            mode,
            state: watch::Sender::new(State::Dead),
            connections: AtomicUsize::new(0),
            on_malformed: OnceLock::new(),
        }));
        provider.open();
        provider
    }

    /// Takes connections.
    pub(crate) fn open(&self) {
        let listener = {
            let _inside = self.0.thread.enter();
            self.0.port.listen()
        };
        self.0.state.send_replace(State::Listening);
        self.0.thread.spawn(serve::serve(listener, self.clone()));
    }

    /// Says what to do when the gateway sends what is not HTTP.
    pub(crate) fn on_malformed(&self, act: impl Fn(String) + Send + Sync + 'static) {
        let is_first = self.0.on_malformed.set(Box::new(act)).is_ok();
        assert!(is_first, "that was said before");
    }

    /// Refuses connections, and ends those it has between two requests.
    pub(crate) fn close(&self) {
        self.leave(State::Leaving);
    }

    /// Refuses connections, and ends those it has, as a process does that is killed.
    pub(crate) fn kill(&self) {
        self.leave(State::Dead);
    }

    fn leave(&self, state: State) {
        self.0.state.send_replace(state);
        let is_gone = || std::net::TcpStream::connect(self.addr()).is_err();
        wait::until_true("a closed port", is_gone);
    }

    /// How many connections are open.
    pub(crate) fn connections(&self) -> usize {
        self.0.connections.load(Ordering::SeqCst)
    }

    /// Where it listens.
    pub(crate) fn addr(&self) -> SocketAddr {
        self.0.port.addr()
    }

    /// Its address as a provider's `url`.
    pub(crate) fn url(&self) -> String {
        self.0.port.url()
    }

    /// Answers the next request of `case` with this.
    pub(crate) fn script(&self, case: &str, answer: Answer) {
        let mut scripts = self.scripted().1.lock().expect("scripts");
        scripts.next.entry(case.to_owned()).or_default().push_back(answer);
    }

    /// Answers all requests of `case` that have no script with this, until the next call.
    pub(crate) fn always(&self, case: &str, status: u16, body: impl Into<Vec<u8>>) {
        let mut scripts = self.scripted().1.lock().expect("scripts");
        scripts.usual.insert(case.to_owned(), (status, body.into()));
    }

    /// The requests of `case`, as far as they have come.
    pub(crate) fn seen(&self, case: &str) -> Vec<Seen> {
        self.scripted().0.of(case)
    }

    /// All requests, as far as they have come.
    pub(crate) fn all(&self) -> Vec<Seen> {
        self.scripted().0.all()
    }

    /// Waits for a complete request of `case`.
    pub(crate) fn wait(&self, case: &str) -> Seen {
        self.wait_until(case, |seen| seen.complete)
    }

    /// Waits until a request of `case` has come as far as `ready` says.
    pub(crate) fn wait_until(&self, case: &str, ready: impl Fn(&Seen) -> bool) -> Seen {
        self.scripted().0.wait(case, ready)
    }

    /// Waits until nothing more will come of `count` requests of `case`.
    pub(crate) fn wait_for_ends(&self, case: &str, count: usize) {
        let ended = || self.seen(case).iter().filter(|seen| seen.ended).count();
        wait::until_true("the end of all requests", || ended() >= count);
    }

    fn scripted(&self) -> (&Records, &Mutex<Scripts>) {
        match &self.0.mode {
            Mode::Scripted { records, scripts } => (records, scripts),
            Mode::Answering(_) => panic!("this provider has no scripts and keeps no records"),
        }
    }

    fn next_answer(&self, case: &str) -> Answer {
        let mut scripts = self.scripted().1.lock().expect("scripts");
        let scripted = scripts.next.get_mut(case).and_then(VecDeque::pop_front);
        let usual = scripts.usual.get(case).cloned();
        let usual = usual.map(|(status, body)| Answer::new(status, "application/json", body));
        scripted.or(usual).unwrap_or_else(Answer::completion)
    }
}
