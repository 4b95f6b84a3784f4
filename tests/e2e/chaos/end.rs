//! When all is over: what must be as it was, and what must add up.

use super::fate::Fate;
use super::{CALLERS, PROVIDERS, Site};
use crate::client::{Request, h1};
use crate::harness::wait::until_true;
use std::collections::BTreeMap;

/// Enough for Envoy's buffers, and not for one leaked body of each caller and attempt.
const MEMORY: u64 = 64_000_000;

impl Site {
    /// The providers fail no more: in the end all breakers are closed, and every answer is whole.
    pub(super) fn recovers(&self, first: u64) {
        self.servers.iter().for_each(super::Server::make_peace);
        let mut next = first;
        until_true("the end of all troubles", || {
            self.run(next, next + 20, &[]);
            next += 20;
            self.health()["status"] == "ok"
        });
        let whole = self.ledger.told("answers: Whole");
        self.run(next, next + 100, &[]);
        assert_eq!(self.ledger.told("answers: Whole"), whole + 100, "all is well again");
    }

    fn health(&self) -> serde_json::Value {
        h1::exchange(self.gateway.addr(), &Request::new("GET", "/health")).json()
    }

    /// The gateway has counted what the providers have seen, and beside it only attempts that were
    /// refused: failures that no provider saw.
    pub(super) fn attempts_add_up(&self) {
        let metrics = self.gateway.admin().metrics();
        for (index, name) in PROVIDERS.iter().enumerate() {
            let counted = |outcome: &str| {
                let name =
                    format!(r#"gaud_requests_total{{outcome="{outcome}",provider="{name}"}}"#);
                metrics.get(&name).copied().unwrap_or_default()
            };
            let [success, failure, neutral, rejected] =
                ["success", "failure", "neutral", "rejected"].map(counted);
            let good = self.ledger.count(index, |fate| !fate.is_failure());
            let bad = self.ledger.count(index, Fate::is_failure);
            println!(
                "{name}: saw {good} successes and {bad} failures; counted {success}, {failure}, \
                 {neutral} neutral, {rejected} rejected"
            );
            assert_eq!(success, good, "{name}: successes");
            assert!(failure >= bad, "{name}: {failure} failures counted of {bad}");
            assert_eq!(neutral, 0, "{name}: nobody left");
        }
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
        let open = self.servers.iter().map(super::Server::connections).sum::<usize>();
        u64::try_from(open).expect("a count")
    }

    /// The sum of a gauge over the providers' clusters.
    fn sum(&self, gauge: &str) -> u64 {
        let stats: BTreeMap<String, u64> = self.gateway.admin().stats();
        let ends = format!(".upstream_{gauge}");
        let of_clusters = |name: &str| name.starts_with("cluster.") && name.ends_with(&ends);
        stats.iter().filter(|(name, _)| of_clusters(name)).map(|(_, value)| value).sum()
    }
}
