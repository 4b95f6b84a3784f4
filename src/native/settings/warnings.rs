//! What is valid, and probably not what was meant.

use std::collections::HashMap;

use crate::config::{ConfigError, File};

/// All warnings about a valid file.
pub(super) fn all(file: &File) -> Vec<ConfigError> {
    let mut owners: HashMap<&str, &str> = HashMap::new();
    let mut warnings = Vec::new();
    for (name, provider) in &file.providers {
        for (index, pattern) in provider.patterns.iter().enumerate() {
            match owners.get(pattern.as_str()) {
                Some(owner) => warnings.push(ConfigError::new(
                    format!("providers.{name}.match[{index}]"),
                    format!(
                        "\"{}\" is in match of the provider {owner} too, which comes first in the file and gets the \
                         models; take one of the two out",
                        pattern.escape_default()
                    ),
                )),
                None => {
                    owners.insert(pattern, name);
                }
            }
        }
    }
    warnings
}
