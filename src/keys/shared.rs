//! Rates that hold across gateways: what Envoy's rate limit filter is told of a request, as properties of its stream.
//!
//! The service limits every name to [`UNITS`] a minute, and a request of a key with `rpm` takes `UNITS / rpm` of them: one file
//! serves every limit, and nothing is loaded again where a limit changes.

use crate::host::Host;
use crate::limits::Limits;
use crate::names::properties::{
    SHARED_HITS, SHARED_OWNERS, SHARED_REQUESTS, SHARED_TOKENS, SHARED_USED,
};

/// What the service gives each name a minute. Less than `HITS_MAX`, so that an amount that is cut is over as well.
pub const UNITS: u64 = 900_000_000;

/// The most that Envoy adds at once (`MAX_HITS_ADDEND`).
const HITS_MAX: u64 = 1_000_000_000;

const _: () = assert!(HITS_MAX > UNITS);

/// What a token takes, by owner; 0 where tokens are not limited.
pub type TokenUnits = [u64; 3];

/// What a request takes: the `rpm`-th fits, the next does not, for an `rpm` up to 30,000.
fn request_units(limits: &Limits) -> Option<u64> {
    limits.rpm.map(|rpm| UNITS.checked_div(rpm).unwrap_or(HITS_MAX))
}

/// What a token takes: `tpm` tokens take more than [`UNITS`], so that no request follows.
fn token_units(limits: &Limits) -> u64 {
    limits.tpm.map_or(0, |tpm| UNITS.checked_div(tpm).unwrap_or(HITS_MAX).saturating_add(1))
}

/// Tells what a request takes, and whether it needs tokens. What a token takes.
#[inline(never)]
pub(super) fn ask(host: &dyn Host, names: [&str; 3], limits: [Limits; 3]) -> TokenUnits {
    let owners = limits.iter().zip(SHARED_OWNERS).zip(names);
    let mut units = TokenUnits::default();
    for (((limits, owner), name), units) in owners.zip(&mut units) {
        *units = ask_for(host, owner, name, limits);
    }
    units
}

#[inline(never)]
fn ask_for(host: &dyn Host, owner: &str, name: &str, limits: &Limits) -> u64 {
    if let Some(hits) = request_units(limits) {
        set(host, SHARED_REQUESTS, owner, name, hits);
    }
    let units = token_units(limits);
    if units > 0 {
        host.set_property(&[SHARED_TOKENS, owner].concat(), name);
    }
    units
}

/// Tells which tokens were used.
#[inline(never)]
pub(super) fn take(host: &dyn Host, names: [&str; 3], units: TokenUnits, tokens: u64) {
    for ((units, name), owner) in units.into_iter().zip(names).zip(SHARED_OWNERS) {
        let hits = units.saturating_mul(tokens).min(HITS_MAX);
        if hits > 0 {
            set(host, SHARED_USED, owner, name, hits);
        }
    }
}

#[inline(never)]
fn set(host: &dyn Host, kind: &str, owner: &str, name: &str, hits: u64) {
    let property = [kind, owner].concat();
    host.set_property(&property, name);
    host.set_property(&[&property, SHARED_HITS].concat(), &hits.to_string());
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::memory::Memory;
    #[cfg(all(target_family = "wasm", target_os = "unknown"))]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    const NAMES: [&str; 3] = ["key/k", "key/k/gpt-*", "user/ann"];

    fn limits(rpm: Option<u64>, tpm: Option<u64>) -> Limits {
        Limits { rpm, tpm, ..Limits::NONE }
    }

    fn told(host: &Memory) -> Vec<String> {
        let all = host.properties().into_iter();
        all.map(|(name, text)| format!("{name}={text}")).collect()
    }

    #[test]
    fn a_request_says_what_is_limited_and_nothing_else() {
        let host = Memory::at(0);
        let limits = [limits(Some(60), None), limits(None, Some(100)), Limits::NONE];
        let units = ask(&host, NAMES, limits);
        assert_eq!(units, [0, 9_000_001, 0]);
        assert_eq!(
            told(&host),
            [
                "gaud_requests_key=key/k",
                "gaud_requests_key_hits=15000000",
                "gaud_tokens_model=key/k/gpt-*"
            ]
        );
        take(&host, NAMES, units, 0);
        assert_eq!(told(&host), [""; 0]);
        take(&host, NAMES, units, 12);
        assert_eq!(told(&host), ["gaud_used_model=key/k/gpt-*", "gaud_used_model_hits=108000012"]);
        take(&host, NAMES, units, 5_000);
        assert_eq!(told(&host)[1], "gaud_used_model_hits=1000000000");
    }

    /// The service refuses above [`UNITS`].
    #[test]
    fn units_are_exact_up_to_thirty_thousand_and_near_above() {
        for rpm in (1..=30_000).chain([100_000, 1_000_000]) {
            let hits = request_units(&limits(Some(rpm), None)).unwrap();
            let fits = UNITS / hits;
            assert!(hits * rpm <= UNITS && fits - rpm <= rpm * rpm / UNITS + 1, "{rpm}: {fits}");
            if rpm <= 30_000 {
                assert_eq!(fits, rpm);
            }
        }
        for tpm in (1..=30_000).chain([100_000, 1_000_000]) {
            let units = token_units(&limits(None, Some(tpm)));
            assert!(units * tpm > UNITS, "{tpm}");
            if tpm <= 30_000 {
                assert!(units * (tpm - 1) <= UNITS, "{tpm}: one token less is not over");
            }
        }
        assert_eq!(request_units(&limits(Some(0), None)), Some(HITS_MAX));
    }
}
