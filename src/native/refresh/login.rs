//! `gaud login`: a person lets the gateway in (RFC 8628), and the refresh token waits for `gaud run` in a file.

use std::path::Path;
use std::time::{Duration, Instant};

use tokio::time::sleep;

use super::answer::{DeviceCode, Grant};
use super::credential::Access;
use super::device::{Device, End, Step};
use super::store::{Place, Store, Stored};
use super::{issuer, now_ms};
use crate::gateway::ProviderUrl;
use crate::native::os_error::words;
use crate::native::settings::Refresh;

/// Gets the tokens of a provider with a code of `device`, and stores them. `say` tells the person what to do.
///
/// # Errors
/// A sentence.
pub async fn login(
    provider: &str,
    settings: &Refresh,
    device: &ProviderUrl,
    data: &Path,
    ca_file: &str,
    say: impl Fn(&str),
) -> Result<(), String> {
    let code =
        issuer::code(settings, device, ca_file).await.map_err(|problem| problem.to_string())?;
    say(&asking(&code));
    let answer = wait(settings, &code, ca_file).await;
    let (since_ms, grant) = answer.map_err(|end| end.to_string())?;
    if let Some(missing) = missing(settings, &grant) {
        say(&format!("warning: the issuer has not granted {missing}"));
    }
    let Some(refresh) = grant.refresh else {
        return Err("the issuer has given no refresh token; many issuers want a scope for that, as offline_access".to_owned());
    };
    let access = Access { token: grant.access, since_ms, lifetime_ms: grant.lifetime_ms };
    let stored = Stored::of(settings, &refresh, Some(&access));
    Store::in_folder(data).put(provider, Place::Login, &stored).map_err(|error| {
        format!("the token cannot be written into {}: {}", data.display(), words(&error))
    })
}

fn asking(DeviceCode { url, complete_url, user, .. }: &DeviceCode) -> String {
    let complete = complete_url.as_ref().map(|url| format!(" (or open {url})"));
    format!("open {url} and type in {user}{}", complete.unwrap_or_default())
}

/// The scopes that were asked for and not granted, in a list.
fn missing(settings: &Refresh, grant: &Grant) -> Option<String> {
    let granted = grant.scopes.as_ref()?;
    let missing: Vec<_> =
        settings.issuer.scopes.iter().filter(|own| !granted.contains(own)).cloned().collect();
    (!missing.is_empty()).then(|| missing.join(", "))
}

/// Asks until the person has typed in the code. When the question was sent, and its answer.
async fn wait(settings: &Refresh, code: &DeviceCode, ca_file: &str) -> Result<(u64, Grant), End> {
    let begun = Instant::now();
    let passed_ms = || u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
    let mut device = Device::begin(code, passed_ms());
    loop {
        match device.step(passed_ms()) {
            Step::Wait(ms) => sleep(Duration::from_millis(ms)).await,
            Step::Over => return Err(End::Expired),
            Step::Ask => {
                let since_ms = now_ms();
                let answer = issuer::device_tokens(settings, &code.device, ca_file).await;
                if let Some(end) = device.answered(passed_ms(), answer) {
                    return end.map(|grant| (since_ms, grant));
                }
            }
        }
    }
}
