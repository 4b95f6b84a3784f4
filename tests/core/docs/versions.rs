//! The table of what works in which Envoy, made from what the tests have found.
//!
//! `make test-versions` runs them and writes `tests/e2e/versions.tsv`: version, suite, passed, run.

use std::collections::{BTreeMap, BTreeSet};

use super::{assert_part, read};

/// The rows, and the suites that show each.
const ROWS: [(&str, &[&str]); 15] = [
    ("models to providers: endpoints, paths", &["routing"]),
    ("bodies and forms as they stream, large and slow ones", &["bodies"]),
    ("answers as they stream, TLS, errors of Envoy's", &["providers"]),
    ("credentials, secrets", &["credentials"]),
    ("the breaker, active checks, a VM that traps", &["breaker"]),
    ("lists of models", &["models"]),
    ("fallbacks, retries, deadlines", &["failover"]),
    ("malicious requests", &["hostile"]),
    ("usage, and the ledger when things are killed", &["usage"]),
    ("spans, the access log", &["telemetry"]),
    ("a configuration that changes while requests run", &["live"]),
    ("client keys", &["keys"]),
    ("limits and budgets", &["limits"]),
    ("Envoy's edge: limits, sites, proxies in front", &["edge"]),
    ("`gaud run`, `status`; your Envoy", &["run", "status", "upstream", "deployments"]),
];

/// What tests/e2e/main.rs has beside suites, and the suites that run in no version but the pinned one.
const OTHERS: [&str; 3] = ["gateways", "kit", "long"];

/// How many tests have passed, and how many have run.
type Count = (u32, u32);

fn results(tsv: &str) -> BTreeMap<(&str, &str), Count> {
    let line = |line| {
        let fields: Vec<&str> = str::split(line, '\t').collect();
        let [version, suite, passed, run] = fields.as_slice() else { panic!("{line}") };
        ((*version, *suite), (passed.parse().unwrap(), run.parse().unwrap()))
    };
    tsv.lines().map(line).collect()
}

#[test]
fn the_versions_are_what_the_tests_have_found() {
    let (tsv, versions) = (read("tests/e2e/versions.tsv"), read(".envoy-versions"));
    let (results, versions) = (results(&tsv), versions.lines().collect::<Vec<_>>());
    let rule = "|---".repeat(versions.len() + 1);
    let mut table = format!("| tests that pass in Envoy | {} |\n{rule}|\n", versions.join(" | "));
    for (row, suites) in ROWS {
        let cells = versions.iter().map(|version| cell(&results, version, suites));
        table += &format!("| {row} | {} |\n", cells.collect::<Vec<_>>().join(" | "));
    }
    assert_part("docs/deployment.md", "versions", &table);
}

fn cell(results: &BTreeMap<(&str, &str), Count>, version: &str, suites: &[&str]) -> String {
    let counts: Option<Vec<&Count>> =
        suites.iter().map(|suite| results.get(&(version, *suite))).collect();
    // Nothing is said of what has not run.
    let Some(counts) = counts else { return "–".to_owned() };
    let (passed, run) =
        counts.iter().fold((0, 0), |(passed, run), count| (passed + count.0, run + count.1));
    match passed == run {
        true => format!("all {run}"),
        false => format!("{passed} of {run}"),
    }
}

#[test]
fn every_suite_has_a_row() {
    let main = read("tests/e2e/main.rs");
    let modules = main.lines().filter_map(|line| line.strip_prefix("mod ")?.strip_suffix(';'));
    let suites: BTreeSet<_> = modules.filter(|module| !OTHERS.contains(module)).collect();
    let in_rows: BTreeSet<_> = ROWS.iter().flat_map(|(_, suites)| suites.iter().copied()).collect();
    let missing: Vec<_> = suites.difference(&in_rows).collect();
    assert!(missing.is_empty(), "tests/core/docs/versions.rs has no row for {missing:?}");
}
