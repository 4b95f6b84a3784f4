//! The database of the control server, for commands that work whether the gateway runs or not.

use std::error::Error;
use std::io;

use crate::native::control::{Audit, DataFolder, DataProblem, Store, now_secs};
use crate::native::settings::{self, ConfigOption};

/// The database of the folder that a gateway with this configuration uses.
pub(super) fn open(config: &ConfigOption) -> Result<Store, Box<dyn Error>> {
    let named = match config.load() {
        Ok(loaded) => loaded.file.control.and_then(|own| own.data),
        Err(settings::Error::Nothing) => None,
        Err(error) => return Err(error.into()),
    };
    let place = DataFolder::place(named.as_deref(), &|name| std::env::var_os(name));
    let place = place.ok_or(DataProblem::NoPlace).map_err(|problem| problem.to_string())?;
    if !place.is_dir() {
        let problem =
            format!("there are no keys in {}: the first `gaud run` makes one", place.display());
        return Err(io::Error::other(problem).into());
    }
    Ok(Store::open(&place)?)
}

/// An entry of the audit. Who can run this command on the database needs no key.
pub(super) fn note(store: &Store, action: &str, id: &str) -> Result<(), Box<dyn Error>> {
    let entry =
        Audit { at_secs: now_secs(), key_id: CALLER, action, subject: id, outcome: "applied" };
    Ok(store.audit(&entry)?)
}

/// Who makes a change by a command.
pub(super) const CALLER: &str = "command";
