//! Many keys: how long they take to come, and how much memory.

use super::Setup;
use crate::kit::harness::Run;
use rusqlite::Connection;
use std::time::Instant;

const KEYS: i64 = 50_000;

/// Writes keys into the database of a gateway that does not run. Each is `sk-prx-` with its number.
fn fill(setup: &Setup) {
    let mut connection =
        Connection::open(setup.run.folder().join("state/gaud/gaud.db")).expect("a database");
    let transaction = connection.transaction().expect("a transaction");
    for number in 1..=KEYS {
        let hash = sha2_of(&key(number));
        let sql = "INSERT INTO keys (id, hash, name, models, created_secs, created_by, changed_secs, number)
            VALUES (?1, ?2, ?3, '[\"gpt-4o\",\"own:*\"]', 1, 'test', 1, (SELECT number FROM feed) + ?4)";
        let values = (format!("{number:012}"), hash, format!("key of client {number}"), number);
        transaction.execute(sql, values).expect("a row");
    }
    transaction.execute("UPDATE feed SET number = number + ?1", [KEYS]).expect("a row");
    transaction.commit().expect("a commit");
}

fn key(number: i64) -> String {
    format!("sk-prx-{number:012}-{number:032}")
}

fn sha2_of(text: &str) -> Vec<u8> {
    use sha2::{Digest, Sha256};
    Sha256::digest(text.as_bytes()).to_vec()
}

#[test]
#[ignore = "a minute; prints what it measures"]
fn fifty_thousand_keys() {
    let mut setup = Setup::start("", "");
    let folder = setup.run.folder().to_owned();
    let before = setup.run.memory();
    setup.run.keep();
    setup.run.signal(rustix::process::Signal::TERM);
    assert!(setup.run.ended());
    fill(&setup);
    let start = Instant::now();
    setup.run = Run::start_in(folder, &[]);
    println!("a start with {KEYS} keys: {:?}", start.elapsed());
    let after = setup.run.memory();
    println!("Envoy's memory: {} MB without, {} MB with", before / 1_000_000, after / 1_000_000);
    for number in [1, KEYS / 2, KEYS] {
        assert_eq!(setup.statuses(&key(number)), [200], "{number}");
    }
    assert_eq!(setup.statuses(&key(KEYS + 1)), [401]);
    let start = Instant::now();
    let path = format!("/admin/keys/{:012}", KEYS / 2);
    let gone = setup.ask_admin("DELETE", &path, &serde_json::json!({}), 200);
    println!("revoked in {:?}", start.elapsed());
    assert_eq!(gone["applied"], true);
    assert_eq!(setup.statuses(&key(KEYS / 2)), [401]);
    assert!(after < before + 100_000_000, "{before} {after}");
}
