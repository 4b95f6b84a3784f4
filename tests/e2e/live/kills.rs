//! `gaud run` is killed within each step of a change: the next start finds a whole configuration.

use super::control::{Caller, change};
use super::{Config, chat};
use crate::kit::client::h1;
use crate::kit::client::tls::Tls;
use crate::kit::harness::{Run, wait};
use crate::kit::upstream::Provider;
use crate::kit::upstream::tls::{Authority, Pair};
use rustix::process::Signal;
use serde_json::json;
use std::path::Path;

/// The files that Envoy watches, in the order in which a change writes them.
const STEPS: [&str; 7] =
    ["cds", "rds_gaud", "rds_gaud_attempt", "ecds_gaud_attempt", "ecds_gaud", "lds", "sds_gaud"];

fn is_written(watched: &Path, step: &str) -> bool {
    let file = watched.join(step).join(format!("{step}.yaml"));
    std::fs::read_to_string(file).is_ok_and(|text| text.starts_with("version_info: \"2\""))
}

/// Makes the next change stop within this step: the file is written where Envoy does not look, and Envoy says nothing.
fn stop_at(run: &Run, step: &str) {
    let folder = run.watched().join(step);
    std::fs::rename(&folder, folder.with_extension("away")).expect("a name");
    std::fs::create_dir(folder).expect("a folder");
}

/// Kills the gateway that stops within this step.
fn kill_at(run: &Run, step: &str) {
    wait::until_true("the step", || is_written(&run.watched(), step));
    run.signal(Signal::KILL);
}

/// Two configurations that differ in every file.
fn config(round: usize, one: &Provider, two: &Provider) -> Config {
    let mut config = Config::of(&[]);
    config.add("one", one, &format!("timeout_secs = {}", 400 + round));
    config.add(if round.is_multiple_of(2) { "even" } else { "odd" }, two, "");
    config.tables = format!("[tls]\ncert = \"{round}.pem\"\nkey = \"{round}.pem\"\n");
    config
}

#[test]
fn a_gateway_that_is_killed_within_a_step_starts_again_with_the_change() {
    let (one, two, authority) = (Provider::start(), Provider::start(), Authority::new("gateway"));
    let client = Tls::trusting(&authority);
    let folder = tempfile::tempdir().expect("a folder").keep();
    let begin = |round: usize| {
        let Pair { cert, key, der } = authority.issue("localhost");
        std::fs::write(folder.join(format!("{round}.pem")), cert + &key).expect("a file");
        (config(round, &one, &two).text(), der)
    };
    let write = |text: String| {
        std::fs::write(folder.join("next"), text).expect("a file");
        std::fs::rename(folder.join("next"), folder.join("gaud.toml")).expect("a place");
    };
    write(begin(0).0);
    let mut run = Run::start_in(folder.clone(), &[]);
    for (place, step) in STEPS.iter().enumerate() {
        run.keep();
        let (left, round) = (run.watched(), place + 1);
        let (text, certificate) = begin(round);
        stop_at(&run, step);
        write(text);
        kill_at(&run, step);
        drop(run);
        for later in &STEPS[place + 1..] {
            assert!(!is_written(&left, later), "{later} is written after {step}");
        }
        run = Run::start_in(folder.clone(), &[]);
        assert!(!left.exists(), "{step}: the files of the killed run are gone");
        assert_eq!(client.shown(run.addr()), certificate, "{step}");
        let status = |model: &str| client.exchange(run.addr(), &chat(model)).status;
        let [there, gone] = if round % 2 == 0 { ["even", "odd"] } else { ["odd", "even"] };
        assert_eq!(status(&format!("{there}:m")), 200, "{step}");
        assert_eq!(status(&format!("{gone}:m")), 404, "{step}");
    }
    drop(run);
    std::fs::remove_dir_all(folder).expect("the folder");
}

/// The caller has no answer then, and the file has the change as a whole.
#[test]
fn a_gateway_that_is_killed_while_a_caller_waits_starts_again_with_the_change() {
    let one = Provider::start();
    let run = Run::start(&Config::of(&[("one", &one)]).text());
    run.keep();
    let folder = run.folder().to_owned();
    let request = change("aliases.fast", &json!("one:m"));
    let mut connection = h1::Connection::open(run.addr());
    let key = format!("Bearer {}", Caller::of(&run).key());
    stop_at(&run, STEPS[3]);
    connection.send_request(&request.header("authorization", key));
    kill_at(&run, STEPS[3]);
    assert!(connection.try_head().is_none_or(|head| head.status != 200));
    drop(run);
    let run = Run::start_in(folder.clone(), &[]);
    assert_eq!(super::ask(run.addr(), "fast").status, 200);
    drop(run);
    let _ = std::fs::remove_dir_all(folder);
}
