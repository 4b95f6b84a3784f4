//! A key is in nothing that the gateway writes.

use super::{Setup, chat};
use crate::kit::client::Request;
use serde_json::json;

#[test]
fn a_key_is_in_no_log_no_metric_no_dump_and_no_error() {
    let setup = Setup::start("", "");
    let made = setup.make(&json!({"models": ["gpt-4o"]}));
    let bearer = |request: Request| request.header("authorization", format!("Bearer {}", made.key));
    for request in [
        chat("gpt-4o"),
        chat("own:m"),
        Request::chat("not json"),
        Request::new("GET", "/v1/nothing"),
        Request::new("DELETE", "/v1/chat/completions"),
        Request::new("GET", format!("/v1/models?key={}", made.key)),
        Request::new("GET", format!("/admin/keys/{}", made.key)),
    ] {
        let answer = setup.send(&bearer(request));
        assert!(!answer.text().contains(&made.key), "{}", answer.text());
    }
    // The filter's token of the feed is a secret as well.
    let dump = setup.run.admin().get("/config_dump?include_eds");
    assert!(dump.contains("GAUD_FEED_TOKEN") && dump.contains("[redacted]"), "{dump}");
    setup.run.change(&format!(
        "{}\n# changed\n",
        std::fs::read_to_string(setup.run.folder().join("gaud.toml"))
            .expect("a file")
            .replace("workers = 2", "workers = 2\nmodel_secs = 59")
    ));
    setup.assert_nowhere(&made.key);
    let database = std::fs::read(setup.run.folder().join("state/gaud/gaud.db")).expect("a file");
    let journal =
        std::fs::read(setup.run.folder().join("state/gaud/gaud.db-wal")).unwrap_or_default();
    let secret = made.key.rsplit('-').next().expect("a secret part").as_bytes();
    for bytes in [database, journal] {
        assert!(!bytes.windows(secret.len()).any(|window| window == secret));
    }
}
