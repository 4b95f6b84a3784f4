//! The control server: settings by API, and what opens it.

use super::{Config, ask, assert_served, chat};
use crate::kit::client::{Request, Response, h1};
use crate::kit::harness::{Run, quiet, wait};
use crate::kit::upstream::Provider;
use serde_json::{Value, json};
use std::fs::{Permissions, read_to_string, set_permissions};
use std::os::unix::fs::PermissionsExt;
use std::time::{Duration, Instant};

/// A caller with the admin key of the first start.
pub(super) struct Caller<'a> {
    run: &'a Run,
    key: String,
}

impl<'a> Caller<'a> {
    pub(super) fn of(run: &'a Run) -> Self {
        Self { run, key: run.admin_key() }
    }

    pub(super) fn key(&self) -> &str {
        &self.key
    }

    pub(super) fn send(&self, request: Request) -> Response {
        let request = request.header("authorization", format!("Bearer {}", self.key));
        h1::exchange(self.run.addr(), &request)
    }

    pub(super) fn get(&self, path: &str) -> Value {
        let response = self.send(Request::new("GET", path));
        assert_eq!(response.status, 200, "{path}: {}", response.text());
        response.json()
    }

    pub(super) fn put(&self, key: &str, value: &Value) -> Response {
        self.send(change(key, value))
    }

    /// Changes a setting, which must be in effect with the answer.
    pub(super) fn set(&self, key: &str, value: &Value) -> Value {
        let response = self.put(key, value);
        assert_eq!(response.status, 200, "{key}: {}\n{}", response.text(), self.run.log());
        let changed = response.json();
        assert_eq!(changed["applied"], true, "{changed}");
        changed
    }

    /// The setting as the list shows it.
    fn setting(&self, key: &str) -> Value {
        let all = self.get("/admin/settings");
        let found =
            all["settings"].as_array().expect("a list").iter().find(|own| own["key"] == key);
        found.cloned().unwrap_or(Value::Null)
    }
}

pub(super) fn change(key: &str, value: &Value) -> Request {
    let mut request =
        Request::post("/admin/settings", json!({"key": key, "value": value}).to_string());
    request.method = "PUT".to_owned();
    request
}

/// What the product's first documentation does, line by line.
#[test]
fn litellm_is_set_up_and_removed_by_api() {
    let (one, litellm) = (Provider::start(), Provider::start());
    let run = Run::start(&Config::of(&[("one", &one)]).text());
    let caller = Caller::of(&run);
    caller.set("providers.litellm.url", &json!(litellm.url()));
    assert_served(&run, "litellm:gpt-4o", "litellm");
    caller.set("providers.litellm.api_key", &json!("sk-typed-in"));
    let request = chat("litellm:gpt-4o").case("typed in");
    assert_eq!(h1::exchange(run.addr(), &request).status, 200);
    let sent = litellm.wait("typed in").header("authorization");
    assert_eq!(sent.as_deref(), Some("Bearer sk-typed-in"));
    caller.set("providers.litellm.discover_models", &json!("true"));
    caller.set("providers.litellm.timeout_secs", &json!("120"));

    let text = read_to_string(run.folder().join("gaud.toml")).expect("a file");
    assert!(!text.contains("sk-typed-in") && text.contains("api_key = \"file:"), "{text}");
    assert_eq!(caller.setting("providers.litellm.api_key")["source"], "file");
    // The mask sent back keeps the key.
    caller.set("providers.litellm.api_key", &json!("********"));
    assert_eq!(h1::exchange(run.addr(), &chat("litellm:m").case("masked")).status, 200);
    let sent = litellm.wait("masked").header("authorization");
    assert_eq!(sent.as_deref(), Some("Bearer sk-typed-in"));

    // A key that no header can carry is refused, and the key before is used on.
    let refused = caller.put("providers.litellm.api_key", &json!("sk-with-a\nbreak"));
    assert_eq!(refused.status, 422, "{}", refused.text());
    // A table that is set whole has its key put aside as well.
    let table = json!({"url": litellm.url(), "api_key": "sk-of-a-table", "timeout_secs": 60});
    caller.set("providers.litellm", &table);
    assert_eq!(h1::exchange(run.addr(), &chat("litellm:m").case("table")).status, 200);
    let sent = litellm.wait("table").header("authorization");
    assert_eq!(sent.as_deref(), Some("Bearer sk-of-a-table"));
    let text = read_to_string(run.folder().join("gaud.toml")).expect("a file");
    assert!(!text.contains("sk-of-a-table"), "{text}");
    let stored = std::fs::read_dir(run.folder().join("state/gaud/secrets")).expect("a folder");
    assert_eq!(stored.count(), 1, "secrets that no setting names are gone");

    caller.set("aliases.\"gpt-4.1\"", &json!("litellm:x"));
    assert_served(&run, "gpt-4.1", "litellm");
    let removed = caller.set("providers.litellm.url", &json!(""));
    assert_eq!(removed["removed"], json!(["aliases.\"gpt-4.1\""]));
    assert_eq!(ask(run.addr(), "litellm:gpt-4o").status, 404);
    assert_served(&run, "one:m", "one");
}

