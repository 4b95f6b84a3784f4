//! How a provider is told who calls it.

use base64::{Engine, engine::general_purpose::STANDARD};
use serde::{Deserialize, Serialize};

use super::secret::Secret;

/// The request headers in which clients send credentials. None of them reaches a provider that
/// has a credential of its own.
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

/// The ways in which providers take a credential.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Auth {
    /// `authorization: Bearer KEY` (RFC 6750): OpenAI, LiteLLM and most others.
    Bearer,
    /// `x-api-key: KEY`: Anthropic.
    XApiKey,
    /// `api-key: KEY`: Azure.
    ApiKey,
    /// `x-goog-api-key: KEY`: Gemini.
    XGoogApiKey,
    /// `authorization: Basic …` (RFC 7617); the key is `user:password`.
    Basic,
    /// The client's credentials are removed and none is sent.
    None,
    /// The client's own credential passes: LiteLLM's virtual keys.
    Passthrough,
}

/// What is sent to one provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Credential {
    /// The client's own headers pass untouched.
    Passthrough,
    /// The client's are removed; nothing takes their place.
    None,
    /// The client's are removed and this header is sent.
    Header {
        /// Name of the header, one of [`CLIENT_CREDENTIALS`].
        name: &'static str,
        /// Its whole value.
        value: Secret,
    },
}

impl Credential {
    /// The credential that carries `key` in the way `auth` says.
    pub fn new(auth: Auth, key: &Secret) -> Self {
        let header = |name, value: String| Self::Header { name, value: Secret::new(value) };
        match auth {
            Auth::Bearer => header("authorization", format!("Bearer {}", key.expose())),
            Auth::XApiKey => header("x-api-key", key.expose().to_owned()),
            Auth::ApiKey => header("api-key", key.expose().to_owned()),
            Auth::XGoogApiKey => header("x-goog-api-key", key.expose().to_owned()),
            Auth::Basic => {
                header("authorization", format!("Basic {}", STANDARD.encode(key.expose())))
            }
            Auth::None => Self::None,
            Auth::Passthrough => Self::Passthrough,
        }
    }
}
