//! The plugin configuration as Envoy hands it to the filter: the filter's JSON, or a message that has the secrets too.
//!
//! `gaud run` puts both into a `tls.v3.Secret`, because Envoy's config dump hides the secrets of such a message and shows
//! those of every other:
//!
//! ```text
//! Secret { 1: name = the JSON, 5: GenericSecret { 2: secrets { 1: name, 2: DataSource { 2 | 3: bytes } } * } }
//! ```

use crate::config::Secret;

/// Field numbers: envoy/extensions/transport_sockets/tls/v3/secret.proto, envoy/config/core/v3/base.proto.
const NAME: u32 = 1;
const GENERIC_SECRET: u32 = 5;
const SECRETS: u32 = 2;
const MAP_KEY: u32 = 1;
const MAP_VALUE: u32 = 2;
const INLINE_BYTES: u32 = 2;
const INLINE_STRING: u32 = 3;

/// What a plugin configuration holds.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct PluginConfiguration<'a> {
    pub(super) json: &'a [u8],
    secrets: Vec<(&'a str, Secret)>,
}

impl<'a> PluginConfiguration<'a> {
    /// Bytes that are not the whole of a message with secrets are JSON.
    pub(super) fn read(bytes: &'a [u8]) -> Self {
        secret_message(bytes).unwrap_or(Self { json: bytes, secrets: Vec::new() })
    }

    pub(super) fn secret(&self, name: &str) -> Option<String> {
        let (_, secret) = self.secrets.iter().find(|(own, _)| *own == name)?;
        Some(secret.expose().to_owned())
    }
}

fn secret_message(bytes: &[u8]) -> Option<PluginConfiguration<'_>> {
    let (mut json, mut secrets) = (None, None);
    for field in Fields(bytes) {
        match field? {
            (NAME, text) => json = Some(text),
            (GENERIC_SECRET, message) => secrets = Some(all_secrets(message)?),
            _ => {}
        }
    }
    Some(PluginConfiguration { json: json?, secrets: secrets? })
}

fn all_secrets(generic_secret: &[u8]) -> Option<Vec<(&str, Secret)>> {
    let mut secrets = Vec::new();
    for field in Fields(generic_secret) {
        let (number, entry) = field?;
        if number == SECRETS {
            secrets.push(secret(entry)?);
        }
    }
    Some(secrets)
}

fn secret(entry: &[u8]) -> Option<(&str, Secret)> {
    let (mut name, mut value) = (Some(""), None);
    for field in Fields(entry) {
        match field? {
            (MAP_KEY, text) => name = str::from_utf8(text).ok(),
            (MAP_VALUE, source) => value = Some(inline(source)?),
            _ => {}
        }
    }
    Some((name?, Secret::new(value?)))
}

fn inline(data_source: &[u8]) -> Option<&str> {
    let mut value = None;
    for field in Fields(data_source) {
        if let (INLINE_BYTES | INLINE_STRING, text) = field? {
            value = str::from_utf8(text).ok();
        }
    }
    value
}

/// The fields of a message, each with its number and its bytes (<https://protobuf.dev/programming-guides/encoding/>); an
/// item is `None` where the bytes are not a message of fields with a length, which all of these messages are.
struct Fields<'a>(&'a [u8]);

const WIRE_TYPE_BITS: u32 = 3;
const LENGTH_DELIMITED: u32 = 2;

impl<'a> Iterator for Fields<'a> {
    type Item = Option<(u32, &'a [u8])>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let field = self.field();
        if field.is_none() {
            self.0 = &[];
        }
        Some(field)
    }
}

impl<'a> Fields<'a> {
    fn field(&mut self) -> Option<(u32, &'a [u8])> {
        let tag = self.varint()?;
        if tag & ((1 << WIRE_TYPE_BITS) - 1) != LENGTH_DELIMITED {
            return None;
        }
        let size = usize::try_from(self.varint()?).ok()?;
        let (bytes, rest) = self.0.split_at_checked(size)?;
        self.0 = rest;
        Some((tag >> WIRE_TYPE_BITS, bytes))
    }

    /// Seven bits a byte, the lowest first.
    fn varint(&mut self) -> Option<u32> {
        let mut value: u32 = 0;
        for shift in [0, 7, 14, 21, 28] {
            let (byte, rest) = self.0.split_first()?;
            self.0 = rest;
            value |= u32::from(byte & 0x7f).checked_shl(shift)?;
            if byte & 0x80 == 0 {
                return Some(value);
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field(number: u8, bytes: &[u8]) -> Vec<u8> {
        let mut field = vec![number << WIRE_TYPE_BITS | 2];
        let mut size = bytes.len();
        while size >= 0x80 {
            field.push(u8::try_from(size & 0x7f).unwrap() | 0x80);
            size >>= 7;
        }
        field.push(u8::try_from(size).unwrap());
        [&field, bytes].concat()
    }

    fn message(json: &[u8], secrets: &[(&str, u8, &str)]) -> Vec<u8> {
        let entry = |(name, number, value): &(&str, u8, &str)| {
            let source = field(*number, value.as_bytes());
            field(2, &[field(1, name.as_bytes()), field(2, &source)].concat())
        };
        let secrets: Vec<u8> = secrets.iter().flat_map(entry).collect();
        [field(1, json), field(5, &secrets)].concat()
    }

    #[test]
    fn a_message_has_the_json_and_the_secrets() {
        let json = "{ } ".repeat(100);
        let bytes = message(json.as_bytes(), &[("A", 3, "sk-a"), ("B", 2, "sk-b")]);
        let read = PluginConfiguration::read(&bytes);
        assert_eq!(read.json, json.as_bytes());
        let secret = |name| read.secret(name);
        assert_eq!(secret("A").as_deref(), Some("sk-a"));
        assert_eq!(secret("B").as_deref(), Some("sk-b"));
        assert_eq!(secret("C"), None);
        assert_eq!(PluginConfiguration::read(&message(b"{}", &[])).json, b"{}");
    }

    #[test]
    fn other_bytes_are_json() {
        let whole = message(b"{}", &[("A", 3, "sk-a")]);
        let mut texts = vec![b"{\"providers\": {}}".to_vec(), b"\n{\n}".to_vec(), Vec::new()];
        texts.extend((0..whole.len()).map(|size| whole[..size].to_vec()));
        texts.push([&whole, &b" "[..]].concat());
        for text in texts {
            let read = PluginConfiguration::read(&text);
            assert_eq!((read.json, read.secrets.len()), (&text[..], 0));
        }
    }

    #[test]
    fn debug_shows_no_secret() {
        let bytes = message(b"{}", &[("A", 3, "sk-secret")]);
        assert!(!format!("{:?}", PluginConfiguration::read(&bytes)).contains("sk-secret"));
    }
}
