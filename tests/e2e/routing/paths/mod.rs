//! Models in paths and in queries, and what else a path can hold.
//!
//! Two providers: `keyed` has a configured key, and `open` gets the client's. Each request is sent without the hop and over it.

mod azure;
mod escapes;
mod examples;
mod gemini;
mod realtime;

use crate::kit::client::{CLIENTS, Client, Request};
use crate::kit::harness::Gateway;
use crate::kit::refusal::Refusal;
use crate::kit::samples::{LISTEN, provider};
use crate::kit::upstream::{Provider, Seen};
use std::sync::OnceLock;

const KEYS: [(&str, &str); 1] = [("KEY", "sk-of-keyed")];

/// A gateway with its server.
struct Way {
    name: &'static str,
    gateway: Gateway,
    server: Provider,
}

struct Setup {
    ways: Vec<Way>,
}

fn setup() -> &'static Setup {
    static SETUP: OnceLock<Setup> = OnceLock::new();
    SETUP.get_or_init(|| {
        let mut ways = vec![start("", "")];
        // Where a deployment's program starts the gateway, one runs at a time.
        if std::env::var_os("GAUD_TEST_START").is_none() {
            ways.push(start(", over the hop", "retries = { max = 1 }\n"));
        }
        Setup { ways }
    })
}

fn start(name: &'static str, settings: &str) -> Way {
    let server = Provider::start();
    let keyed = ["api_key = \"os.environ/KEY\"", "auth = \"x-goog-api-key\""];
    let toml = format!(
        "{LISTEN}default_provider = \"keyed\"\n{settings}{}{}\n[aliases]\nfast = \"open:org/quick\"\n",
        provider("keyed", &server.url(), &keyed),
        provider("open", &server.url(), &[]),
    );
    Way { name, gateway: Gateway::start(&toml, &KEYS), server }
}

impl Setup {
    /// Sends a request each way over both protocols to `provider`; what it has seen.
    #[track_caller]
    fn reaches(&self, provider: &str, what: &str, request: &Request) -> Vec<Seen> {
        self.each(what, |way, client, case| {
            let response = client.send(&way.gateway, &request.clone().case(case));
            assert_eq!(response.status, 200, "{case}: {}", response.text());
            assert_eq!(response.headers.all("x-gaud-provider"), [provider], "{case}");
            way.server.wait(case)
        })
    }

    /// Sends a request that is to be refused, each way over both protocols.
    #[track_caller]
    fn refuses(&self, what: &str, request: &Request, refusal: &Refusal) {
        self.each(what, |way, client, case| {
            let response = client.send(&way.gateway, &request.clone().case(case));
            refusal.assert_openai(case, &response);
            assert!(way.server.seen(case).is_empty(), "{case}");
        });
    }

    /// Does something each way over both protocols, with a case of its own.
    fn each<T>(&self, what: &str, mut act: impl FnMut(&Way, Client, &str) -> T) -> Vec<T> {
        let mut found = Vec::new();
        for way in &self.ways {
            for client in CLIENTS {
                found.push(act(way, client, &format!("{what} {client:?}{}", way.name)));
            }
        }
        found
    }

    fn assert_no_trap(&self) {
        self.ways.iter().for_each(|way| way.gateway.assert_no_trap());
    }
}
