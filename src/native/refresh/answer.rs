//! What an issuer answers (RFC 6749, sections 5.1 and 5.2; RFC 8628, section 3.2).

use std::fmt;

use serde::Deserialize;
use serde_json::Value;

use crate::config::Secret;

/// A longer lifetime counts as ten years.
const LIFETIME_MAX_MS: u64 = 315_360_000_000;

/// The most bytes of an error's code that are shown.
const CODE_BYTES_MAX: usize = 64;

/// The tokens of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Grant {
    pub(super) access: Secret,
    /// `None` where the issuer does not say it.
    pub(super) lifetime_ms: Option<u64>,
    /// The refresh token from now on; `None` where it stays.
    pub(super) refresh: Option<Secret>,
    /// What the token is for; `None` where it is for what was asked.
    pub(super) scopes: Option<Vec<String>>,
}

/// Why an issuer gave no tokens. Of an answer only the code of the error is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Problem {
    /// There was no answer; why.
    Silent(String),
    /// An answer of this status, without a code.
    Status(u16),
    /// An answer without what it should have.
    Without(&'static str),
    /// The code of the issuer's error.
    Refused(String),
}

/// What a person types in at an issuer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct DeviceCode {
    pub(super) device: Secret,
    pub(super) user: String,
    pub(super) url: String,
    /// The address that has the code in it already.
    pub(super) complete_url: Option<String>,
    pub(super) lifetime_ms: u64,
    /// How long to wait between two questions.
    pub(super) interval_ms: u64,
}

impl Problem {
    /// Whether the same question never gets a token.
    pub(super) fn is_final(&self) -> bool {
        // The second is GitHub's.
        matches!(self, Self::Refused(code) if matches!(code.as_str(), "invalid_grant" | "bad_refresh_token"))
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Silent(problem) => write!(f, "the issuer does not answer: {problem}"),
            Self::Status(status) => write!(f, "the issuer answers with status {status}"),
            Self::Without(what) => write!(f, "the issuer's answer has no {what}"),
            Self::Refused(_) if self.is_final() => {
                f.write_str("the issuer refuses the refresh token")
            }
            Self::Refused(code) => write!(f, "the issuer answers {code}"),
        }
    }
}

#[derive(Deserialize)]
struct GrantFields {
    access_token: Option<String>,
    refresh_token: Option<String>,
    expires_in: Option<Value>,
    scope: Option<String>,
}

#[derive(Deserialize)]
struct DeviceFields {
    device_code: Option<String>,
    user_code: Option<String>,
    verification_uri: Option<String>,
    /// Google's name of the address.
    verification_url: Option<String>,
    verification_uri_complete: Option<String>,
    expires_in: Option<Value>,
    interval: Option<Value>,
}

#[derive(Deserialize)]
struct ErrorFields {
    error: String,
}

/// Reads an answer to a question for tokens.
pub(super) fn grant(status: u16, text: &str) -> Result<Grant, Problem> {
    let fields: GrantFields = fields(status, text, "access token")?;
    let is_sendable =
        |token: &String| !token.is_empty() && token.bytes().all(|b| b.is_ascii_graphic());
    let access = fields.access_token.filter(is_sendable);
    let refresh = fields.refresh_token.filter(|token| !token.is_empty());
    let split = |scope: String| scope.split([' ', ',']).map(str::to_owned).collect();
    Ok(Grant {
        access: Secret::new(access.ok_or(Problem::Without("access token"))?),
        lifetime_ms: fields.expires_in.as_ref().and_then(millis),
        refresh: refresh.map(Secret::new),
        scopes: fields.scope.filter(|scope| !scope.is_empty()).map(split),
    })
}

/// Reads an answer to a question for a code.
pub(super) fn device_code(status: u16, text: &str) -> Result<DeviceCode, Problem> {
    // RFC 8628, section 3.2; the lifetime is Gaud's where the issuer says none.
    const INTERVAL_MS: u64 = 5000;
    const CODE_LIFETIME_MS: u64 = 900_000;
    let own: DeviceFields = fields(status, text, "code")?;
    let (Some(device), Some(user)) = (own.device_code, own.user_code) else {
        return Err(Problem::Without("code"));
    };
    let url = own.verification_uri.or(own.verification_url);
    Ok(DeviceCode {
        device: Secret::new(device),
        user: printable(&user),
        url: printable(&url.ok_or(Problem::Without("address for the code"))?),
        complete_url: own.verification_uri_complete.as_deref().map(printable),
        lifetime_ms: own.expires_in.as_ref().and_then(millis).unwrap_or(CODE_LIFETIME_MS),
        interval_ms: own.interval.as_ref().and_then(millis).unwrap_or(INTERVAL_MS),
    })
}

