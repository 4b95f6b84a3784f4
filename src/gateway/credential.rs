//! The credential that requests to a provider carry.

use crate::config::{Auth, Secret};
use crate::names::clusters::OPEN;

/// The credential of one provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Credential {
    /// The client's headers pass unchanged.
    Passthrough,
    /// The client's headers are removed, and no header takes their place.
    None,
    /// The client's headers are removed, and this header is sent.
    Header {
        /// Name of the header, one of [`CLIENT_CREDENTIALS`](crate::request::credentials::CLIENT_CREDENTIALS).
        name: &'static str,
        /// The whole value, scheme included.
        value: Secret,
    },
    /// The client's headers are removed, and Envoy adds the credential in the provider's cluster.
    Injected {
        /// The provider's cluster in which Envoy adds none.
        open_cluster: String,
    },
}

impl Credential {
    /// The credential that Envoy adds in the cluster of the provider `name`.
    pub fn injected(name: &str) -> Self {
        Self::Injected { open_cluster: format!("{name}{OPEN}") }
    }

    /// The credential that carries `key` in the way `auth` says.
    pub fn new(auth: Auth, key: &Secret) -> Self {
        let header = |name, value: String| Self::Header { name, value: Secret::new(value) };
        match auth {
            Auth::Bearer => header("authorization", format!("Bearer {}", key.expose())),
            Auth::XApiKey => header("x-api-key", key.expose().to_owned()),
            Auth::ApiKey => header("api-key", key.expose().to_owned()),
            Auth::XGoogApiKey => header("x-goog-api-key", key.expose().to_owned()),
            Auth::Basic => {
                header("authorization", format!("Basic {}", base64(key.expose().as_bytes())))
            }
            Auth::None | Auth::Injected => Self::None,
            Auth::Passthrough => Self::Passthrough,
        }
    }
}

const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// RFC 4648, section 4. A library's encoder would be a hundred times as long as a password.
fn base64(bytes: &[u8]) -> String {
    let mut text = String::new();
    for three in bytes.chunks(3) {
        let byte = |place: usize| u32::from(three.get(place).copied().unwrap_or_default());
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for (place, shift) in [18, 12, 6, 0].into_iter().enumerate() {
            let digit =
                usize::try_from(bits >> shift & 63).ok().and_then(|digit| DIGITS.get(digit));
            let digit = digit.filter(|_| place <= three.len()).copied().unwrap_or(b'=');
            text.push(char::from(digit));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(all(target_family = "wasm", target_os = "unknown"))]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn base64_is_that_of_the_rfc() {
        for (text, expected) in [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg=="),
            ("fooba", "Zm9vYmE="),
            ("foobar", "Zm9vYmFy"),
            ("\u{fb}\u{ff}~?", "w7vDv34/"),
        ] {
            assert_eq!(base64(text.as_bytes()), expected, "{text}");
        }
    }
}
