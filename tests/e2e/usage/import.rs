//! Logs of an Envoy elsewhere are taken into the ledger, once.

use crate::kit::client::{Request, h1};
use crate::kit::harness::{Gateway, wait};
use crate::kit::samples::{LISTEN, provider};
use crate::kit::upstream::Provider;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

/// Runs the command in a folder, with something to read; what it prints.
fn gaud(folder: &Path, arguments: &[&str], input: &str) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_gaud"));
    command.args(arguments).current_dir(folder).env_clear();
    command.env("XDG_STATE_HOME", folder.join("state"));
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("gaud runs");
    child.stdin.take().expect("a pipe").write_all(input.as_bytes()).expect("a reader");
    let output = child.wait_with_output().expect("an end");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn shipped_lines_count_once_and_torn_lines_not_at_all() {
    let server = Provider::start();
    let answer = super::completion_json(12, 5).to_string();
    server.always("shipped", 200, answer);
    let one = provider("one", &server.url(), &[]);
    let gateway = Gateway::start(&format!("{LISTEN}usage.meter = \"all\"\n{one}"), &[]);
    for _ in 0..3 {
        let request = Request::chat(r#"{"model":"one:gpt-4o"}"#).case("shipped");
        assert_eq!(h1::exchange(gateway.addr(), &request).status, 200);
    }
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    // func-e passes the log on.
    wait::until_true("three records", || gateway.logs().matches("gaud.journal.1 S").count() == 3);
    let log = gateway.logs();
    let torn = log.lines().find(|line| line.contains("gaud.journal.1 S")).expect("a record");
    let log = format!("{log}{}\nsomething else\n", &torn[..torn.len() - 5]);
    let first = gaud(folder, &["ledger", "import", "-"], &log);
    assert_eq!(first, "3 new, 0 known, 0 too old, 1 broken, 0 lost\n");
    let again = gaud(folder, &["ledger", "import", "-", "--ended"], &log);
    assert_eq!(again, "0 new, 3 known, 0 too old, 1 broken, 0 lost\n");
    // What has begun only is charged once the log is whole, and corrected by a later log.
    let begun = log.lines().find(|line| line.contains("gaud.journal.1 A")).expect("a record");
    let ended = log.lines().find(|line| line.contains("gaud.journal.1 S")).expect("a record");
    let other = tempfile::tempdir().expect("a folder");
    let lost = gaud(other.path(), &["ledger", "import", "-", "--ended"], begun);
    assert_eq!(lost, "0 new, 0 known, 0 too old, 0 broken, 1 lost\n");
    assert_eq!(
        gaud(other.path(), &["ledger", "import", "-"], ended),
        "1 new, 0 known, 0 too old, 0 broken, 0 lost\n"
    );
    let csv = |folder: &Path| gaud(folder, &["usage", "--by", "model", "--format", "csv"], "");
    let head = "model,attempts,failed,guessed,unpriced,input,";
    for (folder, row) in [(folder, "gpt-4o,3,0,0,0,36,"), (other.path(), "gpt-4o,1,0,0,0,12,")] {
        let text = csv(folder);
        let lines: Vec<_> = text.lines().collect();
        assert!(
            lines.len() == 2 && lines[0].starts_with(head) && lines[1].starts_with(row),
            "{text}"
        );
    }
    // 36 · $2.5 + 15 · $10, for a million.
    let table = gaud(folder, &["usage", "--by", "provider,model"], "");
    assert!(table.lines().last().is_some_and(|line| line.ends_with("  0.00024")), "{table}");
    let json = gaud(folder, &["usage", "--by", "day", "--since", "1d", "--format", "json"], "");
    let json: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    assert_eq!(json["rows"][0]["cost_nanos"], 240_000, "{json}");
    let price = gaud(folder, &["prices", "gpt-4o"], "");
    assert!(price.contains("\n  input_cost_per_token  2.50\n"), "{price}");
}
