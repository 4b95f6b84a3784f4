//! The query of a path.

use axum::http::Uri;
use percent_encoding::percent_decode_str;

/// The first value of a key, decoded.
pub(in super::super) fn value(uri: &Uri, name: &str) -> Option<String> {
    let pairs = uri.query()?.split('&').map(|pair| pair.split_once('=').unwrap_or((pair, "")));
    let mut values = pairs.filter_map(|(key, value)| (key == name).then_some(value));
    let spaced = values.next()?.replace('+', " ");
    Some(percent_decode_str(&spaced).decode_utf8_lossy().into_owned())
}

/// The same for a number; `None` where there is none.
pub(in super::super) fn number(uri: &Uri, name: &str) -> Option<u64> {
    value(uri, name)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_decoded() {
        let uri: Uri = "/admin/keys?user=a%2Bb+c&limit=5&after".parse().unwrap();
        assert_eq!(value(&uri, "user").as_deref(), Some("a+b c"));
        assert_eq!(value(&uri, "after").as_deref(), Some(""));
        assert_eq!(
            (number(&uri, "limit"), number(&uri, "user"), number(&uri, "x")),
            (Some(5), None, None)
        );
        assert_eq!(value(&Uri::from_static("/"), "x"), None);
    }
}
