//! The first bytes of a text, a name or a literal.

/// Longer than each word that is looked for; a longer word is cut.
pub const WORD_BYTES: usize = 40;

/// The first bytes of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Word {
    bytes: [u8; WORD_BYTES],
    length: usize,
}

impl Default for Word {
    fn default() -> Self {
        Self::NONE
    }
}

impl Word {
    pub const NONE: Self = Self { bytes: [0; WORD_BYTES], length: 0 };

    /// The text, as far as it was kept.
    pub fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..self.length).unwrap_or_default()
    }

    pub fn is_empty(&self) -> bool {
        self.length == 0
    }

    pub(super) fn extend(&mut self, text: &[u8]) {
        let room = self.bytes.get_mut(self.length..).unwrap_or_default();
        for (place, byte) in room.iter_mut().zip(text) {
            *place = *byte;
            self.length = self.length.saturating_add(1);
        }
    }
}
