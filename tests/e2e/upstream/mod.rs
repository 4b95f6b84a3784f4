//! Stand-ins for providers, which record what reaches them and answer as the test says.

mod answer;
pub(crate) mod pipe;
pub(crate) mod process;
pub(crate) mod raw;
mod record;
mod serve;
pub(crate) mod tls;
pub(crate) mod websocket;

pub(crate) use answer::{Answer, Gate};
pub(crate) use record::{Framing, Seen, Tls, sha256};

use crate::harness::{runtime, wait};
use record::Records;
use std::collections::{HashMap, VecDeque};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use tls::Authority;

/// A provider that speaks HTTP/1.1 and HTTP/2 on one port.
///
/// Scripts and records belong to a case, which a request names in its `x-case` header, so tests
/// can share a provider.
#[derive(Clone)]
pub(crate) struct Provider {
    addr: SocketAddr,
    records: Records,
    scripts: Scripts,
    usual: Usual,
}

/// Status and body of the JSON documents that are answered again and again.
type Usual = Arc<Mutex<HashMap<String, (u16, Vec<u8>)>>>;

type Scripts = Arc<Mutex<HashMap<String, VecDeque<Answer>>>>;

impl Provider {
    /// A cleartext provider.
    pub(crate) fn start() -> Self {
        Self::serve(None)
    }

    /// A provider behind TLS, with a certificate for `localhost`.
    pub(crate) fn start_tls(authority: &Authority) -> Self {
        Self::serve(Some(authority.acceptor()))
    }

    fn serve(acceptor: Option<tokio_rustls::TlsAcceptor>) -> Self {
        let thread = runtime::new();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0");
        let listener = runtime::run_on(&thread, "a port", listener).expect("a port");
        let addr = listener.local_addr().expect("an address");
        let provider = Self {
            addr,
            records: Records::default(),
            scripts: Scripts::default(),
            usual: Usual::default(),
        };
        thread.spawn(serve::serve(listener, acceptor, provider.clone()));
        provider
    }

    /// Where it listens.
    pub(crate) fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Its address as a provider's `url`.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.addr)
    }

    /// Answers the next request of `case` so.
    pub(crate) fn script(&self, case: &str, answer: Answer) {
        let mut scripts = self.scripts.lock().expect("scripts");
        scripts.entry(case.to_owned()).or_default().push_back(answer);
    }

    /// Answers all requests of `case` so that have no script, until told otherwise.
    pub(crate) fn always(&self, case: &str, status: u16, body: impl Into<Vec<u8>>) {
        let mut usual = self.usual.lock().expect("usual answers");
        usual.insert(case.to_owned(), (status, body.into()));
    }

    /// The requests of `case`, as far as they have come.
    pub(crate) fn seen(&self, case: &str) -> Vec<Seen> {
        self.records.of(case)
    }

    /// Waits for a complete request of `case`.
    pub(crate) fn wait(&self, case: &str) -> Seen {
        self.wait_until(case, |seen| seen.complete)
    }

    /// Waits until a request of `case` has come so far.
    pub(crate) fn wait_until(&self, case: &str, ready: impl Fn(&Seen) -> bool) -> Seen {
        self.records.wait(case, ready)
    }

    /// Waits until nothing more will come of so many requests of `case`.
    pub(crate) fn wait_for_ends(&self, case: &str, count: usize) {
        let ended = || self.seen(case).iter().filter(|seen| seen.ended).count();
        wait::until_true("the end of all requests", || ended() >= count);
    }

    fn next_answer(&self, case: &str) -> Answer {
        let mut scripts = self.scripts.lock().expect("scripts");
        let scripted = scripts.get_mut(case).and_then(VecDeque::pop_front);
        let usual = self.usual.lock().expect("usual answers").get(case).cloned();
        let usual = usual.map(|(status, body)| Answer::new(status, "application/json", body));
        scripted.or(usual).unwrap_or_else(Answer::completion)
    }
}
