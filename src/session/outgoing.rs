//! The last step before a request leaves for a provider, straight from a session or from an attempt.

use std::fmt;

use crate::body::{Edit, Edits};
use crate::config::Hidden;
use crate::gateway::{Credential, Provider};
use crate::names::headers;
use crate::request::credentials::{
    CONNECTION, GaudKey, KeyPlaces, PROTOCOLS, SentCredentials, is_query_credential,
};
use crate::request::escape::{without_query, without_query_pairs};
use crate::request::path::ClientPath;

/// Says how a body is compressed.
pub(crate) const CONTENT_ENCODING: &str = "content-encoding";

/// How a request changes on its way to a provider.
#[derive(Default, PartialEq, Eq)]
pub struct Outgoing {
    /// The provider's path, where that is not the client's path.
    pub path: Option<String>,
    /// The model's new name in the body, where the name changes.
    pub edit: Option<Edit>,
    /// Asks for the usage of a stream, where the client does not.
    pub question: Option<Edit>,
    /// The new `content-length`, where the length changes.
    pub content_length: Option<u64>,
    /// The body is the plain text of a compressed one: it has no encoding any more.
    pub is_decompressed: bool,
    /// The client's credentials, which give way to the provider's; `None` where the client's credentials pass: on a
    /// path that is not of the API (LiteLLM's `/key/generate`), the gateway's key would make every client an
    /// administrator.
    pub credentials: Option<SentCredentials>,
    /// Where the client's credentials pass: the keys of Gaud's among them, which go to no provider.
    pub key_places: Option<KeyPlaces>,
}

/// A change of the request's headers.
#[derive(PartialEq, Eq)]
pub enum HeaderChange<'a> {
    /// The header gets this value, in the place of any that the request has. The value may be a secret.
    Set(&'a str, &'a str),
    /// The same for a number.
    SetNumber(&'a str, u64),
    /// The header goes.
    Remove(&'a str),
}

/// What an [`Outgoing`] is made from.
pub(crate) struct Departure<'a> {
    pub(crate) provider: &'a Provider,
    pub(crate) path: &'a ClientPath,
    /// The model that is sent.
    pub(crate) model: Option<&'a str>,
    /// The path with the model's new name, where the path names the model and the name changes.
    pub(crate) renamed: Option<String>,
    /// The same for the body.
    pub(crate) edit: Option<Edit>,
    pub(crate) question: Option<Edit>,
    pub(crate) content_length: Option<u64>,
    /// The body is the plain text of a compressed one.
    pub(crate) is_decompressed: bool,
    /// The client's credentials.
    pub(crate) sent: &'a SentCredentials,
    /// The path is of the API.
    pub(crate) is_api: bool,
}

impl Outgoing {
    pub(crate) fn of(departure: Departure<'_>) -> Self {
        let Departure {
            provider,
            path,
            model,
            renamed,
            edit,
            question,
            content_length,
            is_decompressed,
            sent,
            is_api,
        } = departure;
        let replaces = is_api && provider.credential != Credential::Passthrough;
        let edits = Edits::of(edit.as_ref(), question.as_ref());
        let resized = content_length.filter(|_| !edits.is_empty());
        let plain_length = content_length.filter(|_| is_decompressed);
        Self {
            path: provider_path(provider, path, model, renamed, replaces),
            content_length: resized.map(|length| edits.resized(length)).or(plain_length),
            is_decompressed,
            edit,
            question,
            key_places: sent.key_places().map(|own| passing_keys(own, provider, replaces)),
            credentials: is_api.then(|| sent.clone()),
        }
    }

