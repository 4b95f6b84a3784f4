//! The head of a request, read from Envoy's header map in one call.

use crate::config::CLIENT_CREDENTIALS;

/// What the gateway needs of a request's head. Values are bytes: a client may send any.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Head<'a> {
    /// `:method`.
    pub method: &'a [u8],
    /// `:path` with its query.
    pub path: &'a [u8],
    /// `content-length`, where there is a valid one.
    pub content_length: Option<u64>,
    /// A `content-type` of a form: a provider would read another body than the JSON scanner.
    pub is_form: bool,
    /// A `content-encoding` other than `identity`.
    pub encoding: Option<&'a [u8]>,
    /// Which of the client's credential headers are there.
    pub credentials: Credentials,
}

/// Which of [`CLIENT_CREDENTIALS`] a request carries.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Credentials([bool; CLIENT_CREDENTIALS.len()]);

impl Credentials {
    /// The names of those that are there.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        CLIENT_CREDENTIALS.into_iter().zip(self.0).filter(|(_, there)| *there).map(|(name, _)| name)
    }

    fn note(&mut self, name: &[u8]) {
        for (known, there) in CLIENT_CREDENTIALS.iter().zip(&mut self.0) {
            *there |= known.as_bytes() == name;
        }
    }
}

impl<'a> Head<'a> {
    /// Reads a header map as proxy-wasm lays it out; what is cut off or malformed is left out.
    ///
    /// Of a header that is there twice the last counts; any `content-encoding` and any form do.
    /// (Envoy lets no second `content-length`, method or path through.)
    pub fn parse(map: &'a [u8]) -> Self {
        let mut head = Self::default();
        for (name, value) in pairs(map) {
            match name {
                b":method" => head.method = value,
                b":path" => head.path = value,
                b"content-length" => head.content_length = parse_length(value),
                b"content-encoding" if !value.eq_ignore_ascii_case(b"identity") => {
                    head.encoding = Some(value);
                }
                b"content-type" => head.is_form |= is_form(value),
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

/// The media types of forms, whatever their parameters (RFC 9110, section 8.3.1).
fn is_form(content_type: &[u8]) -> bool {
    const FORMS: [&[u8]; 2] = [b"application/x-www-form-urlencoded", b"multipart/form-data"];
    let begins = |form: &[u8]| {
        content_type.get(..form.len()).is_some_and(|start| start.eq_ignore_ascii_case(form))
    };
    FORMS.into_iter().any(begins)
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
        for (value, is_form) in [
            (&b"application/json"[..], false),
            (b"Application/X-WWW-Form-Urlencoded; charset=utf-8", true),
            (b"multipart/form-data;boundary=x", true),
            (b"multipart", false),
            (b"\xff", false),
        ] {
            assert_eq!(Head::parse(&serialized(&[("content-type", value)])).is_form, is_form);
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
