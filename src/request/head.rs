//! The head of a request, read from Envoy's header map in one call.

use std::fmt;

use super::credentials::{Credentials, is_credential};
use super::header_map::pairs;
use crate::names::headers;

/// What the gateway needs of a request's head. Values are bytes: a client may send any.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Head<'a> {
    /// `:method`.
    pub method: &'a [u8],
    /// `:path` with its query.
    pub path: &'a [u8],
    /// `content-length`, where there is a valid one.
    pub content_length: Option<u64>,
    /// What the body says that it is.
    pub content_type: ContentType<'a>,
    /// An `anthropic-version`: the client speaks Anthropic's API.
    pub is_anthropic: bool,
    /// A `content-encoding` that is neither `identity` nor empty.
    pub encoding: Option<&'a [u8]>,
    /// What the gateway says to itself over the hop; a client's own is removed by Envoy.
    pub crossing: &'a [u8],
    /// `:authority`, which Envoy makes of `host`.
    pub authority: &'a [u8],
    /// `origin`, which browsers send.
    pub origin: Option<&'a [u8]>,
    /// Whether the request comes from one of `trusted_proxies`, as Envoy says.
    pub is_trusted: bool,
    /// An `upgrade`: the client asks for another protocol, such as a WebSocket.
    pub is_upgrade: bool,
    /// The client's credentials.
    pub credentials: Credentials<'a>,
}

/// What a body says that it is, as far as it says which scanner reads it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ContentType<'a> {
    /// No form, or nothing is said.
    #[default]
    Other,
    /// `application/x-www-form-urlencoded`.
    UrlEncoded,
    /// `multipart/form-data`, with its parameters.
    Multipart(&'a [u8]),
    /// A form, and something else as well, or a word of a form in another place: two servers could read it in two ways.
    Several,
    /// A charset in which some servers would read another document: anything but UTF-8, or more than one.
    Charset,
    /// What only some servers take for a media type: bytes that are not ASCII, or white space before the type, both of
    /// which some strip.
    Malformed,
}

/// The names of UTF-8, and of its part US-ASCII.
const UTF8: [&[u8]; 3] = [b"utf-8", b"utf8", b"us-ascii"];

/// What a server may look for that asks no further whether a body is a form.
const FORM_WORDS: [&[u8]; 2] = [b"form-data", b"form-urlencoded"];

/// The media types of forms.
const FORMS: [&[u8]; 2] = [b"multipart/form-data", b"application/x-www-form-urlencoded"];

/// A query may carry a client's credential.
impl fmt::Debug for Head<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = self.path.split(|byte| *byte == b'?').next().unwrap_or_default();
        f.debug_struct("Head")
            .field("method", &self.method.escape_ascii().to_string())
            .field("path", &path.escape_ascii().to_string())
            .field("content_length", &self.content_length)
            .field("credentials", &self.credentials)
            .finish_non_exhaustive()
    }
}

impl<'a> Head<'a> {
    /// Reads a header map as proxy-wasm lays it out; what is cut off or malformed is left out.
    ///
    /// Of a header that is sent twice the last counts; any `content-encoding` does.
    /// (Envoy lets no second `content-length`, method or path through.)
    pub fn parse(map: &'a [u8]) -> Self {
        let mut head = Self::default();
        let mut content_types = 0_u32;
        for (name, value) in pairs(map) {
            match name {
                b":method" => head.method = value,
                b":path" => head.path = value,
                b":authority" => head.authority = value,
                b"origin" => head.origin = Some(value),
                b"content-length" => head.content_length = parse_length(value),
                b"content-encoding" if !is_plain(value) => {
                    head.encoding = Some(value);
                }
                b"content-type" => {
                    content_types = content_types.saturating_add(1);
                    head.content_type = head.content_type.and(value, content_types);
                }
                b"anthropic-version" => head.is_anthropic = true,
                name if name == headers::TRUSTED.as_bytes() => head.is_trusted = true,
                b"upgrade" => head.is_upgrade = true,
                name if name == headers::CROSSING.as_bytes() => head.crossing = value,
                _ => head.credentials.note(name, value),
            }
        }
        head
    }
}

/// Whether a `content-encoding` says that there is none.
fn is_plain(encoding: &[u8]) -> bool {
    let encoding = encoding.trim_ascii();
    encoding.is_empty() || encoding.eq_ignore_ascii_case(b"identity")
}

/// The trailers of a request that no provider is to see: the gateway's own names, Envoy's, and
/// credentials, which no provider reads there but which might be the client's key to the gateway.
pub fn private_trailers(map: &[u8]) -> impl Iterator<Item = &str> {
    let names = pairs(map).filter_map(|(name, _)| std::str::from_utf8(name).ok());
    names.filter(|name| {
        name.starts_with(headers::PREFIX)
            || name.starts_with(headers::ENVOY_PREFIX)
            || is_credential(name)
    })
}

