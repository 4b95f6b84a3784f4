//! `gaud status` and `gaud run` together.

use std::path::Path;
use std::process::{Command, Output};

use crate::folder;
use crate::http::ask;
use crate::program::Program;
use crate::run::{configured, given, run};
use crate::upstream::upstream;

fn status(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_gaud"))
        .arg("status")
        .args(arguments)
        .current_dir(folder)
        .output()
        .expect("gaud starts")
}

/// The rows of the table, their words divided by single spaces.
fn rows(output: &Output) -> Vec<String> {
    let text = String::from_utf8_lossy(&output.stdout);
    text.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect()
}

#[test]
fn status_prints_the_state_of_each_provider() {
    let folder = folder();
    let (_upstream, provider) = upstream(folder.path());
    configured(folder.path(), "127.0.0.1:0", &provider);
    let mut gateway: Program = run(folder.path(), &given("ENVOY_PATH"));
    let address = gateway.address();
    let chat = r#"{"model":"litellm:gpt-4o","messages":[]}"#;
    assert!(ask(&address, "POST", "/v1/chat/completions", chat).head.contains(" 200 "));
    let output = status(folder.path(), &["--address", &address]);
    let rows = rows(&output);
    assert_eq!(rows[0], concat!("gaud ", env!("CARGO_PKG_VERSION"), ": ok"));
    assert_eq!(rows[2], "PROVIDER BREAKER FAILURES AGAIN IN HEALTH MODELS REQUESTS");
    assert!(rows[3].starts_with("litellm closed 0 - "), "{rows:?}");
    assert_eq!(rows.len(), 4);
    gateway.interrupt();
    assert!(gateway.ended().status.success());
}

#[test]
fn without_a_gateway_status_says_where_it_looked() {
    let folder = folder();
    // A port that was free a moment ago.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address").to_string();
    drop(listener);
    let output = status(folder.path(), &["--address", &address]);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.starts_with(&format!("gaud: no gateway answers on {address} (")), "{said}");
    assert_eq!(output.status.code(), Some(1));
}
