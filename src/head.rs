//! The head of a request, read from Envoy's header map in one call.

use crate::config::CLIENT_CREDENTIALS;
use crate::hop;

/// What the gateway needs of a request's head. Values are bytes: a client may send any.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
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
    /// A `content-encoding` other than `identity`.
    pub encoding: Option<&'a [u8]>,
    /// What the gateway says to itself over the hop; a client's own is removed by Envoy.
    pub run: &'a [u8],
    /// Which of the client's credential headers are there.
    pub credentials: Credentials,
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
    /// A form, and something else as well: two servers could read it in two ways.
    Several,
}

/// Which of [`CLIENT_CREDENTIALS`] a request carries.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Credentials {
    headers: [bool; CLIENT_CREDENTIALS.len()],
    /// One of a WebSocket's subprotocols may be one: browsers can send no other header.
    pub in_protocols: bool,
}

/// The media types of forms.
const FORMS: [&[u8]; 2] = [b"multipart/form-data", b"application/x-www-form-urlencoded"];

/// How OpenAI's clients write a credential as a WebSocket's subprotocol.
const KEY_PROTOCOL: &str = "openai-insecure-api-key.";

impl Credentials {
    /// The names of the headers that are there.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        let there = CLIENT_CREDENTIALS.into_iter().zip(self.headers);
        there.filter(|(_, there)| *there).map(|(name, _)| name)
    }

    fn note(&mut self, name: &[u8]) {
        for (known, there) in CLIENT_CREDENTIALS.iter().zip(&mut self.headers) {
            *there |= known.as_bytes() == name;
        }
        self.in_protocols |= name == b"sec-websocket-protocol";
    }
}

/// All of a WebSocket's subprotocols, of however many headers.
pub fn protocols(map: &[u8]) -> Vec<u8> {
    let all = pairs(map).filter(|(name, _)| *name == b"sec-websocket-protocol");
    all.map(|(_, value)| value).collect::<Vec<_>>().join(&b", "[..])
}

/// A WebSocket's subprotocols without those that are credentials; `None` when none is one.
pub fn public_protocols(protocols: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(protocols);
    let is_public = |protocol: &&str| !begins(protocol.trim().as_bytes(), KEY_PROTOCOL.as_bytes());
    let public: Vec<_> = text.split(',').filter(is_public).map(str::trim).collect();
    (public.len() < text.split(',').count()).then(|| public.join(", "))
}

impl<'a> Head<'a> {
    /// Reads a header map as proxy-wasm lays it out; what is cut off or malformed is left out.
    ///
    /// Of a header that is there twice the last counts; any `content-encoding` does.
    /// (Envoy lets no second `content-length`, method or path through.)
    pub fn parse(map: &'a [u8]) -> Self {
        let mut head = Self::default();
        let mut content_types = 0_u32;
        for (name, value) in pairs(map) {
            match name {
                b":method" => head.method = value,
                b":path" => head.path = value,
                b"content-length" => head.content_length = parse_length(value),
                b"content-encoding" if !value.eq_ignore_ascii_case(b"identity") => {
                    head.encoding = Some(value);
                }
                b"content-type" => {
                    content_types = content_types.saturating_add(1);
                    head.content_type = head.content_type.and(value, content_types);
                }
                b"anthropic-version" => head.is_anthropic = true,
                name if name == hop::HEADER.as_bytes() => head.run = value,
                _ => head.credentials.note(name),
            }
        }
        head
    }
}

/// The trailers of a request that no provider is to see: the gateway's own names, Envoy's, and
/// credentials, which nobody reads there but which might be the client's key to the gateway.
pub fn private_trailers(map: &[u8]) -> impl Iterator<Item = &str> {
    let names = pairs(map).filter_map(|(name, _)| std::str::from_utf8(name).ok());
    names.filter(|name| {
        name.starts_with("x-gaud-")
            || name.starts_with("x-envoy-")
            || CLIENT_CREDENTIALS.contains(name)
    })
}

impl<'a> ContentType<'a> {
    /// With one more header, the `count`th.
    fn and(self, value: &'a [u8], count: u32) -> Self {
        let own = Self::of(value);
        match count {
            1 => own,
            _ if self == Self::Other && own == Self::Other => Self::Other,
            _ => Self::Several,
        }
    }