impl<'a> ContentType<'a> {
    /// With one more header, the `count`th.
    fn and(self, value: &'a [u8], count: u32) -> Self {
        let own = Self::of(value);
        match count {
            1 => own,
            _ if self == Self::Other && own == Self::Other => Self::Other,
            _ if self == Self::Malformed || own == Self::Malformed => Self::Malformed,
            _ if self == Self::Charset || own == Self::Charset => Self::Charset,
            _ => Self::Several,
        }
    }

    /// By the media type, whatever its parameters (RFC 9110, section 8.3.1).
    fn of(value: &'a [u8]) -> Self {
        // Most requests have this one.
        if value == b"application/json" {
            return Self::Other;
        }
        if !value.iter().all(|byte| matches!(byte, b'\t' | b' '..=b'~')) {
            return Self::Malformed;
        }
        let [multipart, url_encoded] = FORMS;
        if is_type(value, multipart) {
            return Self::Multipart(value);
        }
        match is_type(value, url_encoded) {
            true => Self::UrlEncoded,
            false if FORM_WORDS.iter().any(|word| mentions(value, word).next().is_some()) => {
                Self::Several
            }
            false if !has_media_types(value) => Self::Malformed,
            false if is_utf8(value) => Self::Other,
            false => Self::Charset,
        }
    }
}

/// Whether a value is empty, or media types with a comma between them: Envoy makes one header of two.
fn has_media_types(value: &[u8]) -> bool {
    let is_token = |part: &[u8]| !part.is_empty() && part.iter().all(|byte| is_token(*byte));
    let is_media_type = |text: &[u8]| {
        let media_type = text.split(|byte| *byte == b';').next().unwrap_or_default();
        let mut parts = media_type.trim_ascii_end().splitn(2, |byte| *byte == b'/');
        parts.next().is_some_and(is_token) && parts.next().is_some_and(is_token)
    };
    let has_space = value.first().is_some_and(u8::is_ascii_whitespace);
    let mut texts = value.split(|byte| *byte == b',');
    value.is_empty() || (!has_space && texts.all(|text| is_media_type(text.trim_ascii_start())))
}

/// RFC 9110, section 5.6.2.
pub fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

/// Each place where a text has this word, in whatever case.
fn mentions<'a>(text: &'a [u8], word: &'a [u8]) -> impl Iterator<Item = &'a [u8]> {
    text.windows(word.len()).filter(|part| part.eq_ignore_ascii_case(word))
}

/// Whether every server reads a body of this `content-type` as UTF-8: `charset` is absent, or there once, as UTF-8 or as
/// US-ASCII, which is a part of UTF-8.
fn is_utf8(content_type: &[u8]) -> bool {
    let count = mentions(content_type, b"charset").count();
    let mut params = content_type.split(|byte| *byte == b';').skip(1);
    let good = params.find_map(|param| {
        let (name, value) = param.trim_ascii().split_at_checked(b"charset=".len())?;
        let value =
            value.strip_prefix(b"\"").and_then(|rest| rest.strip_suffix(b"\"")).unwrap_or(value);
        let is_good = |good: &&[u8]| value.eq_ignore_ascii_case(good);
        name.eq_ignore_ascii_case(b"charset=").then(|| UTF8.iter().any(is_good))
    });
    count == 0 || (count == 1 && good == Some(true))
}

/// Whether a `content-type` is this one, whatever its parameters (RFC 9110, section 8.3.1).
pub fn is_type(content_type: &[u8], expected: &[u8]) -> bool {
    begins(content_type, expected)
}

/// Whether a text begins so, in whatever case.
fn begins(text: &[u8], expected: &[u8]) -> bool {
    text.get(..expected.len()).is_some_and(|start| start.eq_ignore_ascii_case(expected))
}

