//! The webhook of alerts: its address is a secret, and stays out of everything that is rendered.

use std::path::PathBuf;

use super::Secrets;
use super::secrets::OwnSecret;
use crate::config::{AlertsFile, ConfigError, File, Lookup, Secret};
use crate::native::webhook::{self, Webhook};

const NEEDS_METER: &str = "budgets count what requests use; set usage.meter = \"all\"";

/// What was taken out of a file.
#[derive(Default)]
pub(super) struct Alerts {
    /// `None` without the setting, and where the address is not known here.
    pub(super) webhook: Option<Webhook>,
    /// The file that holds the address.
    pub(super) secret_file: Option<PathBuf>,
    /// The same, where it cannot be read here and need not be.
    pub(super) missing: Option<String>,
}

/// Takes the webhook out of `file`; `lookup` reads variables.
pub(super) fn take(
    file: &mut File,
    secrets: Secrets,
    lookup: Lookup<'_>,
) -> Result<Alerts, ConfigError> {
    let Some(own) = file.alerts.take() else { return Ok(Alerts::default()) };
    let at = |problem: String| ConfigError::new(AlertsFile::URL, problem);
    if !file.records() {
        return Err(at(NEEDS_METER.to_owned()));
    }
    let OwnSecret { value, file: secret_file, missing } =
        OwnSecret::of(own.url, secrets, lookup).map_err(at)?;
    let parsed =
        |address: Secret| Webhook::parse(&address).ok_or_else(|| at(webhook::WRONG.to_owned()));
    Ok(Alerts { webhook: value.map(parsed).transpose()?, secret_file, missing })
}
