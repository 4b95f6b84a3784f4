//! Many clients of one provider, and what each of them was told.

use crate::kit::client::{Client, Line, Request, Response};
use crate::kit::load::Load;
use std::net::SocketAddr;
use std::sync::{Arc, Barrier, Mutex};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// The time between two requests of a client: the machine has other work to do.
const BREATH: Duration = Duration::from_millis(10);

/// The request of a number.
pub(super) type Ask = fn(u64) -> Request;

/// Clients that ask again and again. They end with this value.
pub(super) struct Crowd {
    pub(super) load: Load,
    told: Arc<Mutex<Vec<Told>>>,
}

/// One request and what became of it.
pub(super) struct Told {
    pub(super) number: u64,
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
    /// Lets `size` clients ask until they are stopped.
    pub(super) fn start(addr: SocketAddr, size: usize, ask: Ask) -> Self {
        Self::ask(addr, size, u64::MAX, ask, || sleep(BREATH))
    }

    /// `before` is what a client does before each request.
    fn ask(
        addr: SocketAddr,
        size: usize,
        count: u64,
        ask: Ask,
        before: impl Fn() + Send + Sync + 'static,
    ) -> Self {
        let told = Arc::new(Mutex::new(Vec::new()));
        let all = told.clone();
        let open = move |_| Line::open(Client::Http1, addr);
        let load = Load::start(size, 0..count, open, move |line, number| {
            before();
            let asked = Instant::now();
            let response = line.exchange(&ask(number), Duration::ZERO);
            let told = Told { number, asked, took: asked.elapsed(), response };
            all.lock().expect("what was told").push(told);
        });
        Self { load, told }
    }

    /// Lets no client ask again, and waits for the answers to what was asked.
    pub(super) fn join(self) -> Vec<Told> {
        self.load.stop(0);
        self.finish()
    }

    fn finish(self) -> Vec<Told> {
        self.load.join();
        std::mem::take(&mut *self.told.lock().expect("what was told"))
    }
}

/// Lets `size` clients ask once each, at the same time.
pub(super) fn at_once(addr: SocketAddr, size: usize, ask: Ask) -> Vec<Told> {
    let count = u64::try_from(size).expect("a number");
    let start = Barrier::new(size);
    Crowd::ask(addr, size, count, ask, move || _ = start.wait()).finish()
}
