//! The webhook of alerts: its address is a secret, and stays out of everything that is rendered.

use super::Secrets;
use super::secrets::OwnSecret;
use crate::config::{AlertsFile, ConfigError, File, Lookup, Secret};
use crate::native::webhook::{self, Webhook};

const NEEDS_METER: &str = "budgets count what requests use; set usage.meter = \"all\"";

/// Takes the webhook out of `file`; `lookup` reads variables.
pub(super) fn take(
    file: &mut File,
    secrets: Secrets,
    lookup: Lookup<'_>,
) -> Result<OwnSecret<Webhook>, ConfigError> {
    let Some(own) = file.alerts.take() else { return Ok(OwnSecret::default()) };
    let at = |problem: String| ConfigError::new(AlertsFile::URL, problem);
    if !file.records() {
        return Err(at(NEEDS_METER.to_owned()));
    }
    let parse = |address: Secret| Webhook::parse(&address).ok_or_else(|| webhook::WRONG.to_owned());
    OwnSecret::of(own.url, secrets, lookup).and_then(|own| own.parsed(parse)).map_err(at)
}
