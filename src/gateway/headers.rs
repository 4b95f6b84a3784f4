//! The headers that a file sets for a provider, compiled.

use super::credential::Credential;
use crate::config::{ConfigError, Lookup, Ordered, Secret, SecretSource};
use crate::names::headers::{ENVOY_PREFIX, PREFIX};
use crate::request::credentials::{CLIENT_CREDENTIALS, OVERRIDES};

/// Headers by which HTTP, Envoy or the gateway itself works.
const RESERVED: [&str; 10] = [
    "connection",
    "content-encoding",
    "content-length",
    "expect",
    "host",
    "keep-alive",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// Compiles `providers.P.headers`; `at` is the path of that table.
pub(super) fn compile(
    at: &str,
    headers: &Ordered<String>,
    credential: &Credential,
    lookup: Lookup<'_>,
) -> Result<Vec<(String, Secret)>, ConfigError> {
    let compiled = headers.iter().map(|(name, value)| {
        let error = |problem| ConfigError::new(format!("{at}.{}", name.escape_default()), problem);
        check_name(name).map_err(|problem| error(problem.to_owned()))?;
        if matches!(credential, Credential::Header { name: sent, .. } if *sent == name) {
            return Err(error(
                "is how api_key is sent already; take one of the two out".to_owned(),
            ));
        }
        let value = match SecretSource::parse(value) {
            SecretSource::Literal(value) if !CLIENT_CREDENTIALS.contains(&name.as_str()) => {
                check(value)
            }
            source => source.resolve(lookup),
        };
        Ok((name.to_owned(), value.map_err(error)?))
    });
    compiled.collect()
}

/// Compiles `providers.P.pass_headers`; `at` is its path.
pub(super) fn compile_passing(
    at: &str,
    names: &[String],
    credential: &Credential,
) -> Result<Vec<String>, ConfigError> {
    let check = |(index, name): (usize, &String)| {
        let error = |problem: &str| ConfigError::new(format!("{at}[{index}]"), problem);
        check_name(name).map_err(error)?;
        match credential {
            Credential::Passthrough => Err(error(
                "has no effect: without api_key all of the client's headers pass; take it out",
            )),
            Credential::Header { name: own, .. } if own == name => {
                Err(error("is how api_key is sent; take it out"))
            }
            _ if OVERRIDES.contains(&name.as_str()) => {
                Err(error("could turn the request into another one; take it out"))
            }
            _ => Ok(name.clone()),
        }
    };
    names.iter().enumerate().map(check).collect()
}

/// A value that the file spells out is not secret.
fn check(value: Secret) -> Result<Secret, String> {
    let text = value.expose();
    let good = text.bytes().all(|byte| (0x20..0x7f).contains(&byte)) && text.trim() == text;
    if good {
        Ok(value)
    } else {
        Err("must be visible ASCII characters, without spaces at the ends".to_owned())
    }
}

fn check_name(name: &str) -> Result<(), &'static str> {
    // RFC 9110, section 5.6.2, as HTTP/2 writes it: in lower case.
    let token =
        |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-_.".contains(&byte);
    match name {
        "" => Err("is not a header's name"),
        _ if !name.bytes().all(token) => {
            Err("is not a header's name; write lower-case letters, digits, '-', '_' and '.'")
        }
        _ if RESERVED.contains(&name) => Err("belongs to HTTP itself, and Envoy sets it"),
        _ if name.starts_with(PREFIX) || name.starts_with(ENVOY_PREFIX) => {
            Err("is a name by which the gateway speaks to Envoy; choose another")
        }
        _ => Ok(()),
    }
}
