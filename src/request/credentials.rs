//! What of a request carries or selects an account: in headers, in the query, and in a WebSocket's subprotocols.
//!
//! A provider with a credential of its own gets nothing of this from the client, except what [`PASSING`] and the setting
//! `pass_headers` name. The rule is a class, not a list: a name belongs to the class if the name is in
//! [`CLIENT_CREDENTIALS`] or [`IDENTITIES`], begins with one of [`PREFIXES`], ends with [`ADDRESS_END`], or contains one of [`WORDS`].

use std::borrow::Cow;
use std::fmt;

use crate::config::Hidden;
use crate::names::keys;

/// How many of [`CLIENT_CREDENTIALS`] have keys of clients; the others are a proxy's, or a browser's.
const KEY_HEADERS: usize = 5;

/// The request headers in which clients of the known APIs send credentials.
pub const CLIENT_CREDENTIALS: [&str; 8] = [
    "authorization",
    "x-api-key",
    "api-key",
    "x-goog-api-key",
    "x-litellm-api-key",
    "ocp-apim-subscription-key",
    "proxy-authorization",
    "cookie",
];

/// Headers in which a proxy in front of the gateway names the user or the user's address: a provider that believes the client
/// would limit and log another user.
pub const IDENTITIES: [&str; 8] = [
    "forwarded",
    "remote-user",
    "x-forwarded-email",
    "x-forwarded-groups",
    "x-forwarded-preferred-username",
    "x-forwarded-user",
    "x-remote-user",
    "x-amz-date",
];

/// How the names of the other headers with such an address end.
pub const ADDRESS_END: &str = "-ip";

/// How the names of other gateways' headers begin.
pub const PREFIXES: [&str; 4] = ["x-litellm-", "x-portkey-", "helicone-", "cf-aig-"];

/// Words in the names of the other headers of the class.
pub const WORDS: [&str; 12] = [
    "account",
    "auth",
    "cookie",
    "credential",
    "key",
    "organization",
    "passw",
    "project",
    "secret",
    "signature",
    "tenant",
    "token",
];

/// Those of [`WORDS`] that a header has which proves something: the others select an account.
const PROOFS: [&str; 7] = ["auth", "credential", "key", "passw", "secret", "signature", "token"];

/// Headers whose names contain such a word by chance.
pub const PASSING: [&str; 5] = [
    ":authority",
    "idempotency-key",
    "sec-websocket-key",
    "x-forwarded-authority",
    "x-idempotency-key",
];

/// How the headers begin in which OpenAI's and Anthropic's clients describe themselves.
pub const PASSING_PREFIX: &str = "x-stainless-";

/// Headers from which some servers take another method or another path than the request's. No setting lets such a header
/// pass.
pub const OVERRIDES: [&str; 8] = [
    "x-http-method",
    "x-http-method-override",
    "x-method-override",
    "x-original-method",
    "x-original-uri",
    "x-original-url",
    "x-override-url",
    "x-rewrite-url",
];

/// The keys of a query in which clients send credentials or select accounts, without `-`, `_` and `$`, in lower case.
const QUERY_KEYS: [&str; 12] = [
    "apikey",
    "auth",
    "authorization",
    "clientsecret",
    "key",
    "oauthtoken",
    "organization",
    "quotauser",
    "secret",
    "sig",
    "token",
    "userproject",
];

/// How the other such keys end, also without `-`, `_` and `$`, in lower case.
const QUERY_ENDS: [&str; 8] = [
    "accesstoken",
    "apikey",
    "authtoken",
    "credential",
    "idtoken",
    "securitytoken",
    "signature",
    "subscriptionkey",
];

/// The header with a WebSocket's subprotocols: browsers can set no other header for a WebSocket.
pub const PROTOCOLS: &str = "sec-websocket-protocol";

/// The header that names headers of the connection. Envoy removes this header, except from a request that upgrades the
/// connection to another protocol.
pub const CONNECTION: &str = "connection";

/// The headers of a request that carry or select an account.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Credentials<'a> {
    /// Each name, with the last value that the client sent.
    headers: Vec<(Cow<'a, str>, &'a [u8])>,
    /// Each header with subprotocols.
    protocols: Vec<&'a [u8]>,
    /// A `connection` that names headers.
    names_headers: bool,
    /// The keys that Gaud has given out, in any of these.
    gaud_keys: Option<Box<GaudKeys<'a>>>,
}

