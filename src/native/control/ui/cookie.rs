//! The cookie of the pages: a token at random, and nothing else.
//!
//! Before a login the token only ties the form of the login to this browser. A login replaces the token, so that nobody who
//! knew it before knows the session's.

use axum::http::header::COOKIE;
use axum::http::{HeaderMap, HeaderValue};

use crate::config::Secret;
use crate::keys::KeyHash;
use crate::names::keys::SECRET_CHARS;

const NAME: &str = "gaud_session";

/// The token that a browser has sent.
pub(super) fn token(headers: &HeaderMap) -> Option<Secret> {
    let texts = headers.get_all(COOKIE).into_iter().filter_map(|value| value.to_str().ok());
    let mut pairs = texts.flat_map(|text| text.split(';')).filter_map(|own| own.split_once('='));
    let (_, value) = pairs.find(|(name, _)| name.trim() == NAME)?;
    let value = value.trim();
    let is_token =
        value.len() == SECRET_CHARS && value.bytes().all(|byte| byte.is_ascii_alphanumeric());
    is_token.then(|| Secret::new(value))
}

/// Gives a browser a token, for pages below `path`.
pub(super) fn set(token: &Secret, path: &str, is_https: bool) -> Option<HeaderValue> {
    header(token.expose(), path, is_https, "")
}

/// Takes the token from a browser.
pub(super) fn clear(path: &str, is_https: bool) -> Option<HeaderValue> {
    header("", path, is_https, "; Max-Age=0")
}

fn header(value: &str, path: &str, is_https: bool, rest: &str) -> Option<HeaderValue> {
    let secure = if is_https { "; Secure" } else { "" };
    let text = format!("{NAME}={value}; Path={path}; HttpOnly; SameSite=Strict{secure}{rest}");
    HeaderValue::from_str(&text).ok()
}

/// What a form carries to show that it comes from a page of this browser. Who knows it does not know the token.
pub(super) fn form_token(token: &Secret) -> String {
    KeyHash::of(&format!("form {}", token.expose())).to_hex()
}

/// Whether a form carries the right one; by hash, so that the time of the comparison says nothing.
pub(super) fn is_form_token(sent: &str, token: &Secret) -> bool {
    KeyHash::of(sent) == KeyHash::of(&form_token(token))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(cookie: &str) -> Option<String> {
        let mut headers = HeaderMap::new();
        headers.insert(COOKIE, cookie.parse().unwrap());
        Some(token(&headers)?.expose().to_owned())
    }

    #[test]
    fn a_token_is_read_and_nothing_else() {
        let good = "a1".repeat(16);
        assert_eq!(sent(&format!("x=1; gaud_session={good}")).as_ref(), Some(&good));
        assert_eq!(sent(&format!("gaud_session={good};y")).as_ref(), Some(&good));
        for cookie in ["", "gaud_session=", "gaud_session=a1", "x=1", "gaud_session"] {
            assert_eq!(sent(cookie), None, "{cookie}");
        }
        assert_eq!(sent(&format!("gaud_session={}", "<".repeat(32))), None);
    }

    #[test]
    fn the_cookie_is_for_the_pages_of_this_browser_alone() {
        let token = Secret::new("t");
        let text = |value: Option<HeaderValue>| value.unwrap().to_str().unwrap().to_owned();
        assert_eq!(
            text(set(&token, "/ui", false)),
            "gaud_session=t; Path=/ui; HttpOnly; SameSite=Strict"
        );
        assert_eq!(
            text(set(&token, "/a/b", true)),
            "gaud_session=t; Path=/a/b; HttpOnly; SameSite=Strict; Secure"
        );
        assert_eq!(
            text(clear("/ui", false)),
            "gaud_session=; Path=/ui; HttpOnly; SameSite=Strict; Max-Age=0"
        );
        assert!(set(&token, "/a\nb", false).is_none());
    }

    #[test]
    fn a_form_token_is_of_one_token() {
        let (one, two) = (Secret::new("1"), Secret::new("2"));
        assert!(is_form_token(&form_token(&one), &one));
        assert!(!is_form_token(&form_token(&one), &two) && !is_form_token("", &one));
        assert!(!is_form_token("1", &one));
    }
}
