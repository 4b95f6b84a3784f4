//! Envoy, or `gaud`, or both are killed: the ledger has every answer that a client saw whole, and none twice.

use super::{chat, completion_json, config, sums, wait_for_sums};
use crate::kit::client::h1::Connection;
use crate::kit::harness::{Run, wait};
use crate::kit::load::Load;
use crate::kit::random::Random;
use crate::kit::upstream::Provider;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::time::Duration;

const CLIENTS: usize = 6;
/// How long a start may take on a machine that does other things too.
const START_LIMIT: Duration = Duration::from_secs(60);
const INPUT: u64 = 10;
const OUTPUT: u64 = 3;

/// Where the gateway has said last that it is.
fn address(run: &Run) -> Option<SocketAddr> {
    let log = run.log();
    let (_, rest) = log.rsplit_once("Gaud is ready on http://")?;
    rest.lines().next()?.parse().ok()
}

fn kill_envoy(run: &Run) {
    let pid = run.envoy();
    kill_process(Pid::from_raw(pid.cast_signed()).expect("a process"), Signal::KILL)
        .expect("an Envoy");
}

/// Clients that ask for a model until they are stopped; how often they saw `expected` whole. What another process answers, which
/// has got the port of a gateway that is gone, does not count.
fn load(addr: SocketAddr, model: String, expected: String, whole: &Arc<AtomicU64>) -> Load {
    let whole = Arc::clone(whole);
    Load::start(
        CLIENTS,
        0..u64::MAX,
        |_| (),
        move |(), _| {
            let Some(mut connection) = Connection::try_open(addr) else { return };
            connection.send_request(&chat(&model));
            let Some(answer) = connection.try_response() else { return };
            if answer.status == 200 && answer.complete && answer.body == expected.as_bytes() {
                whole.fetch_add(1, SeqCst);
            }
        },
    )
}

/// What is killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Victim {
    Envoy,
    Gaud,
    Both,
}

#[test]
fn no_answer_that_a_client_saw_is_lost_when_envoy_is_killed() {
    kill_under_load(Victim::Envoy, 8, 7);
}

#[test]
fn no_answer_that_a_client_saw_is_lost_when_gaud_is_killed() {
    kill_under_load(Victim::Gaud, 3, 8);
}

#[test]
fn no_answer_that_a_client_saw_is_lost_when_both_are_killed() {
    kill_under_load(Victim::Both, 3, 9);
}

#[test]
#[ignore = "takes a quarter of an hour: make kills"]
fn no_answer_is_lost_in_hundreds_of_kills() {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse().ok());
    let (kills, seed) = (number("KILLS").unwrap_or(100), number("KILLS_SEED").unwrap_or(1));
    for victim in [Victim::Envoy, Victim::Gaud, Victim::Both] {
        eprintln!("{victim:?}: {kills} kills, KILLS_SEED={seed}");
        kill_under_load(victim, kills, seed as u64);
    }
}

/// Kills at random moments while clients ask, straight and over the hop, and compares the ledger with what was served.
fn kill_under_load(victim: Victim, trials: usize, seed: u64) {
    let (one, two) = (Provider::start(), Provider::start());
    let chain = "[[fallbacks]]\nmodel = \"hop*\"\nto = [\"two:second\"]\n";
    let folder = tempfile::tempdir().expect("a folder").keep();
    std::fs::write(folder.join("gaud.toml"), config(&one, &two, chain)).expect("a file");
    let mut run = Run::start_in(folder.clone(), &["--restart"]);
    run.keep();
    let key = run.admin_key();
    let mut random = Random::new(seed);
    for trial in 0..trials {
        let model = format!("{}{trial}", if trial % 2 == 0 { "straight" } else { "hop" });
        let mut answer = completion_json(INPUT, OUTPUT);
        answer["id"] = one.url().into();
        one.always(&model, 200, answer.to_string());
        let addr = address(&run).expect("an address");
        let whole = Arc::new(AtomicU64::new(0));
        let clients = load(addr, model.clone(), answer.to_string(), &whole);
        let answers = 1 + random.below(60) as u64;
        wait::until_true("answers", || whole.load(SeqCst) >= answers);
        run = kill(victim, run, &folder);
        clients.stop(0);
        let (whole, served) = (whole.load(SeqCst), one.seen(&model).len() as u64);
        // Each start has another port.
        let next = || address(&run).filter(|now| *now != addr);
        let addr = wait::until_within(START_LIMIT, "the next Envoy", next);
        let number = |row: &Value, name: &str| row[name].as_u64().unwrap_or_default();
        let row = wait::until(&format!("all that was served of {model}, {victim:?}"), || {
            let row = sums(addr, &key, "one", &model);
            (number(&row, "attempts") >= served).then_some(row)
        });
        let counted = number(&row, "attempts") - number(&row, "guessed") - number(&row, "failed");
        assert!(whole <= counted && counted <= served, "{whole} <= {counted} <= {served}: {row}");
        assert!(number(&row, "output") >= counted * OUTPUT, "{row}");
    }
    wait::until_true("the end of journals that are read", || {
        let left = std::fs::read_dir(folder.join("state/gaud/journal")).expect("a folder");
        left.count() == 1
    });
    std::fs::remove_file(folder.join("keep")).expect("a file");
}

/// Kills, and starts again what does not come back on its own.
fn kill(victim: Victim, run: Run, folder: &Path) -> Run {
    if victim != Victim::Gaud {
        kill_envoy(&run);
    }
    if victim == Victim::Envoy {
        return run;
    }
    run.signal(Signal::KILL);
    drop(run);
    // What a killed run has left is not the next one's.
    for entry in std::fs::read_dir(folder).expect("a folder").flatten() {
        if entry.path().join("admin.sock").exists() {
            std::fs::remove_dir_all(entry.path()).expect("a folder");
        }
    }
    Run::start_in(folder.to_owned(), &["--restart"])
}

#[test]
fn a_gateway_that_is_killed_whole_goes_on_where_it_was() {
    let (one, two) = (Provider::start(), Provider::start());
    let folder = tempfile::tempdir().expect("a folder").keep();
    std::fs::write(folder.join("gaud.toml"), config(&one, &two, "")).expect("a file");
    let mut asked = 0;
    one.always("killed", 200, completion_json(INPUT, OUTPUT).to_string());
    for round in 0..3 {
        let run = Run::start_in(folder.clone(), &[]);
        if round == 0 {
            run.keep();
        }
        for _ in 0..10 {
            assert_eq!(super::ask(&run, "killed").status, 200);
            asked += 1;
        }
        run.signal(Signal::KILL);
    }
    let run = Run::start_in(folder.clone(), &[]);
    let row = wait_for_sums(&run, "one", "killed", asked);
    super::assert_sums(
        &row,
        &serde_json::json!({"input": asked * INPUT, "output": asked * OUTPUT, "guessed": 0, "failed": 0}),
    );
    std::fs::remove_file(folder.join("keep")).expect("a file");
}