#[test]
fn a_change_keeps_comments_and_says_its_version() {
    let one = Provider::start();
    let mut config = Config::of(&[("one", &one)]);
    config.head = format!("# The team's gateway.\n{}", config.head);
    let run = Run::start(&config.text());
    let caller = Caller::of(&run);
    let before = caller.send(Request::new("GET", "/admin/settings"));
    let etag = before.header("etag").expect("an etag");
    let start = Instant::now();
    let changed = caller.set("providers.one.timeout_secs", &json!(60));
    println!("from PUT to its answer: {:?}", start.elapsed());
    assert_eq!(changed["version"], 2);
    let text = read_to_string(run.folder().join("gaud.toml")).expect("a file");
    assert!(
        text.starts_with("# The team's gateway.\n") && text.contains("timeout_secs = 60"),
        "{text}"
    );
    // A change that was made from the text before loses nothing of another.
    let stale =
        caller.send(change("providers.one.timeout_secs", &json!(70)).header("if-match", etag));
    assert_eq!(
        (stale.status, stale.json()["error"]["code"].as_str()),
        (412, Some("changed_meanwhile"))
    );
    assert_eq!(caller.setting("providers.one.timeout_secs")["value"], 60);
    let status = caller.get("/admin/status");
    assert_eq!(status["configuration"]["version"], 2);
    assert_eq!(status["providers"]["one"]["breaker"], "closed");
}

#[test]
fn a_bad_value_is_refused_with_the_reason_and_changes_nothing() {
    let one = Provider::start();
    let run = Run::start(&Config::of(&[("one", &one)]).text());
    let caller = Caller::of(&run);
    let path = run.folder().join("gaud.toml");
    let before = read_to_string(&path).expect("a file");
    for (key, value, status, code) in [
        ("nonsense", json!(1), 422, "invalid_setting"),
        ("providers.one.url", json!("localhost:4000"), 422, "invalid_setting"),
        ("default_provider", json!("two"), 422, "invalid_setting"),
        ("providers.one.url", Value::Null, 422, "invalid_setting"),
        ("a..b", json!(1), 400, "invalid_request"),
    ] {
        let refused = caller.put(key, &value);
        let said = refused.json();
        assert_eq!(
            (refused.status, said["error"]["code"].as_str()),
            (status, Some(code)),
            "{key}: {said}"
        );
        assert_eq!(read_to_string(&path).expect("a file"), before, "{key}");
    }
    for body in ["", "{}", "[]", r#"{"key":"workers"}"#, r#"{"key":"workers","value":1,"x":2}"#] {
        let mut request = Request::post("/admin/settings", body);
        request.method = "PUT".to_owned();
        assert_eq!(caller.send(request).status, 400, "{body}");
    }
    set_permissions(&path, Permissions::from_mode(0o444)).expect("a file");
    let refused = caller.put("providers.one.timeout_secs", &json!(5));
    assert_eq!(
        (refused.status, refused.json()["error"]["code"].as_str()),
        (409, Some("read_only_file"))
    );
    set_permissions(&path, Permissions::from_mode(0o644)).expect("a file");
    let waits = caller.put("workers", &json!(3)).json();
    assert_eq!(
        (&waits["applied"], &waits["waits_for_restart"]),
        (&json!(false), &json!(["workers"]))
    );
}

