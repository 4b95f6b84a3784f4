//! Ten thousand requests over providers that fail in every way at once: each caller gets the
//! answer to its request, or an error that it can see.
//!
//! `CHAOS_REQUESTS` makes it shorter or longer, `CHAOS_SEED` repeats a run's dice.

mod answer;
mod arrival;
mod caller;
mod end;
mod fate;
mod judge;
mod ledger;
mod oracle;
mod outage;
mod plan;
mod provider;

use crate::kit::harness::Gateway;
use crate::kit::random::{seed, variable};
use crate::kit::samples::LISTEN;
use crate::kit::upstream::Provider;
use caller::Work;
use ledger::Ledger;
use provider::House;
use std::fmt::Write;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

const PROVIDERS: [&str; 3] = ["a", "b", "c"];

/// The providers' credentials; the first provider takes its callers'.
const KEYS: [Option<&str>; 3] = [None, Some("key-of-b-5f21"), Some("key-of-c-90ae")];

/// The provider that is reached over HTTP/2.
const HTTP2: usize = 2;

/// Further attempts on the same provider.
const RETRIES: usize = 1;

/// Requests under way at any time.
const CALLERS: usize = 50;

/// A part of the run.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    /// The providers fail as the dice say, and no breaker opens.
    Steady,
    /// Now and then some of them are away as well.
    Outages,
    /// They fail no more.
    Peace,
}

/// One gateway, and what it has to do with.
struct Site {
    gateway: Gateway,
    servers: Vec<Provider>,
    house: Arc<House>,
    ledger: Arc<Ledger>,
}

#[test]
#[ignore = "`make test-e2e` runs it alone: it takes the whole machine"]
fn ten_thousand_requests_over_failing_providers() {
    let count = variable("CHAOS_REQUESTS").unwrap_or(10_000);
    let site = Site::start(seed("CHAOS_SEED"));
    let start = Instant::now();
    site.run(0..count / 5, Part::Steady);
    site.ledger.assert_no_complaint();
    site.attempts_are_what_was_seen();
    let memory = site.gateway.memory();
    site.run(count / 5..count, Part::Outages);
    println!(
        "{count} requests took {:?}; {} MB, then {} MB",
        start.elapsed(),
        memory / 1_000_000,
        site.gateway.memory() / 1_000_000
    );
    site.ledger.print();
    site.ledger.assert_no_complaint();
    site.recovers(count);
    site.ledger.assert_no_complaint();
    site.gateway.assert_no_trap();
    site.nothing_leaks(memory);
    site.attempts_add_up();
}

impl Site {
    fn start(seed: u64) -> Self {
        println!("CHAOS_SEED={seed}");
        let ledger = Arc::new(Ledger::default());
        let at_peace = AtomicBool::new(false);
        let house = Arc::new(House { seed, ledger: ledger.clone(), at_peace });
        let servers: Vec<_> = (0..3).map(|provider| provider::start(&house, provider)).collect();
        let environment: Vec<(&str, &str)> = ["KEY_A", "KEY_B", "KEY_C"]
            .into_iter()
            .zip(KEYS)
            .filter_map(|(name, key)| Some((name, key?)))
            .collect();
        let gateway = Gateway::start(&toml(&servers), &environment);
        Self { gateway, servers, house, ledger }
    }

    /// Asks the requests of these numbers.
    fn run(&self, numbers: Range<u64>, part: Part) {
        let is_steady = part == Part::Steady;
        let work = Work { seed: self.house.seed, ledger: self.ledger.clone(), is_steady };
        let load = caller::start(self.gateway.addr(), CALLERS, numbers.clone(), work);
        if part == Part::Outages {
            outage::run(&self.servers, &load, &numbers);
        }
        load.join();
    }
}

fn toml(servers: &[Provider]) -> String {
    let mut toml = format!(
        "{LISTEN}\n[breaker]\nfailures = 12\nopen_secs = 1\nsuccesses = 1\n\
         [retries]\nmax = {RETRIES}\nbackoff_ms = 20\nretry_after_max_secs = 5\n"
    );
    for (index, server) in servers.iter().enumerate() {
        let (name, url) = (PROVIDERS[index], server.url());
        writeln!(
            toml,
            "[providers.{name}]\nurl = \"{url}\"\ntimeout_secs = 2\nfirst_token_secs = 2\nidle_secs = 2"
        )
        .expect("a string");
        if index == HTTP2 {
            toml += "http2 = true\n";
        }
        if KEYS[index].is_some() {
            writeln!(toml, "api_key = \"os.environ/KEY_{}\"", name.to_uppercase())
                .expect("a string");
        } else {
            toml += "match = [\"gpt-4o\"]\n";
        }
    }
    for (asked, chain) in plan::CHAINS {
        let name =
            |target: &plan::Target| format!("{}:{}", PROVIDERS[target.provider], target.model);
        let to: Vec<String> = chain.iter().skip(1).map(name).collect();
        writeln!(toml, "[[fallbacks]]\nmodel = \"{asked}\"\nto = {to:?}").expect("a string");
    }
    toml
}
