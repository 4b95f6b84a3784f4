//! What a person may write about client keys.

use serde::{Deserialize, Serialize};

use super::error::ConfigError;
#[cfg(not(target_os = "wasi"))]
use crate::limits::{Budget, Limits, Window};

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
    /// Whether LiteLLM's keys open what goes direct. Default false, and true with `litellm.keys`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub litellm: Option<bool>,
    /// The limits of new keys. Default: none.
    #[cfg(not(target_os = "wasi"))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub defaults: Option<LimitsFile>,
}

/// What a key may use.
#[cfg(not(target_os = "wasi"))]
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LimitsFile {
    /// Requests a minute.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rpm: Option<u32>,
    /// Tokens a minute.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tpm: Option<u32>,
    /// Requests at the same time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_parallel_requests: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub budget: Option<BudgetFile>,
}

/// How much money a window allows.
#[cfg(not(target_os = "wasi"))]
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BudgetFile {
    /// In dollars.
    pub usd: f64,
    /// `day`, `week`, `month` or `total`.
    pub window: String,
    /// Whether a request that might cost more than is left is refused. Default false.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub strict: Option<bool>,
}

#[cfg(not(target_os = "wasi"))]
impl LimitsFile {
    /// The limits.
    ///
    /// # Errors
    /// The budget is none.
    pub fn compile(&self, path: &str) -> Result<Limits, ConfigError> {
        let budget = self.budget.as_ref().map(BudgetFile::compile).transpose();
        Ok(Limits {
            rpm: self.rpm.map(u64::from),
            tpm: self.tpm.map(u64::from),
            max_parallel_requests: self.max_parallel_requests,
            budget: budget
                .map_err(|problem| ConfigError::new(format!("{path}.budget"), problem))?,
        })
    }
}

#[cfg(not(target_os = "wasi"))]
impl From<&Limits> for LimitsFile {
    /// Limits as a person would write them.
    fn from(limits: &Limits) -> Self {
        let rate = |own: u64| u32::try_from(own).unwrap_or(u32::MAX);
        Self {
            rpm: limits.rpm.map(rate),
            tpm: limits.tpm.map(rate),
            max_parallel_requests: limits.max_parallel_requests,
            budget: limits.budget.map(BudgetFile::from),
        }
    }
}

#[cfg(not(target_os = "wasi"))]
impl From<Budget> for BudgetFile {
    fn from(budget: Budget) -> Self {
        let Budget { nanos, window, is_strict } = budget;
        Self { usd: Self::usd(nanos), window: window.as_str().to_owned(), strict: Some(is_strict) }
    }
}

#[cfg(not(target_os = "wasi"))]
impl BudgetFile {
    /// More dollars than any account has.
    const USD_MAX: f64 = 1e9;

    /// The budget.
    ///
    /// # Errors
    /// The amount is negative or too large, or the window has another name; a sentence that says so.
    pub fn compile(&self) -> Result<Budget, String> {
        let Self { usd, window, strict } = self;
        if !(0.0..=Self::USD_MAX).contains(usd) {
            return Err(format!("usd is {usd}; write 0 to {}", Self::USD_MAX));
        }
        let window = Window::parse(window).ok_or_else(|| {
            format!(
                "window is \"{}\"; write \"day\", \"week\", \"month\" or \"total\"",
                window.escape_default()
            )
        })?;
        Ok(Budget { nanos: nanos(*usd), window, is_strict: strict.unwrap_or_default() })
    }

    /// Nano-dollars as dollars, for answers.
    pub fn usd(nanos: u64) -> f64 {
        const DOLLAR: u64 = 1_000_000_000;
        format!("{}.{:09}", nanos / DOLLAR, nanos % DOLLAR).parse().unwrap_or_default()
    }
}

/// Dollars as a person writes them, in nano-dollars; what is smaller is cut.
#[cfg(not(target_os = "wasi"))]
fn nanos(usd: f64) -> u64 {
    // The shortest decimal number that is read as this float: what was written.
    let text = usd.to_string();
    let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
    let fraction: String = fraction.chars().chain("000000000".chars()).take(9).collect();
    format!("{whole}{fraction}").parse().unwrap_or(u64::MAX)
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
    /// The word is not one of the modes.
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

#[cfg(not(target_os = "wasi"))]
impl KeysFile {
    /// The limits of new keys.
    ///
    /// # Errors
    /// They cannot be meant.
    pub fn default_limits(&self) -> Result<Limits, ConfigError> {
        self.defaults.as_ref().map_or(Ok(Limits::NONE), |own| own.compile("keys.defaults"))
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
            Err(ConfigError::new(path, format!("must be one of {}", all.join(", "))))
        }
    }
}