/// The keys of Gaud's in a request's headers.
#[derive(Clone, PartialEq, Eq)]
struct GaudKeys<'a> {
    /// What the first key is for.
    kind: GaudKey,
    /// The first key that is alone where clients put keys.
    whole: Option<&'a str>,
    /// The headers with keys.
    names: Vec<String>,
}

/// What a key of Gaud's is for, as its public id says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GaudKey {
    Client,
    /// Manages, and calls no models.
    Admin,
}

impl GaudKey {
    /// The key in a text; such a key is not forwarded, wherever in the text the key is.
    pub fn within(text: &[u8]) -> Option<Self> {
        let prefix = keys::PREFIX.as_bytes();
        // Credentials are short: a search made for long texts costs more, in time and in bytes of the module.
        let at = text.windows(prefix.len()).position(|window| window == prefix)?;
        let id = text.get(at.saturating_add(prefix.len())..).unwrap_or_default();
        let is_admin = id.starts_with(keys::ADMIN_ID_PREFIX.as_bytes());
        Some(if is_admin { Self::Admin } else { Self::Client })
    }
}

/// A key of Gaud's that is alone where clients put keys.
fn whole_key<'a>(name: &[u8], value: &'a [u8]) -> Option<&'a str> {
    key_at(name, value).filter(|key| key.starts_with(keys::PREFIX))
}

/// What is where clients put keys, without what is before the key there: a scheme of `authorization`, or the name of a
/// subprotocol.
fn key_at<'a>(name: &[u8], value: &'a [u8]) -> Option<&'a str> {
    let key = match name {
        b"authorization" => {
            let (scheme, key) = value.trim_ascii().split_at_checked(BEARER.len())?;
            scheme.eq_ignore_ascii_case(BEARER).then_some(key)?
        }
        b"x-api-key" | b"api-key" | b"x-goog-api-key" => value,
        b"sec-websocket-protocol" => {
            let mut protocols = value.split(|byte| *byte == b',');
            protocols.find_map(|protocol| protocol.trim_ascii().strip_prefix(KEY_PROTOCOL))?
        }
        _ => return None,
    };
    std::str::from_utf8(key.trim_ascii()).ok().filter(|key| !key.is_empty())
}

const BEARER: &[u8] = b"bearer ";

/// What a subprotocol begins with that is a key.
const KEY_PROTOCOL: &[u8] = b"openai-insecure-api-key.";

/// The headers with keys of Gaud's, which no provider gets.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KeyPlaces {
    /// The headers' names.
    pub names: Vec<String>,
    /// The subprotocols without keys, where a subprotocol is a key.
    pub protocols: Option<String>,
}

/// Which credentials a client sent, without the values: the gateway removes these headers where the provider's credential
/// takes their place.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SentCredentials {
    names: Vec<Cow<'static, str>>,
    /// The subprotocols without credentials; `None` when no subprotocol is a credential.
    public_protocols: Option<String>,
    names_headers: bool,
    has_secret: bool,
    key_places: Option<Box<KeyPlaces>>,
}

/// The values are secrets of the client's.
impl fmt::Debug for Credentials<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.headers.iter().map(|(name, _)| (name, Hidden))).finish()
    }
}

impl<'a> Credentials<'a> {
    /// Keeps a header if the header can carry a credential.
    pub fn note(&mut self, name: &'a [u8], value: &'a [u8]) {
        let kind = Kind::of(name);
        if let Kind::Account | Kind::Protocols = kind
            && let Some(key) = GaudKey::within(value)
        {
            self.note_gaud_key(key, name, value);
        }
        match kind {
            Kind::Other => {}
            Kind::Account => {
                let name = String::from_utf8_lossy(name);
                match self.headers.iter_mut().find(|(known, _)| *known == name) {
                    Some((_, last)) => *last = value,
                    None => self.headers.push((name, value)),
                }
            }
            Kind::Protocols => self.protocols.push(value),
            Kind::Connection => self.names_headers |= names_headers(value),
        }
    }

