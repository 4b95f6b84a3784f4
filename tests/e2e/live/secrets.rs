//! Secrets change without a restart, and nothing shows them.

use super::{Config, chat};
use crate::kit::client::h1;
use crate::kit::harness::Run;
use crate::kit::upstream::Provider;
use std::os::unix::fs::PermissionsExt;

const KEYS: [&str; 4] = ["sk-first-key", "sk-second-key", "sk-third-key", "sk-fourth-key"];

fn with_key(server: &Provider, key: &str) -> Config {
    let mut config = Config::of(&[]);
    config.add("one", server, &format!("api_key = \"{key}\""));
    config
}

#[test]
fn a_rotated_key_is_used_by_the_next_request_and_never_shown() {
    let server = Provider::start();
    let run = Run::start(&with_key(&server, KEYS[0]).text());
    for (round, key) in KEYS.iter().enumerate() {
        if round > 0 {
            run.change(&with_key(&server, key).text());
        }
        // Over the hop as well: a retry is another filter.
        let case = format!("key {round}");
        assert_eq!(h1::exchange(run.addr(), &chat("one:m").case(&case)).status, 200);
        let seen = server.wait(&case).header("authorization").unwrap_or_default();
        assert_eq!(seen, format!("Bearer {key}"));
        // A change that is refused, and one that is not TOML.
        run.write(&(with_key(&server, key).text() + "\n[nonsense]\n"));
        run.wait_for(": nonsense: is not a setting");
    }
    let shown = ["/config_dump?include_eds", "/stats", "/clusters", "/server_info", "/certs"];
    for text in shown.map(|path| run.admin().get(path)).into_iter().chain([run.log()]) {
        assert!(!KEYS.iter().any(|key| text.contains(key)), "{text}");
    }
    assert!(run.admin().get("/config_dump").contains("[redacted]"), "the secrets are there");
}

/// As Docker and Kubernetes mount secrets: the file changes, and `gaud.toml` does not.
#[test]
fn a_key_in_a_file_is_read_again_when_the_file_changes() {
    let server = Provider::start();
    let folder = tempfile::tempdir().expect("a folder").keep();
    let place = folder.join("key");
    std::fs::write(&place, format!("{}\n", KEYS[0])).expect("a file");
    let mut config = Config::of(&[]);
    let header = "api_key = \"file:key\"\nheaders = { x-team = \"file:key\" }";
    config.add("one", &server, header);
    std::fs::write(folder.join("gaud.toml"), config.text()).expect("a file");
    let run = Run::start_in(folder, &[]);
    for (round, key) in KEYS[..2].iter().enumerate() {
        if round > 0 {
            std::fs::write(&place, key).expect("a file");
            run.wait_for("gaud: gaud.toml has changed: version 2 is in effect");
        }
        let case = format!("file {round}");
        assert_eq!(h1::exchange(run.addr(), &chat("one:m").case(&case)).status, 200);
        let seen = server.wait(&case);
        assert_eq!(seen.header("authorization"), Some(format!("Bearer {key}")));
        assert_eq!(seen.header("x-team").as_deref(), Some(*key));
    }
    std::fs::write(&place, "").expect("a file");
    run.wait_for("providers.one.api_key: key is empty; write the secret into that file");
    assert_eq!(super::ask(run.addr(), "one:m").status, 200);
}

#[test]
fn the_files_are_for_this_user_alone_and_go_with_the_gateway() {
    let server = Provider::start();
    let mut run = Run::start(&with_key(&server, KEYS[0]).text());
    let folder = run.watched();
    let mode = |path: &std::path::Path| {
        std::fs::metadata(path).expect("it is there").permissions().mode() & 0o777
    };
    assert_eq!(mode(&folder), 0o700);
    for kind in ["ecds_gaud", "ecds_gaud_attempt"] {
        assert_eq!(mode(&folder.join(kind).join(format!("{kind}.yaml"))), 0o600, "{kind}");
    }
    run.signal(rustix::process::Signal::TERM);
    assert!(run.ended());
    assert!(!folder.exists());
}

/// No secret is in Envoy's environment, where other users of a shared account could read it later.
#[test]
fn envoy_gets_no_secret_by_its_environment() {
    let server = Provider::start();
    let run = Run::start(&with_key(&server, KEYS[0]).text());
    let entries = std::fs::read_dir("/proc").expect("/proc").flatten();
    let mark = run.folder().to_str().expect("UTF-8").to_owned();
    let mut looked = 0;
    for process in entries.map(|entry| entry.path()) {
        let read = |name: &str| std::fs::read(process.join(name)).unwrap_or_default();
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        if text(read("cmdline")).contains(&mark) {
            looked += 1;
            assert!(!text(read("environ")).contains(KEYS[0]));
        }
    }
    assert!(looked > 0, "Envoy's process was found");
}
