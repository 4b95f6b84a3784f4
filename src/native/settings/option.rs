//! The option that names a configuration, the same for every command.

use std::path::{Path, PathBuf};

use super::{CONFIG_FILES, Error, Loaded, Secrets, load_with};

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
        let present = || CONFIG_FILES.iter().map(PathBuf::from).find(|file| file.exists());
        self.file.clone().or_else(present)
    }

    /// Loads the configuration with the environment of this process, for a command that starts nothing: the variables
    /// with secrets need not be set.
    pub fn load(&self) -> Result<Loaded, Error> {
        load_with(self.path(), &|name| std::env::var_os(name), Secrets::IfSet)
    }
}