    /// The value of a header; `None` where the client did not send the header.
    pub fn value(&self, name: &str) -> Option<&'a [u8]> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| *value)
    }

    /// The client's key, in the first header that has one.
    pub fn key(&self) -> Option<&'a [u8]> {
        CLIENT_CREDENTIALS.iter().take(KEY_HEADERS).find_map(|name| self.value(name))
    }

    /// The key that the client sent, as LiteLLM reads a head: LiteLLM's own header comes before all others.
    #[cold]
    #[inline(never)]
    pub fn any_key(&self) -> Option<&'a str> {
        let litellms = self.value("x-litellm-api-key");
        // The header has the key with a scheme, or alone.
        let as_names = litellms
            .into_iter()
            .flat_map(|value| ["authorization", "x-api-key"].map(|name| (name.as_bytes(), value)));
        let headers = self.headers.iter().map(|(name, value)| (name.as_bytes(), *value));
        let protocols = self.protocols.iter().map(|value| (PROTOCOLS.as_bytes(), *value));
        let mut places = as_names.chain(headers).chain(protocols);
        places.find_map(|(name, value)| key_at(name, value))
    }

    #[cold]
    #[inline(never)]
    fn note_gaud_key(&mut self, kind: GaudKey, name: &[u8], value: &'a [u8]) {
        let none = || Box::new(GaudKeys { kind, whole: None, names: Vec::new() });
        let keys = self.gaud_keys.get_or_insert_with(none);
        keys.whole = keys.whole.or_else(|| whole_key(name, value));
        keys.names.push(String::from_utf8_lossy(name).into_owned());
    }

    /// What a key of Gaud's is for that the client sent in a header, and the key, if it is alone where clients put keys.
    pub fn gaud_key(&self) -> Option<(GaudKey, Option<&'a str>)> {
        self.gaud_keys.as_ref().map(|keys| (keys.kind, keys.whole))
    }

    #[cold]
    #[inline(never)]
    fn key_places(&self, keys: &GaudKeys<'_>) -> Box<KeyPlaces> {
        let is_key = |protocol: &str| GaudKey::within(protocol.as_bytes()).is_some();
        let protocols = protocols_without(&self.protocols, &is_key);
        Box::new(KeyPlaces { names: keys.names.clone(), protocols })
    }

    /// Which credentials the client sent.
    pub fn sent(&self) -> SentCredentials {
        let known = |name: &str| CLIENT_CREDENTIALS.into_iter().find(|known| *known == name);
        let owned = |name: &Cow<'_, str>| match known(name) {
            Some(known) => Cow::Borrowed(known),
            None => Cow::Owned(name.to_string()),
        };
        let public_protocols = match self.protocols.as_slice() {
            [] => None,
            protocols => public_protocols(protocols),
        };
        let key_places = self.gaud_keys.as_ref().map(|keys| self.key_places(keys));
        let is_key = |value: &[u8]| key_places.is_some() && GaudKey::within(value).is_some();
        let is_secret = |(name, value): &(Cow<'_, str>, &[u8])| {
            contains_word(name.as_bytes(), &PROOFS) && !is_blank(value) && !is_key(value)
        };
        let has_key_protocol = key_places.as_ref().is_some_and(|places| places.protocols.is_some());
        SentCredentials {
            names: self.headers.iter().map(|(name, _)| owned(name)).collect(),
            has_secret: (public_protocols.is_some() && !has_key_protocol)
                || self.headers.iter().any(is_secret),
            public_protocols,
            names_headers: self.names_headers,
            key_places,
        }
    }
}

/// Whether a header carries or selects an account, by its name in any case.
pub fn is_account_header(name: &str) -> bool {
    Kind::of(name.to_ascii_lowercase().as_bytes()) == Kind::Account
}

impl SentCredentials {
    /// The names of the headers that the client sent.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.names.iter().map(AsRef::as_ref)
    }

    /// Whether a header or a subprotocol proves who the client is: one that is not blank, and does not select an account alone.
    pub fn has_secret(&self) -> bool {
        self.has_secret
    }

    /// The subprotocols that may pass, if another subprotocol was a credential; an empty text when no subprotocol is left.
    pub fn public_protocols(&self) -> Option<&str> {
        self.public_protocols.as_deref()
    }

    /// Where keys of Gaud's are; `None` without such a key.
    pub fn key_places(&self) -> Option<&KeyPlaces> {
        self.key_places.as_deref()
    }

    /// Whether `connection` names headers, for a proxy before the provider to remove.
    pub fn names_headers(&self) -> bool {
        self.names_headers
    }
}

