//! Threads that begin at one moment.

use std::sync::Barrier;
use std::thread;

pub(crate) const THREADS: usize = 4;

/// Runs this in all threads at once; their results.
pub(crate) fn at_once<T: Send>(run: impl Fn() -> T + Sync) -> Vec<T> {
    let start = Barrier::new(THREADS);
    thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS)
            .map(|_| {
                scope.spawn(|| {
                    start.wait();
                    run()
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    })
}
