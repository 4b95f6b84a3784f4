//! A provider without `api_key` sees the client's own credential: its refusals are the client's, and no client gets past a limit
//! by a chain.

use super::attempts::chat;
use crate::kit::client::{CLIENTS, Client, Request, Response};
use crate::kit::harness::Gateway;
use crate::kit::observe::{health, metric, requests};
use crate::kit::samples::LISTEN;
use crate::kit::upstream::{Answer, Provider};

/// LiteLLM with the clients' own keys; a chain leads from there to a provider whose key is the company's.
struct Team {
    gateway: Gateway,
    litellm: Provider,
    company: Provider,
}

impl Team {
    fn start(retries: &str) -> Self {
        let (litellm, company) = (Provider::start(), Provider::start());
        let toml = format!(
            "{LISTEN}[providers.team]\nurl = \"{}\"\n[providers.company]\nurl = \"{}\"\napi_key = \"os.environ/KEY\"\n\
             [[fallbacks]]\nmodel = \"team:chain\"\nto = [\"company:m\"]\n{retries}",
            litellm.url(),
            company.url()
        );
        Self { gateway: Gateway::start(&toml, &[("KEY", "sk-company")]), litellm, company }
    }

    /// What becomes of a request for `model` that LiteLLM answers so, the first time.
    fn ask(
        &self,
        client: Client,
        case: &str,
        model: &str,
        key: Option<&str>,
        answer: Answer,
    ) -> Response {
        self.litellm.script(case, answer);
        let request = Request::chat(chat(model, false)).case(case);
        let request = match key {
            Some(key) => request.header("authorization", key),
            None => request,
        };
        client.send(&self.gateway, &request)
    }

    /// Fails unless LiteLLM's refusal has reached the client, after one attempt.
    fn assert_refused(&self, case: &str, response: &Response, status: u16) {
        assert_eq!((response.status, response.text()), (status, "refused".to_owned()), "{case}");
        assert_eq!(self.litellm.seen(case).len(), 1, "{case}");
        assert_eq!(self.company.seen(case).len(), 0, "{case}: the company would pay");
        assert_eq!(response.headers.all("x-should-retry"), [""; 0], "{case}");
    }

    fn failures(&self) -> u64 {
        metric(&self.gateway, &requests("team", "failure"))
    }
}

fn refused(status: u16) -> Answer {
    Answer::new(status, "text/plain", "refused")
}

/// With the hop, by a chain and by retries, and without.
const MODELS: [(&str, &str); 3] =
    [("team:chain", ""), ("team:m", "[retries]\nmax = 2\n"), ("team:m", "")];

const KEYS: [Option<&str>; 3] = [Some("Bearer sk-ann"), Some("Bearer "), None];

#[test]
fn a_refusal_of_the_clients_credential_is_the_clients() {
    for (model, retries) in MODELS {
        let team = Team::start(retries);
        for (status, client, key) in [401, 403, 429]
            .into_iter()
            .flat_map(|status| CLIENTS.map(|client| (status, client)))
            .flat_map(|(status, client)| KEYS.map(|key| (status, client, key)))
        {
            let case = format!("{model} {} {status} {client:?} {key:?}", retries.len());
            let answer = refused(status).header("retry-after", "1");
            let response = team.ask(client, &case, model, key, answer);
            team.assert_refused(&case, &response, status);
            assert_eq!(response.headers.all("retry-after"), ["1"], "{case}");
        }
        assert_eq!(team.failures(), 0);
        team.gateway.assert_no_trap();
    }
}

#[test]
fn a_limit_inside_a_200_is_the_clients_too() {
    let team = Team::start("");
    let limit =
        r#"{"error":{"message":"Too many requests","type":"rate_limit_error","code":"429"}}"#;
    let answer = Answer::new(200, "application/json", limit);
    let response = team.ask(Client::Http1, "inside", "team:chain", KEYS[0], answer);
    assert_eq!((response.status, response.text()), (200, limit.to_owned()));
    assert_eq!(team.company.seen("inside").len(), 0);
    team.gateway.assert_no_trap();
}

/// LiteLLM without a database answers 500 to a request without a key: three of these must not lock everyone out.
#[test]
fn a_5xx_to_a_request_without_a_credential_is_the_clients() {
    for (model, retries) in MODELS {
        let team = Team::start(retries);
        for client in CLIENTS {
            for (number, key) in (0..).zip([None, Some("Bearer "), None, None]) {
                let case = format!("{model} {} {client:?} {number}", retries.len());
                let response = team.ask(client, &case, model, key, refused(500));
                team.assert_refused(&case, &response, 500);
            }
        }
        assert_eq!(health(&team.gateway, "team")["breaker"], "closed", "{model}");
        assert_eq!(team.failures(), 0);
        let good = team.ask(Client::Http1, "good", model, KEYS[0], Answer::completion());
        assert_eq!(good.status, 200, "{model}: {}", good.text());
        team.gateway.assert_no_trap();
    }
}

/// The client's credential has nothing to do with it.
#[test]
fn a_5xx_to_a_request_with_a_credential_moves_on_and_counts() {
    let team = Team::start("[retries]\nmax = 0\n");
    for (name, value) in [
        ("authorization", "Bearer sk-ann"),
        ("x-api-key", "sk-ann"),
        ("x-litellm-api-key", "sk-ann"),
    ] {
        team.litellm.script(name, refused(500));
        let request = Request::chat(chat("team:chain", false)).case(name).header(name, value);
        let response = Client::Http1.send(&team.gateway, &request);
        assert_eq!(response.headers.all("x-gaud-provider"), ["company"], "{name}");
    }
    assert_eq!(team.failures(), 3);
    team.gateway.assert_no_trap();
}

#[test]
fn a_lost_connection_is_the_providers_whoever_asks() {
    let team = Team::start("[retries]\nmax = 0\n");
    for (case, key) in [("with", KEYS[0]), ("without", None)] {
        let response = team.ask(Client::Http1, case, "team:chain", key, Answer::broken());
        assert_eq!(response.headers.all("x-gaud-provider"), ["company"], "{case}");
    }
    team.gateway.assert_no_trap();
}
