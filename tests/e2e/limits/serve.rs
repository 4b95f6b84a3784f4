//! `gaud serve` ends and comes back while an Envoy of a mesh serves, with a request under way.

use super::{INPUT_NANOS, answer, budget, chat, completion};
use crate::kit::client::Request;
use crate::kit::client::h1::{self, Connection};
use crate::kit::harness::{Gateway, kept, wait};
use crate::kit::upstream::{Gate, Provider};
use serde_json::{Value, json};
use std::fs::{File, read_to_string};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Stdio};

const ADMIN_KEY: &str = "sk-prx-admaaaaaaaaa-aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
const FEED_TOKEN: (&str, &str) = ("GAUD_FEED_TOKEN", "a-token-of-more-than-twenty-characters");
const COST: u64 = 200_000;

/// A control server with SQLite, in a folder that outlives the server.
struct Serve {
    child: Child,
    lifeline: Option<ChildStdin>,
    addr: SocketAddr,
}

impl Serve {
    fn start(folder: &Path, listen: &str) -> Self {
        std::fs::write(folder.join("keep"), "").expect("a file");
        let log = File::create(folder.join("log")).expect("a log");
        let mut command = kept(folder);
        command.arg(env!("CARGO_BIN_EXE_gaud")).args(["serve", "--listen", listen]);
        command.current_dir(folder).env("XDG_STATE_HOME", folder.join("state"));
        command.env("GAUD_ADMIN_KEY", ADMIN_KEY).env(FEED_TOKEN.0, FEED_TOKEN.1);
        command.stdin(Stdio::piped()).stderr(log);
        let mut child = command.spawn().expect("sh runs");
        let lifeline = child.stdin.take();
        let addr = wait::until("the address of gaud serve", || {
            let log = read_to_string(folder.join("log")).unwrap_or_default();
            let (_, rest) = log.split_once("is ready on http://")?;
            rest.lines().next()?.parse().ok()
        });
        Self { child, lifeline, addr }
    }

    #[track_caller]
    fn admin(&self, method: &str, path: &str, body: &Value) -> Value {
        let mut request = Request::post(path, body.to_string());
        request.method = method.to_owned();
        let request = request.header("authorization", format!("Bearer {ADMIN_KEY}"));
        let answer = h1::exchange(self.addr, &request);
        assert!([200, 201].contains(&answer.status), "{method} {path}: {}", answer.text());
        answer.json()
    }
}

impl Drop for Serve {
    fn drop(&mut self) {
        drop(self.lifeline.take());
        wait::until("the end of gaud serve", || self.child.try_wait().expect("a child"));
    }
}

fn config(provider: &Provider, control: SocketAddr) -> String {
    format!(
        "listen = \"127.0.0.1:0\"\nallow_hosts = [\"gateway\"]\ndefault_provider = \"one\"\n[usage]\nmeter = \"all\"\n\
         [prices.priced]\ninput = 2\noutput = 10\n[keys]\nmode = \"required\"\n\
         [control]\nserver = \"http://{control}\"\ntoken = \"os.environ/GAUD_FEED_TOKEN\"\n\
         [providers.one]\nurl = \"{}/v1\"\nauth = \"none\"\n",
        provider.url(),
    )
}

/// A control server and its folder, and an Envoy that knows the server's keys.
fn start(provider: &Provider) -> (Serve, PathBuf, Gateway) {
    let folder = tempfile::tempdir().expect("a folder").keep();
    let nowhere = SocketAddr::from(([127, 0, 0, 1], 1));
    std::fs::write(folder.join("gaud.toml"), config(provider, nowhere)).expect("a file");
    let serve = Serve::start(&folder, "127.0.0.1:0");
    let envoy = Gateway::start(&config(provider, serve.addr), &[FEED_TOKEN]);
    (serve, folder, envoy)
}

#[test]
fn a_control_server_that_comes_back_settles_no_request_twice_and_forgets_nothing() {
    let provider = Provider::start();
    let (serve, folder, envoy) = start(&provider);
    let mut fields = budget(5 * COST);
    fields["max_parallel_requests"] = json!(1);
    let made = serve.admin("POST", "/admin/keys", &fields);
    let (key, id) = (made["key"].as_str().expect("a key"), made["id"].as_str().expect("an id"));
    let ask = || h1::exchange(envoy.addr(), &chat(key, "priced")).status;
    provider.always("priced", 200, completion(COST / INPUT_NANOS, 0).to_string());
    wait::until_true("the key at the Envoy", || ask() == 200);
    // A second request is under way while the control server ends and comes back.
    let gate = Gate::closed();
    provider.script("priced", answer(COST / INPUT_NANOS, 0).held_by(&gate));
    let before = provider.seen("priced").len();
    let mut connection = Connection::open(envoy.addr());
    connection.send_request(&chat(key, "priced"));
    wait::until_true("a request that is held", || provider.seen("priced").len() > before);
    let addr = serve.addr;
    drop(serve);
    assert_eq!(ask(), 429, "the place is taken while the control server is away");
    let serve = Serve::start(&folder, &addr.to_string());
    // The Envoy hears the server again when a change counts: a place more.
    serve.admin("PATCH", &format!("/admin/keys/{id}"), &json!({"max_parallel_requests": 2}));
    wait::until_true("a change of the server that came back", || ask() == 200);
    gate.open();
    assert_eq!(connection.response().status, 200);
    // Three of five are spent.
    let served = std::iter::repeat_with(ask).take(9).take_while(|status| *status == 200).count();
    assert_eq!(served, 2);
    envoy.assert_no_trap();
    drop(serve);
    std::fs::remove_dir_all(folder).expect("a folder");
}
