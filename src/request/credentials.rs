//! Where a client's credential can be: in headers, in the query, and in a WebSocket's subprotocols.

/// The request headers in which clients send credentials. No such header reaches a provider that
/// has a credential in the configuration.
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

/// The keys of a query in which clients send credentials.
pub const QUERY_KEYS: [&[u8]; 3] = [b"key", b"api-key", b"api_key"];

/// The header with a WebSocket's subprotocols: browsers can set no other header for a WebSocket.
pub const PROTOCOLS: &str = "sec-websocket-protocol";

/// How OpenAI's clients write a credential as a WebSocket's subprotocol.
const KEY_PROTOCOL: &str = "openai-insecure-api-key.";

/// The credentials in a request's headers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Credentials<'a> {
    /// The last value of each of [`CLIENT_CREDENTIALS`].
    headers: [Option<&'a [u8]>; CLIENT_CREDENTIALS.len()],
    /// Each header with subprotocols.
    protocols: Vec<&'a [u8]>,
}

/// Which credentials a client sent, without the values: what must be removed where the provider's credential takes
/// their place.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SentCredentials {
    headers: [bool; CLIENT_CREDENTIALS.len()],
    /// The subprotocols without credentials; `None` when no subprotocol is a credential.
    public_protocols: Option<String>,
}

impl<'a> Credentials<'a> {
    /// Notes a header if it can carry a credential.
    pub fn note(&mut self, name: &[u8], value: &'a [u8]) {
        if name == PROTOCOLS.as_bytes() {
            self.protocols.push(value);
        }
        let known = CLIENT_CREDENTIALS.iter().position(|known| known.as_bytes() == name);
        if let Some(place) = known.and_then(|index| self.headers.get_mut(index)) {
            *place = Some(value);
        }
    }

    /// The value of one of [`CLIENT_CREDENTIALS`], where the client sent the header.
    pub fn value(&self, name: &str) -> Option<&'a [u8]> {
        let index = CLIENT_CREDENTIALS.iter().position(|known| *known == name)?;
        self.headers.get(index).copied().flatten()
    }

    /// Which credentials there are.
    pub fn sent(&self) -> SentCredentials {
        SentCredentials {
            headers: self.headers.map(|value| value.is_some()),
            public_protocols: public_protocols(&self.protocols.join(&b", "[..])),
        }
    }
}

impl SentCredentials {
    /// The names of the headers that the client sent.
    pub fn names(&self) -> impl Iterator<Item = &'static str> + use<> {
        let sent = CLIENT_CREDENTIALS.into_iter().zip(self.headers);
        sent.filter(|(_, is_sent)| *is_sent).map(|(name, _)| name)
    }

    /// The subprotocols that may pass, where another was a credential; an empty text when none is left.
    pub fn public_protocols(&self) -> Option<&str> {
        self.public_protocols.as_deref()
    }
}

/// Whether a header or a trailer of this name can carry a client's credential.
pub fn is_credential(name: &str) -> bool {
    CLIENT_CREDENTIALS.contains(&name)
}

fn public_protocols(protocols: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(protocols);
    let is_public = |protocol: &&str| !begins(protocol.trim(), KEY_PROTOCOL);
    let public: Vec<_> = text.split(',').filter(is_public).map(str::trim).collect();
    (public.len() < text.split(',').count()).then(|| public.join(", "))
}

fn begins(text: &str, expected: &str) -> bool {
    text.get(..expected.len()).is_some_and(|start| start.eq_ignore_ascii_case(expected))
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(all(target_family = "wasm", target_os = "unknown"))]
    use wasm_bindgen_test::wasm_bindgen_test as test;

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
    fn subprotocols_lose_their_credentials() {
        for (protocols, expected) in [
            (
                &[&b"realtime, openai-insecure-api-key.sk-1, openai-beta.v1"[..]][..],
                Some("realtime, openai-beta.v1"),
            ),
            (&[b"realtime", b"OpenAI-Insecure-Api-Key.sk-1"], Some("realtime")),
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
}
