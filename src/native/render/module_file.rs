//! Where the filter is.

use std::path::{Path, PathBuf};

use super::error::Error;
use super::form::Form;
use crate::native::settings::Env;

/// Where it was named (Envoy may run on another machine), where the form puts it, beside the command, or where cargo
/// builds it.
pub(super) fn find(named: Option<&Path>, form: Form, env: Env<'_>) -> Result<PathBuf, Error> {
    let named = named.map(Path::to_owned).or_else(|| env("GAUD_WASM").map(PathBuf::from));
    if let Some(named) = named.or_else(|| form.module().map(Path::to_owned)) {
        return Ok(named);
    }
    let beside = |path: &str| Some(std::env::current_exe().ok()?.parent()?.join(path));
    let places: Vec<PathBuf> =
        ["gaud.wasm", "../wasm32-wasip1/release/gaud.wasm", "../lib/gaud/gaud.wasm"]
            .into_iter()
            .filter_map(beside)
            .collect();
    let found = places.iter().find_map(|path| path.canonicalize().ok());
    found.ok_or(Error::NoWasm(places))
}
