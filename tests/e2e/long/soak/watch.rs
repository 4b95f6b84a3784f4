//! What Envoy holds, over time.

use super::CLIENTS;
use crate::kit::harness::Gateway;
use std::fmt;
use std::time::{Duration, Instant};

const MIB: u64 = 1024 * 1024;

/// How much Envoy's resident memory may still grow: what its allocator keeps for each thread differs
/// from moment to moment by a few MiB.
const RSS_SLACK: u64 = 24 * MIB;

/// How much a VM may still grow: several of the largest requests may come together for the first
/// time. A leak of 16 bytes for each of a million requests is more.
const VM_SLACK: u64 = 4 * MIB;

/// What is seen at one time.
pub(super) struct Sample {
    elapsed: Duration,
    done: u64,
    /// The linear memory of all VMs.
    vms: u64,
    resident: u64,
    /// What Envoy's allocator has given out.
    allocated: u64,
    downstream: u64,
    upstream: u64,
    stats: usize,
}

impl Sample {
    pub(super) const HEAD: &str = "\
    time    requests   rate/s   VMs MiB   RSS MiB   heap MiB   clients' conns   providers' conns   stats";

    pub(super) fn take(gateway: &Gateway, started: Instant, done: u64) -> Self {
        let stats = gateway.admin().stats();
        let sum =
            |end: &str| stats.iter().filter(|(name, _)| name.ends_with(end)).map(|(_, n)| n).sum();
        let of = |name: &str| stats.get(name).copied().unwrap_or_default();
        Self {
            elapsed: started.elapsed(),
            done,
            vms: gateway.vm_memory(),
            resident: gateway.memory(),
            allocated: of("server.memory_allocated"),
            downstream: sum("http.gaud.downstream_cx_active"),
            upstream: sum("upstream_cx_active"),
            stats: stats.len(),
        }
    }
}

impl fmt::Display for Sample {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let secs = self.elapsed.as_secs_f64();
        let mib = |bytes: u64| bytes as f64 / MIB as f64;
        write!(
            f,
            "{secs:7.1}s {:11} {:8.0} {:9.1} {:9.1} {:10.1} {:16} {:18} {:7}",
            self.done,
            self.done as f64 / secs,
            mib(self.vms),
            mib(self.resident),
            mib(self.allocated),
            self.downstream,
            self.upstream,
            self.stats
        )
    }
}

/// Fails unless the second half of the samples shows no more than the first half.
pub(super) fn assert_still(samples: &[Sample]) {
    let (first, second) = samples.split_at(samples.len() / 2);
    let most = |of: fn(&Sample) -> u64, all: &[Sample]| all.iter().map(of).max().expect("samples");
    let grows = |of: fn(&Sample) -> u64| most(of, second).saturating_sub(most(of, first));
    assert!(most(|sample| sample.vms, first) > 0, "the VMs' memory was not found");
    assert!(grows(|sample| sample.vms) <= VM_SLACK, "the VMs grow");
    assert!(grows(|sample| sample.resident) <= RSS_SLACK, "Envoy grows");
    assert_eq!(grows(|sample| sample.stats as u64), 0, "there are ever more stats");
    // Those that were left may take a moment to close.
    let connections = most(|sample| sample.downstream, second);
    let clients = CLIENTS as u64;
    assert!(connections <= 2 * clients, "{connections} connections of {CLIENTS} clients");
    let upstream = most(|sample| sample.upstream, second);
    assert!(upstream <= 16 * clients, "{upstream} connections to providers");
}
