//! When all is over: what must be as it was, and what must add up.

use super::caller::{SAID, SEEN};
use super::fate::Fate;
use super::{CALLERS, PROVIDERS, Part, Site};
use crate::kit::client::{Request, h1};
use crate::kit::harness::wait::until_true;
use crate::kit::upstream::Provider;
use std::sync::atomic::Ordering;

const OUTCOMES: [&str; 4] = ["success", "failure", "neutral", "rejected"];

/// Enough for Envoy's buffers, and not for one leaked body of each caller and attempt.
const MEMORY: u64 = 64_000_000;

impl Site {
    /// The providers fail no more: in the end all breakers are closed, and every answer is whole.
    pub(super) fn recovers(&self, first: u64) {
        self.house.at_peace.store(true, Ordering::SeqCst);
        let mut next = first;
        until_true("the end of all troubles", || {
            self.run(next..next + 20, Part::Peace);
            next += 20;
            self.health()["status"] == "ok"
        });
        let whole = self.ledger.told("answers: Whole");
        self.run(next..next + 100, Part::Peace);
        assert_eq!(self.ledger.told("answers: Whole"), whole + 100, "all is well again");
    }

    fn health(&self) -> serde_json::Value {
        h1::exchange(self.gateway.addr(), &Request::new("GET", "/health")).json()
    }

    /// While no provider is away, the gateway has counted exactly what the providers have seen: each of them reads the
    /// whole request before it does anything.
    pub(super) fn attempts_are_what_was_seen(&self) {
        for (index, name) in PROVIDERS.iter().enumerate() {
            let good = self.ledger.count(index, |fate| !fate.is_failure());
            let bad = self.ledger.count(index, Fate::is_failure);
            let sum = || self.counted(name)[..3].iter().sum::<u64>();
            until_true("the outcomes of all attempts", || sum() >= good + bad);
            let [success, failure, neutral, rejected] = self.counted(name);
            let counted =
                format!("{name}: {success} of {good}, {failure} of {bad}, {neutral} neutral");
            assert_eq!([success, failure, neutral, rejected], [good, bad, 0, 0], "{counted}");
        }
        assert_eq!(self.ledger.told(SAID), self.ledger.told(SEEN));
    }

    /// In the end the gateway has counted what it has said. The attempts that no provider has seen were not
    /// successes: a provider was away.
    pub(super) fn attempts_add_up(&self) {
        let mut sum = 0;
        for (index, name) in PROVIDERS.iter().enumerate() {
            let [success, failure, neutral, rejected] = self.counted(name);
            let good = self.ledger.count(index, |fate| !fate.is_failure());
            let bad = self.ledger.count(index, Fate::is_failure);
            println!(
                "{name}: {good} seen as good and {bad} as bad; counted {success} successes, \
                 {failure} failures, {neutral} neutral, {rejected} rejected"
            );
            assert!(success <= good && good <= success + neutral, "{name}: successes");
            assert!(failure + neutral >= bad, "{name}: {failure} failures counted of {bad}");
            sum += success + failure + neutral;
        }
        let seen: u64 = (0..PROVIDERS.len()).map(|index| self.ledger.count(index, |_| true)).sum();
        assert_eq!(seen, self.ledger.told(SEEN), "an attempt came after its caller's answer");
        assert_eq!(sum, self.ledger.told(SAID), "attempts counted, and said");
    }

    /// A provider's outcomes as the gateway counts them.
    fn counted(&self, provider: &str) -> [u64; 4] {
        let metrics = self.gateway.admin().metrics();
        OUTCOMES.map(|outcome| {
            let labels = format!(r#"outcome="{outcome}",provider="{provider}""#);
            metrics.get(&format!("gaud_requests_total{{{labels}}}")).copied().unwrap_or_default()
        })
    }

    pub(super) fn nothing_leaks(&self, memory_before: u64) {
        until_true("the end of all requests", || self.sum("rq_active") == 0);
        until_true("the same connections on both sides", || {
            self.connections() == self.sum("cx_active")
        });
        let open = self.connections();
        println!("{open} connections to providers are open, and idle");
        assert!(open <= 2 * 3 * u64::try_from(CALLERS).expect("small"), "{open} connections");
        let memory = self.gateway.memory();
        assert!(memory < memory_before + MEMORY, "{memory_before} became {memory} bytes");
    }

    fn connections(&self) -> u64 {
        let open = self.servers.iter().map(Provider::connections).sum::<usize>();
        u64::try_from(open).expect("a count")
    }

    /// The sum of a gauge over the providers' clusters.
    fn sum(&self, gauge: &str) -> u64 {
        let stats = self.gateway.admin().stats();
        PROVIDERS.iter().map(|name| stats[&format!("cluster.{name}.upstream_{gauge}")]).sum()
    }
}
