//! Client keys on the whole gateway: `gaud run` with its control server.

mod api;
mod away;
mod command;
mod litellm;
mod many;
mod models;
mod modes;
mod places;
mod secrecy;
mod spread;

use crate::kit::client::{Request, Response, h1};
use crate::kit::harness::{Quiet, Run, quiet};
use crate::kit::observe::wait_until_applied;
use crate::kit::upstream::Provider;
use serde_json::{Value, json};

/// Connections are spread over the workers by the kernel: this many meet each of two.
const CONNECTIONS: usize = 24;

/// A gateway with two providers: `own` has a key of its own, `open` has none and gets what clients send.
struct Setup {
    run: Run,
    own: Provider,
    open: Provider,
}

/// A key as `POST /admin/keys` answers.
struct Made {
    key: String,
    id: String,
}

impl Made {
    fn of(answer: &Value) -> Self {
        let text = |field: &str| answer[field].as_str().expect("a text").to_owned();
        Self { key: text("key"), id: text("id") }
    }
}

impl Setup {
    /// With further settings: before the first table, and as tables of their own.
    fn start(head: &str, tables: &str) -> Self {
        let (own, open) = (Provider::start(), Provider::start());
        let toml = text(&own, &open, head, tables);
        Self { run: Run::start(&toml), own, open }
    }

    /// The same for a test in which the filter must have each change within the second that the answer waits: no other Envoy starts.
    fn start_quiet(head: &str, tables: &str) -> (Self, Quiet) {
        (Self::start(head, tables), quiet())
    }

    fn admin(&self, request: Request) -> Response {
        let key = format!("Bearer {}", self.run.admin_key());
        h1::exchange(self.run.addr(), &request.header("authorization", key))
    }

    /// A request with a body, which must be answered with this status.
    #[track_caller]
    fn ask_admin(&self, method: &str, path: &str, body: &Value, status: u16) -> Value {
        let mut request = Request::post(path, body.to_string());
        request.method = method.to_owned();
        let response = self.admin(request);
        assert_eq!(response.status, status, "{method} {path}: {}", response.text());
        response.json()
    }

    /// Makes a key, which the filter has taken in the end.
    #[track_caller]
    fn make(&self, fields: &Value) -> Made {
        let answer = self.ask_admin("POST", "/admin/keys", fields, 201);
        let made = Made::of(&answer);
        let path = format!("/admin/keys/{}", made.id);
        wait_until_applied(&answer, || self.ask_admin("PATCH", &path, &json!({}), 200));
        made
    }

    /// Makes a key for every model.
    #[track_caller]
    fn make_any(&self) -> Made {
        self.make(&json!({"name": "any"}))
    }

    fn send(&self, request: &Request) -> Response {
        h1::exchange(self.run.addr(), request)
    }

    /// Asks for a model with a key.
    fn ask(&self, key: &str, model: &str) -> Response {
        self.send(&chat(model).header("authorization", format!("Bearer {key}")))
    }

    /// The statuses that a key gets on many connections, each once.
    fn statuses(&self, key: &str) -> Vec<u16> {
        let mut all: Vec<_> = (0..CONNECTIONS).map(|_| self.ask(key, "own:m").status).collect();
        all.sort_unstable();
        all.dedup();
        all
    }

    /// The configuration once more, with other settings.
    fn change(&self, head: &str, tables: &str) {
        self.run.change(&text(&self.own, &self.open, head, tables));
    }

    /// Fails if a part of this key is anywhere but with the client.
    #[track_caller]
    fn assert_nowhere(&self, key: &str) {
        // The public id is not a secret.
        let secret = key.rsplit('-').next().expect("a secret part");
        for provider in [&self.own, &self.open] {
            for seen in provider.all() {
                let all = format!("{seen:?}{}", seen.text());
                assert!(!all.contains("sk-prx-") && !all.contains(secret), "{all}");
            }
        }
        let admin = self.run.admin();
        for path in ["/config_dump?include_eds", "/stats", "/stats/prometheus", "/clusters"] {
            assert!(!admin.get(path).contains(secret), "{path}");
        }
        assert!(!self.run.log().contains(secret), "{}", self.run.log());
    }
}

fn text(own: &Provider, open: &Provider, head: &str, tables: &str) -> String {
    format!(
        "listen = \"127.0.0.1:0\"\nadmin_listen = \"127.0.0.1:0\"\nworkers = 2\nallow_hosts = [\"gateway\"]\n\
         default_provider = \"open\"\n{head}\n\
         [providers.own]\nurl = \"{}/v1\"\napi_key = \"sk-of-own\"\nmodels = [\"m\", \"n\"]\n\
         [providers.open]\nurl = \"{}/v1\"\nmodels = [\"gpt-4o\", \"gpt-5\"]\n{tables}",
        own.url(),
        open.url(),
    )
}

fn chat(model: &str) -> Request {
    Request::chat(format!(r#"{{"model":"{model}","messages":[]}}"#))
}

/// The code of an error.
fn code(response: &Response) -> String {
    response.json()["error"]["code"].as_str().unwrap_or_default().to_owned()
}