#[test]
fn writers_at_the_same_time_lose_no_change() {
    let one = Provider::start();
    let run = Run::start(&Config::of(&[("one", &one)]).text());
    let caller = Caller::of(&run);
    std::thread::scope(|scope| {
        for number in 0..8 {
            let caller = &caller;
            scope.spawn(move || caller.set(&format!("aliases.a{number}"), &json!("one:m")));
        }
    });
    for number in 0..8 {
        assert_served(&run, &format!("a{number}"), "one");
    }
}

#[test]
fn nothing_but_an_admin_key_opens_the_control_server() {
    let one = Provider::start();
    let run = Run::start(&Config::of(&[("one", &one)]).text());
    let key = run.admin_key();
    let last = if key.ends_with('x') { 'y' } else { 'x' };
    let almost = format!("{}{last}", &key[..key.len() - 1]);
    let authorization =
        |value: &str| Request::new("GET", "/admin/settings").header("authorization", value);
    let wrong = [
        Request::new("GET", "/admin/settings"),
        authorization("Bearer sk-1234"),
        authorization(&format!("Bearer {almost}")),
        authorization(&format!("Basic {key}")),
        Request::new("GET", "/admin/settings")
            .header("x-gaud-admin", "1")
            .header("cookie", format!("key={key}")),
        Request::new("GET", "/admin/status"),
        Request::new("GET", "/admin/models"),
    ];
    let answers: Vec<_> = wrong.iter().map(|request| h1::exchange(run.addr(), request)).collect();
    for answer in &answers {
        assert_eq!((answer.status, &answer.body), (401, &answers[0].body), "{}", answer.text());
    }
    // After a few the answer waits, and a right key does not.
    let start = Instant::now();
    h1::exchange(run.addr(), &wrong[0]);
    assert!(start.elapsed() >= Duration::from_secs(1), "{:?}", start.elapsed());
    let caller = Caller::of(&run);
    let quiet = quiet();
    let start = Instant::now();
    caller.get("/admin/settings");
    assert!(start.elapsed() < Duration::from_secs(1), "{:?}", start.elapsed());
    drop(quiet);
    assert_eq!(caller.send(Request::new("GET", "/admin/nothing")).status, 404);
    assert_eq!(caller.send(Request::new("DELETE", "/admin/settings")).status, 405);
    // Neither the log nor Envoy has the key.
    assert!(!run.log().contains(&key));
    assert!(!run.admin().get("/config_dump").contains(&key));
}

