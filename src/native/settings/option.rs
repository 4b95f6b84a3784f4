//! The option that names a configuration, the same for every command.

use std::path::{Path, PathBuf};

use super::{CONFIG_FILES, Error, Loaded, Secrets, load_with};
use crate::config::ConfigError;

#[derive(clap::Args, Debug)]
pub struct ConfigOption {
    /// The configuration; default: gaud.toml or llm-proxy.toml in the current folder
    #[arg(long = "config", value_name = "FILE")]
    file: Option<PathBuf>,
}

impl ConfigOption {
    /// The file, where the command line names one.
    pub fn path(&self) -> Option<&Path> {
        self.file.as_deref()
    }

    /// The file that is loaded; `None` without one.
    pub fn file(&self) -> Option<PathBuf> {
        self.file.clone().or_else(|| present().map(Path::to_owned))
    }

    /// Loads the configuration with the environment of this process, for a command that starts nothing: the variables
    /// with secrets need not be set.
    pub fn load(&self) -> Result<Loaded, Error> {
        load_with(self.path(), &|name| std::env::var_os(name), Secrets::IfSet)
    }
}

/// The file in the current folder.
pub(super) fn present() -> Option<&'static Path> {
    CONFIG_FILES.iter().map(Path::new).find(|file| file.exists() && !file.is_dir())
}

/// A warning of a folder that has the name of a file: Docker makes the folder where the file to mount does not exist.
pub(super) fn folder_in_its_place() -> Option<ConfigError> {
    let folder = CONFIG_FILES.iter().find(|name| Path::new(name).is_dir())?;
    let problem = "is a folder, as Docker makes one where the file to mount does not exist; the settings are those of the \
                   environment alone";
    Some(ConfigError::new(*folder, problem))
}
