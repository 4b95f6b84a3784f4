//! The credential that requests to a provider carry.

use base64::{Engine, engine::general_purpose::STANDARD};

use crate::config::{Auth, Secret};

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
