//! `gaud serve` in two replicas on one PostgreSQL, and the Envoys that poll them.

use super::ADMIN_KEY;
use crate::kit::client::{Request, Response, h1};
use crate::kit::harness::{Gateway, kept, quiet, wait};
use crate::kit::postgres;
use crate::kit::upstream::Provider;
use serde_json::{Value, json};
use std::fs::{File, read_to_string};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Stdio};
use std::time::{Duration, Instant};

const TOKEN: &str = "a-token-of-more-than-twenty-characters";
const VARIABLE: (&str, &str) = ("GAUD_FEED_TOKEN", TOKEN);

struct Replica {
    child: Child,
    lifeline: Option<ChildStdin>,
    folder: PathBuf,
    addr: SocketAddr,
}

impl Replica {
    fn start(database: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder").keep();
        let toml = format!(
            "[providers.one]\nurl = \"http://127.0.0.1:1\"\n[control]\ndatabase = \"{database}\"\nlisten = \"127.0.0.1:0\"\n\
             token = \"os.environ/GAUD_FEED_TOKEN\"\n"
        );
        std::fs::write(folder.join("gaud.toml"), toml).expect("a file");
        let log = File::create(folder.join("log")).expect("a log");
        let mut command = kept(&folder);
        command.arg(env!("CARGO_BIN_EXE_gaud")).arg("serve").current_dir(&folder);
        command.env("GAUD_ADMIN_KEY", ADMIN_KEY).env(VARIABLE.0, VARIABLE.1);
        command.stdin(Stdio::piped()).stderr(log);
        let mut child = command.spawn().expect("sh runs");
        let lifeline = child.stdin.take();
        let addr = wait::until("the address of gaud serve", || {
            let text = read_to_string(folder.join("log")).unwrap_or_default();
            text.lines().next()?.split_once("http://")?.1.parse().ok()
        });
        Self { child, lifeline, folder, addr }
    }

    fn send(&self, method: &str, path: &str, body: &Value, authorization: &str) -> Response {
        let mut request = Request::post(path, body.to_string());
        request.method = method.to_owned();
        h1::exchange(self.addr, &request.header("authorization", authorization))
    }

    #[track_caller]
    fn admin(&self, method: &str, path: &str, body: &Value, status: u16) -> Value {
        let answer = self.send(method, path, body, &format!("Bearer {ADMIN_KEY}"));
        assert_eq!(answer.status, status, "{method} {path}: {}", answer.text());
        answer.json()
    }

    /// An Envoy that polls this replica.
    fn envoy(&self, provider: &Provider) -> Gateway {
        let toml = format!(
            "listen = \"127.0.0.1:0\"\nallow_hosts = [\"gateway\"]\ndefault_provider = \"one\"\n[keys]\nmode = \"required\"\n\
             [control]\nserver = \"http://{}\"\ntoken = \"os.environ/GAUD_FEED_TOKEN\"\n\
             [providers.one]\nurl = \"{}/v1\"\nauth = \"none\"\n",
            self.addr,
            provider.url(),
        );
        Gateway::start(&toml, &[VARIABLE])
    }

    fn log(&self) -> String {
        read_to_string(self.folder.join("log")).unwrap_or_default()
    }
}

impl Drop for Replica {
    fn drop(&mut self) {
        drop(self.lifeline.take());
        wait::until("the end of gaud serve", || self.child.try_wait().expect("a child"));
    }
}

fn status(gateway: &Gateway, key: &str) -> u16 {
    let request = Request::chat(r#"{"model":"m","messages":[]}"#);
    h1::exchange(gateway.addr(), &request.header("authorization", format!("Bearer {key}"))).status
}

#[test]
fn a_change_at_one_replica_reaches_the_envoys_of_both_within_a_second() {
    let database = postgres::new_database();
    let provider = Provider::start();
    let (one, two) = (Replica::start(&database), Replica::start(&database));
    let envoys = [one.envoy(&provider), two.envoy(&provider)];
    let quiet = quiet();
    let made = one.admin("POST", "/admin/keys", &json!({"name": "k"}), 201);
    let (key, id) = (made["key"].as_str().expect("a key"), made["id"].as_str().expect("an id"));
    wait::until_true("both Envoys know the key", || {
        envoys.iter().all(|envoy| status(envoy, key) == 200)
    });
    let mut slowest = Duration::ZERO;
    for blocked in [true, false, true, false] {
        two.admin("PATCH", &format!("/admin/keys/{id}"), &json!({"blocked": blocked}), 200);
        let (start, expected) = (Instant::now(), if blocked { 401 } else { 200 });
        wait::until_true("both Envoys follow", || {
            envoys.iter().all(|envoy| status(envoy, key) == expected)
        });
        slowest = slowest.max(start.elapsed());
    }
    drop(quiet);
    println!("the slowest change took {slowest:?}");
    assert!(slowest < Duration::from_secs(1), "{slowest:?}");
    // An Envoy whose replica has gone serves on, and so does the other replica.
    drop(one);
    assert_eq!(status(&envoys[0], key), 200);
    two.admin("DELETE", &format!("/admin/keys/{id}"), &json!({}), 200);
    wait::until_true("the other Envoy follows", || status(&envoys[1], key) == 401);
    envoys.iter().for_each(Gateway::assert_no_trap);
}

#[test]
fn nobody_reads_the_feed_without_the_token() {
    let database = postgres::new_database();
    let replica = Replica::start(&database);
    let feed = |authorization: &str| {
        let path = "/internal/keys?database=0&since=0&prices=0&wait_ms=0&asker=1";
        replica.send("GET", path, &Value::Null, authorization).status
    };
    assert_eq!(feed(&format!("Bearer {TOKEN}")), 200);
    for other in ["", "Bearer x", &format!("Bearer {ADMIN_KEY}")] {
        assert_eq!(feed(other), 404, "{other}");
    }
    let plain = |path: &str| h1::exchange(replica.addr, &Request::new("GET", path)).status;
    assert_eq!((plain("/healthz"), plain("/readyz"), plain("/admin/keys")), (200, 200, 401));
    let refused =
        replica.admin("PUT", "/admin/settings", &json!({"key": "workers", "value": 2}), 409);
    assert_eq!(refused["error"]["code"], "no_envoy");
    let shown = replica.admin("GET", "/admin/settings", &Value::Null, 200).to_string();
    assert!(shown.contains("********") && !shown.contains("gaud@"), "{shown}");
    assert!(!replica.log().contains(TOKEN) && !replica.log().contains("gaud@"));
}
