//! The option that names a configuration, the same for every command.

use std::path::{Path, PathBuf};

use super::{Error, Loaded, Secrets, load_with};

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

    /// Loads the configuration with the environment of this process, for a command that starts nothing: the variables
    /// with secrets need not be set.
    pub fn load(&self) -> Result<Loaded, Error> {
        load_with(self.path(), &|name| std::env::var_os(name), Secrets::IfSet)
    }
}
