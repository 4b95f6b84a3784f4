//! Admin keys: `sk-prx-`, the public id, `-`, and the secret part.
//!
//! A key is shown once. The database has its hash, which needs no salt: the secret part has 160 random bits.

use std::fmt::{self, Write};

use sha2::{Digest, Sha256};

use crate::config::Secret;
use crate::names::keys::{ADMIN_ID_PREFIX, PREFIX};

/// Letters and digits that cannot be taken for each other (Crockford's base 32, in lower case).
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// The characters of a public id, and of the secret part.
const ID_LENGTH: usize = 12;
const SECRET_LENGTH: usize = 32;

/// A key, as its owner sees it once.
pub struct AdminKey(Secret);

impl AdminKey {
    /// # Errors
    /// The system gives no random bytes.
    pub fn new() -> Result<Self, getrandom::Error> {
        let mut random = [0; ID_LENGTH + SECRET_LENGTH];
        getrandom::fill(&mut random)?;
        let letter = |byte: &u8| Some(char::from(*ALPHABET.get(usize::from(byte & 31))?));
        let mut letters = random.iter().filter_map(letter);
        let id: String = letters.by_ref().take(ID_LENGTH - ADMIN_ID_PREFIX.len()).collect();
        let secret: String = letters.take(SECRET_LENGTH).collect();
        Ok(Self(Secret::new(format!("{PREFIX}{ADMIN_ID_PREFIX}{id}-{secret}"))))
    }

    /// A key from elsewhere, such as the environment.
    ///
    /// # Errors
    /// The text is not an admin key.
    pub fn parse(text: &str) -> Result<Self, String> {
        let is_good = |text: &str| text.bytes().all(|byte| byte.is_ascii_alphanumeric());
        let parts = text.strip_prefix(PREFIX).and_then(|rest| rest.split_once('-'));
        match parts {
            Some((id, secret))
                if id.len() == ID_LENGTH
                    && id.starts_with(ADMIN_ID_PREFIX)
                    && secret.len() == SECRET_LENGTH
                    && is_good(id)
                    && is_good(secret) =>
            {
                Ok(Self(Secret::new(text)))
            }
            _ => Err(format!(
                "is not an admin key: {PREFIX}, {ADMIN_ID_PREFIX} and 9 letters or digits, a hyphen, and 32 letters or \
                 digits; `gaud admin key new` makes one"
            )),
        }
    }

    /// What logs and lists name the key by.
    pub fn id(&self) -> String {
        let rest = self.0.expose().strip_prefix(PREFIX).unwrap_or_default();
        rest.split('-').next().unwrap_or_default().to_owned()
    }

    pub fn hash(&self) -> KeyHash {
        KeyHash::of(self.0.expose())
    }

    /// The key itself, for the one time that it is shown.
    pub fn expose(&self) -> &str {
        self.0.expose()
    }
}

/// The SHA-256 of a key, in hexadecimal digits.
#[derive(Clone, PartialEq, Eq)]
pub struct KeyHash(String);

impl KeyHash {
    pub fn of(key: &str) -> Self {
        let mut text = String::with_capacity(64);
        for byte in Sha256::digest(key.as_bytes()) {
            let _ = write!(text, "{byte:02x}");
        }
        Self(text)
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for KeyHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeyHash(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_key_is_a_good_key_and_no_other_key() {
        let (one, two) = (AdminKey::new().unwrap(), AdminKey::new().unwrap());
        assert_ne!(one.expose(), two.expose());
        assert_eq!(one.expose().len(), "sk-prx-".len() + 12 + 1 + 32);
        assert_eq!(AdminKey::parse(one.expose()).unwrap().id(), one.id());
        assert!(one.id().starts_with("adm"));
    }

    #[test]
    fn the_hash_is_sha_256() {
        let hash = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(KeyHash::of("abc").as_str(), hash);
        assert_eq!(format!("{:?}", KeyHash::of("abc")), "KeyHash(…)");
    }

    #[test]
    fn other_texts_are_refused() {
        let good = format!("sk-prx-adm{}-{}", "a".repeat(9), "b".repeat(32));
        assert!(AdminKey::parse(&good).is_ok());
        for bad in [
            "",
            "sk-1234",
            &good.replace("adm", "abc"),
            &good.replace("bb", "b"),
            &good.replace('b', "é"),
            &format!("{good} "),
        ] {
            assert!(AdminKey::parse(bad).is_err(), "{bad}");
        }
    }
}
