//! Access tokens that `gaud run` gets for refresh tokens, and how `gaud login` gets the first refresh token.
//!
//! ```text
//!        keeper ── credential: when to ask (pure) ── issuer ──> answer (pure)
//! login ──┘ │ └─ store: files of mode 0600 in the data folder
//!           └──> tokens ──> the file that Envoy watches; /admin/status
//! ```

mod answer;
mod credential;
mod device;
mod issuer;
mod keeper;
mod login;
mod shown;
mod store;
#[cfg(test)]
mod testing;
mod tokens;

pub use keeper::Keeper;
pub use login::login;
pub use shown::Shown;
pub use tokens::Tokens;

/// Milliseconds since 1970.
fn now_ms() -> u64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    u64::try_from(since.unwrap_or_default().as_millis()).unwrap_or(u64::MAX)
}
