//! The configuration: one model, written as TOML in `gaud.toml` and as JSON for the filter.
//!
//! ```text
//! gaud.toml ──> file.rs ──> command/load (native): GAUD_…, secrets out of the text ─┐
//! filter JSON ─> file.rs ───────────────────────────────────────────────────────────┴─> compile.rs
//!                                                                                         └─> Gateway
//! ```
//!
//! [`File`] is what a person may write; [`Gateway`] is what the rest of the code works with, and
//! cannot hold an impossible combination. Every error names the path of the field.

mod cluster;
mod compile;
mod credential;
mod discovery;
mod error;
mod file;
mod headers;
mod models;
mod ordered;
mod provider;
mod secret;
mod url;

pub use compile::{Gateway, Lookup};
pub use credential::{Auth, CLIENT_CREDENTIALS, Credential};
pub use discovery::Discovery;
pub use error::ConfigError;
pub use file::{BreakerFile, FallbackFile, File, ProviderFile, RetriesFile, RetryOn};
pub use ordered::Ordered;
pub use provider::{Provider, ProviderId, TIMEOUT_SECS};
pub use secret::{Secret, SecretSource};
pub use url::ProviderUrl;

/// Parses the filter's own JSON and compiles it; `lookup` reads the VM's environment.
///
/// # Errors
/// The first thing that is wrong, with its path. A literal secret is refused: the plugin
/// configuration is shown by Envoy's config dump.
pub fn from_filter_json(json: &[u8], lookup: Lookup<'_>) -> Result<Gateway, ConfigError> {
    let file = File::from_json(json)?;
    file.refuse_what_belongs_to_envoy()?;
    Gateway::compile(&file, lookup)
}
