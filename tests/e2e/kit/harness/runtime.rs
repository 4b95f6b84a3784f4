//! The threads that do the network work for the tests.
//!
//! The tests themselves are plain blocking functions. HTTP/2 clients are tasks on one thread; each
//! provider has another thread, so that a busy provider does not hold the others up.

use super::wait::LIMIT;
use std::future::Future;
use std::sync::OnceLock;
use std::sync::mpsc::channel;
use std::thread;
use tokio::runtime::{Builder, Handle};

/// The thread that all may share.
pub(crate) fn handle() -> &'static Handle {
    static HANDLE: OnceLock<Handle> = OnceLock::new();
    HANDLE.get_or_init(new)
}

/// A further thread. It lives as long as the test process.
pub(crate) fn new() -> Handle {
    let (send, receive) = channel();
    thread::spawn(move || {
        let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
        send.send(runtime.handle().clone()).expect("a listening thread");
        runtime.block_on(std::future::pending::<()>());
    });
    receive.recv().expect("the runtime's handle")
}

/// Runs `future` to its end from the thread of a test, within the limit.
pub(crate) fn run<T>(what: &str, future: impl Future<Output = T>) -> T {
    run_on(handle(), what, future)
}

/// The same, with what the future opens bound to one of the threads.
pub(crate) fn run_on<T>(handle: &Handle, what: &str, future: impl Future<Output = T>) -> T {
    let limited = async { tokio::time::timeout(LIMIT, future).await };
    handle.block_on(limited).unwrap_or_else(|_| panic!("{what} took longer than {LIMIT:?}"))
}
