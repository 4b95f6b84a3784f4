//! The database of the control server, for commands that work whether the gateway runs or not.

use std::error::Error;
use std::path::Path;

use super::data;
use crate::native::control::{Audit, Store, now_secs, owned_by_litellm};
use crate::native::settings::ConfigOption;

/// The database that a gateway with this configuration uses.
pub(super) fn open(config: &ConfigOption) -> Result<Store, Box<dyn Error>> {
    let nothing = |place: &Path| {
        format!("there are no keys in {}: the first `gaud run` makes one", place.display())
    };
    Ok(Store::open(&data::databases(config, nothing)?)?)
}

/// An entry of the audit. Who can run this command on the database needs no key.
pub(super) fn note(store: &Store, action: &str, id: &str) -> Result<(), Box<dyn Error>> {
    let entry =
        Audit { at_secs: now_secs(), key_id: CALLER, action, subject: id, outcome: "applied" };
    Ok(store.audit(&entry)?)
}

/// LiteLLM's keys and users are changed in LiteLLM.
pub(super) fn refuse_litellms(
    what: &str,
    id: &str,
    is_litellms: bool,
) -> Result<(), Box<dyn Error>> {
    if is_litellms { Err(owned_by_litellm(what, id).into()) } else { Ok(()) }
}

/// Who makes a change by a command.
pub(super) const CALLER: &str = "command";
