//! Many clients that ask again and again, each on a connection of its own.

use crate::client::{Request, Response, h1};
use crate::harness::wait;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// Between two requests of a client: the machine has other work to do.
const BREATH: Duration = Duration::from_millis(10);

/// What a client asks: its own number, and the number of its request.
pub(super) type Ask = fn(usize, usize) -> Request;

/// The clients. They end with this value.
pub(super) struct Crowd {
    stop: Arc<AtomicBool>,
    /// How many answers each has had.
    answered: Arc<Vec<AtomicUsize>>,
    clients: Vec<JoinHandle<Vec<Told>>>,
}

/// One request and what became of it.
pub(super) struct Told {
    pub(super) client: usize,
    pub(super) number: usize,
    pub(super) asked: Instant,
    pub(super) took: Duration,
    /// `None` when the gateway closed the connection instead.
    pub(super) response: Option<Response>,
}

impl Told {
    pub(super) fn status(&self) -> Option<u16> {
        self.response.as_ref().map(|response| response.status)
    }
}

impl Crowd {
    pub(super) fn start(addr: SocketAddr, size: usize, ask: Ask) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let answered: Arc<Vec<_>> = Arc::new((0..size).map(|_| AtomicUsize::new(0)).collect());
        let client = |client| {
            let (stop, answered) = (stop.clone(), answered.clone());
            thread::spawn(move || run(addr, client, ask, &stop, &answered[client]))
        };
        let clients = (0..size).map(client).collect();
        Self { stop, answered, clients }
    }

    /// Waits until all clients but so many have had so many further answers.
    pub(super) fn wait_for_rounds(&self, rounds: usize, but: usize) {
        let count = || self.answered.iter().map(|count| count.load(Ordering::SeqCst));
        let before: Vec<usize> = count().collect();
        let after = |before: &[usize]| {
            count().zip(before).filter(|(now, before)| now - *before >= rounds).count()
        };
        wait::until_true("a round of requests", || after(&before) + but >= before.len());
    }

    /// Lets no client ask again, and waits until all but so many have had their answers.
    pub(super) fn stop(&self, but: usize) {
        self.stop.store(true, Ordering::SeqCst);
        let left = || self.clients.iter().filter(|client| !client.is_finished()).count();
        wait::until_true("the end of the clients", || left() <= but);
    }

    /// Waits for the answers to what was asked.
    pub(super) fn join(mut self) -> Vec<Told> {
        self.stop(0);
        let clients = std::mem::take(&mut self.clients);
        clients.into_iter().flat_map(|client| client.join().expect("a client's end")).collect()
    }
}

impl Drop for Crowd {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
    }
}

/// So many clients ask once, at the same time.
pub(super) fn at_once(addr: SocketAddr, size: usize, ask: Ask) -> Vec<Told> {
    let open = |client| (client, h1::Connection::open(addr));
    let connections: Vec<_> = (0..size).map(open).collect();
    let client =
        |(client, mut connection)| thread::spawn(move || exchange(&mut connection, client, 0, ask));
    let clients: Vec<_> = connections.into_iter().map(client).collect();
    clients.into_iter().map(|client| client.join().expect("a client's end")).collect()
}

fn run(
    addr: SocketAddr,
    client: usize,
    ask: Ask,
    stop: &AtomicBool,
    answered: &AtomicUsize,
) -> Vec<Told> {
    let mut all = Vec::new();
    let mut connection = h1::Connection::open(addr);
    while !stop.load(Ordering::SeqCst) {
        let told = exchange(&mut connection, client, all.len(), ask);
        let goes_on = told.response.as_ref().is_some_and(|response| {
            response.complete && response.header("connection").is_none_or(|value| value != "close")
        });
        all.push(told);
        answered.fetch_add(1, Ordering::SeqCst);
        if !goes_on {
            connection = h1::Connection::open(addr);
        }
        thread::sleep(BREATH);
    }
    all
}

fn exchange(connection: &mut h1::Connection, client: usize, number: usize, ask: Ask) -> Told {
    let request = ask(client, number);
    let asked = Instant::now();
    let response = connection.try_exchange(&request);
    Told { client, number, asked, took: asked.elapsed(), response }
}