    /// The edits of the body.
    pub fn edits(&self) -> Edits<'_> {
        Edits::of(self.edit.as_ref(), self.question.as_ref())
    }

    /// The changes of the request's headers for `provider`, in the order in which they are made.
    pub fn header_changes<'a>(&'a self, provider: &'a Provider) -> Vec<HeaderChange<'a>> {
        use HeaderChange::{Set, SetNumber};
        let mut changes = Vec::with_capacity(8);
        changes.push(Set(headers::CLUSTER, provider.cluster_for(self.credentials.is_some())));
        changes.extend(self.path.as_deref().map(|path| Set(":path", path)));
        let timeout_ms = provider.timeout_ms;
        changes.extend(timeout_ms.map(|ms| SetNumber(headers::ENVOY_TRY_TIMEOUT_MS, ms)));
        if let Some(places) = &self.key_places {
            remove_keys(places, &mut changes);
        }
        if let Some(sent) = &self.credentials {
            replace_credentials(sent, provider, &mut changes);
            let headers = provider.headers.iter();
            changes.extend(headers.map(|(name, value)| Set(name, value.expose())));
        }
        changes.extend(self.is_decompressed.then_some(HeaderChange::Remove(CONTENT_ENCODING)));
        changes.extend(self.content_length.map(|length| SetNumber("content-length", length)));
        changes
    }
}

/// A query may carry a client's credential.
impl fmt::Debug for Outgoing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { path, edit, question, content_length, is_decompressed, credentials, .. } = self;
        f.debug_struct("Outgoing")
            .field("path", &path.as_deref().map(without_query))
            .field("edit", edit)
            .field("question", question)
            .field("content_length", content_length)
            .field("is_decompressed", is_decompressed)
            .field("credentials", credentials)
            .finish()
    }
}

impl fmt::Debug for HeaderChange<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Set(name, _) => f.debug_tuple("Set").field(name).field(&Hidden).finish(),
            Self::SetNumber(name, number) => {
                f.debug_tuple("SetNumber").field(name).field(number).finish()
            }
            Self::Remove(name) => f.debug_tuple("Remove").field(name).finish(),
        }
    }
}

/// The keys of Gaud's that would pass with the client's credentials, or by `pass_headers`.
#[cold]
#[inline(never)]
fn passing_keys(sent: &KeyPlaces, provider: &Provider, replaces: bool) -> KeyPlaces {
    let mut places = sent.clone();
    if replaces {
        places.names.retain(|name| provider.pass_headers.contains(name));
        places.protocols = None;
    }
    places
}

#[cold]
#[inline(never)]
fn remove_keys<'a>(places: &'a KeyPlaces, changes: &mut Vec<HeaderChange<'a>>) {
    use HeaderChange::{Remove, Set};
    let names = places.names.iter().filter(|name| *name != PROTOCOLS);
    changes.extend(names.map(|name| Remove(name)));
    match places.protocols.as_deref() {
        None => {}
        Some("") => changes.push(Remove(PROTOCOLS)),
        Some(others) => changes.push(Set(PROTOCOLS, others)),
    }
}

fn replace_credentials<'a>(
    sent: &'a SentCredentials,
    provider: &'a Provider,
    changes: &mut Vec<HeaderChange<'a>>,
) {
    use HeaderChange::{Remove, Set};
    if provider.credential == Credential::Passthrough {
        return;
    }
    let passes = |name: &str| provider.pass_headers.iter().any(|passing| passing == name);
    // Setting this one removes the client's.
    let replaces = match &provider.credential {
        Credential::Header { name, .. } => *name,
        _ => "",
    };
    for name in sent.names().filter(|name| !passes(name) && *name != replaces) {
        changes.push(Remove(name));
    }
    // A proxy before the provider would remove what is named there: the provider's credential.
    if sent.names_headers() {
        changes.push(Set(CONNECTION, "upgrade"));
    }
    if let Credential::Header { name, value } = &provider.credential {
        changes.push(Set(name, value.expose()));
    }
    match sent.public_protocols() {
        None => {}
        Some("") => changes.push(Remove(PROTOCOLS)),
        Some(public) => changes.push(Set(PROTOCOLS, public)),
    }
}

/// The path that `provider` is to see, where that is not the path as sent.
fn provider_path(
    provider: &Provider,
    path: &ClientPath,
    model: Option<&str>,
    renamed: Option<String>,
    replaces: bool,
) -> Option<String> {
    let renamed = renamed.or_else(|| path.below_base().map(str::to_owned));
    let shown = renamed.as_deref().unwrap_or(path.sent());
    let keyless = without_query_pairs(shown, &|key, value| {
        (replaces && is_query_credential(key)) || GaudKey::within(value).is_some()
    });
    let shown = keyless.as_deref().unwrap_or(shown);
    if let Some(api) = &provider.api
        && let Some(own) = api.of(provider.url.as_ref(), shown, model)
    {
        return Some(own);
    }
    match provider.url.as_ref().filter(|url| !url.keeps_paths()) {
        Some(url) => Some(url.path(shown)),
        None => keyless.or(renamed),
    }
}

