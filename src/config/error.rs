//! What is wrong with a configuration: the path of a field and a sentence with the remedy.

use std::fmt;

/// A bad configuration: `providers.claude.url: must begin with …`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigError {
    /// The field, as `providers.claude.match[0]`; empty when the text is not TOML or JSON at all.
    /// The name of an environment variable when the value came from there.
    pub path: String,
    /// What is wrong and what would be right; never a secret.
    pub problem: String,
}

impl ConfigError {
    pub fn new(path: impl Into<String>, problem: impl Into<String>) -> Self {
        Self { path: path.into(), problem: problem.into() }
    }

    /// The number, if it is one that the field may have.
    ///
    /// # Errors
    /// The number is too small or too large.
    #[inline(never)]
    pub fn unless_within(path: &str, number: u64, least: u64, most: u64) -> Result<u64, Self> {
        if (least..=most).contains(&number) {
            return Ok(number);
        }
        Err(Self::new(path, format!("is {number}; write {least} to {most}")))
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.path.as_str() {
            "" => f.write_str(&self.problem),
            path => write!(f, "{path}: {}", self.problem),
        }
    }
}

impl std::error::Error for ConfigError {}
