//! The words of `gaud run` for a person at a terminal, at the first start and at the next.

use std::path::Path;

use crate::folder;
use crate::http::{ask, ask_with};
use crate::program::Program;
use crate::run::{configured, given};

/// The words before the key.
const SHOWN: &str = "the admin key of /admin and of the pages, shown this once: ";

fn started(folder: &Path) -> Program {
    let (envoy, state) = (given("ENVOY_PATH"), folder.join("state").display().to_string());
    let environment = [("ENVOY_PATH", envoy.as_str()), ("XDG_STATE_HOME", &state)];
    Program::start_at_terminal(folder, &["run", "--wasm", &given("GAUD_WASM")], &environment)
}

fn ended(mut run: Program) -> String {
    run.interrupt();
    let end = run.ended();
    assert_eq!(end.status.code(), Some(0), "{}", end.stderr);
    end.stderr
}

#[test]
fn a_terminal_shows_the_pages_at_each_start_and_the_first_admin_key_once() {
    let folder = folder();
    configured(folder.path(), "127.0.0.1:0", "127.0.0.1:1");
    let mut run = started(folder.path());
    let address = run.address();
    let pages = run.said("Its pages, for an admin key: ");
    assert_eq!(pages, format!("http://{address}/ui"));
    let login = ask(&address, "GET", "/ui/login", "");
    assert!(login.body.contains("Admin key"), "{}", login.head);
    let said = ended(run);
    let (_, rest) = said.split_once(SHOWN).unwrap_or_else(|| panic!("no key in {said}"));
    let key = rest.lines().next().expect("a line").to_owned();
    assert!(key.starts_with("sk-prx-adm") && said.matches(&key).count() == 1, "{said}");
    assert!(!folder.path().join("state/gaud/admin-key").exists(), "a terminal needs no file");

    let mut run = started(folder.path());
    let address = run.address();
    assert_eq!(run.said("Its pages, for an admin key: "), format!("http://{address}/ui"));
    for (key, status) in [(key.as_str(), "200"), ("sk-prx-admxxxxxxxxx", "401")] {
        let headers = format!("authorization: Bearer {key}\r\n");
        let answer = ask_with(&address, "GET", "/admin/status", &headers, "");
        assert_eq!(answer.head.split(' ').nth(1), Some(status), "{}", answer.head);
    }
    let said = ended(run);
    assert!(!said.contains(&key) && !said.contains("admin key"), "{said}");
}
