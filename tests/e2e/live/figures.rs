//! How long a change takes from `PUT` to its effect: `cargo test --test e2e -- live::figures --ignored --nocapture`.

use super::control::{Caller, change};
use super::{Config, chat};
use crate::kit::client::{Request, h1};
use crate::kit::harness::Run;
use crate::kit::upstream::Provider;
use serde_json::{Value, json};
use std::net::{SocketAddr, TcpListener};
use std::time::{Duration, Instant};

const ROUNDS: usize = 20;

/// Sends a change to `addr`; the time until the answer to the next request, which the change must have reached.
fn time(
    key: &str,
    addr: SocketAddr,
    (setting, value): (&str, Value),
    has_effect: impl FnOnce() -> bool,
) -> Duration {
    let request = change(setting, &value).header("authorization", format!("Bearer {key}"));
    let start = Instant::now();
    let answer = h1::exchange(addr, &request);
    assert_eq!(answer.status, 200, "{setting}: {}", answer.text());
    assert!(has_effect(), "{setting} has no effect");
    start.elapsed()
}

fn row(change: &str, mut took: Vec<Duration>) {
    took.sort();
    let ms = |own: Duration| own.as_millis();
    println!(
        "| {change} | {} | {} | {} |",
        ms(took[0]),
        ms(took[ROUNDS / 2]),
        ms(took[ROUNDS - 1])
    );
}

fn free_address() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").and_then(|own| own.local_addr()).expect("a port")
}

#[test]
#[ignore = "figures for docs/control.md"]
fn from_put_to_effect() {
    let (one, two) = (Provider::start(), Provider::start());
    let mut config = Config::of(&[("one", &one), ("two", &two)]);
    config.providers.push(("dead", "url = \"http://127.0.0.1:9\"\n".to_owned()));
    config.head += "[breaker]\nenabled = false\n";
    for (_, table) in &mut config.providers {
        table.push_str("auth = \"none\"\n");
    }
    let run = Run::start(&config.text());
    let key = Caller::of(&run).key().to_owned();
    let mut addr = run.addr();
    let is_served = |addr: SocketAddr, model: &str| super::ask(addr, model).status == 200;
    let rounds = |measure: &mut dyn FnMut(usize) -> Duration| (0..ROUNDS).map(measure).collect();
    println!("| change | min, ms | median, ms | max, ms |\n|---|---|---|---|");

    row(
        "a provider",
        rounds(&mut |round| {
            let setting = format!("providers.p{round}");
            let table = json!({"url": two.url(), "auth": "none"});
            time(&key, addr, (&setting, table), || is_served(addr, &format!("p{round}:m")))
        }),
    );
    row(
        "an alias",
        rounds(&mut |round| {
            let alias = format!("a{round}");
            let setting = format!("aliases.{alias}");
            time(&key, addr, (&setting, json!("one:m")), || is_served(addr, &alias))
        }),
    );
    row(
        "a chain",
        rounds(&mut |round| {
            let model = format!("dead:m{round}");
            let chain = json!([{"model": model, "to": ["two:n"]}]);
            time(&key, addr, ("fallbacks", chain), || is_served(addr, &model))
        }),
    );
    let keyed = json!({"url": one.url(), "api_key": "sk-first"});
    time(&key, addr, ("providers.one", keyed), || is_served(addr, "one:m"));
    row(
        "a secret",
        rounds(&mut |round| {
            let (secret, case) = (format!("sk-{round}"), format!("secret {round}"));
            time(&key, addr, ("providers.one.api_key", json!(secret)), || {
                h1::exchange(addr, &chat("one:m").case(&case));
                one.wait(&case).header("authorization") == Some(format!("Bearer {secret}"))
            })
        }),
    );
    row(
        "the address of `listen`",
        rounds(&mut |_| {
            let next = free_address();
            let health = Request::new("GET", "/healthz");
            let took = time(&key, addr, ("listen", json!(next.to_string())), || {
                // Workers take a new listener one after the other.
                while std::net::TcpStream::connect(next).is_err() {}
                h1::exchange(next, &health).status == 200
            });
            addr = next;
            took
        }),
    );
}
