//! How a credential is sent to a provider.

use serde::{Deserialize, Serialize};

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
}