fn fields<'a, T: Deserialize<'a>>(
    status: u16,
    text: &'a str,
    what: &'static str,
) -> Result<T, Problem> {
    let is_ok = (200..300).contains(&status);
    match serde_json::from_str::<ErrorFields>(text) {
        // Some issuers send errors with status 200; an error of the issuer's machine may have any text.
        Ok(ErrorFields { error }) if status < 500 => return Err(Problem::Refused(code(&error))),
        _ if !is_ok => return Err(Problem::Status(status)),
        _ => {}
    }
    serde_json::from_str(text).map_err(|_| Problem::Without(what))
}

/// The letters of a code (RFC 6749, section 5.2).
fn code(text: &str) -> String {
    let plain = |c: &char| c.is_ascii_alphanumeric() || "_-.".contains(*c);
    let code: String = text.chars().filter(plain).take(CODE_BYTES_MAX).collect();
    if code.is_empty() { "an error".to_owned() } else { code }
}

/// Seconds as milliseconds, as a number or, of some issuers, as a text. `None` for 0: no token has that lifetime.
fn millis(seconds: &Value) -> Option<u64> {
    let seconds = match seconds {
        Value::String(text) => text.parse().ok()?,
        other => other.as_f64()?,
    };
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // saturates
    let ms = (seconds * 1000.0) as u64;
    Some(ms.min(LIFETIME_MAX_MS)).filter(|ms| *ms > 0)
}

/// A text for a terminal, which must not obey it.
fn printable(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_read_and_all_else_is_a_problem() {
        let full = r#"{"access_token":"a","refresh_token":"r","expires_in":"3600","scope":"x y","token_type":"Bearer"}"#;
        let read = grant(200, full).unwrap();
        assert_eq!((read.access.expose(), read.lifetime_ms), ("a", Some(3_600_000)));
        assert_eq!(read.refresh, Some(Secret::new("r")));
        assert_eq!(read.scopes, Some(vec!["x".to_owned(), "y".to_owned()]));
        let least =
            grant(200, r#"{"access_token":"a","expires_in":0,"refresh_token":"","scope":""}"#);
        let least = least.unwrap();
        assert_eq!((least.lifetime_ms, least.refresh, least.scopes), (None, None, None));
        for (status, text, said) in [
            (200, "{}", "the issuer's answer has no access token"),
            (200, "hello", "the issuer's answer has no access token"),
            (200, r#"{"access_token":"a\nb"}"#, "the issuer's answer has no access token"),
            (200, r#"{"access_token":""}"#, "the issuer's answer has no access token"),
            (500, r#"{"error":"server_error"}"#, "the issuer answers with status 500"),
            (302, "", "the issuer answers with status 302"),
            (
                400,
                r#"{"error":"invalid_scope","error_description":"sk"}"#,
                "the issuer answers invalid_scope",
            ),
            (200, r#"{"error":"bad_refresh_token"}"#, "the issuer refuses the refresh token"),
            (400, r#"{"error":"invalid_grant"}"#, "the issuer refuses the refresh token"),
            (400, "{\"error\":\"\\u001b[2J\"}", "the issuer answers 2J"),
            (400, r#"{"error":""}"#, "the issuer answers an error"),
        ] {
            assert_eq!(grant(status, text).unwrap_err().to_string(), said, "{text}");
        }
    }

    #[test]
    fn a_code_is_read_with_its_defaults() {
        let text =
            r#"{"device_code":"d","user_code":"AB\u001b-CD","verification_url":"https://i/d"}"#;
        let read = device_code(200, text).unwrap();
        assert_eq!((read.user.as_str(), read.url.as_str()), ("AB-CD", "https://i/d"));
        assert_eq!((read.lifetime_ms, read.interval_ms), (900_000, 5000));
        let without = device_code(200, r#"{"device_code":"d","user_code":"u"}"#).unwrap_err();
        assert_eq!(without.to_string(), "the issuer's answer has no address for the code");
        let refused = device_code(401, r#"{"error":"invalid_client"}"#).unwrap_err();
        assert_eq!(refused.to_string(), "the issuer answers invalid_client");
    }
}
