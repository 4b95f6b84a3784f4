//! The names in lists of models.

use super::error::ConfigError;
use super::file::File;

/// By which names the lists of models show the models of providers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ListNames {
    /// With a namespace of the provider.
    Namespaced,
    /// The model alone where that name reaches the model, else with a namespace.
    Short,
    /// Both of these.
    Both,
}

impl ListNames {
    /// What a file says. The default: the model alone is a name that clients can be sure of only where a default provider gets
    /// what nothing claims.
    ///
    /// # Errors
    /// The file says something else.
    pub fn of(file: &File) -> Result<Self, ConfigError> {
        match (file.list_names.as_deref(), &file.default_provider) {
            (Some("namespaced"), _) | (None, None) => Ok(Self::Namespaced),
            (Some("short"), _) | (None, Some(_)) => Ok(Self::Short),
            (Some("both"), _) => Ok(Self::Both),
            (Some(other), _) => {
                let other = other.escape_default();
                let problem =
                    format!("is \"{other}\"; write \"namespaced\", \"short\" or \"both\"");
                Err(ConfigError::new("list_names", problem))
            }
        }
    }
}
