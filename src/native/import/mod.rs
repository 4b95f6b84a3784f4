//! LiteLLM's own configuration file, as settings of Gaud's.
//!
//! ```text
//! YAML ──> sources ──> entries ── deployment: is every parameter understood? ──┬─> direct
//!            └─> router: what counts for all ──────────────────────────────┼─> stays with LiteLLM
//!                                                                          └─> refused
//!                                        plan: names, groups, patterns, chains ──> File, Report
//! ```
//!
//! A deployment goes direct only if every one of its parameters is understood. Of the deployments of one name, all go direct
//! or none: LiteLLM goes on drawing between those that it keeps. Whatever the settings do not name goes to LiteLLM, which
//! answers as before.

mod base;
mod deployment;
mod known;
mod parameters;
mod plan;
mod prefix;
mod report;
mod router;
mod sources;
mod text;
mod yaml;

use crate::config::File;
pub use prefix::{bases, documented};
pub use report::{Report, Verdict};
pub use text::toml;

/// The provider that keeps what does not go direct.
pub const LITELLM: &str = "litellm";

/// What an import depends on beside the text.
pub struct Options<'a> {
    /// Reads a variable of the environment in which LiteLLM runs.
    pub env: &'a dyn Fn(&str) -> Option<String>,
    /// Reads a file that an `include` names, or says why not.
    pub include: &'a dyn Fn(&str) -> Result<String, String>,
    /// Names of providers that are taken.
    pub taken: &'a [String],
    /// Where LiteLLM is; `None` where the settings around the import say so.
    pub litellm_url: Option<&'a str>,
    /// LiteLLM may follow in a chain, because the gateway has a key for LiteLLM.
    pub litellm_follows: bool,
    /// A deployment whose key is in a variable that is not set stays with LiteLLM.
    pub needs_keys: bool,
}

/// What a file becomes.
#[derive(Debug)]
pub struct Import {
    /// The settings. Secrets that the file writes out are literal here.
    pub file: File,
    /// A line for each entry.
    pub report: Report,
}

/// Reads the text of a file; `name` is the file's name in the report.
///
/// # Errors
/// The text is not YAML: the place and the problem.
pub fn read(name: &str, text: &str, options: &Options<'_>) -> Result<Import, String> {
    let sources = sources::read(name, text, options.include)?;
    Ok(plan::plan(&sources, options))
}
