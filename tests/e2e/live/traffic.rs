//! Changes under load: no request fails, and no stream is cut.

use super::{Config, ask, chat};
use crate::kit::client::{Client, Line, h1};
use crate::kit::harness::{Run, wait};
use crate::kit::load::Load;
use crate::kit::upstream::pipe::Pump;
use crate::kit::upstream::{Answer, Provider};
use rustix::process::Signal;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

const CLIENTS: usize = 200;
const STREAMS: usize = 10;
const CHANGES: usize = 20;

/// A setting of the listeners.
const LIMIT: &str = "body_limit_bytes = 1048576\n";

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
        config.head.insert_str(0, LIMIT);
    }
    config
}

/// A provider that keeps nothing of what it is asked.
pub(super) fn tireless() -> Provider {
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

/// While the gateway waits as long as the provider has asked for, the filter after the hop is replaced, and the providers
/// change their places.
#[test]
fn a_request_between_two_attempts_keeps_what_it_knows() {
    let (one, two) = (Provider::start(), Provider::start());
    let chain = |order: &[(&'static str, &Provider)]| {
        let mut config = Config::of(order);
        for (_, table) in &mut config.providers {
            table.push_str("api_key = \"sk-x\"\nbreaker = { enabled = false }\n");
        }
        config.tables = "[[fallbacks]]\nmodel = \"one:m\"\nto = [\"two:n\"]\n".to_owned();
        config
    };
    let run = Run::start(&chain(&[("one", &one), ("two", &two)]).text());
    let waiting = Answer::new(503, "text/plain", "later").header("retry-after", "2");
    one.script("between", waiting);
    one.script("between", Answer::new(500, "text/plain", "failed"));
    let mut client = h1::Connection::open(run.addr());
    client.send_request(&chat("one:m").case("between"));
    one.wait("between");
    let zero = Provider::start();
    run.change(&chain(&[("zero", &zero), ("two", &two), ("one", &one)]).text());
    assert_eq!(one.seen("between").len(), 1, "the change came between two attempts");
    let response = client.response();
    assert_eq!(response.status, 200, "{}\n{}", response.text(), run.log());
    assert_eq!(response.header("x-gaud-attempts").as_deref(), Some("3"));
    assert_eq!(response.header("x-gaud-provider").as_deref(), Some("two"));
    assert_eq!((one.seen("between").len(), two.seen("between").len()), (2, 1));
}

/// Wherever a change is cut off, the next start finds a whole configuration, and the files of the killed run are gone.
#[test]
fn a_gateway_that_is_killed_during_a_change_starts_again() {
    let (one, two, slow) = (tireless(), tireless(), Provider::start());
    let servers = [&one, &two, &slow];
    let folder = tempfile::tempdir().expect("a folder").keep();
    std::fs::write(folder.join("gaud.toml"), changed(0, servers).text()).expect("a file");
    for round in 1..=8 {
        let run = Run::start_in(folder.clone(), &[]);
        run.keep();
        let left = run.watched();
        run.write(&changed(round, servers).text());
        // From before the change is seen to after it is in effect: each round is cut off at another place.
        let seen = std::time::Instant::now();
        wait::until_true("the moment", || {
            seen.elapsed() > Duration::from_millis(45 * round as u64)
        });
        run.signal(Signal::KILL);
        drop(run);
        let run = Run::start_in(folder.clone(), &[]);
        run.keep();
        assert!(!left.exists(), "round {round}: the files of the killed run are gone");
        let expected = if round % 2 == 1 { 200 } else { 404 };
        assert_eq!(ask(run.addr(), "two:m").status, expected, "round {round}");
    }
    std::fs::remove_dir_all(folder).expect("the folder");
}

/// Changes of a listener are left out: Envoy keeps the listener before for ten minutes, for the connections on it.
/// Run by `make soak`.
#[test]
#[ignore = "takes a minute"]
fn a_hundred_changes_leave_the_memory_as_it_was() {
    const WARM: usize = 20;
    let (one, two, slow) = (tireless(), tireless(), Provider::start());
    let servers = [&one, &two, &slow];
    let run = Run::start(&changed(0, servers).text());
    let mut warm = 0;
    for round in 1..=100 {
        let config = changed(round, servers).text();
        run.change(&config.replace(LIMIT, ""));
        assert_eq!(ask(run.addr(), "one:m").status, 200);
        if round == WARM {
            warm = run.memory();
        }
    }
    let grown = run.memory().saturating_sub(warm);
    println!("Envoy: {} MB after {WARM} changes, {} KB more after 100", warm >> 20, grown >> 10);
    assert!(grown < 8 << 20, "Envoy has grown by {grown} bytes");
}
