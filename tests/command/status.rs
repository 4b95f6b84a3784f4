//! `gaud status` and `gaud run` together.

use std::path::Path;
use std::process::{Command, Output};

use crate::folder;
use crate::http::ask;
use crate::program::{Program, until};
use crate::run::{configured, given, run};
use crate::upstream::upstream;

fn status(folder: &Path, arguments: &[&str]) -> Output {
    command(folder, &[&["status"], arguments].concat())
}

/// `gaud` without the secrets of its configuration.
fn command(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_gaud"))
        .args(arguments)
        .env_remove("KEY")
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

/// A port that was free a moment ago.
fn free_address() -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.local_addr().expect("an address").to_string()
}

#[test]
fn a_changed_file_and_a_refused_question_are_told() {
    let folder = folder();
    let (_upstream, provider) = upstream(folder.path());
    let (listen, admin) = (free_address(), free_address());
    // The stand-in has no such path, so LiteLLM's list is refused.
    let toml = format!(
        "listen = \"{listen}\"\nadmin_listen = \"{admin}\"\nworkers = 1\n\n\
         [providers.litellm]\nurl = \"http://{provider}/nowhere\"\napi_key = \"os.environ/KEY\"\nmodels = [\"m\"]\n"
    );
    let config = folder.path().join("gaud.toml");
    std::fs::write(&config, &toml).expect("gaud.toml is written");
    let (envoy, wasm) = (given("ENVOY_PATH"), given("GAUD_WASM"));
    let environment = [("ENVOY_PATH", envoy.as_str()), ("KEY", "sk-x")];
    let mut gateway = Program::start(folder.path(), &["run", "--wasm", &wasm], &environment);
    gateway.address();
    let refused = "gaud: litellm was asked for its models: it has no list (404); check its url, or set discover_models = false";
    let said = |arguments: &[&str]| {
        let output = command(folder.path(), arguments);
        assert!(output.status.success());
        String::from_utf8_lossy(&output.stderr).into_owned()
    };
    until("the question", || said(&["route", "litellm:m"]).contains(refused).then_some(()));
    for arguments in [&["models"][..], &["route", "litellm:m"]] {
        assert_eq!(said(arguments), format!("{refused}\n"));
    }
    let chat = r#"{"model":"litellm:m","messages":[]}"#;
    assert!(ask(&listen, "POST", "/v1/chat/completions", chat).head.contains(" 404 "));
    // Envoy's workers hand their counters to the main thread by and by.
    let row = || {
        rows(&status(folder.path(), &[])).into_iter().find(|row| row.starts_with("litellm closed"))
    };
    until("the request", || row().filter(|row| row.ends_with(" 1 1")));
    // Commands read another file than the gateway follows.
    let other = folder.path().join("other.toml");
    std::fs::write(&other, format!("{toml}[aliases]\nfast = \"litellm:m\"\n")).expect("a file");
    let differs = format!(
        "gaud: the gateway on {listen} has another configuration than gaud.toml now: gaud run applies a changed file within \
         a second unless it refuses the file, and another Envoy needs what gaud render prints now\n"
    );
    for arguments in
        [&["models", "--config", "other.toml"][..], &["route", "fast", "--config", "other.toml"]]
    {
        assert_eq!(
            said(arguments),
            format!("{differs}{refused}\n").replace("gaud.toml", "other.toml")
        );
    }
    gateway.interrupt();
    assert!(gateway.ended().status.success());
}

#[test]
fn without_a_gateway_status_says_where_it_looked() {
    let folder = folder();
    let address = free_address();
    let output = status(folder.path(), &["--address", &address]);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.starts_with(&format!("gaud: no gateway answers on {address} (")), "{said}");
    assert_eq!(output.status.code(), Some(1));
}
