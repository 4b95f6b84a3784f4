//! Many clients at once: each takes a number, does what the number says, and takes the next.

use super::harness::wait;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::thread::{self, JoinHandle};

/// The clients. Dropping it lets them take no further number.
pub(crate) struct Load {
    counts: Arc<Counts>,
    clients: Vec<JoinHandle<()>>,
}

struct Counts {
    next: AtomicU64,
    end: AtomicU64,
    /// How many numbers each client is done with.
    done: Vec<AtomicU64>,
}

impl Load {
    /// Lets `size` clients work through these numbers. `open` makes what a client keeps; all of them
    /// are open before the first number is taken.
    pub(crate) fn start<C: Send + 'static>(
        size: usize,
        numbers: Range<u64>,
        open: impl Fn(usize) -> C,
        act: impl Fn(&mut C, u64) + Send + Sync + 'static,
    ) -> Self {
        let counts = Arc::new(Counts {
            next: AtomicU64::new(numbers.start),
            end: AtomicU64::new(numbers.end),
            done: (0..size).map(|_| AtomicU64::new(0)).collect(),
        });
        let act = Arc::new(act);
        let kept: Vec<C> = (0..size).map(open).collect();
        let client = |(index, mut kept): (usize, C)| {
            let (counts, act) = (counts.clone(), act.clone());
            thread::spawn(move || {
                while let Some(number) = counts.take() {
                    act(&mut kept, number);
                    counts.done[index].fetch_add(1, SeqCst);
                }
            })
        };
        let clients = kept.into_iter().enumerate().map(client).collect();
        Self { counts, clients }
    }

    /// The number that is taken next.
    pub(crate) fn next(&self) -> u64 {
        self.counts.next.load(SeqCst)
    }

    /// How many numbers are done with.
    pub(crate) fn done(&self) -> u64 {
        self.counts.done.iter().map(|done| done.load(SeqCst)).sum()
    }

    /// Whether a client has ended: at the last number, or by a panic.
    pub(crate) fn has_ended(&self) -> bool {
        self.clients.iter().any(JoinHandle::is_finished)
    }

    /// Waits until all clients except `but` of them are done with `rounds` further numbers.
    pub(crate) fn wait_for_rounds(&self, rounds: u64, but: usize) {
        let done = || self.counts.done.iter().map(|done| done.load(SeqCst));
        let before: Vec<u64> = done().collect();
        let after = || done().zip(&before).filter(|(now, before)| now - *before >= rounds).count();
        wait::until_true("a round of requests", || after() + but >= before.len());
    }

    /// Lets no client take a further number, and waits until all except `but` of them have ended.
    pub(crate) fn stop(&self, but: usize) {
        self.counts.end.store(0, SeqCst);
        let left = || self.clients.iter().filter(|client| !client.is_finished()).count();
        wait::until_true("the end of the clients", || left() <= but);
    }

    /// Waits until all numbers are done with.
    pub(crate) fn join(mut self) {
        for client in std::mem::take(&mut self.clients) {
            client.join().expect("a client's end");
        }
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        self.counts.end.store(0, SeqCst);
    }
}

impl Counts {
    fn take(&self) -> Option<u64> {
        let number = self.next.fetch_add(1, SeqCst);
        (number < self.end.load(SeqCst)).then_some(number)
    }
}
