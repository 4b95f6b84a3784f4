//! Connections to providers are given up before the provider closes them.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

use crate::client::{Request, h1};
use crate::harness::Gateway;
use crate::harness::wait::LIMIT;
use crate::samples::{LISTEN, provider};

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
    for (setting, least, most) in [("idle_connection_secs = 1", 0.9, 1.9), ("", 3.5, 4.8)] {
        let (addr, stayed) = patient();
        let toml = format!("{LISTEN}{}", provider("one", &format!("http://{addr}"), &[setting]));
        let gateway = Gateway::start(&toml, &[]);
        let response = h1::exchange(gateway.addr(), &Request::chat(r#"{"model":"one:m"}"#));
        assert_eq!(response.status, 200, "{}", response.text());
        let secs = stayed.recv_timeout(LIMIT).expect("the end of the connection").as_secs_f64();
        assert!((least..most).contains(&secs), "{setting}: {secs} s");
    }
}
