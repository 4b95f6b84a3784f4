//! Whether the real Envoy takes what is rendered: it reads the file, loads the filter, and ends.

use std::process::Stdio;

use tokio::process::Command;

use super::failure::Failure;
use super::folder::{PrivateFolder, unwritable};
use super::log::reason;
use crate::native::envoy::Envoy;
use crate::native::settings::Loaded;

/// Has Envoy read `yaml`.
pub async fn validate(envoy: &Envoy, loaded: &Loaded, yaml: &str) -> Result<(), Failure> {
    let folder = PrivateFolder::create()?;
    let config = folder.path().join("envoy.yaml");
    std::fs::write(&config, yaml).map_err(unwritable)?;
    let output = Command::new(&envoy.path)
        .args(["--mode", "validate", "--log-level", "warn", "--log-format", "[%l] %v", "-c"])
        .arg(&config)
        .envs(loaded.environment.iter().map(|(name, value)| (name, value)))
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output()
        .await
        .map_err(|error| Failure::NotStarted(envoy.path.clone(), error))?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(Failure::Invalid(reason(said.lines().map(str::to_owned).collect())))
}