fn parse_length(value: &[u8]) -> Option<u64> {
    std::str::from_utf8(value).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::super::header_map::serialized;
    use super::*;
    #[cfg(all(target_family = "wasm", target_os = "unknown"))]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn debug_shows_no_credential() {
        let map = serialized(&[(":path", "/v1/m?key=sk-1"), ("authorization", "Bearer sk-2")]);
        assert_eq!(
            format!("{:?}", Head::parse(&map)),
            "Head { method: \"\", path: \"/v1/m\", content_length: None, \
             credentials: {\"authorization\": …}, .. }"
        );
    }

    #[test]
    fn reads_what_the_gateway_needs() {
        let map = serialized(&[
            (":method", &b"POST"[..]),
            (":path", b"/v1/chat/completions?x=1"),
            ("content-length", b"12"),
            ("x-api-key", b"\xff"),
            ("authorization", b"Bearer sk"),
            ("content-encoding", b"Identity"),
            ("upgrade", b"websocket"),
        ]);
        let head = Head::parse(&map);
        assert_eq!(head.method, b"POST");
        assert_eq!(head.path, b"/v1/chat/completions?x=1");
        assert_eq!(head.content_length, Some(12));
        assert!(head.is_upgrade);
        assert_eq!(head.encoding, None);
        assert_eq!(
            head.credentials.sent().names().collect::<Vec<_>>(),
            ["x-api-key", "authorization"]
        );
    }

    #[test]
    fn notices_forms() {
        let form = &b"multipart/form-data;boundary=x"[..];
        for (values, expected) in [
            (&[][..], ContentType::Other),
            (&[&b"application/json"[..]], ContentType::Other),
            (&[b"Application/X-WWW-Form-Urlencoded; charset=utf-8"], ContentType::UrlEncoded),
            (&[form], ContentType::Multipart(form)),
            (&[b"multipart"], ContentType::Malformed),
            (&[b""], ContentType::Other),
            (&[b"text/x.y+json ; x=y"], ContentType::Other),
            (&[b" application/json"], ContentType::Malformed),
            (&[b"\tapplication/x-www-form-urlencoded"], ContentType::Several),
            (&[b"\"application/x-www-form-urlencoded\""], ContentType::Several),
            (&[b";application/x-www-form-urlencoded"], ContentType::Several),
            (&[b"application/json application/json"], ContentType::Malformed),
            (&[b"application/a/b"], ContentType::Malformed),
            (&[b"/json"], ContentType::Malformed),
            (&[b"application/json, text/plain;x=y"], ContentType::Other),
            (&[b"application/json,json"], ContentType::Malformed),
            (&[b"x-application/x-www-form-urlencoded"], ContentType::Several),
            (&[b"application/json; x=Multipart/Form-Data"], ContentType::Several),
            (&[b" application/x-www-form-urlencoded"], ContentType::Several),
            (&[b"application/json", b"json"], ContentType::Malformed),
            (&[b" multipart/form-data; boundary=x"], ContentType::Several),
            (&[b"application/json; charset=utf-8"], ContentType::Other),
            (&[b"application/json;CHARSET=\"UTF8\"; x=y"], ContentType::Other),
            (&[b"application/json; charset=utf-7"], ContentType::Charset),
            (&[b"application/json; charset*=utf-8''utf-7"], ContentType::Charset),
            (&[b"application/json; charset=utf-8; charset=utf-7"], ContentType::Charset),
            (&[b"application/json; x=\"; charset=utf-8\""], ContentType::Charset),
            (&[b"application/json; charset=utf-7", b"application/json"], ContentType::Charset),
            (&[b"\xff"], ContentType::Malformed),
            (&[b"\xa0application/x-www-form-urlencoded"], ContentType::Malformed),
            (&[b"application/json", b"text/\xe4"], ContentType::Malformed),
            (&[b"text/plain", b"application/json"], ContentType::Other),
            (&[form, b"application/json"], ContentType::Several),
            (&[b"application/json", form], ContentType::Several),
            (&[form, form], ContentType::Several),
            (&[b"application/json,Multipart/Form-Data;boundary=x"], ContentType::Several),
            (&[b"text/plain, application/x-www-form-urlencoded"], ContentType::Several),
        ] {
            let headers: Vec<_> = values.iter().map(|value| ("content-type", *value)).collect();
            assert_eq!(Head::parse(&serialized(&headers)).content_type, expected);
        }
    }

    #[test]
    fn notices_any_encoding() {
        let map =
            serialized(&[("content-encoding", &b"br"[..]), ("content-encoding", b"identity")]);
        assert_eq!(Head::parse(&map).encoding, Some(&b"br"[..]));
    }

    #[test]
    fn a_length_that_is_no_number_is_none() {
        for length in [&b"-1"[..], b"1x", b"", b"\xff", b"99999999999999999999"] {
            assert_eq!(
                Head::parse(&serialized(&[("content-length", length)])).content_length,
                None
            );
        }
    }

    #[test]
    fn finds_the_trailers_that_are_nobodys_business() {
        let names = ["x-checksum", "x-gaud-cluster", "authorization", "x-envoy-retry-on", "x-gaud"];
        let map = serialized(&names.map(|name| (name, &b"1"[..])));
        let found: Vec<_> = private_trailers(&map).collect();
        assert_eq!(found, ["x-gaud-cluster", "authorization", "x-envoy-retry-on"]);
    }

    #[test]
    fn survives_every_cut() {
        let map = serialized(&[(":method", &b"GET"[..]), (":path", b"/")]);
        for end in 0..map.len() {
            let head = Head::parse(&map[..end]);
            assert!(head.path.is_empty(), "cut at {end}");
        }
        assert_eq!(Head::parse(&[0xff; 64]), Head::default());
    }
}
