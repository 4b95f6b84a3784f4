//! The gateway gives up idle connections before a provider closes them, and ends responses in which nothing moves.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

use crate::kit::client::{CLIENTS, Request, h1};
use crate::kit::harness::Gateway;
use crate::kit::harness::version::a_break_shows;
use crate::kit::harness::wait::LIMIT;
use crate::kit::observe::{requests, wait_for_metric};
use crate::kit::samples::{LISTEN, provider};
use crate::kit::upstream::{Answer, Provider};

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

/// On every path, without a setting and without the hop: by Envoy, whose five minutes are two seconds here.
#[test]
fn a_silent_response_has_a_visible_end() {
    let server = Provider::start();
    let toml =
        format!("{LISTEN}default_provider = \"one\"\n{}", provider("one", &server.url(), &[]));
    let yaml = Gateway::render(&toml, &[]).expect("a configuration");
    let idle = "idle_timeout: 300s";
    assert_eq!(yaml.matches(idle).count(), 2, "the connection's, and the route's");
    let gateway = Gateway::from_yaml(&yaml.replace(idle, "idle_timeout: 2s"), &[], &[]);
    let rows = [
        ("text/event-stream", Request::chat(r#"{"model":"one:m","stream":true}"#)),
        ("application/json", Request::chat(r#"{"model":"one:m"}"#)),
        ("application/octet-stream", Request::new("GET", "/v1/files/x/content")),
        ("text/html", Request::new("GET", "/ui/page")),
    ];
    for client in CLIENTS {
        for (kind, request) in &rows {
            let case = format!("{client:?} {kind}");
            let (answer, mut pump) = Answer::piped(kind);
            server.script(&case, answer);
            pump.send("data: {\"choices\":[]}\n\n").expect("room");
            let response = client.send(&gateway, &request.clone().case(&case));
            let is_http2 = format!("{client:?}") == "Http2";
            assert_eq!(response.status, 200, "{case}");
            assert_eq!(response.complete, !a_break_shows(is_http2), "{case}");
            pump.wait_for_reader_to_leave();
        }
    }
    // The client may have been at fault.
    wait_for_metric(&gateway, &requests("one", "neutral"), 8);
    gateway.assert_no_trap();
}
