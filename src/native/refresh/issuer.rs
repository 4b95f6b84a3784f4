//! Asks an issuer.

use hyper::header::{ACCEPT, CONTENT_TYPE};
use hyper::http::request::Builder;

use super::answer::{DeviceCode, Grant, Problem, device_code, grant};
use crate::config::Secret;
use crate::gateway::ProviderUrl;
use crate::native::http::{Remote, encoded};
use crate::native::settings::Refresh;

/// RFC 8628, section 3.4.
const DEVICE_GRANT: &str = "urn:ietf:params:oauth:grant-type:device_code";

/// For an access token.
pub(super) async fn refresh(
    settings: &Refresh,
    token: &Secret,
    ca_file: &str,
) -> Result<Grant, Problem> {
    let scope = settings.issuer.scopes.join(" ");
    let mut fields = vec![("grant_type", "refresh_token"), ("refresh_token", token.expose())];
    fields.extend((!scope.is_empty()).then_some(("scope", scope.as_str())));
    let (status, text) = ask(&settings.issuer.url, settings, fields, ca_file).await?;
    grant(status, &text)
}

/// For a code that a person types in.
pub(super) async fn code(
    settings: &Refresh,
    device: &ProviderUrl,
    ca_file: &str,
) -> Result<DeviceCode, Problem> {
    let scope = settings.issuer.scopes.join(" ");
    let fields = (!scope.is_empty()).then_some(("scope", scope.as_str()));
    let (status, text) = ask(device, settings, fields.into_iter().collect(), ca_file).await?;
    device_code(status, &text)
}

/// Whether the code has been typed in.
pub(super) async fn device_tokens(
    settings: &Refresh,
    device: &Secret,
    ca_file: &str,
) -> Result<Grant, Problem> {
    let fields = vec![("grant_type", DEVICE_GRANT), ("device_code", device.expose())];
    let (status, text) = ask(&settings.issuer.url, settings, fields, ca_file).await?;
    grant(status, &text)
}

/// Posts a form, with the client's id and secret (RFC 6749, section 2.3.1).
async fn ask<'a>(
    url: &ProviderUrl,
    settings: &'a Refresh,
    mut fields: Vec<(&str, &'a str)>,
    ca_file: &str,
) -> Result<(u16, String), Problem> {
    fields.push(("client_id", &settings.issuer.client_id));
    let secret = settings.client_secret.as_ref();
    fields.extend(secret.map(|secret| ("client_secret", secret.expose())));
    let pair = |(name, value): &(&str, &str)| format!("{name}={}", encoded(value));
    let form = fields.iter().map(pair).collect::<Vec<_>>().join("&");
    let head = |request: Builder| {
        request
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header(ACCEPT, "application/json")
    };
    let remote = Remote { is_tls: url.https, host: &url.host, port: url.port };
    let path = if url.own_path().is_empty() { "/" } else { url.own_path() };
    let answer = remote.post(path, head, form, ca_file).await;
    let (status, text) = answer.map_err(Problem::Silent)?;
    Ok((status.as_u16(), text))
}
