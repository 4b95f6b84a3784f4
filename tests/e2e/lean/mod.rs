//! A provider for very many requests: it keeps none of them, and judges each.
//!
//! What it is to answer stands in the request's `x-want`: nothing for a plain answer, `STATUS`,
//! `stream COUNT`, `cut`, or `large BYTES`. With `x-first` only the provider `one` answers so.

mod answer;
mod http;
mod judge;

pub(crate) use http::Message;

use crate::harness::wait::LIMIT;
use std::io::BufReader;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::thread;

/// The key of the provider `one`, as the configuration has it; the same for `two`.
pub(crate) const KEYS: [(&str, &str); 2] =
    [("KEY_OF_ONE", "sk-storm-of-one"), ("KEY_OF_TWO", "sk-storm-of-two")];

/// Makes `one:chain` a model that may take two attempts: it goes another way, by the hop.
pub(crate) const CHAIN: &str = "\
[[fallbacks]]
model = \"one:chain\"
to = [\"two:chain\"]
[retries]
max = 0
";

/// Complaints of more than this many requests say nothing new.
const COMPLAINTS: usize = 20;

/// The server. Its threads end with their connections.
pub(crate) struct Lean {
    addr: SocketAddr,
    court: Arc<Court>,
}

#[derive(Default)]
struct Court {
    complete: AtomicU64,
    complaints: Mutex<Vec<String>>,
}

impl Lean {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let lean = Self {
            addr: listener.local_addr().expect("an address"),
            court: Arc::new(Court::default()),
        };
        let court = lean.court.clone();
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let court = court.clone();
                thread::spawn(move || serve(&stream, &court));
            }
        });
        lean
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.addr)
    }

    /// How many whole requests have come.
    pub(crate) fn complete(&self) -> u64 {
        self.court.complete.load(Relaxed)
    }

    /// Fails when a whole request has come that no provider may see.
    #[track_caller]
    pub(crate) fn assert_no_complaint(&self) {
        let complaints = self.court.complaints.lock().expect("complaints");
        assert!(complaints.is_empty(), "a provider saw:\n{}", complaints.join("\n"));
    }
}

/// Serves one connection until it ends, or until a request on it is none.
fn serve(stream: &TcpStream, court: &Court) {
    let _ = stream.set_nodelay(true);
    let _ = stream.set_write_timeout(Some(LIMIT));
    let mut reader = BufReader::new(stream);
    while let Some(request) = Message::read(&mut reader) {
        court.complete.fetch_add(1, Relaxed);
        if let Err(complaint) = judge::judge(&request) {
            let mut complaints = court.complaints.lock().expect("complaints");
            if complaints.len() < COMPLAINTS {
                complaints.push(format!("{complaint}: {request:?}"));
            }
        }
        if answer::answer(stream, &request).is_err() {
            return;
        }
    }
}
