//! Ten thousand requests for a model with one slow, one failing and one limited deployment, by each strategy.

use crate::kit::client::{Client, Line, Request, Response};
use crate::kit::harness::Gateway;
use crate::kit::load::Load;
use crate::kit::samples::LISTEN;
use crate::kit::upstream::{Answer, Provider};
use std::fmt::Write;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

const REQUESTS: usize = 10_000;
const CLIENTS: usize = 16;
const SLOW: Duration = Duration::from_millis(60);
/// Of the limited deployment.
const RPM: usize = 120;

/// A deployment, and how many requests it has seen and has at most seen at a time.
struct Server {
    provider: Provider,
    seen: Arc<AtomicUsize>,
    most: Arc<AtomicUsize>,
}

impl Server {
    fn start(status: u16, takes: Duration) -> Self {
        let [seen, most, now] = [(); 3].map(|()| Arc::new(AtomicUsize::new(0)));
        let (counted, highest) = (Arc::clone(&seen), Arc::clone(&most));
        let provider = Provider::answering(move |_| {
            counted.fetch_add(1, SeqCst);
            let now = Arc::clone(&now);
            highest.fetch_max(now.fetch_add(1, SeqCst) + 1, SeqCst);
            Box::pin(async move {
                tokio::time::sleep(takes).await;
                now.fetch_sub(1, SeqCst);
                match status {
                    200 => Answer::completion(),
                    _ => Answer::new(status, "text/plain", "failed"),
                }
            })
        });
        Self { provider, seen, most }
    }

    fn seen(&self) -> usize {
        self.seen.load(SeqCst)
    }

    fn most(&self) -> usize {
        self.most.load(SeqCst)
    }
}

/// What the four deployments have seen.
struct Spread {
    good: Server,
    slow: Server,
    failing: Server,
    limited: Server,
    took: Duration,
}

fn spread(strategy: &str) -> Spread {
    let good = Server::start(200, Duration::ZERO);
    let slow = Server::start(200, SLOW);
    let failing = Server::start(500, Duration::ZERO);
    let limited = Server::start(200, Duration::ZERO);
    let mut toml = format!("{LISTEN}breaker = {{ failures = 3, open_secs = 300 }}\n");
    let servers = [("good", &good), ("slow", &slow), ("failing", &failing), ("limited", &limited)];
    for (name, server) in servers {
        let url = server.provider.url();
        writeln!(toml, "[providers.{name}]\nurl = \"{url}/v1\"\nauth = \"none\"").expect("a text");
    }
    write!(
        toml,
        "[[models]]\nname = \"m\"\nstrategy = \"{strategy}\"\ndeployments = [{{ target = \"good:m\" }}, \
         {{ target = \"slow:m\" }}, {{ target = \"failing:m\" }}, {{ target = \"limited:m\", rpm = {RPM} }}]\n"
    )
    .expect("a text");
    let gateway = Gateway::start(&toml, &[]);
    let start = Instant::now();
    assert_eq!(failures(&gateway), [""; 0], "{strategy}");
    gateway.assert_no_trap();
    let spread = Spread { good, slow, failing, limited, took: start.elapsed() };
    spread.assert_common(strategy);
    spread
}

/// The answers other than 200, of all requests.
fn failures(gateway: &Gateway) -> Vec<String> {
    let failures = Arc::new(Mutex::new(Vec::new()));
    let (addr, heard) = (gateway.addr(), Arc::clone(&failures));
    let load = Load::start(
        CLIENTS,
        0..u64::try_from(REQUESTS).expect("a number"),
        move |_| Line::open(Client::Http1, addr),
        move |line, _| {
            let request = Request::chat(r#"{"model":"m","messages":[]}"#);
            let response = line.exchange(&request, Duration::ZERO);
            if response.as_ref().is_none_or(|own| own.status != 200) {
                let text = response.as_ref().map_or_else(String::new, Response::text);
                heard.lock().expect("a list").push(format!("no answer, or: {text}"));
            }
        },
    );
    load.join();
    let failures = failures.lock().expect("a list");
    failures.clone()
}

impl Spread {
    /// Every request was served once, the failing deployment was left alone, and the limited one had no more than its requests.
    fn assert_common(&self, strategy: &str) {
        let Self { good, slow, failing, limited, took } = self;
        let said = format!(
            "{strategy}: good {}, slow {} (at most {} at a time), failing {}, limited {} in {took:?}",
            good.seen(),
            slow.seen(),
            slow.most(),
            failing.seen(),
            limited.seen()
        );
        println!("{said}");
        assert_eq!(good.seen() + slow.seen() + limited.seen(), REQUESTS, "{said}");
        // Until the breaker is open: three failures, and what was under way at the third.
        assert!((1..=3 + CLIENTS).contains(&failing.seen()), "{said}");
        let due = RPM + took.as_millis() as usize * RPM / 60_000;
        assert!((RPM / 2..=due + 1).contains(&limited.seen()), "{said}");
    }
}

#[test]
fn weights_alone_are_kept_beside_a_slow_a_failing_and_a_limited_deployment() {
    let spread = spread("weighted");
    let each = (REQUESTS - spread.limited.seen()) / 2;
    // Five standard deviations.
    assert!(spread.slow.seen().abs_diff(each) <= 250);
}

#[test]
fn the_least_busy_gets_most_beside_a_slow_a_failing_and_a_limited_deployment() {
    let spread = spread("least_busy");
    // By a sixth on a free machine; the busier the machine, the less do 60 ms matter.
    assert!(spread.slow.seen() >= 1 && spread.slow.seen() < spread.good.seen());
    // As many as at the good one, and a few that had looked at the same time; all clients would be a herd.
    assert!(spread.slow.most() <= CLIENTS * 3 / 4);
}

#[test]
fn the_fastest_gets_most_beside_a_slow_a_failing_and_a_limited_deployment() {
    let spread = spread("latency");
    assert!(spread.slow.seen() >= 1 && spread.slow.seen() <= 3 * CLIENTS);
}
