//! The data folder of the control server, for verbs that work whether the gateway runs or not.

use std::error::Error;
use std::fs::DirBuilder;
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::PathBuf;

use crate::native::control::{DataFolder, DataProblem};
use crate::native::settings::{self, ConfigOption};

/// As the control server makes it.
const FOLDER_MODE: u32 = 0o700;

/// The folder that a gateway with this configuration uses, made where there is none.
pub(super) fn made(config: &ConfigOption) -> Result<PathBuf, Box<dyn Error>> {
    let path = place(config)?;
    DirBuilder::new().recursive(true).mode(FOLDER_MODE).create(&path)?;
    Ok(path)
}

/// The folder that a gateway with this configuration uses.
pub(super) fn folder(config: &ConfigOption) -> Result<PathBuf, Box<dyn Error>> {
    let place = place(config)?;
    if !place.is_dir() {
        let problem = format!(
            "there is nothing in {}: the first `gaud run` makes the folder",
            place.display()
        );
        return Err(io::Error::other(problem).into());
    }
    Ok(place)
}

fn place(config: &ConfigOption) -> Result<PathBuf, Box<dyn Error>> {
    let named = match config.load() {
        Ok(loaded) => loaded.file.control.and_then(|own| own.data),
        Err(settings::Error::Nothing) => None,
        Err(error) => return Err(error.into()),
    };
    let place = DataFolder::place(named.as_deref(), &|name| std::env::var_os(name));
    Ok(place.ok_or(DataProblem::NoPlace).map_err(|problem| problem.to_string())?)
}
