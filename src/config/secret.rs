//! Secrets: values that are used and never shown.

use std::fmt;

use serde::{Deserialize, Serialize, Serializer, ser::Error};

/// What marks a reference to an environment variable, as in LiteLLM's configuration.
const ENVIRONMENT: &str = "os.environ/";

/// What marks the name of a file that holds nothing but a secret, as Docker and Kubernetes mount them.
const FILE: &str = "file:";

/// A value that `Debug` does not show.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    pub fn new(value: impl Into<String>) -> Self {
        Self(value.into())
    }

    /// The secret itself, for the one place that uses it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// What `Debug` shows in the place of text that may be secret.
pub struct Hidden;

impl fmt::Debug for Hidden {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("…")
    }
}

/// Reads an environment variable.
pub type Lookup<'a> = &'a dyn Fn(&str) -> Option<String>;

/// Where a secret comes from.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(from = "String")]
pub enum SecretSource {
    /// `os.environ/NAME`: read from the environment.
    Environment(String),
    /// `file:PATH`: read by `gaud`, which gives Envoy the content. The filter reads no files.
    File(String),
    /// Written in the file. Serializing a literal is an error, so no rendered text can hold one.
    Literal(Secret),
}

impl SecretSource {
    /// How a file names a variable.
    pub fn reference(variable: &str) -> String {
        format!("{ENVIRONMENT}{variable}")
    }

    /// A written value is the secret, or names the variable that holds the secret.
    pub fn parse(value: &str) -> Self {
        if let Some(name) = value.strip_prefix(ENVIRONMENT) {
            Self::Environment(name.to_owned())
        } else if let Some(path) = value.strip_prefix(FILE) {
            Self::File(path.to_owned())
        } else {
            Self::Literal(Secret::new(value))
        }
    }
}

impl SecretSource {
    /// The secret, as a header can carry it.
    ///
    /// # Errors
    /// A sentence with the reason and the remedy. The sentence never shows the value.
    pub fn resolve(&self, lookup: Lookup<'_>) -> Result<Secret, String> {
        let Self::Environment(name) = self else {
            if let Self::File(_) = self {
                return Err(
                    "names a file, and the filter reads none; `gaud run` reads it".to_owned()
                );
            }
            let problem = "is written out, and Envoy's config dump would show it; write \
                           \"os.environ/NAME\" and set that variable in Envoy's environment";
            return Err(problem.to_owned());
        };
        let key = lookup(name).filter(|value| !value.is_empty()).ok_or_else(|| {
            format!(
                "the environment variable {name} is not set; set it for Envoy, and list it in \
                 host_env_keys"
            )
        })?;
        // A header's value: RFC 9110, section 5.5, without white space at the ends.
        let allowed = |byte: u8| (0x20..0x7f).contains(&byte);
        if key.bytes().all(allowed) && key.trim() == key {
            return Ok(Secret::new(key));
        }
        Err(format!(
            "{name} holds line breaks, spaces at an end or non-ASCII characters; no header can \
             carry it"
        ))
    }
}

impl From<String> for SecretSource {
    fn from(value: String) -> Self {
        Self::parse(&value)
    }
}

impl Serialize for SecretSource {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Environment(name) => serializer.collect_str(&format_args!("{ENVIRONMENT}{name}")),
            Self::File(path) => serializer.collect_str(&format_args!("{FILE}{path}")),
            Self::Literal(_) => Err(S::Error::custom("a literal secret is never written")),
        }
    }
}
