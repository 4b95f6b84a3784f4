//! Changes under load: no request fails, and no stream is cut.

use super::{Config, ask, chat};
use crate::kit::client::{Client, Line, h1};
use crate::kit::harness::Run;
use crate::kit::load::Load;
use crate::kit::upstream::pipe::Pump;
use crate::kit::upstream::{Answer, Provider};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

const CLIENTS: usize = 200;
const STREAMS: usize = 10;
const CHANGES: usize = 20;

/// Each change adds or removes a provider, an alias, a chain, or turns a key.
fn changed(round: usize, servers: [&Provider; 3]) -> Config {
    let [one, two, slow] = servers;
    let mut config = Config::of(&[("slow", slow)]);
    config.head += "[breaker]\nenabled = false\n";
    config.add("one", one, &format!("api_key = \"sk-{round}\""));
    if round % 2 == 1 {
        config.add("two", two, "api_key = \"sk-two\"");
        config.tables += "[[fallbacks]]\nmodel = \"one:chain\"\nto = [\"two:chain\"]\n";
    }
    if round % 3 == 1 {
        config.tables += "[aliases]\nfast = \"one:m\"\n";
    }
    if round % 5 == 4 {
        config.head.insert_str(0, "body_limit_bytes = 1048576\n");
    }
    config
}

/// A provider that keeps nothing of what it is asked.
fn tireless() -> Provider {
    Provider::answering(|_| Box::pin(async { Answer::completion() }))
}

/// Streams that have begun, each with what writes its rest.
fn streams(addr: SocketAddr, server: &Provider) -> Vec<(h1::Connection, h1::Head, Pump)> {
    let begin = |number| {
        let case = format!("stream {number}");
        let (answer, mut pump) = Answer::events();
        server.script(&case, answer);
        let mut client = h1::Connection::open(addr);
        client.send_request(&chat("slow:m").case(&case));
        pump.send(b"data: {\"choices\":[{}]}\n\n").expect("a gateway that reads");
        let head = client.head();
        assert_eq!(head.status, 200);
        (client, head, pump)
    };
    (0..STREAMS).map(begin).collect()
}

#[test]
fn no_request_fails_and_no_stream_is_cut_over_twenty_changes() {
    let (one, two, slow) = (tireless(), tireless(), Provider::start());
    let servers = [&one, &two, &slow];
    let run = Run::start(&changed(0, servers).text());
    let streams = streams(run.addr(), &slow);
    let failed = Arc::new(Mutex::new(Vec::new()));
    let (addr, heard) = (run.addr(), Arc::clone(&failed));
    let load = Load::start(
        CLIENTS,
        0..u64::MAX,
        move |_| Line::open(Client::Http1, addr),
        move |line, number| {
            let model = if number % 2 == 0 { "one:m" } else { "one:chain" };
            let response = line.exchange(&chat(model), Duration::ZERO);
            if response.as_ref().is_none_or(|own| own.status != 200) {
                heard.lock().expect("a list").push(response);
            }
        },
    );
    let mut took = Vec::new();
    for round in 1..=CHANGES {
        took.push(run.change(&changed(round, servers).text()));
        // The next request has the new configuration.
        let expected = if round % 2 == 1 { 200 } else { 404 };
        assert_eq!(ask(addr, "two:m").status, expected, "change {round}");
        load.wait_for_rounds(1, 0);
    }
    load.stop(0);
    let (requests, failed) = (load.done(), failed.lock().expect("a list"));
    assert!(failed.is_empty(), "{} of {requests}: {:?}\n{}", failed.len(), failed[0], run.log());
    for (mut client, head, mut pump) in streams {
        pump.send(b"data: [DONE]\n\n").expect("a gateway that reads");
        drop(pump);
        let response = client.body(head);
        assert!(response.complete && response.text().ends_with("data: [DONE]\n\n"));
    }
    took.sort();
    println!(
        "{requests} requests; changes took {:?} to {:?}, median {:?}",
        took[0],
        took[CHANGES - 1],
        took[CHANGES / 2]
    );
}
