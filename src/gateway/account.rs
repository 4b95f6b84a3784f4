//! Whose account a provider charges: by that the gateway knows whose affair a refusal is.

use super::{Credential, Provider};
use crate::request::credentials::{GaudKey, SentCredentials, is_query_credential};
use crate::request::escape::without_query_pairs;

/// Whose credential a provider sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Account {
    /// The gateway's; or none, where the configuration says that the provider needs none.
    Gateway,
    /// The client's own.
    Client,
    /// None: the client's would pass, and the client has sent none.
    Missing,
}

impl Account {
    /// Of a request on a path of the API, with what the client has sent.
    pub fn of(provider: &Provider, sent: &SentCredentials, path: &str) -> Self {
        // A key of Gaud's goes to no provider.
        let is_clients =
            |key: &[u8], value: &[u8]| is_query_credential(key) && GaudKey::within(value).is_none();
        let in_query = || without_query_pairs(path, &is_clients).is_some();
        match provider.credential {
            Credential::Header { .. } | Credential::None | Credential::Injected { .. } => {
                Self::Gateway
            }
            Credential::Passthrough if sent.has_secret() || in_query() => Self::Client,
            Credential::Passthrough => Self::Missing,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::File;
    use crate::gateway::Gateway;
    use crate::request::head::Head;
    use crate::request::header_map::serialized;
    #[cfg(all(target_family = "wasm", target_os = "unknown"))]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    const CHAT: &str = "/v1/chat/completions";

    fn account(settings: &str, path: &str, header: (&str, &str)) -> Account {
        let json = format!(r#"{{"providers":{{"p":{{"url":"http://h"{settings}}}}}}}"#);
        let file = File::from_json(json.as_bytes()).unwrap();
        let gateway = Gateway::compile(&file, &|_| Some("sk".to_owned())).unwrap();
        let map = serialized(&[header]);
        Account::of(&gateway.providers()[0], &Head::parse(&map).credentials.sent(), path)
    }

    #[test]
    fn a_providers_own_credential_is_the_gateways_affair() {
        let header = ("authorization", "Bearer client");
        assert_eq!(account(r#","api_key":"os.environ/K""#, CHAT, header), Account::Gateway);
        assert_eq!(account(r#","auth":"none""#, CHAT, ("accept", "x")), Account::Gateway);
    }

    #[test]
    fn without_it_the_client_has_sent_a_credential_or_none() {
        for (name, value, expected) in [
            ("authorization", "Bearer sk-ann", Account::Client),
            ("authorization", "sk-ann", Account::Client),
            ("x-api-key", "sk-ann", Account::Client),
            ("x-litellm-api-key", "sk-ann", Account::Client),
            ("x-companys-token", "t", Account::Client),
            ("sec-websocket-protocol", "realtime, openai-insecure-api-key.sk-ann", Account::Client),
            ("authorization", "", Account::Missing),
            ("authorization", "Bearer", Account::Missing),
            ("authorization", " bearer ", Account::Missing),
            ("authorization", "Basic ", Account::Missing),
            ("openai-organization", "org-1", Account::Missing),
            ("openai-project", "p-1", Account::Missing),
            ("x-litellm-tags", "a", Account::Missing),
            ("x-http-method-override", "GET", Account::Missing),
            ("cookie", "a=b", Account::Missing),
            ("sec-websocket-protocol", "realtime", Account::Missing),
            ("user-agent", "curl", Account::Missing),
        ] {
            assert_eq!(account("", CHAT, (name, value)), expected, "{name}: {value}");
        }
        for (path, expected) in [
            ("/v1/realtime?model=m&key=k", Account::Client),
            ("/v1/realtime?api-key=k", Account::Client),
            ("/v1/realtime?model=m", Account::Missing),
        ] {
            assert_eq!(account("", path, ("accept", "x")), expected, "{path}");
        }
    }
}