/// A key of Gaud's never reaches a provider, wherever a client puts the key.
#[test]
fn a_key_of_gauds_opens_no_model_and_is_never_forwarded() {
    let one = Provider::start();
    let mut config = Config::of(&[("one", &one)]);
    config.head += "default_provider = \"one\"\n";
    let run = Run::start(&config.text());
    let client = format!("sk-prx-abcdefghijkl-{}", "x".repeat(32));
    for (key, status, code) in
        [(run.admin_key(), 403, "admin_key"), (client, 401, "invalid_api_key")]
    {
        let chat = || chat("one:m").case("key");
        let requests = [
            chat().header("authorization", format!("Bearer {key}")),
            chat().header("x-api-key", &key),
            chat().header("api-key", &key),
            chat().header("x-goog-api-key", &key),
            chat().header("x-litellm-api-key", &key),
            Request::post(format!("/v1/chat/completions?key={key}"), "{}").case("key"),
            Request::post(format!("/v1/chat/completions?key={}", key.replace('-', "%2D")), "{}")
                .case("key"),
            Request::new("GET", "/team/info")
                .header("authorization", format!("Bearer {key}"))
                .case("key"),
            Request::new("GET", "/v1/files").header("cookie", format!("token={key}")).case("key"),
        ];
        for request in requests {
            let answer = h1::exchange(run.addr(), &request);
            let said = answer.text();
            assert_eq!(answer.status, status, "{request:?}: {said}");
            assert!(said.contains(code) && !said.contains(&key), "{said}");
        }
    }
    assert_eq!(one.seen("key").len(), 0);
    // The gateway's own pages need no key, and take one.
    let health = Request::new("GET", "/healthz")
        .header("authorization", format!("Bearer {}", run.admin_key()));
    assert_eq!(h1::exchange(run.addr(), &health).status, 200);
}

#[test]
fn keys_are_made_and_revoked_beside_the_running_server() {
    let one = Provider::start();
    let run = Run::start(&Config::of(&[("one", &one)]).text());
    let gaud = |arguments: &[&str]| {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_gaud"));
        command.args(arguments).current_dir(run.folder()).env_clear();
        command.env("XDG_STATE_HOME", run.folder().join("state"));
        let output = command.output().expect("gaud runs");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    };
    let key = gaud(&["admin", "key", "new", "--name", "ann"]);
    let caller = Caller { run: &run, key: key.clone() };
    caller.get("/admin/settings");
    let list = gaud(&["admin", "key", "list"]);
    let id = &key["sk-prx-".len()..][..12];
    assert!(list.contains(&format!("{id}  ")) && list.contains("  valid    ann"), "{list}");
    assert!(!list.contains(&key));
    gaud(&["admin", "key", "revoke", id]);
    assert_eq!(caller.send(Request::new("GET", "/admin/settings")).status, 401);
}

#[test]
fn without_a_control_server_everything_else_serves() {
    let one = Provider::start();
    let folder = tempfile::tempdir().expect("a folder").keep();
    let mut config = Config::of(&[("one", &one)]);
    config.head += "default_provider = \"one\"\n";
    std::fs::write(folder.join("gaud.toml"), config.text()).expect("a file");
    let run = Run::start_in(folder, &["--no-control"]);
    assert_served(&run, "one:m", "one");
    // The path is the provider's then.
    assert_eq!(
        h1::exchange(run.addr(), &Request::new("GET", "/admin/settings").case("path")).status,
        200
    );
    assert_eq!(one.seen("path").len(), 1);
    // A control server that is away: its paths say so, and nothing else.
    let run = Run::start(&Config::of(&[("one", &one)]).text());
    std::fs::remove_file(run.watched().join("control.sock")).expect("a socket");
    wait::until_true("the end of kept connections", || {
        let away = h1::exchange(run.addr(), &Request::new("GET", "/admin/settings"));
        away.status == 503 && away.text().contains("control_unavailable")
    });
    assert_served(&run, "one:m", "one");
}

#[test]
fn the_document_of_the_api_has_every_path() {
    let one = Provider::start();
    let run = Run::start(&Config::of(&[("one", &one)]).text());
    let document = h1::exchange(run.addr(), &Request::new("GET", "/admin/openapi.json"));
    assert_eq!(document.status, 200);
    let document = document.json();
    let caller = Caller::of(&run);
    for (path, operations) in document["paths"].as_object().expect("paths") {
        if operations["get"].is_object() && !path.contains('{') {
            // Prometheus reads text; the others answer JSON.
            match operations["get"]["responses"]["200"]["content"]["text/plain"].is_object() {
                true => assert_eq!(caller.send(Request::new("GET", path)).status, 200, "{path}"),
                false => _ = caller.get(path),
            }
        }
    }
}
