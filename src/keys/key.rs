//! A key as text: `sk-prx-`, twelve characters of public id, `-`, and 32 characters that are secret.

use std::fmt::{self, Write};

use sha2::{Digest, Sha256};

use crate::names::keys::{ID_CHARS, PREFIX, SECRET_CHARS};

/// The public id of a key; `None` for a text that is not a key.
pub fn id_of(text: &str) -> Option<&str> {
    let (id, secret) = text.strip_prefix(PREFIX)?.split_once('-')?;
    let is_good = |part: &str, chars| {
        part.len() == chars && part.bytes().all(|byte| byte.is_ascii_alphanumeric())
    };
    (is_good(id, ID_CHARS) && is_good(secret, SECRET_CHARS)).then_some(id)
}

/// The SHA-256 of a whole key. The secret part is random, so the hash needs no salt.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct KeyHash([u8; 32]);

impl KeyHash {
    /// The hash of a key.
    pub fn of(key: &str) -> Self {
        Self(Sha256::digest(key.as_bytes()).into())
    }

    /// A hash that was stored.
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The bytes to store.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// 64 hexadecimal digits.
    pub fn to_hex(self) -> String {
        let mut text = String::with_capacity(64);
        for byte in self.0 {
            // Writing to a text cannot fail.
            _ = write!(text, "{byte:02x}");
        }
        text
    }

    /// Where shared data have the key's policy.
    pub(super) fn place(self) -> String {
        format!("gaud/key/{}", self.to_hex())
    }
}

/// Who has the hash could look for its policy.
impl fmt::Debug for KeyHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeyHash(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(all(target_family = "wasm", target_os = "unknown"))]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn a_key_has_a_public_id_and_a_secret_part() {
        let good = format!("sk-prx-abcdefghijkl-{}", "x".repeat(32));
        assert_eq!(id_of(&good), Some("abcdefghijkl"));
        for bad in [
            "",
            "sk-prx-",
            "sk-1234",
            "abcdefghijkl",
            &good.replace("abc", "ab"),
            &good.replace("abc", "aébc"),
            &good.replace("abc", "a-c"),
            &good.replace("xx", "x"),
            &format!("{good}x"),
            &format!("{good} "),
            &format!(" {good}"),
            &good.replace("sk-", "SK-"),
        ] {
            assert_eq!(id_of(bad), None, "{bad}");
        }
    }

    #[test]
    fn the_hash_is_sha_256() {
        let hash = KeyHash::of("abc");
        let hex = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(hash.to_hex(), hex);
        assert_eq!(KeyHash::from_bytes(*hash.as_bytes()), hash);
        assert_eq!(format!("{hash:?}"), "KeyHash(…)");
    }
}