/// How the gateway treats a header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Account,
    Protocols,
    Connection,
    Other,
}

impl Kind {
    /// Decides by the name alone. The names that each client sends come first: they are the most frequent.
    fn of(name: &[u8]) -> Self {
        match name {
            [b':', ..] | [b'a', b'c', b'c', b'e', b'p', b't', ..] => Self::Other,
            [b'x', b'-', b's', b't', b'a', b'i', b'n', ..] => Self::Other,
            b"user-agent" | b"content-type" | b"content-length" | b"x-forwarded-proto" => {
                Self::Other
            }
            b"connection" => Self::Connection,
            b"sec-websocket-protocol" => Self::Protocols,
            _ if is_account(name) => Self::Account,
            _ => Self::Other,
        }
    }
}

/// Whether a header or a trailer of this name, in lower case, carries or selects an account, or could turn the request
/// into another one.
pub fn is_credential(name: &str) -> bool {
    is_account(name.as_bytes())
}

fn is_account(name: &[u8]) -> bool {
    let is_one = |names: &[&str]| names.iter().any(|one| one.as_bytes() == name);
    let begins = |prefixes: &[&str]| prefixes.iter().any(|one| name.starts_with(one.as_bytes()));
    let passes = || is_one(&PASSING) || begins(&[PASSING_PREFIX]);
    let is_address = || name.ends_with(ADDRESS_END.as_bytes());
    (contains_word(name, &WORDS)
        || begins(&PREFIXES)
        || is_one(&IDENTITIES)
        || is_address()
        || is_one(&OVERRIDES))
        && !passes()
}

/// Whether a credential's value is empty, or a scheme alone, as clients without a key send it.
fn is_blank(value: &[u8]) -> bool {
    let value = value.trim_ascii();
    ["", "bearer", "basic"].iter().any(|blank| value.eq_ignore_ascii_case(blank.as_bytes()))
}

/// Whether a name contains one of these words, which are of [`WORDS`].
fn contains_word(name: &[u8], words: &[&str]) -> bool {
    let mut rest = name;
    while let Some((first, after)) = rest.split_first() {
        // Most letters begin no word.
        let may_begin = matches!(first, b'a' | b'c' | b'k' | b'o' | b'p' | b's' | b't');
        if may_begin && words.iter().any(|word| rest.starts_with(word.as_bytes())) {
            return true;
        }
        rest = after;
    }
    false
}

/// Whether a query's key, decoded, carries a credential or selects an account.
pub fn is_query_credential(key: &[u8]) -> bool {
    let significant = key.iter().filter(|byte| !matches!(byte, b'-' | b'_' | b'$' | b' '));
    let plain: Vec<u8> = significant.map(u8::to_ascii_lowercase).collect();
    QUERY_KEYS.iter().any(|known| known.as_bytes() == plain)
        || QUERY_ENDS.iter().any(|end| plain.ends_with(end.as_bytes()))
}

/// Whether a `connection` names more than how the connection goes on.
fn names_headers(value: &[u8]) -> bool {
    let is_usual = |token: &[u8]| {
        ["upgrade", "keep-alive", "close", ""]
            .iter()
            .any(|usual| token.eq_ignore_ascii_case(usual.as_bytes()))
    };
    !value.split(|byte| *byte == b',').map(<[u8]>::trim_ascii).all(is_usual)
}

fn public_protocols(protocols: &[&[u8]]) -> Option<String> {
    protocols_without(protocols, &is_secret_protocol)
}

/// The subprotocols but those that `is_one` accepts; `None` where it accepts none.
#[inline(never)]
fn protocols_without(protocols: &[&[u8]], is_one: &dyn Fn(&str) -> bool) -> Option<String> {
    let all = protocols.join(&b", "[..]);
    let text = String::from_utf8_lossy(&all);
    let is_public = |protocol: &&str| !is_one(protocol);
    let public: Vec<_> = text.split(',').filter(is_public).map(str::trim).collect();
    (public.len() < text.split(',').count()).then(|| public.join(", "))
}

