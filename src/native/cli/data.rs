//! The data folder of the control server, for verbs that work whether the gateway runs or not.

use std::error::Error;
use std::io;
use std::path::PathBuf;

use crate::native::control::{DataFolder, DataProblem};
use crate::native::settings::{self, ConfigOption};

/// The folder that a gateway with this configuration uses.
pub(super) fn folder(config: &ConfigOption) -> Result<PathBuf, Box<dyn Error>> {
    let named = match config.load() {
        Ok(loaded) => loaded.file.control.and_then(|own| own.data),
        Err(settings::Error::Nothing) => None,
        Err(error) => return Err(error.into()),
    };
    let place = DataFolder::place(named.as_deref(), &|name| std::env::var_os(name));
    let place = place.ok_or(DataProblem::NoPlace).map_err(|problem| problem.to_string())?;
    if !place.is_dir() {
        let problem =
            format!("there is nothing in {}: the first `gaud run` makes the folder", place.display());
        return Err(io::Error::other(problem).into());
    }
    Ok(place)
}
