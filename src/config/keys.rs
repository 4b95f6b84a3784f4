//! What a person may write about client keys.

use serde::{Deserialize, Serialize};

use super::error::ConfigError;

/// Client keys. The words are texts: a parser of an enum takes 2 KB of the module.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeysFile {
    /// Who must have a key: a [`KeysMode`]. Default `optional` with a control server, `off` without one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mode: Option<String>,
    /// The paths outside the API that need no key in the mode `required`. Default: none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub passthrough: Option<Vec<String>>,
    /// How old the policies may be before `on_stale` counts. Default 86400.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stale_after_secs: Option<u64>,
    /// What becomes of requests with keys whose policies are old: `serve` or `refuse`. Default `serve`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub on_stale: Option<String>,
}

/// Who must have a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeysMode {
    /// No key opens anything.
    Off,
    /// A key of Gaud's is checked, and every other credential passes.
    Optional,
    /// Every request needs a key of Gaud's.
    Required,
}

impl KeysMode {
    const ALL: [(&str, Self); 3] =
        [("off", Self::Off), ("optional", Self::Optional), ("required", Self::Required)];
}

impl KeysFile {
    /// The mode, where one is written.
    ///
    /// # Errors
    /// The word is none of the modes.
    pub fn mode(&self) -> Result<Option<KeysMode>, ConfigError> {
        one_of("keys.mode", self.mode.as_deref(), &KeysMode::ALL)
    }

    /// Whether requests with keys whose policies are old are refused.
    ///
    /// # Errors
    /// The word is neither `serve` nor `refuse`.
    pub fn refuses_stale(&self) -> Result<bool, ConfigError> {
        let words = [("serve", false), ("refuse", true)];
        let written = one_of("keys.on_stale", self.on_stale.as_deref(), &words)?;
        Ok(written == Some(true))
    }
}

fn one_of<T: Copy>(
    path: &str,
    written: Option<&str>,
    words: &[(&str, T)],
) -> Result<Option<T>, ConfigError> {
    let Some(written) = written else { return Ok(None) };
    match words.iter().find(|(word, _)| *word == written) {
        Some((_, meaning)) => Ok(Some(*meaning)),
        None => {
            let all: Vec<_> = words.iter().map(|(word, _)| format!("\"{word}\"")).collect();
            Err(ConfigError::new(path, format!("is none of {}", all.join(", "))))
        }
    }
}