    /// By the media type, whatever its parameters (RFC 9110, section 8.3.1).
    fn of(value: &'a [u8]) -> Self {
        let is_form = |value: &[u8]| FORMS.iter().any(|form| is_type(value, form));
        let [multipart, url_encoded] = FORMS;
        // Envoy makes one header of two, with a comma between them.
        let mut others = value.split(|byte| *byte == b',').skip(1);
        if others.any(|other| is_form(other.trim_ascii_start())) {
            return Self::Several;
        }
        if is_type(value, multipart) {
            return Self::Multipart(value);
        }
        match is_type(value, url_encoded) {
            true => Self::UrlEncoded,
            false => Self::Other,
        }
    }
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

/// The pairs of a serialized map (proxy-wasm ABI 0.2.1): their number, the lengths of each name
/// and value, then each followed by a NUL byte; numbers are 32 bits, little-endian.
fn pairs(map: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    let (count, rest) = split_u32(map).unwrap_or((0, &[]));
    let sizes_len = (count as usize).saturating_mul(8).min(rest.len());
    let (mut sizes, mut texts) = rest.split_at_checked(sizes_len).unwrap_or_default();
    std::iter::from_fn(move || {
        let (name_len, behind) = split_u32(sizes)?;
        let (value_len, behind) = split_u32(behind)?;
        sizes = behind;
        let (name, behind) = split_text(texts, name_len)?;
        let (value, behind) = split_text(behind, value_len)?;
        texts = behind;
        Some((name, value))
    })
}

fn split_u32(bytes: &[u8]) -> Option<(u32, &[u8])> {
    let (number, rest) = bytes.split_first_chunk()?;
    Some((u32::from_le_bytes(*number), rest))
}

fn split_text(bytes: &[u8], length: u32) -> Option<(&[u8], &[u8])> {
    let (text, rest) = bytes.split_at_checked(length as usize)?;
    Some((text, rest.get(1..)?))
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    #[cfg(all(target_family = "wasm", target_os = "unknown"))]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    /// Lays headers out as Envoy does.
    pub(crate) fn serialized(headers: &[(&str, &[u8])]) -> Vec<u8> {
        let mut map = (headers.len() as u32).to_le_bytes().to_vec();
        for (name, value) in headers {
            map.extend((name.len() as u32).to_le_bytes());
            map.extend((value.len() as u32).to_le_bytes());
        }
        for (name, value) in headers {
            map.extend([name.as_bytes(), &[0], value, &[0]].concat());
        }
        map
    }

    #[test]
    fn reads_what_the_gateway_needs() {
        let map = serialized(&[
            (":method", b"POST"),
            (":path", b"/v1/chat/completions?x=1"),
            ("content-length", b"12"),
            ("x-api-key", b"\xff"),
            ("authorization", b"Bearer sk"),
            ("content-encoding", b"Identity"),
        ]);
        let head = Head::parse(&map);
        assert_eq!(head.method, b"POST");
        assert_eq!(head.path, b"/v1/chat/completions?x=1");
        assert_eq!(head.content_length, Some(12));
        assert_eq!(head.encoding, None);
        assert_eq!(head.credentials.names().collect::<Vec<_>>(), ["authorization", "x-api-key"]);
    }

    #[test]
    fn notices_forms() {
        let form = &b"multipart/form-data;boundary=x"[..];
        for (values, expected) in [
            (&[][..], ContentType::Other),
            (&[&b"application/json"[..]], ContentType::Other),
            (&[b"Application/X-WWW-Form-Urlencoded; charset=utf-8"], ContentType::UrlEncoded),
            (&[form], ContentType::Multipart(form)),
            (&[b"multipart"], ContentType::Other),
            (&[b"\xff"], ContentType::Other),
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
    fn takes_credentials_out_of_subprotocols() {
        for (protocols, expected) in [
            (
                &b"realtime, openai-insecure-api-key.sk-1, openai-beta.v1"[..],
                Some("realtime, openai-beta.v1"),
            ),
            (b"openai-insecure-api-key.\xff", Some("")),
            (b"realtime", None),
            (b"", None),
        ] {
            assert_eq!(public_protocols(protocols).as_deref(), expected);
        }
    }

    #[test]
    fn notices_any_encoding() {
        let map = serialized(&[("content-encoding", b"br"), ("content-encoding", b"identity")]);
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
        let map = serialized(&[(":method", b"GET"), (":path", b"/")]);
        for end in 0..map.len() {
            let head = Head::parse(&map[..end]);
            assert!(head.path.is_empty(), "cut at {end}");
        }
        assert_eq!(Head::parse(&[0xff; 64]), Head::default());
    }
}