/// Whether a subprotocol is a credential or selects an account, as `openai-insecure-api-key.KEY` and
/// `openai-organization.ID` do.
fn is_secret_protocol(protocol: &str) -> bool {
    let name =
        protocol.trim_matches([' ', '\t', '"', '\'', '\u{a0}', '\u{fffd}']).to_ascii_lowercase();
    let is_bearer = |part: &str| part == "bearer" || part == "basic";
    is_account(name.split('.').next().unwrap_or_default().as_bytes())
        || name.split('.').any(is_bearer)
        || GaudKey::within(protocol.as_bytes()).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(all(target_family = "wasm", target_os = "unknown"))]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    /// Headers that clients and gateways send with an account in them.
    const ACCOUNTS: [&str; 50] = [
        "authorization",
        "x-api-key",
        "api-key",
        "x-goog-api-key",
        "x-litellm-api-key",
        "ocp-apim-subscription-key",
        "proxy-authorization",
        "cookie",
        "cookie2",
        "openai-organization",
        "openai-project",
        "openai-api-key",
        "openai-ephemeral-user-id-token",
        "chatgpt-account-id",
        "anthropic-organization-id",
        "anthropic-auth-token",
        "x-goog-user-project",
        "x-goog-iam-authorization-token",
        "x-goog-iam-authority-selector",
        "helicone-auth",
        "helicone-user-id",
        "helicone-target-url",
        "x-portkey-api-key",
        "x-portkey-config",
        "x-portkey-virtual-key",
        "cf-aig-authorization",
        "cf-access-client-secret",
        "cf-access-token",
        "x-auth-token",
        "x-access-token",
        "x-authorization",
        "x-litellm-tags",
        "x-litellm-customer-id",
        "x-amz-security-token",
        "x-amz-date",
        "x-ms-client-principal-tenant",
        "x-ms-token-aad-access-token",
        "x-forwarded-access-token",
        "x-forwarded-user",
        "x-auth-request-email",
        "x-csrf-token",
        "x-real-ip",
        "x-client-ip",
        "true-client-ip",
        "cf-connecting-ip",
        "x-vercel-oidc-token",
        "dpop-signature",
        "apikey",
        "x-tenant-id",
        "fireworks-account-id",
    ];

    /// Headers that must reach a provider whatever its credential.
    const NO_ACCOUNTS: [&str; 40] = [
        ":authority",
        ":method",
        ":path",
        "accept",
        "accept-encoding",
        "accept-language",
        "anthropic-beta",
        "anthropic-dangerous-direct-browser-access",
        "anthropic-version",
        "baggage",
        "cache-control",
        "content-encoding",
        "content-length",
        "content-type",
        "date",
        "expect",
        "host",
        "http-referer",
        "idempotency-key",
        "keep-alive",
        "openai-beta",
        "origin",
        "range",
        "referer",
        "sec-websocket-extensions",
        "sec-websocket-key",
        "sec-websocket-version",
        "te",
        "traceparent",
        "tracestate",
        "upgrade",
        "user-agent",
        "x-forwarded-for",
        "x-forwarded-proto",
        "x-goog-api-client",
        "x-idempotency-key",
        "x-request-id",
        "x-stainless-retry-count",
        "x-stainless-read-timeout",
        "x-title",
    ];

    #[test]
    fn accounts_are_a_class() {
        for name in ACCOUNTS.into_iter().chain(OVERRIDES).chain(IDENTITIES) {
            assert!(is_credential(name), "{name}");
            assert_eq!(Kind::of(name.as_bytes()), Kind::Account, "{name}");
        }
        for name in NO_ACCOUNTS {
            assert!(!is_credential(name), "{name}");
            assert_eq!(Kind::of(name.as_bytes()), Kind::Other, "{name}");
        }
        assert_eq!(Kind::of(b"connection"), Kind::Connection);
        assert_eq!(Kind::of(PROTOCOLS.as_bytes()), Kind::Protocols);
    }

    #[test]
    fn every_word_is_looked_for_at_every_place() {
        for word in WORDS {
            for name in
                [word.to_owned(), format!("x-{word}"), format!("{word}-id"), format!("xx{word}y")]
            {
                assert!(is_credential(&name), "{name}");
            }
        }
    }

    #[test]
    fn queries_have_accounts_too() {
        for key in [
            "key",
            "Key",
            "KEY",
            "api-key",
            "api_key",
            "apiKey",
            "API-Key",
            "access_token",
            "token",
            "subscription-key",
            "Ocp-Apim-Subscription-Key",
            "X-Amz-Security-Token",
            "X-Amz-Credential",
            "X-Amz-Signature",
            "oauth_token",
            "$userProject",
            "quotaUser",
            "x-goog-api-key",
            "sig",
        ] {
            assert!(is_query_credential(key.as_bytes()), "{key}");
        }
        for key in [
            "",
            "keys",
            "monkey",
            "alt",
            "pageToken",
            "page_token",
            "api-version",
            "model",
            "after",
            "uploadType",
        ] {
            assert!(!is_query_credential(key.as_bytes()), "{key}");
        }
    }

    #[test]
    fn the_last_value_of_a_header_counts() {
        let mut credentials = Credentials::default();
        credentials.note(b"authorization", b"Bearer a");
        credentials.note(b"authorization", b"Bearer b");
        credentials.note(b"x-other", b"c");
        assert_eq!(credentials.value("authorization"), Some(&b"Bearer b"[..]));
        assert_eq!(credentials.value("x-api-key"), None);
        assert_eq!(credentials.value("x-other"), None);
        assert_eq!(credentials.sent().names().collect::<Vec<_>>(), ["authorization"]);
    }

    #[test]
    fn a_connection_may_name_headers() {
        for (value, expected) in [
            ("upgrade", false),
            ("Upgrade, keep-alive", false),
            ("keep-alive", false),
            ("upgrade, authorization", true),
            ("Upgrade,X-Api-Key", true),
        ] {
            let mut credentials = Credentials::default();
            credentials.note(b"connection", value.as_bytes());
            assert_eq!(credentials.sent().names_headers(), expected, "{value}");
        }
    }

    #[test]
    fn subprotocols_lose_their_credentials() {
        for (protocols, expected) in [
            (
                &[&b"realtime, openai-insecure-api-key.sk-1, openai-beta.v1"[..]][..],
                Some("realtime, openai-beta.v1"),
            ),
            (&[b"realtime, openai-organization.o, openai-project.p"], Some("realtime")),
            (&[b"realtime", b"OpenAI-Insecure-Api-Key.sk-1"], Some("realtime")),
            (&[b"\"openai-insecure-api-key.sk-1\", realtime"], Some("realtime")),
            (&[b"base64url.bearer.authorization.k8s.io.abc, v4"], Some("v4")),
            (&[b"openai-insecure-api-key.\xff"], Some("")),
            (&[b"realtime"], None),
            (&[b""], None),
            (&[], None),
        ] {
            let mut credentials = Credentials::default();
            for value in protocols {
                credentials.note(PROTOCOLS.as_bytes(), value);
            }
            assert_eq!(credentials.sent().public_protocols(), expected);
        }
    }

    #[test]
    fn a_key_of_gauds_is_seen_wherever_clients_put_keys() {
        let (client, admin) = ("sk-prx-abcdefghijkl-x", "sk-prx-admdefghijkl-x");
        for (name, value, expected) in [
            ("authorization", format!("Bearer {client}"), Some(GaudKey::Client)),
            ("authorization", format!("bearer\t{admin}"), Some(GaudKey::Admin)),
            ("x-api-key", client.to_owned(), Some(GaudKey::Client)),
            ("cookie", format!("a=b; key={client}"), Some(GaudKey::Client)),
            (
                PROTOCOLS,
                format!("realtime, openai-insecure-api-key.{client}"),
                Some(GaudKey::Client),
            ),
            ("authorization", "Bearer sk-proj-1".to_owned(), None),
            ("user-agent", client.to_owned(), None),
        ] {
            let mut credentials = Credentials::default();
            credentials.note(name.as_bytes(), value.as_bytes());
            // Another header of the name takes its place, and the key is seen all the same.
            credentials.note(name.as_bytes(), b"other");
            let kind = credentials.gaud_key().map(|(kind, _)| kind);
            assert_eq!(kind, expected, "{name}: {value}");
        }
    }
}
