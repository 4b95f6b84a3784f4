//! `gaud models`, with and without something that answers.

use super::gaud;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::process::Output;

const CONFIG: &str = r#"
default_provider = "litellm"
[providers.litellm]
url = "http://h"
models = ["litellm:gpt-4o"]
[providers.kiro]
url = "http://h"
models = ["own"]
[aliases]
fast = "litellm:gpt-4o-mini"
"#;

fn models(config: Option<&str>, arguments: &[&str]) -> Output {
    gaud(config, &[], &[&["models"], arguments].concat())
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

/// Answers one request, whatever it asks for.
fn answering(status: &'static str, body: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut asked = [0; 1024];
        let length = stream.read(&mut asked).unwrap();
        assert!(asked.get(..length).unwrap().starts_with(b"GET /v1/models HTTP/1.1\r\n"));
        let length = body.len();
        write!(stream, "HTTP/1.1 {status}\r\ncontent-length: {length}\r\n\r\n{body}").unwrap();
    });
    address
}

/// An address without a listener: a port that was free a moment ago.
fn unused_address() -> String {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string()
}

#[test]
fn models_prints_the_gateways_list() {
    let list =
        r#"{"object":"list","data":[{"id":"kiro:new","owned_by":"kiro","max_input_tokens":7}]}"#;
    let output = models(Some(CONFIG), &["--address", &answering("200 OK", list)]);
    let expected = "\
NAME      PROVIDER  SENT AS  WHY                CONTEXT
kiro:new  kiro      new      namespace \"kiro:\"        7
";
    assert_eq!((text(&output.stdout), text(&output.stderr)), (expected, ""));
    let output = models(None, &["--json", "--address", &answering("200 OK", list)]);
    let expected = "[{\"model\":\"kiro:new\",\"provider\":\"kiro\",\"target_model\":null,\
                    \"why\":null,\"context_window\":7}]\n";
    assert_eq!((text(&output.stdout), text(&output.stderr)), (expected, ""));
}

#[test]
fn without_a_gateway_models_prints_the_configured_list() {
    let address = unused_address();
    let output = models(Some(CONFIG), &["--address", &address]);
    let expected = "\
NAME      PROVIDER  SENT AS      WHY                                      CONTEXT
gpt-4o    litellm   gpt-4o       default_provider                          128000
kiro:own  kiro      own          namespace \"kiro:\"                              -
fast      litellm   gpt-4o-mini  alias \"fast\", then namespace \"litellm:\"   128000
";
    assert_eq!(text(&output.stdout), expected);
    let said = text(&output.stderr);
    assert!(said.starts_with(&format!("gaud: no gateway answers on {address} (")), "{said}");
    let remedy = "); these are the models of the configuration alone: start the gateway with `gaud \
                  run` to see those that it discovers\n";
    assert!(said.ends_with(remedy), "{said}");
    assert!(output.status.success());
    let output = models(Some(CONFIG), &["--json", "--address", &unused_address()]);
    let rows: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let expected = serde_json::json!({
        "model": "kiro:own", "provider": "kiro", "target_model": "own",
        "why": "namespace \"kiro:\"", "context_window": null,
    });
    assert_eq!(rows.get(1), Some(&expected));
}

#[test]
fn a_window_is_that_of_the_vendors_table() {
    let folder = tempfile::tempdir().unwrap();
    let prices = folder.path().join("prices.json");
    std::fs::write(&prices, r#"{"gpt-4o":{"litellm_provider":"openai","max_input_tokens":5}}"#)
        .unwrap();
    let providers =
        "[providers.p]\nurl = \"https://api.openai.com/v1\"\nmodels = [\"gpt-4o-mini\"]\n";
    let windows = |toml: &str| {
        let output = models(Some(toml), &["--json", "--address", &unused_address()]);
        let rows: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        rows[0]["context_window"].clone()
    };
    assert_eq!(windows(providers), 128_000);
    let usage = format!("[usage]\nprice_file = \"{}\"\n", prices.display());
    assert_eq!(windows(&format!("{usage}{providers}")), 5);
    let usage = "[usage]\nprice_file = \"missing.json\"\n";
    let output = models(Some(&format!("{usage}{providers}")), &[]);
    let expected = "gaud: gaud.toml:2: usage.price_file: missing.json cannot be read: it is not there; name a file in \
                    the format of LiteLLM's model_prices_and_context_window.json\n";
    assert_eq!(text(&output.stderr), expected);
}

#[test]
fn models_says_why_it_prints_nothing() {
    let address = answering("404 Not Found", "{}");
    let output = models(Some(CONFIG), &["--address", &address]);
    let expected = format!("gaud: GET /v1/models on {address} was answered with 404 Not Found\n");
    assert_eq!((text(&output.stderr), output.status.code()), (&*expected, Some(1)));
    let address = answering("200 OK", "<html>");
    let output = models(Some(CONFIG), &["--address", &address]);
    let expected = format!("gaud: the server at {address} does not list models\n");
    assert_eq!((text(&output.stderr), output.status.code()), (&*expected, Some(1)));
    let address = unused_address();
    let output = models(None, &["--address", &address]);
    let said = text(&output.stderr);
    assert!(said.starts_with(&format!("gaud: no gateway answers on {address} (")), "{said}");
    assert_eq!(output.status.code(), Some(1));
    let output = models(None, &["--address", &answering("200 OK", r#"{"data":[]}"#)]);
    let expected = "gaud: no model is listed; give a provider models = [\"NAME\"]\n";
    assert_eq!(text(&output.stderr), expected);
}
