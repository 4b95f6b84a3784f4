//! What a provider saw of each request.

use crate::kit::client::{self, Headers};
use crate::kit::harness::wait::LIMIT;
use sha2::{Digest, Sha256};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Instant;

/// Bodies up to this size are kept whole.
const KEPT: usize = 64 * 1024;

/// One request as it reached a provider, as far as it has come.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) arrived: Instant,
    pub(crate) http2: bool,
    /// The server name and protocol that the TLS handshake asked for.
    pub(crate) tls: Option<Tls>,
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) headers: Headers,
    pub(crate) trailers: Headers,
    /// The body, where it is small or nothing is recorded.
    pub(crate) body: Vec<u8>,
    pub(crate) length: usize,
    pub(crate) sha256: String,
    pub(crate) first_byte: Option<Instant>,
    /// Nothing more will come.
    pub(crate) ended: bool,
    /// It ended as its framing says, and was not cut.
    pub(crate) complete: bool,
}

/// What a TLS client asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Tls {
    pub(crate) server_name: Option<String>,
    pub(crate) protocol: Option<String>,
}

/// How a request says where its body ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Framing {
    Length(usize),
    Chunked,
    Unsaid,
}

impl Seen {
    /// The request of which this head has come.
    pub(super) fn begin(head: &hyper::http::request::Parts, tls: Option<Tls>) -> Self {
        let mut headers = client::h2::headers(&head.headers);
        if let Some(authority) = head.uri.authority() {
            headers.add("host", authority.as_str()); // HTTP/2 has it as :authority
        }
        Self {
            arrived: Instant::now(),
            http2: head.version == hyper::Version::HTTP_2,
            tls,
            method: head.method.as_str().to_owned(),
            path: head.uri.path_and_query().map_or("", |path| path.as_str()).to_owned(),
            headers,
            trailers: Headers::default(),
            body: Vec::new(),
            length: 0,
            sha256: String::new(),
            first_byte: None,
            ended: false,
            complete: false,
        }
    }

    pub(crate) fn framing(&self) -> Framing {
        let chunked = self.header("transfer-encoding").is_some_and(|value| value == "chunked");
        match self.header("content-length") {
            Some(length) => Framing::Length(length.parse().expect("a content-length")),
            None if chunked => Framing::Chunked,
            None => Framing::Unsaid,
        }
    }

    pub(crate) fn header(&self, name: &str) -> Option<String> {
        self.headers.get(name)
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

/// The SHA-256 of a body, as records hold it.
pub(crate) fn sha256(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// All records of a provider.
#[derive(Clone, Default)]
pub(super) struct Records(Arc<(Mutex<Vec<Seen>>, Condvar)>);

impl Records {
    /// Writes a new request down; what is written later goes through the writer.
    pub(super) fn open(&self, seen: Seen) -> Writer {
        let mut all = self.0.0.lock().expect("records");
        all.push(seen);
        self.0.1.notify_all();
        Writer { records: self.clone(), index: all.len() - 1, hash: Sha256::new() }
    }

    pub(super) fn of(&self, case: &str) -> Vec<Seen> {
        let all = self.0.0.lock().expect("records");
        all.iter().filter(|seen| is_of(case, seen)).cloned().collect()
    }

    pub(super) fn all(&self) -> Vec<Seen> {
        self.0.0.lock().expect("records").clone()
    }

    /// Waits for a record of `case` that is `ready`.
    pub(super) fn wait(&self, case: &str, ready: impl Fn(&Seen) -> bool) -> Seen {
        let (records, changed) = &*self.0;
        let matching =
            |all: &Vec<Seen>| all.iter().position(|seen| is_of(case, seen) && ready(seen));
        let all = records.lock().expect("records");
        let (all, waited) =
            changed.wait_timeout_while(all, LIMIT, |all| matching(all).is_none()).expect("records");
        assert!(!waited.timed_out(), "the provider saw no such request of {case}: {:?}", {
            all.iter().filter(|seen| is_of(case, seen)).collect::<Vec<_>>()
        });
        all[matching(&all).expect("a record")].clone()
    }
}

fn is_of(case: &str, seen: &Seen) -> bool {
    seen.header("x-case").unwrap_or_default() == case
}

/// Writes one request down while it comes.
pub(super) struct Writer {
    records: Records,
    index: usize,
    hash: Sha256,
}

impl Writer {
    pub(super) fn data(&mut self, piece: &[u8]) {
        self.hash.update(piece);
        self.change(|seen| {
            seen.first_byte.get_or_insert_with(Instant::now);
            seen.length += piece.len();
            if seen.length <= KEPT {
                seen.body.extend_from_slice(piece);
            }
        });
    }

    pub(super) fn trailers(&mut self, trailers: Headers) {
        self.change(|seen| seen.trailers = trailers);
    }

    /// The body has ended as it should.
    pub(super) fn complete(&mut self) {
        let sha256 = hex(&self.hash.clone().finalize());
        self.change(|seen| {
            seen.sha256 = sha256;
            seen.complete = true;
        });
    }

    fn change(&self, change: impl FnOnce(&mut Seen)) {
        let (records, changed) = &*self.records.0;
        change(&mut records.lock().expect("records")[self.index]);
        changed.notify_all();
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.change(|seen| seen.ended = true);
    }
}
