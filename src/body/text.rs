//! The decoded text of one JSON string, bounded: a top-level key, or the model.

use super::error::Problem;

/// A string as a JSON parser sees it: escapes decoded (RFC 8259, section 7).
#[derive(Debug, Default)]
pub(super) struct Text {
    bytes: Vec<u8>,
    escape: Escape,
    /// The first half of a surrogate pair, waiting for the second.
    high: Option<u16>,
    /// A half without its other half was seen: no Unicode text.
    broken: bool,
}

#[derive(Debug, Default, Clone, Copy)]
enum Escape {
    #[default]
    None,
    Backslash,
    /// `\u`, and how many hexadecimal digits are still to come.
    Hex {
        left: u8,
        unit: u16,
    },
}

/// What a byte did to the text.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Pushed {
    More,
    /// The closing quote: the text is whole.
    End,
}

impl Text {
    /// Forgets the text before, keeps its memory.
    pub(super) fn clear(&mut self) {
        self.bytes.clear();
        self.escape = Escape::None;
        self.high = None;
        self.broken = false;
    }

    /// The decoded bytes: UTF-8 when the string was, with U+FFFD for half a surrogate pair.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Whether the text has more than these bytes, and ends with a whole character. Within a character the text is not
    /// judged: the bytes may still turn out not to be UTF-8, from the first of them on.
    pub(super) fn is_longer_than(&self, bytes_max: usize) -> bool {
        self.bytes.len() > bytes_max && !ends_within_character(&self.bytes)
    }

    /// Whether half a surrogate pair stood in the string.
    pub(super) fn is_broken(&self) -> bool {
        self.broken
    }

    /// Reads one byte after the opening quote.
    pub(super) fn push(&mut self, byte: u8) -> Result<Pushed, Problem> {
        match self.escape {
            Escape::None => return self.push_plain(byte),
            Escape::Backslash => self.push_escaped(byte)?,
            Escape::Hex { left, unit } => self.push_hex(byte, left, unit)?,
        }
        Ok(Pushed::More)
    }

    fn push_plain(&mut self, byte: u8) -> Result<Pushed, Problem> {
        match byte {
            b'"' => {
                self.drop_high();
                return Ok(Pushed::End);
            }
            b'\\' => self.escape = Escape::Backslash,
            0..=0x1f => return Err(Problem::ControlCharacter),
            _ => {
                self.drop_high();
                self.bytes.push(byte);
            }
        }
        Ok(Pushed::More)
    }

    fn push_escaped(&mut self, byte: u8) -> Result<(), Problem> {
        let decoded = match byte {
            b'"' | b'\\' | b'/' => byte,
            b'b' => 0x08,
            b'f' => 0x0c,
            b'n' => b'\n',
            b'r' => b'\r',
            b't' => b'\t',
            b'u' => {
                self.escape = Escape::Hex { left: 4, unit: 0 };
                return Ok(());
            }
            _ => return Err(Problem::InvalidEscape),
        };
        self.drop_high();
        self.bytes.push(decoded);
        self.escape = Escape::None;
        Ok(())
    }

    fn push_hex(&mut self, byte: u8, left: u8, unit: u16) -> Result<(), Problem> {
        let digit = char::from(byte).to_digit(16).ok_or(Problem::InvalidEscape)?;
        let unit = (unit << 4) | (digit as u16);
        self.escape = match left.saturating_sub(1) {
            0 => {
                self.push_unit(unit);
                Escape::None
            }
            left => Escape::Hex { left, unit },
        };
        Ok(())
    }

    /// A whole `\uXXXX`: a character, or half of one.
    fn push_unit(&mut self, unit: u16) {
        if let (Some(high), 0xdc00..=0xdfff) = (self.high, unit) {
            self.high = None;
            for decoded in char::decode_utf16([high, unit]) {
                self.push_char(decoded.unwrap_or(char::REPLACEMENT_CHARACTER));
            }
            return;
        }
        self.drop_high();
        match (unit, char::from_u32(u32::from(unit))) {
            (0xd800..=0xdbff, _) => self.high = Some(unit),
            (_, Some(decoded)) => self.push_char(decoded),
            (_, None) => self.push_broken(),
        }
    }

    fn drop_high(&mut self) {
        if self.high.take().is_some() {
            self.push_broken();
        }
    }

    fn push_broken(&mut self) {
        self.broken = true;
        self.push_char(char::REPLACEMENT_CHARACTER);
    }

    fn push_char(&mut self, decoded: char) {
        self.bytes.extend_from_slice(decoded.encode_utf8(&mut [0; 4]).as_bytes());
    }
}

/// Whether the last character has more bytes to come.
fn ends_within_character(bytes: &[u8]) -> bool {
    let is_continuation = |byte: &&u8| matches!(**byte, 0x80..=0xbf);
    let after_lead = bytes.iter().rev().take_while(is_continuation).count();
    let lead = bytes.iter().rev().nth(after_lead).copied().unwrap_or_default();
    after_lead < (lead.leading_ones() as usize).saturating_sub(1)
}
