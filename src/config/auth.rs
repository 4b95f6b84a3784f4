//! How a credential is sent to a provider, and where it comes from.

use serde::{Deserialize, Serialize};

#[cfg(not(target_os = "wasi"))]
use super::secret::SecretSource;

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
    /// The client's credential passes: LiteLLM's virtual keys.
    Passthrough,
    /// The client's credentials are removed, and Envoy adds the gateway's in the provider's cluster. The command alone says so,
    /// to the filter.
    #[cfg_attr(not(target_os = "wasi"), serde(skip_deserializing))]
    Injected,
}

/// What a person writes: a way, for `api_key`, or where else the credential comes from.
#[cfg(not(target_os = "wasi"))]
#[derive(Debug, Clone, PartialEq)]
pub enum AuthFile {
    Way(Auth),
    Token(TokenFile),
}

/// Where a credential comes from that is not written down.
#[cfg(not(target_os = "wasi"))]
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TokenFile {
    /// An access token for the gateway itself (RFC 6749, section 4.4).
    Oauth2(Oauth2File),
    /// Access tokens that `gaud run` gets for a refresh token (RFC 6749, section 6).
    RefreshToken(RefreshTokenFile),
    /// A file whose token something else rotates.
    TokenFile(String),
    /// A signature of each request for AWS (Signature Version 4).
    Aws(AwsFile),
}

/// For whom requests are signed.
#[cfg(not(target_os = "wasi"))]
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AwsFile {
    /// The service, as `bedrock`.
    pub service: String,
    /// The region, as `us-east-1`.
    pub region: String,
    /// Whether the body is left out of the signature, for a service that takes that. Default false.
    #[serde(default)]
    pub unsigned_payload: bool,
}

/// How to get access tokens for a refresh token.
#[cfg(not(target_os = "wasi"))]
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RefreshTokenFile {
    /// Where tokens are asked for.
    pub token_url: String,
    /// Where `gaud login` asks for a code (RFC 8628). Default: the refresh token comes from `token`.
    pub device_url: Option<String>,
    pub client_id: String,
    /// Default: a public client, which has none.
    pub client_secret: Option<SecretSource>,
    /// The first refresh token. Default: that of `gaud login`.
    pub token: Option<SecretSource>,
    /// What the token is to be for. Default: what the issuer gives.
    #[serde(default)]
    pub scopes: Vec<String>,
}

/// How to get an access token.
#[cfg(not(target_os = "wasi"))]
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Oauth2File {
    /// Where tokens are asked for.
    pub token_url: String,
    pub client_id: String,
    pub client_secret: SecretSource,
    /// What the token is to be for. Default: what the issuer gives.
    #[serde(default)]
    pub scopes: Vec<String>,
}

#[cfg(not(target_os = "wasi"))]
mod written {
    use std::fmt;

    use serde::de::value::{MapAccessDeserializer, StrDeserializer};
    use serde::de::{Error, MapAccess, Visitor};
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use super::{Auth, AuthFile, SecretSource, TokenFile};

    impl AuthFile {
        /// The way in which the filter sends the credential.
        pub fn way(&self) -> Auth {
            match self {
                Self::Way(way) => *way,
                Self::Token(_) => Auth::Injected,
            }
        }

        pub fn token(&self) -> Option<&TokenFile> {
            match self {
                Self::Way(_) => None,
                Self::Token(token) => Some(token),
            }
        }
    }

    impl TokenFile {
        /// The secrets that are named in it, each with its field below `auth`.
        pub fn secrets(&self) -> Vec<(&'static str, &SecretSource)> {
            match self {
                Self::Oauth2(own) => vec![("oauth2.client_secret", &own.client_secret)],
                Self::RefreshToken(own) => {
                    let secret = own.client_secret.as_ref();
                    let secret = secret.map(|secret| ("refresh_token.client_secret", secret));
                    let token = own.token.as_ref().map(|token| ("refresh_token.token", token));
                    secret.into_iter().chain(token).collect()
                }
                Self::TokenFile(_) | Self::Aws(_) => Vec::new(),
            }
        }
    }

    impl From<Auth> for AuthFile {
        fn from(way: Auth) -> Self {
            Self::Way(way)
        }
    }

    impl Serialize for AuthFile {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            self.way().serialize(serializer)
        }
    }

    impl<'de> Deserialize<'de> for AuthFile {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            deserializer.deserialize_any(Written)
        }
    }

    struct Written;

    impl<'de> Visitor<'de> for Written {
        type Value = AuthFile;

        fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
            formatter.write_str("an auth")
        }

        fn visit_str<E: Error>(self, word: &str) -> Result<AuthFile, E> {
            Auth::deserialize(StrDeserializer::new(word)).map(AuthFile::Way)
        }

        fn visit_map<M: MapAccess<'de>>(self, map: M) -> Result<AuthFile, M::Error> {
            TokenFile::deserialize(MapAccessDeserializer::new(map)).map(AuthFile::Token)
        }
    }
}
