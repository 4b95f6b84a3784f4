//! What a person writes: one model, as TOML in `gaud.toml` and as JSON for the filter.
//!
//! ```text
//! gaud.toml ───> File ──> native/settings: GAUD_… on top, secrets out of the text ──┐
//! filter JSON ─> File ──────────────────────────────────────────────────────────────┴─> gateway
//! ```
//!
//! [`File`] is exactly what is written; [`crate::gateway::Gateway`] is what the file compiles to. Every error names the
//! path of the field. This room imports no other room.

#[cfg(not(target_os = "wasi"))]
mod alerts;
mod auth;
mod error;
mod file;
mod keys;
mod limits;
mod list_names;
mod models;
mod ordered;
mod secret;
#[cfg(not(target_os = "wasi"))]
mod telemetry;
mod usage;

#[cfg(not(target_os = "wasi"))]
pub use alerts::AlertsFile;
pub use auth::Auth;
#[cfg(not(target_os = "wasi"))]
pub use auth::{AuthFile, AwsFile, Oauth2File, RefreshTokenFile, TokenFile};
pub use error::ConfigError;
pub use file::{
    BreakerFile, CorsFile, FallbackFile, File, ProviderFile, RetriesFile, RetryOn, TlsFile,
};
#[cfg(not(target_os = "wasi"))]
pub use file::{ControlFile, LitellmFile, UiFile};
#[cfg(not(target_os = "wasi"))]
pub use keys::{BudgetFile, LimitsFile};
pub use keys::{KeysFile, KeysMode};
#[cfg(not(target_os = "wasi"))]
pub use limits::OnFailure;
pub use limits::{Estimate, GatewayLimitsFile, LimitStore};
pub use list_names::ListNames;
pub use models::{DeploymentFile, ModelFile, Sticky, Strategy};
pub use ordered::Ordered;
pub use secret::{Hidden, Lookup, Secret, SecretSource};
#[cfg(not(target_os = "wasi"))]
pub use telemetry::{AccessLogFile, TracingFile};
#[cfg(not(target_os = "wasi"))]
pub use usage::{Metered, PriceFile, UsageFile};
