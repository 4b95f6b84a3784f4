//! What is shown of a credential that Envoy adds: until when it is valid, and what is wrong with it. Never the value.

use std::fs;
use std::time::UNIX_EPOCH;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};

use crate::native::os_error::words;
use crate::native::settings::TokenSource;
use crate::native::span::span;

/// Of a token that `gaud run` gets.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct State {
    /// In milliseconds since 1970.
    pub(super) valid_until_ms: Option<u64>,
    pub(super) problem: Option<String>,
    pub(super) problem_at_ms: Option<u64>,
}

/// What is known. Times are in seconds since 1970.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shown {
    /// The kind of `auth`.
    pub kind: String,
    /// The end of the token that serves; `None` without a token, or where its end is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_until_secs: Option<i64>,
    /// When the token's file was changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub changed_secs: Option<i64>,
    /// Why the issuer gave no newer token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_error: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_error_secs: Option<i64>,
}

impl Shown {
    /// Envoy alone knows the tokens of an issuer, and the keys of AWS.
    pub(super) fn of(source: &TokenSource, state: Option<&State>) -> Self {
        let kind = |kind: &str| Self { kind: kind.to_owned(), ..Self::default() };
        match source {
            TokenSource::Issuer(_) => kind("oauth2"),
            TokenSource::Aws(_) => kind("aws"),
            TokenSource::File(path) => Self::of_file(path),
            TokenSource::Refreshed(_) => {
                let State { valid_until_ms, problem, problem_at_ms } =
                    state.cloned().unwrap_or_default();
                Self {
                    valid_until_secs: valid_until_ms.map(secs),
                    last_error: problem,
                    last_error_secs: problem_at_ms.map(secs),
                    ..kind("refresh_token")
                }
            }
        }
    }

    /// In words; `None` where nothing is known.
    pub fn words(&self, now_secs: i64) -> Option<String> {
        let end = self.valid_until_secs.map(|until| match until - now_secs {
            left @ 1.. => format!("valid for {}", span(left)),
            left => format!("ended {} ago", span(-left)),
        });
        let changed = self.changed_secs.map(|at| format!("changed {} ago", span(now_secs - at)));
        let error = self.last_error.as_ref().map(|error| match self.last_error_secs {
            Some(at) => format!("{} ago: {error}", span(now_secs - at)),
            None => error.clone(),
        });
        let words: Vec<_> = end.into_iter().chain(changed).chain(error).collect();
        (!words.is_empty()).then(|| words.join("; "))
    }

    /// Whether a person should look.
    pub fn is_troubled(&self, now_secs: i64) -> bool {
        self.last_error.is_some() || self.valid_until_secs.is_some_and(|until| until <= now_secs)
    }

    fn of_file(path: &str) -> Self {
        let read = fs::read_to_string(path);
        let changed = fs::metadata(path).and_then(|own| own.modified()).ok();
        let changed = changed.and_then(|at| at.duration_since(UNIX_EPOCH).ok());
        Self {
            kind: "token_file".to_owned(),
            valid_until_secs: read.as_ref().ok().and_then(|text| expiry_secs(text.trim_end())),
            changed_secs: changed.and_then(|since| i64::try_from(since.as_secs()).ok()),
            last_error: read.err().map(|error| format!("{path} cannot be read: {}", words(&error))),
            last_error_secs: None,
        }
    }
}

fn secs(ms: u64) -> i64 {
    i64::try_from(ms / 1000).unwrap_or(i64::MAX)
}

/// When a token ends, where it is a JSON Web Token that says so (RFC 7519, section 4.1.4).
fn expiry_secs(token: &str) -> Option<i64> {
    #[derive(Deserialize)]
    struct Claims {
        exp: i64,
    }
    let mut parts = token.split('.');
    let (_, claims, _) = (parts.next()?, parts.next()?, parts.next()?);
    let claims = BASE64_URL_SAFE_NO_PAD.decode(claims).ok()?;
    serde_json::from_slice::<Claims>(&claims).ok().map(|own| own.exp)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_known_is_said_in_words() {
        let known = |valid_until_secs, last_error: Option<&str>| Shown {
            kind: "refresh_token".to_owned(),
            valid_until_secs,
            last_error: last_error.map(str::to_owned),
            last_error_secs: last_error.map(|_| 990),
            ..Shown::default()
        };
        for (own, words, is_troubled) in [
            (known(None, None), None, false),
            (known(Some(4600), None), Some("valid for 60 min"), false),
            (known(Some(970), None), Some("ended 30 s ago"), true),
            (
                known(Some(1060), Some("no answer")),
                Some("valid for 60 s; 10 s ago: no answer"),
                true,
            ),
            (known(None, Some("no answer")), Some("10 s ago: no answer"), true),
            (
                Shown { changed_secs: Some(400), ..known(None, None) },
                Some("changed 10 min ago"),
                false,
            ),
        ] {
            assert_eq!(own.words(1000).as_deref(), words);
            assert_eq!(own.is_troubled(1000), is_troubled, "{own:?}");
        }
    }

    #[test]
    fn a_file_says_until_when_its_token_is_valid() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("token").display().to_string();
        let shown = || Shown::of(&TokenSource::File(path.clone()), None);
        assert_eq!(shown().last_error, Some(format!("{path} cannot be read: it is not there")));
        let claims = BASE64_URL_SAFE_NO_PAD.encode(r#"{"sub":"x","exp":2000000000}"#);
        for (token, until) in [
            (format!("h.{claims}.s\n"), Some(2_000_000_000)),
            (format!("h.{claims}"), None),
            ("h.e30.s".to_owned(), None),
            ("sk-opaque".to_owned(), None),
        ] {
            fs::write(&path, &token).unwrap();
            let own = shown();
            assert_eq!((own.valid_until_secs, own.last_error), (until, None), "{token}");
            assert!(own.changed_secs > Some(1_600_000_000));
        }
    }
}
