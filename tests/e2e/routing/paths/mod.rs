//! Models in paths and in queries, and what else a path can hold.
//!
//! Two providers: `keyed` has a configured key, and `open` gets the client's.

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

struct Setup {
    gateway: Gateway,
    server: Provider,
}

fn setup() -> &'static Setup {
    static SETUP: OnceLock<Setup> = OnceLock::new();
    SETUP.get_or_init(|| {
        let server = Provider::start();
        let keyed = ["api_key = \"os.environ/KEY\"", "auth = \"x-goog-api-key\""];
        let toml = format!(
            "{LISTEN}default_provider = \"keyed\"\n{}{}\n[aliases]\nfast = \"open:org/quick\"\n",
            provider("keyed", &server.url(), &keyed),
            provider("open", &server.url(), &[]),
        );
        Setup { gateway: Gateway::start(&toml, &KEYS), server }
    })
}

impl Setup {
    /// Sends a request over both protocols to `provider`; what it has seen.
    #[track_caller]
    fn reaches(&self, provider: &str, what: &str, request: &Request) -> Vec<Seen> {
        let each = |client: Client| {
            let case = format!("{what} {client:?}");
            let response = client.send(&self.gateway, &request.clone().case(&case));
            assert_eq!(response.status, 200, "{case}: {}", response.text());
            assert_eq!(response.headers.all("x-gaud-provider"), [provider], "{case}");
            self.server.wait(&case)
        };
        CLIENTS.map(each).into()
    }

    /// Sends a request that is to be refused, over both protocols.
    #[track_caller]
    fn refuses(&self, what: &str, request: &Request, refusal: &Refusal) {
        for client in CLIENTS {
            let case = format!("{what} {client:?}");
            let response = client.send(&self.gateway, &request.clone().case(&case));
            refusal.assert_openai(&case, &response);
            assert!(self.server.seen(&case).is_empty(), "{case}");
        }
    }
}
