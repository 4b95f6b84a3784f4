//! What is valid, and probably not what was meant.

use std::collections::HashMap;
use std::net::SocketAddr;

use super::{Tls, unreachable};
use crate::config::{ConfigError, File, KeysMode};

/// All warnings about a valid file, whose gateway listens on `listen`.
pub(super) fn all(file: &File, listen: SocketAddr, tls: Option<&Tls>) -> Vec<ConfigError> {
    let mut warnings = repeated_matches(file);
    warnings.extend(unreachable::chains(file));
    warnings.extend(open_keys(file, listen));
    warnings.extend(tls.and_then(|tls| tls.warning.clone()));
    warnings
}

/// A pattern that is in `match` of two providers.
fn repeated_matches(file: &File) -> Vec<ConfigError> {
    let mut owners: HashMap<&str, &str> = HashMap::new();
    let mut warnings = Vec::new();
    for (name, provider) in &file.providers {
        for (index, pattern) in provider.patterns.iter().enumerate() {
            match owners.get(pattern.as_str()) {
                Some(owner) => warnings.push(ConfigError::new(
                    format!("providers.{name}.match[{index}]"),
                    format!(
                        "\"{}\" is in match of the provider {owner} too, which comes first in the file and gets the \
                         models; take one of the two out",
                        pattern.escape_default()
                    ),
                )),
                None => {
                    owners.insert(pattern, name);
                }
            }
        }
    }
    warnings
}

/// Keys that are open to a network. `tls.client_ca` alone asks clients who they are: `allow_hosts` is for browsers, and
/// `trusted_proxies` lets others connect all the same.
fn open_keys(file: &File, listen: SocketAddr) -> Option<ConfigError> {
    let keyed = file.providers.iter().filter(|(_, provider)| provider.spends_a_secret());
    let owners: Vec<_> = keyed.map(|(name, _)| name.as_str()).collect();
    let asks_all = file.keys.as_ref().is_some_and(|keys| {
        keys.mode() == Ok(Some(KeysMode::Required)) || keys.litellm == Some(true)
    });
    let asks = asks_all || file.tls.as_ref().is_some_and(|tls| tls.client_ca.is_some());
    let is_meant = file.open_to_network == Some(true);
    if listen.ip().is_loopback() || asks || is_meant || owners.is_empty() {
        return None;
    }
    let problem = format!(
        "everyone who reaches {listen} can spend the credential of {}; set mode = \"required\" in [keys], listen on 127.0.0.1 \
         alone, take the credential out so that each client sends a key of its own, or write open_to_network = true where only those can connect \
         who may spend it",
        owners.join(" and of ")
    );
    Some(ConfigError::new("listen", problem))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn warning(json: &str, listen: &str) -> Option<String> {
        let file = File::from_json(json.as_bytes()).unwrap();
        open_keys(&file, listen.parse().unwrap()).map(|warning| warning.to_string())
    }

    #[test]
    fn keys_that_are_open_to_a_network_are_told() {
        let json = r#"{"providers":{"a":{"url":"http://a","api_key":"os.environ/A"},"b":{"url":"http://b"},
            "c":{"url":"http://c","api_key":"os.environ/C"}}}"#;
        let said = "listen: everyone who reaches 0.0.0.0:8400 can spend the credential of a and of c; set mode = \"required\" in \
                    [keys], listen on 127.0.0.1 alone, take the credential out so that each client sends a key of its own, or write open_to_network = \
                    true where only those can connect who may spend it";
        assert_eq!(warning(json, "0.0.0.0:8400").as_deref(), Some(said));
        for listen in ["[::]:8400", "10.0.0.1:8400", "[2001:db8::1]:80"] {
            assert!(warning(json, listen).is_some(), "{listen}");
        }
        for listen in ["127.0.0.1:8400", "127.9.9.9:80", "[::1]:8400"] {
            assert_eq!(warning(json, listen), None, "{listen}");
        }
    }

    #[test]
    fn every_kind_of_a_secret_is_told() {
        let file = |field: &str| format!(r#"{{"providers":{{"p":{{"url":"http://p",{field}}}}}}}"#);
        let token = r#""auth":{"token_file":"/run/token"}"#;
        let login = r#""auth":{"oauth2":{"token_url":"https://i/token","client_id":"c","client_secret":"os.environ/S"}}"#;
        let signed = r#""auth":{"aws":{"service":"bedrock","region":"us-east-1"}}"#;
        let header = r#""headers":{"x-token":"os.environ/T"}"#;
        for field in [token, login, signed, header] {
            let said = warning(&file(field), "0.0.0.0:8400").unwrap();
            assert!(said.contains("can spend the credential of p;"), "{said}");
        }
        let plain = r#""headers":{"anthropic-version":"2023-06-01"}"#;
        assert_eq!(warning(&file(plain), "0.0.0.0:8400"), None);
    }

    #[test]
    fn what_is_meant_is_no_warning() {
        let keyed = r#"{"open_to_network":true,"providers":{"a":{"url":"http://a","api_key":"os.environ/A"}}}"#;
        assert_eq!(warning(keyed, "0.0.0.0:8400"), None);
        assert!(warning(&keyed.replace("true", "false"), "0.0.0.0:8400").is_some());
        let asked =
            keyed.replace("true", "false").replacen('{', r#"{"tls":{"client_ca":"/ca"},"#, 1);
        assert_eq!(warning(&asked, "0.0.0.0:8400"), None);
        let keyless =
            r#"{"providers":{"a":{"url":"http://a"},"b":{"url":"http://b","auth":"none"}}}"#;
        assert_eq!(warning(keyless, "0.0.0.0:8400"), None);
    }
}
