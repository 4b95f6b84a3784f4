//! A request finds its provider by its model, and the provider gets the path and body that it expects.

use crate::kit::client::{Request, Response, h1};
use crate::kit::harness::Gateway;
use crate::kit::refusal;
use crate::kit::samples::{LISTEN, provider};
use crate::kit::upstream::{Answer, Provider, Seen};
use std::collections::HashMap;
use std::sync::OnceLock;

/// A gateway with several providers, shared by the tests of this file and its neighbours.
pub(crate) struct Setup {
    pub(crate) gateway: Gateway,
    pub(crate) providers: HashMap<&'static str, Provider>,
}

/// Provider, base path of its URL, settings.
const PROVIDERS: [(&str, &str, &[&str]); 9] = [
    ("litellm", "", &["api_key = \"os.environ/KEY_OF_LITELLM\""]),
    (
        "claude",
        "/v1",
        &[
            "match = [\"claude-*\"]",
            "auth = \"x-api-key\"",
            "api_key = \"os.environ/KEY_OF_CLAUDE\"",
        ],
    ),
    ("kiro", "/v1", &[]),
    ("exact", "/openai/v1", &["match = [\"claude-3-opus\", \"tie-*\"]"]),
    ("longer", "/base", &["match = [\"claude-3-*\", \"tie-*\"]"]),
    ("slash", "/", &["namespaces = [\"slash:\", \"slash/\"]"]),
    ("deep", "/v1beta/openai/", &["namespaces = [\"kiro:deep:\"]"]),
    ("silent", "", &["auth = \"none\""]),
    (
        "passing",
        "",
        &[
            "api_key = \"os.environ/KEY_OF_LITELLM\"",
            "pass_headers = [\"openai-organization\", \"x-litellm-tags\"]",
        ],
    ),
];

const KEYS: [(&str, &str); 2] =
    [("KEY_OF_LITELLM", "sk-of-litellm"), ("KEY_OF_CLAUDE", "sk-of-claude")];

pub(crate) fn setup() -> &'static Setup {
    static SETUP: OnceLock<Setup> = OnceLock::new();
    SETUP.get_or_init(|| {
        let providers: HashMap<_, _> = PROVIDERS.map(|(name, ..)| (name, Provider::start())).into();
        let tables = PROVIDERS.map(|(name, base, settings)| {
            provider(name, &format!("{}{base}", providers[name].url()), settings)
        });
        let toml = format!(
            "{LISTEN}default_provider = \"litellm\"\nbase_paths = [\"\", \"/api/litellm\"]\n\
             {}\n[aliases]\nfast = \"litellm:gpt-4o-mini\"\nplain = \"claude-3-opus\"\n",
            tables.concat()
        );
        Setup { gateway: Gateway::start(&toml, &KEYS), providers }
    })
}

impl Setup {
    pub(crate) fn send(&self, request: &Request) -> Response {
        h1::exchange(self.gateway.addr(), request)
    }

    /// Sends a request that must reach `provider`.
    #[track_caller]
    pub(crate) fn reach(&self, provider: &str, case: &str, request: Request) -> Seen {
        let response = self.send(&request.case(case));
        assert_eq!(response.status, 200, "{case}: {}", response.text());
        assert_eq!(response.headers.all("x-gaud-provider"), [provider], "{case}");
        assert_eq!(self.providers[provider].seen(case).len(), 1, "{case}");
        self.providers[provider].wait(case)
    }
}

