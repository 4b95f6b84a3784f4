//! Envoy, or `gaud`, or both are killed: the ledger has every answer that a client saw whole, and none twice.

use super::{chat, completion_json, config, sums, wait_for_sums};
use crate::kit::client::h1::Connection;
use crate::kit::harness::{Run, wait};
use crate::kit::load::Load;
use crate::kit::random::Random;
use crate::kit::upstream::Provider;
use rustix::process::{Pid, Signal, kill_process};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};

const TRIALS: usize = 8;
const CLIENTS: usize = 6;
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

/// Clients that ask for a model until they are stopped; how many answers they saw whole.
fn load(addr: SocketAddr, model: String, whole: &Arc<AtomicU64>) -> Load {
    let whole = Arc::clone(whole);
    Load::start(
        CLIENTS,
        0..u64::MAX,
        |_| (),
        move |(), _| {
            let Some(mut connection) = Connection::try_open(addr) else { return };
            connection.send_request(&chat(&model));
            let answer = connection.try_response();
            if answer.is_some_and(|answer| answer.status == 200 && answer.complete) {
                whole.fetch_add(1, SeqCst);
            }
        },
    )
}

#[test]
fn no_answer_that_a_client_saw_is_lost_when_envoy_is_killed() {
    let (one, two) = (Provider::start(), Provider::start());
    let chain = "[[fallbacks]]\nmodel = \"hop*\"\nto = [\"two:second\"]\n";
    let folder = tempfile::tempdir().expect("a folder").keep();
    std::fs::write(folder.join("gaud.toml"), config(&one, &two, chain)).expect("a file");
    let run = Run::start_in(folder, &["--restart"]);
    let key = run.admin_key();
    let mut random = Random::new(7);
    for trial in 0..TRIALS {
        let model = format!("{}{trial}", if trial % 2 == 0 { "straight" } else { "hop" });
        one.always(&model, 200, completion_json(INPUT, OUTPUT).to_string());
        let addr = address(&run).expect("an address");
        let whole = Arc::new(AtomicU64::new(0));
        let clients = load(addr, model.clone(), &whole);
        let answers = 1 + random.below(60) as u64;
        wait::until_true("answers", || whole.load(SeqCst) >= answers);
        kill_envoy(&run);
        clients.stop(0);
        let (whole, served) = (whole.load(SeqCst), one.seen(&model).len() as u64);
        // Each start has another port.
        let addr = wait::until("the next Envoy", || address(&run).filter(|now| *now != addr));
        let row = sums(addr, &key, "one", &model);
        let number = |name: &str| row[name].as_u64().unwrap_or_default();
        let counted = number("attempts") - number("guessed") - number("failed");
        assert!(whole <= counted && counted <= served, "{whole} <= {counted} <= {served}: {row}");
        assert!(number("attempts") >= served, "{served} were served: {row}");
        assert!(number("output") >= counted * OUTPUT, "{row}");
    }
    let left = std::fs::read_dir(run.folder().join("state/gaud/journal")).expect("a folder");
    assert_eq!(left.count(), 1, "journals that are read are gone");
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
