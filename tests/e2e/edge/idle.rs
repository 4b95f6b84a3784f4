//! The gateway gives up idle connections before a provider closes them.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

use crate::kit::client::{Request, h1};
use crate::kit::harness::Gateway;
use crate::kit::harness::wait::LIMIT;
use crate::kit::samples::{LISTEN, provider};

/// A server that answers one request and tells how long the connection stays open then.
fn patient() -> (SocketAddr, Receiver<Duration>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let addr = listener.local_addr().expect("an address");
    let (send, receive) = channel();
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let send = send.clone();
            thread::spawn(move || send.send(stays(stream)));
        }
    });
    (addr, receive)
}

fn stays(mut stream: TcpStream) -> Duration {
    let mut piece = [0; 4096];
    let read = stream.read(&mut piece).expect("a request");
    assert!(read > 0);
    stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}").expect("a client");
    let start = Instant::now();
    while stream.read(&mut piece).is_ok_and(|read| read > 0) {}
    start.elapsed()
}

#[test]
fn an_idle_connection_is_given_up_in_time() {
    let bounds = [("idle_connection_secs = 1", 0.9, 1.9), ("", 3.5, 4.8)];
    let servers = bounds.map(|_| patient());
    let tables = bounds.iter().zip(&servers).zip(["one", "two"]);
    let tables: String = tables
        .map(|(((setting, ..), (addr, _)), name)| {
            provider(name, &format!("http://{addr}"), &[setting])
        })
        .collect();
    let gateway = Gateway::start(&format!("{LISTEN}{tables}"), &[]);
    for name in ["one", "two"] {
        let request = Request::chat(format!(r#"{{"model":"{name}:m"}}"#));
        let response = h1::exchange(gateway.addr(), &request);
        assert_eq!(response.status, 200, "{}", response.text());
    }
    for ((setting, least, most), (_, stayed)) in bounds.iter().zip(servers) {
        let secs = stayed.recv_timeout(LIMIT).expect("the end of the connection").as_secs_f64();
        assert!((*least..*most).contains(&secs), "{setting}: {secs} s");
    }
}
