//! How `gaud run` ends: with what is under way, after a while, or at once; and Envoy with it.

use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::folder;
use crate::program::{Program, until};
use crate::run::{configured, given, run};

/// A provider that begins to answer, and goes on when it is told to.
struct Slow {
    address: String,
    go_on: Sender<()>,
}

impl Slow {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address").to_string();
        let (go_on, gate) = channel();
        thread::spawn(move || serve(&listener, &gate));
        Self { address, go_on }
    }
}

fn serve(listener: &TcpListener, gate: &Receiver<()>) {
    // One that reads the request's head alone; discovery has its own answer.
    for mut stream in listener.incoming().flatten() {
        let mut head = [0; 8192];
        let read = stream.read(&mut head).unwrap_or(0);
        if head[..read].starts_with(b"GET") {
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 11\r\n\r\n{\"data\":[]}");
            continue;
        }
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nbegin");
        if gate.recv().is_ok() {
            let _ = stream.write_all(b" end!");
        }
    }
}

/// A gateway with a request under way, whose answer has begun.
fn under_way(folder: &Path, slow: &Slow, setting: &str) -> (Program, String, TcpStream) {
    configured(folder, "127.0.0.1:0", &slow.address);
    let config = folder.join("gaud.toml");
    let toml = fs::read_to_string(&config).expect("gaud.toml");
    let toml = format!("{setting}\n{toml}discover_models = false\nhealth_path = \"/x\"\n");
    fs::write(&config, toml).expect("gaud.toml is written");
    let mut run = run(folder, &given("ENVOY_PATH"));
    let address = run.address();
    let mut client = TcpStream::connect(&address).expect("it listens");
    client.set_read_timeout(Some(Duration::from_secs(30))).expect("a limit");
    let body = r#"{"model":"litellm:m"}"#;
    let length = body.len();
    write!(
        client,
        "POST /v1/chat/completions HTTP/1.1\r\nhost: {address}\r\ncontent-type: application/json\r\n\
         content-length: {length}\r\n\r\n{body}"
    )
    .expect("it reads");
    let mut head = Vec::new();
    while !head.ends_with(b"begin") {
        let mut byte = [0];
        client.read_exact(&mut byte).expect("the start of the answer");
        head.push(byte[0]);
    }
    (run, address, client)
}

fn rest(mut client: TcpStream) -> String {
    let mut text = Vec::new();
    let _ = client.read_to_end(&mut text);
    String::from_utf8_lossy(&text).into_owned()
}

#[test]
fn a_killed_gateway_takes_envoy_with_it() {
    let folder = folder();
    configured(folder.path(), "127.0.0.1:0", "127.0.0.1:1");
    let mut run = run(folder.path(), &given("ENVOY_PATH"));
    run.address();
    let envoy = run.only_child();
    run.signal(Signal::KILL);
    run.ended();
    until("Envoy's end", || (!envoy.alive()).then_some(()));
}

#[test]
fn a_stop_waits_for_what_is_under_way() {
    let (folder, slow) = (folder(), Slow::start());
    let (mut run, address, client) = under_way(folder.path(), &slow, "");
    run.signal(Signal::TERM);
    until("no new connections", || TcpStream::connect(&address).is_err().then_some(()));
    let envoy = run.only_child();
    assert!(envoy.alive());
    slow.go_on.send(()).expect("a provider");
    assert_eq!(rest(client), " end!");
    let end = run.ended();
    assert_eq!(end.status.code(), Some(0), "{}", end.stderr);
    assert!(!envoy.alive());
}

#[test]
fn a_stop_waits_no_longer_than_it_may() {
    let (folder, slow) = (folder(), Slow::start());
    let (mut run, _, client) = under_way(folder.path(), &slow, "drain_secs = 1");
    let start = Instant::now();
    run.signal(Signal::TERM);
    assert_eq!(run.ended().status.code(), Some(0));
    let took = start.elapsed();
    assert!((1..15).contains(&took.as_secs()), "{took:?}");
    assert_eq!(rest(client), "");
}

#[test]
fn a_second_signal_ends_at_once() {
    let (folder, slow) = (folder(), Slow::start());
    let (mut run, address, client) = under_way(folder.path(), &slow, "drain_secs = 3600");
    run.signal(Signal::TERM);
    until("no new connections", || TcpStream::connect(&address).is_err().then_some(()));
    run.signal(Signal::TERM);
    assert_eq!(run.ended().status.code(), Some(0));
    assert_eq!(rest(client), "");
}
