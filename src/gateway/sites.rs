//! Which sites of browsers may call a gateway that only this machine reaches.
//!
//! A page can make a browser on this machine call any of its ports: under its own name, by DNS that it changes, or across
//! origins. No page can forge `host` and `origin`.

use crate::config::{ConfigError, File};

/// The names and origins that may call the gateway.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sites {
    hosts: Vec<String>,
    origins: Vec<String>,
}

/// All hosts, or all origins.
const ANY: &str = "*";

impl Sites {
    /// Compiles `allow_hosts` and `cors.allow_origins`; `None` where the gateway may be called by any name.
    pub(super) fn compile(file: &File) -> Result<Option<Self>, ConfigError> {
        let origins = file.cors.as_ref().map_or(&[][..], |cors| &cors.allow_origins);
        check(
            "cors.allow_origins",
            origins,
            is_origin,
            "an origin, as in \"https://app.example.com\"",
        )?;
        let Some(hosts) = &file.allow_hosts else { return Ok(None) };
        check("allow_hosts", hosts, is_host, "a host without a port, as in \"llm.example.com\"")?;
        Ok(Some(Self { hosts: hosts.clone(), origins: origins.to_vec() }))
    }

    /// Whether `host` is one of the names, whatever its case.
    pub fn has_host(&self, host: &[u8]) -> bool {
        has(&self.hosts, host)
    }

    /// Whether `origin` is one of the origins, whatever its case.
    pub fn has_origin(&self, origin: &[u8]) -> bool {
        has(&self.origins, origin)
    }
}

fn has(list: &[String], text: &[u8]) -> bool {
    list.iter().any(|known| known == ANY || known.as_bytes().eq_ignore_ascii_case(text))
}

fn check(
    field: &str,
    values: &[String],
    is_good: fn(&str) -> bool,
    what: &str,
) -> Result<(), ConfigError> {
    match values.iter().position(|value| value != ANY && !is_good(value)) {
        None => Ok(()),
        Some(index) => Err(ConfigError::new(
            format!("{field}[{index}]"),
            format!("must be {what}, or \"*\" for any"),
        )),
    }
}

fn is_host(host: &str) -> bool {
    !host.is_empty()
        && host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._".contains(&byte))
}

/// RFC 6454, section 6.2.
fn is_origin(origin: &str) -> bool {
    let Some((scheme, host)) = origin.split_once("://") else { return false };
    let in_scheme = |byte: u8| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte);
    let in_host = |byte: u8| byte.is_ascii_graphic() && !b"/?#@\\\"*".contains(&byte);
    !scheme.is_empty()
        && scheme.bytes().all(in_scheme)
        && !host.is_empty()
        && host.bytes().all(in_host)
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(all(target_family = "wasm", target_os = "unknown"))]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    fn compile(json: &str) -> Result<Option<Sites>, ConfigError> {
        Sites::compile(&File::from_json(json.as_bytes()).unwrap())
    }

    #[test]
    fn without_hosts_there_is_no_rule() {
        assert_eq!(compile("{}"), Ok(None));
        assert_eq!(compile(r#"{"cors":{"allow_origins":["*"]}}"#), Ok(None));
        let sites = compile(r#"{"allow_hosts":[]}"#).unwrap().unwrap();
        assert!(!sites.has_host(b"localhost") && !sites.has_origin(b"http://a"));
    }

    #[test]
    fn names_are_compared_without_case() {
        let json = r#"{"allow_hosts":["llm.example.com"],"cors":{"allow_origins":["https://App.example:8"]}}"#;
        let sites = compile(json).unwrap().unwrap();
        assert!(sites.has_host(b"LLM.example.com") && !sites.has_host(b"example.com"));
        assert!(
            sites.has_origin(b"https://app.example:8") && !sites.has_origin(b"https://app.example")
        );
        let any =
            compile(r#"{"allow_hosts":["*"],"cors":{"allow_origins":["*"]}}"#).unwrap().unwrap();
        assert!(any.has_host(b"x") && any.has_origin(b"null"));
    }

    #[test]
    fn what_is_no_host_and_no_origin_is_refused() {
        let host = "must be a host without a port, as in \"llm.example.com\", or \"*\" for any";
        for text in ["", "a:80", "http://a", "a b", "*.a", "[::1]"] {
            let json = format!(r#"{{"allow_hosts":["a","{text}"]}}"#);
            assert_eq!(compile(&json), Err(ConfigError::new("allow_hosts[1]", host)), "{text}");
        }
        let origin = "must be an origin, as in \"https://app.example.com\", or \"*\" for any";
        for text in ["", "null", "app.example.com", "https://", "https://a/", "https://*.a", "://a"]
        {
            let json = format!(r#"{{"cors":{{"allow_origins":["{text}"]}}}}"#);
            assert_eq!(
                compile(&json),
                Err(ConfigError::new("cors.allow_origins[0]", origin)),
                "{text}"
            );
        }
    }
}
