//! Rates that hold for all gateways together: the real envoyproxy/ratelimit and a real Redis. `make test-ratelimit` builds the
//! service, and runs these tests.

mod answers;
mod away;
mod requests;
mod tokens;

use super::Gateways;
use crate::kit::client::{Request, Response, h1};
use crate::kit::postgres;
use crate::kit::rate_limits::RateLimits;
use serde_json::{Value, json};

/// What the service gives each name a minute.
const UNITS: u64 = 900_000_000;

/// How many tokens an answer of the provider has used.
const TOKENS: u64 = 50;

/// Two gateways that count together.
struct Shared {
    gateways: Gateways,
    counting: RateLimits,
}

impl Shared {
    fn start(on_failure: &str) -> Self {
        let counting = RateLimits::start();
        let limits = format!(
            "[limits]\nstore = \"redis\"\nservice = \"{}\"\non_failure = \"{on_failure}\"\n\
             [prices.chain]\ninput = 2\noutput = 10\n[[fallbacks]]\nmodel = \"chain\"\nto = [\"one:priced\"]\n",
            counting.url()
        );
        let gateways = Gateways::start_with(2, postgres::new_database(), &limits);
        Self { gateways, counting }
    }

    /// An answer of a gateway to a chat.
    fn chat(&self, gateway: usize, key: &str, body: &Value) -> Response {
        let model = body["model"].as_str().expect("a model");
        let request = Request::chat(body.to_string()).case(model);
        self.send(gateway, request.header("authorization", format!("Bearer {key}")))
    }

    fn send(&self, gateway: usize, request: Request) -> Response {
        h1::exchange(self.gateways.runs[gateway].addr(), &request)
    }

    /// A user; the name of the user's counters.
    fn user(&self, limits: &Value) -> String {
        let made = self.gateways.admin(0, "POST", "/admin/users", limits, 201);
        format!("user/{}", made["id"].as_str().expect("a text"))
    }

    /// How often the gateways' Envoys have asked the service.
    fn calls(&self) -> u64 {
        let of = |stats: std::collections::BTreeMap<String, u64>| {
            stats.get("cluster.gaud_limits.upstream_rq_total").copied().unwrap_or_default()
        };
        self.gateways.runs.iter().map(|run| of(run.admin().stats())).sum()
    }
}

fn priced(model: &str) -> Value {
    json!({"model": model, "max_tokens": 1, "messages": []})
}

fn code(answer: &Response) -> String {
    answer.json()["error"]["code"].as_str().unwrap_or_default().to_owned()
}
