//! What can change without a restart, and what the command says of the rest.

use super::{Config, ask, assert_served};
use crate::kit::client::{Request, h1};
use crate::kit::harness::{Run, wait};
use crate::kit::upstream::{Answer, Provider};
use rustix::process::Signal;
use std::net::TcpListener;

#[test]
fn each_change_is_in_effect_when_the_command_says_so() {
    let (one, two) = (Provider::start(), Provider::start());
    let mut config = Config::of(&[("one", &one)]);
    let run = Run::start(&config.text());
    assert_eq!(ask(run.addr(), "two:m").status, 404);

    config.add("two", &two, "match = [\"claude-*\"]");
    run.change(&config.text());
    assert_served(&run, "two:m", "two");
    assert_served(&run, "claude-4", "two");

    config.tables = "[aliases]\nfast = \"one:small\"\n".to_owned();
    run.change(&config.text());
    assert_served(&run, "fast", "one");

    // A chain, in a gateway that was started without one: the first that takes the hop.
    config.tables += "[[fallbacks]]\nmodel = \"one:m\"\nto = [\"two:n\"]\n";
    config.providers[0].1 += "auth = \"none\"\n";
    config.providers[1].1 += "api_key = \"sk-two\"\n";
    run.change(&config.text());
    for _ in 0..2 {
        one.script("chain", Answer::new(500, "text/plain", "failed"));
    }
    let request = super::chat("one:m").case("chain");
    let response = h1::exchange(run.addr(), &request);
    assert_eq!(response.status, 200, "{}", response.text());
    assert_eq!(response.header("x-gaud-provider").as_deref(), Some("two"));

    // A provider that is gone takes its models with it.
    let config = Config::of(&[("one", &one)]);
    run.change(&config.text());
    assert_eq!(ask(run.addr(), "two:m").status, 404);
    assert_served(&run, "one:m", "one");
    assert!(!run.admin().get("/clusters").contains("two::"), "its cluster is gone");
}

#[test]
fn a_provider_moves_to_another_address() {
    let (old, new) = (Provider::start(), Provider::start());
    let run = Run::start(&Config::of(&[("one", &old)]).text());
    assert_served(&run, "one:m", "one");
    run.change(&Config::of(&[("one", &new)]).text());
    let request = super::chat("one:m").case("moved");
    assert_eq!(h1::exchange(run.addr(), &request).status, 200);
    assert_eq!((old.seen("moved").len(), new.seen("moved").len()), (0, 1));
}

#[test]
fn limits_and_other_addresses_need_no_restart() {
    let one = Provider::start();
    let mut config = Config::of(&[("one", &one)]);
    config.head += "default_provider = \"one\"\n";
    let run = Run::start(&config.text());
    let body = format!(r#"{{"x":"{}","model":"m"}}"#, "y".repeat(3000));
    let late = || h1::exchange(run.addr(), &Request::chat(&body));
    assert_eq!(late().status, 200);
    let usual = config.head.clone();
    config.head += "body_limit_bytes = 1024\n";
    run.change(&config.text());
    let refused = late();
    assert_eq!(refused.status, 413, "{}", refused.text());
    assert!(refused.text().contains("1024"), "{}", refused.text());

    // Another port serves, and the port before does not.
    let port = free_port();
    config.head = usual.replacen(":0", &format!(":{port}"), 1);
    run.change(&config.text());
    let addr = format!("127.0.0.1:{port}").parse().expect("an address");
    wait::until_true("the new address", || std::net::TcpStream::connect(addr).is_ok());
    assert_eq!(ask(addr, "m").status, 200);
    wait::until_true("the end of the old address", || {
        std::net::TcpStream::connect(run.addr()).is_err()
    });
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").and_then(|own| own.local_addr()).expect("a port").port()
}

#[test]
fn a_change_that_needs_a_restart_is_named_and_the_rest_applies() {
    let (one, two) = (Provider::start(), Provider::start());
    let mut config = Config::of(&[("one", &one)]);
    let run = Run::start(&config.text());
    config.add("two", &two, "");
    config.head =
        config.head.replace("workers = 2", "workers = 3") + "memory_limit_bytes = 536870912\n";
    run.change(&config.text());
    assert_served(&run, "two:m", "two");
    run.wait_for("gaud.toml: workers, memory_limit_bytes waits for a restart of gaud run");
}

#[test]
fn a_hangup_reads_the_configuration_again() {
    let one = Provider::start();
    let run = Run::start(&Config::of(&[("one", &one)]).text());
    assert_served(&run, "one:m", "one");
    run.signal(Signal::HUP);
    run.wait_for("gaud: gaud.toml has nothing new");
    assert_served(&run, "one:m", "one");
}