#[cfg(test)]
mod tests {
    use super::HeaderChange::{Remove, Set, SetNumber};
    use super::*;
    use crate::config::File;
    use crate::gateway::Gateway;
    use crate::request::head::Head;
    use crate::request::header_map::serialized;
    #[cfg(all(target_family = "wasm", target_os = "unknown"))]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    const CLIENT: [(&str, &str); 11] = [
        (":method", "POST"),
        (":path", "/v1/embeddings?Key=k&x=1"),
        ("openai-organization", "org-client"),
        ("helicone-auth", "client"),
        ("x-http-method-override", "DELETE"),
        ("connection", "upgrade, authorization"),
        ("x-stainless-lang", "python"),
        ("authorization", "Bearer client"),
        ("x-api-key", "client"),
        ("cookie", "a=b"),
        ("sec-websocket-protocol", "realtime, openai-insecure-api-key.client"),
    ];

    /// The changes for a provider with these settings, for a request of [`CLIENT`].
    fn with_changes(settings: &str, is_api: bool, check: impl FnOnce(Vec<HeaderChange<'_>>)) {
        let json = format!(r#"{{"providers":{{"p":{{"url":"http://h/base",{settings}}}}}}}"#);
        let file = File::from_json(json.as_bytes()).unwrap();
        let gateway = Gateway::compile(&file, &|_| Some("sk-p".to_owned())).unwrap();
        let map = serialized(&CLIENT);
        let head = Head::parse(&map);
        let outgoing = Outgoing::of(Departure {
            provider: &gateway.providers()[0],
            model: None,
            path: &ClientPath::read(head.method, head.path, &gateway.base_paths).0,
            renamed: None,
            edit: Some(Edit { start: 0, end: 3, with: b"a".to_vec() }),
            question: None,
            content_length: Some(10),
            is_decompressed: false,
            sent: &head.credentials.sent(),
            is_api,
        });
        check(outgoing.header_changes(&gateway.providers()[0]));
    }

    #[test]
    fn the_providers_credential_replaces_all_of_the_clients() {
        let settings = r#""api_key":"os.environ/K","auth":"x-api-key","timeout_secs":2,
            "headers":{"x-team":"a"}"#;
        with_changes(settings, true, |changes| {
            let expected = [
                Set("x-gaud-cluster", "p"),
                Set(":path", "/base/v1/embeddings?x=1"),
                SetNumber("x-envoy-upstream-rq-per-try-timeout-ms", 2000),
                Remove("openai-organization"),
                Remove("helicone-auth"),
                Remove("x-http-method-override"),
                Remove("authorization"),
                Remove("cookie"),
                Set("connection", "upgrade"),
                Set("x-api-key", "sk-p"),
                Set("sec-websocket-protocol", "realtime"),
                Set("x-team", "a"),
                SetNumber("content-length", 8),
            ];
            assert_eq!(changes, expected);
        });
    }

    #[test]
    fn the_clients_credentials_pass_where_the_provider_has_none_or_the_path_is_not_of_the_api() {
        let path = Set(":path", "/base/v1/embeddings?Key=k&x=1");
        with_changes(r#""models":[]"#, true, |changes| {
            assert_eq!(changes, [Set("x-gaud-cluster", "p"), path, SetNumber("content-length", 8)]);
        });
        let path = Set(":path", "/base/v1/embeddings?Key=k&x=1");
        with_changes(r#""api_key":"os.environ/K""#, false, |changes| {
            assert_eq!(changes, [Set("x-gaud-cluster", "p"), path, SetNumber("content-length", 8)]);
        });
    }

    /// A key of Gaud's in each place, with what else the client sends.
    fn keyed(settings: &str, is_api: bool) -> (Vec<String>, Option<String>) {
        let json = format!(r#"{{"providers":{{"p":{{"url":"http://h",{settings}}}}}}}"#);
        let file = File::from_json(json.as_bytes()).unwrap();
        let gateway = Gateway::compile(&file, &|_| Some("sk-p".to_owned())).unwrap();
        let key = format!("sk-prx-aaaaaaaaaaaa-{}", "a".repeat(32));
        let protocols = format!("realtime, openai-insecure-api-key.{key}");
        let path = format!("/v1/embeddings?x=1&key={}", key.replace('-', "%2d"));
        let map = serialized(&[
            (":method", "POST"),
            (":path", &path),
            ("authorization", &format!("Bearer {key}")),
            ("authorization", "Bearer other"),
            ("cookie", "a=b"),
            ("sec-websocket-protocol", &protocols),
        ]);
        let head = Head::parse(&map);
        let provider = &gateway.providers()[0];
        let outgoing = Outgoing::of(Departure {
            provider,
            model: None,
            path: &ClientPath::read(head.method, head.path, &gateway.base_paths).0,
            renamed: None,
            edit: None,
            question: None,
            content_length: None,
            is_decompressed: false,
            sent: &head.credentials.sent(),
            is_api,
        });
        let text = |change: &HeaderChange<'_>| match change {
            Set(name, value) => format!("{name}={value}"),
            SetNumber(name, number) => format!("{name}={number}"),
            Remove(name) => format!("-{name}"),
        };
        let changes: Vec<_> = outgoing.header_changes(provider).iter().map(text).collect();
        assert!(!changes.concat().contains("sk-prx-"), "{changes:?}");
        (changes, outgoing.path)
    }

    #[test]
    fn a_key_of_gauds_goes_to_no_provider() {
        let passes = [
            "x-gaud-cluster=p",
            ":path=/v1/embeddings?x=1",
            "-authorization",
            "sec-websocket-protocol=realtime",
        ];
        for is_api in [true, false] {
            let (changes, path) = keyed(r#""models":[]"#, is_api);
            assert_eq!(changes, passes);
            assert_eq!(path.as_deref(), Some("/v1/embeddings?x=1"));
        }
        // The provider's own takes its place, also where pass_headers would let the client's pass.
        let settings = r#""api_key":"os.environ/K","auth":"x-api-key","pass_headers":["authorization","cookie"]"#;
        let (changes, _) = keyed(settings, true);
        assert_eq!(
            changes[2..],
            ["-authorization", "x-api-key=sk-p", "sec-websocket-protocol=realtime"]
        );
        let (changes, _) = keyed(r#""api_key":"os.environ/K""#, true);
        let expected = ["-cookie", "authorization=Bearer sk-p", "sec-websocket-protocol=realtime"];
        assert_eq!(changes[2..], expected);
        let (changes, _) = keyed(r#""api_key":"os.environ/K""#, false);
        assert_eq!(changes, passes, "on a path that is not of the API");
    }

    #[test]
    fn debug_shows_no_value_of_a_header() {
        with_changes(r#""api_key":"os.environ/K""#, true, |changes| {
            let shown = format!("{changes:?}");
            assert!(shown.contains(r#"Set("authorization", …)"#), "{shown}");
            assert!(!shown.contains("sk-p") && !shown.contains("Key=k"), "{shown}");
        });
    }

    #[test]
    fn what_the_configuration_names_passes() {
        let settings =
            r#""api_key":"os.environ/K","pass_headers":["openai-organization","cookie"]"#;
        with_changes(settings, true, |changes| {
            let is_removed = |name| changes.contains(&Remove(name));
            assert!(is_removed("helicone-auth") && is_removed("x-api-key"));
            assert!(!is_removed("openai-organization") && !is_removed("cookie"));
        });
    }

    #[test]
    fn without_a_credential_at_all_the_clients_are_removed() {
        with_changes(r#""auth":"none""#, true, |changes| {
            let removed = changes.iter().filter(|change| matches!(change, Remove(_))).count();
            assert_eq!(removed, 6);
            assert!(changes.contains(&Set("sec-websocket-protocol", "realtime")));
        });
    }
}
