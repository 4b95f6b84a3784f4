//! Envoy Gateway: its resources.

use std::path::Path;

use super::error::Error;

/// Its template.
pub(super) const TEXT: &str = include_str!("envoy-gateway.yaml");

/// Where the pod's Envoy finds the filter.
pub(super) const MODULE: &str = "/etc/gaud/gaud.wasm";

/// Refuses a place for the filter that is not a file in a folder which a pod can mount.
pub(super) fn check_module(module: &Path) -> Result<(), Error> {
    let is_mountable = |folder: &Path| folder.is_absolute() && folder.parent().is_some();
    match module.parent().is_some_and(is_mountable) {
        true => Ok(()),
        false => Err(Error::NoFolder(module.to_owned())),
    }
}