/// A chat request for a model.
pub(crate) fn chat(model: &str) -> String {
    format!(r#"{{"model":"{model}","messages":[]}}"#)
}

#[test]
fn a_model_finds_its_provider() {
    let rows = [
        ("litellm:gpt-4o", "litellm", "gpt-4o"),
        (
            "litellm:bedrock/us.anthropic.claude-3-5-sonnet-20241022-v2:0",
            "litellm",
            "bedrock/us.anthropic.claude-3-5-sonnet-20241022-v2:0",
        ),
        ("kiro:claude-sonnet-4", "kiro", "claude-sonnet-4"),
        ("kiro:kiro:x", "kiro", "kiro:x"),
        ("claude:gpt-4o", "claude", "gpt-4o"),
        ("claude-sonnet-4", "claude", "claude-sonnet-4"),
        ("claude-3-opus", "exact", "claude-3-opus"),
        ("claude-3-opus-latest", "longer", "claude-3-opus-latest"),
        ("tie-1", "exact", "tie-1"),
        ("fast", "litellm", "gpt-4o-mini"),
        ("plain", "exact", "claude-3-opus"),
        ("llama3.2:latest", "litellm", "llama3.2:latest"),
        ("gpt-4o", "litellm", "gpt-4o"),
        ("LiteLLM:gpt-4o", "litellm", "LiteLLM:gpt-4o"),
        ("litellm", "litellm", "litellm"),
        ("slash:x", "slash", "x"),
        ("slash/x/y", "slash", "x/y"),
        ("kiro:deep:x", "deep", "x"),
        ("kiro:deep", "kiro", "deep"),
        ("litellm:größe", "litellm", "größe"),
    ];
    for (index, (asked, provider, sent)) in rows.iter().enumerate() {
        let case = format!("model {index}");
        let seen = setup().reach(provider, &case, Request::chat(chat(asked)));
        assert_eq!(seen.text(), chat(sent), "{asked}");
    }
    setup().gateway.assert_no_trap();
}

#[test]
fn a_model_spelled_with_escapes_is_what_a_parser_sees() {
    for (index, (asked, sent)) in [
        (r"litellm\u003agpt-4o", "gpt-4o"),
        (r"\u006bir\u006f:x", "x"),
        (r"litellm:a\/b\u0022\\", r#"a/b\"\\"#),
        (r"litellm:\ud83d\ude00", "😀"),
        (r"gpt-\u0034o", r"gpt-\u0034o"), // nothing to strip: not a byte changes
    ]
    .iter()
    .enumerate()
    {
        let case = format!("escapes {index}");
        let provider = if sent == &"x" { "kiro" } else { "litellm" };
        let seen = setup().reach(provider, &case, Request::chat(chat(asked)));
        assert_eq!(seen.text(), chat(sent), "{asked}");
    }
    let body = r#"{"mod\u0065l":"kiro:x"}"#;
    let seen = setup().reach("kiro", "escaped key", Request::chat(body));
    assert_eq!(seen.text(), r#"{"mod\u0065l":"x"}"#);
    setup().gateway.assert_no_trap();
}

#[test]
fn a_request_without_a_model_goes_to_the_default_provider() {
    let inner = r#"{"input":{"model":"kiro:x"},"models":["kiro:y"]}"#;
    for (case, body) in [("no model", "{}"), ("inner models", inner)] {
        assert_eq!(setup().reach("litellm", case, Request::chat(body)).text(), body);
    }
    let request = Request::new("GET", "/v1/files/abc?limit=1");
    let seen = setup().reach("litellm", "no body", request);
    assert_eq!((seen.method.as_str(), seen.path.as_str()), ("GET", "/v1/files/abc?limit=1"));
    setup().gateway.assert_no_trap();
}

#[test]
fn without_a_default_provider_nothing_is_guessed() {
    let kiro = Provider::start();
    let toml = format!("{LISTEN}{}", provider("kiro", &kiro.url(), &[]));
    let gateway = Gateway::start(&toml, &[]);
    for model in ["gpt-4o", "llama3.2:latest", "kiro", "größe", "a\\\"b"] {
        let response = h1::exchange(gateway.addr(), &Request::chat(chat(model)).case("nothing"));
        let name = model.replace('\\', "");
        refusal::model_not_found(&name).assert_openai(model, &response);
    }
    let response = h1::exchange(gateway.addr(), &Request::chat("{}").case("nothing"));
    assert_eq!(response.status, 404, "{}", response.text());
    for path in ["/", "/key/generate", "/chat/nothing", "/v1/files"] {
        let response = h1::exchange(gateway.addr(), &Request::new("GET", path).case("nothing"));
        refusal::unknown_url("GET", path).assert_openai(path, &response);
    }
    // The list of stored completions names its model in the query.
    let listed = Request::new("GET", "/chat/completions").case("nothing");
    refusal::no_model().assert_openai("list", &h1::exchange(gateway.addr(), &listed));
    let response = h1::exchange(gateway.addr(), &Request::chat(chat("kiro:x")).case("something"));
    assert_eq!(response.status, 200, "{}", response.text());
    assert!(kiro.seen("nothing").is_empty());
    gateway.assert_no_trap();
}

#[test]
fn paths_become_the_providers_paths() {
    for (index, (provider, asked, seen)) in [
        ("litellm", "/v1/chat/completions", "/v1/chat/completions"),
        ("litellm", "/v1/chat/completions?a=b%20c", "/v1/chat/completions?a=b%20c"),
        ("litellm", "/api/litellm/v1/chat/completions", "/v1/chat/completions"),
        ("kiro", "/v1/responses", "/v1/responses"),
        ("kiro", "/api/litellm/v1/embeddings?x=1", "/v1/embeddings?x=1"),
        ("exact", "/v1/chat/completions", "/openai/v1/chat/completions"),
        ("longer", "/v1/embeddings", "/base/v1/embeddings"),
        ("slash", "/v1/messages", "/v1/messages"),
        ("kiro:deep", "/v1/completions", "/v1beta/openai/completions"),
    ]
    .iter()
    .enumerate()
    {
        let case = format!("path {index}");
        let request = Request::post(asked, chat(&format!("{provider}:m")));
        let name = provider.rsplit(':').next().expect("a name");
        let got = setup().reach(name, &case, request);
        assert_eq!(got.path, *seen, "{asked} for {provider}");
        let host = setup().providers[name].addr().to_string();
        assert_eq!(got.headers.all("host"), [host], "{provider}");
    }
    setup().gateway.assert_no_trap();
}

#[test]
fn the_answer_names_the_provider_once() {
    let request = Request::chat(chat("kiro:m")).header("x-gaud-provider", "litellm");
    let answer = Answer::completion().header("x-gaud-provider", "other");
    setup().providers["kiro"]
        .script("named", answer.header("x-gaud-provider", "two").header("x-request-id", "7"));
    let response = setup().send(&request.case("named"));
    assert_eq!(response.headers.all("x-gaud-provider"), ["kiro"]);
    assert_eq!(response.header("x-request-id").as_deref(), Some("7"));
    assert_eq!(setup().providers["kiro"].wait("named").header("x-gaud-provider"), None);
    setup().gateway.assert_no_trap();
}

#[test]
fn a_providers_errors_pass_unchanged() {
    let body = serde_json::json!({"error": {"message": "mine", "code": 7}});
    for status in [400, 401, 404, 413, 429, 500, 502, 503, 504] {
        let case = format!("status {status}");
        let answer = Answer::json(status, &body).header("retry-after", "7");
        setup().providers["kiro"].script(&case, answer);
        let response = setup().send(&Request::chat(chat("kiro:m")).case(&case));
        assert_eq!((response.status, response.json()), (status, body.clone()));
        assert_eq!(response.header("retry-after").as_deref(), Some("7"));
        assert_eq!(response.header("x-gaud-provider").as_deref(), Some("kiro"));
    }
    setup().gateway.assert_no_trap();
}
