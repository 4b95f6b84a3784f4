//! Callers: each on a connection of its own, over one protocol or the other.

use super::judge::{self, Told};
use super::ledger::Ledger;
use super::oracle;
use super::plan::Plan;
use crate::client::{Headers, Request, Response, h1, h2};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::{self, JoinHandle, sleep};
use std::time::Duration;

/// Between two pieces of a body that is sent slowly.
const PAUSE: Duration = Duration::from_millis(2);

/// Attempts that providers had seen when their caller had its answer.
pub(super) const SEEN: &str = "attempts that were seen";

/// Attempts that the gateway says it has made.
pub(super) const SAID: &str = "attempts that were said";

/// What the callers share.
pub(super) struct Work {
    pub(super) addr: SocketAddr,
    pub(super) seed: u64,
    pub(super) ledger: Arc<Ledger>,
    /// The next request's number.
    pub(super) next: AtomicU64,
    pub(super) end: u64,
    /// No provider is away, and no breaker open.
    pub(super) is_steady: bool,
}

/// Lets so many callers do the work.
pub(super) fn start(work: &Arc<Work>, size: usize) -> Vec<JoinHandle<()>> {
    let caller = |number: usize| {
        let work = work.clone();
        thread::spawn(move || work.run(Line::open(number.is_multiple_of(2), work.addr)))
    };
    (0..size).map(caller).collect()
}

impl Work {
    fn run(&self, mut line: Line) {
        loop {
            let id = self.next.fetch_add(1, Ordering::SeqCst);
            if id >= self.end {
                return;
            }
            let plan = Plan::new(self.seed, id);
            let response = line.exchange(&plan);
            let again = response.as_ref().is_some_and(|response| response.complete);
            if !again || closes(response.as_ref()) {
                line = Line::open(line.is_http2(), self.addr);
            }
            if self.judge(&plan, response.as_ref()) == Some(Told::Unavailable) {
                sleep(Duration::from_secs(1)); // as the gateway asked
            }
        }
    }

    fn judge(&self, plan: &Plan, response: Option<&Response>) -> Option<Told> {
        let visits = self.ledger.of(plan.id);
        let expected = oracle::visits(self.seed, plan);
        if self.is_steady && visits != expected {
            self.ledger.complain(format!("{}: {visits:?} are not {expected:?}", plan.id));
        }
        match judge::judge(plan, &visits, response) {
            Ok((told, attempts)) => {
                self.ledger.tell(format!("answers: {told:?}"));
                self.ledger.add(SEEN, visits.len());
                self.ledger.add(SAID, attempts);
                Some(told)
            }
            Err(complaint) => {
                self.ledger.complain(format!("{}: {complaint}", plan.id));
                None
            }
        }
    }
}

fn closes(response: Option<&Response>) -> bool {
    response.is_some_and(|response| response.header("connection").as_deref() == Some("close"))
}

/// A caller's connection.
enum Line {
    Http1(h1::Connection),
    Http2(h2::Connection),
}

impl Line {
    fn open(http2: bool, addr: SocketAddr) -> Self {
        if http2 {
            Self::Http2(h2::Connection::open(addr))
        } else {
            Self::Http1(h1::Connection::open(addr))
        }
    }

    fn is_http2(&self) -> bool {
        matches!(self, Self::Http2(_))
    }

    /// `None` when the gateway gives no response at all.
    fn exchange(&mut self, plan: &Plan) -> Option<Response> {
        let request = plan.request();
        match self {
            Self::Http1(connection) => {
                send_http1(connection, &request);
                connection.try_response()
            }
            Self::Http2(connection) => exchange_http2(connection, &request),
        }
    }
}

/// An error means that the gateway wants no more of the body; its response says why.
fn send_http1(connection: &mut h1::Connection, request: &Request) {
    let mut sent = connection.send(h1::head(request));
    for piece in &request.pieces {
        sent = sent.and_then(|()| connection.send_piece(request, piece));
        pause(request);
    }
    if request.chunked {
        let _ = sent.and_then(|()| connection.send("0\r\n\r\n"));
    }
}

fn exchange_http2(connection: &h2::Connection, request: &Request) -> Option<Response> {
    let mut exchange = connection.start(request);
    for piece in &request.pieces {
        if exchange.send(piece).is_err() {
            break;
        }
        pause(request);
    }
    exchange.end(&Headers::default());
    let (status, headers) = exchange.try_head()?;
    let mut body = Vec::new();
    let complete = loop {
        match exchange.piece() {
            Some(Ok(piece)) => body.extend_from_slice(&piece),
            end => break end.is_none(),
        }
    };
    Some(Response { status, headers, body, complete })
}

fn pause(request: &Request) {
    if request.pieces.len() > 1 {
        sleep(PAUSE);
    }
}
