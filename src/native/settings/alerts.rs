//! The webhook of alerts: its address is a secret, and stays out of everything that is rendered.

use std::path::PathBuf;

use super::secrets::content;
use super::{ELSEWHERE, Secrets};
use crate::config::{AlertsFile, ConfigError, File, Lookup, Secret, SecretSource};
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
    let mut alerts = Alerts::default();
    let address = match own.url {
        SecretSource::Literal(address) => address,
        SecretSource::Environment(name) => Secret::new(lookup(&name).unwrap_or_default()),
        SecretSource::File(path) => {
            alerts.secret_file = Some(PathBuf::from(&path));
            match (secrets, content(&path)) {
                (Secrets::Elsewhere, _) => Secret::new(ELSEWHERE),
                (_, Ok(address)) => Secret::new(address),
                (Secrets::Here, Err(problem)) => return Err(at(problem)),
                (Secrets::IfSet, Err(_)) => {
                    alerts.missing = Some(path);
                    Secret::new(ELSEWHERE)
                }
            }
        }
    };
    if address.expose() != ELSEWHERE {
        let webhook = Webhook::parse(&address).ok_or_else(|| at(webhook::WRONG.to_owned()))?;
        alerts.webhook = Some(webhook);
    }
    Ok(alerts)
}
