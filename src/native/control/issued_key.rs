//! Keys that the control server gives out: made at random, and shown once.

use crate::config::Secret;
use crate::keys::{KeyHash, id_of};
use crate::names::keys::{ADMIN_ID_PREFIX, ID_CHARS, PREFIX, SECRET_CHARS};

/// Letters and digits that cannot be taken for each other (Crockford's base 32, in lower case).
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// A key, as its owner sees it once.
pub struct IssuedKey(Secret);

impl IssuedKey {
    /// A new admin key.
    ///
    /// # Errors
    /// The system gives no random bytes.
    pub fn admin() -> Result<Self, getrandom::Error> {
        let id = random(ID_CHARS - ADMIN_ID_PREFIX.len())?;
        Self::of(&format!("{ADMIN_ID_PREFIX}{id}"))
    }

    /// A new client key.
    ///
    /// # Errors
    /// The system gives no random bytes.
    pub fn client() -> Result<Self, getrandom::Error> {
        loop {
            let id = random(ID_CHARS)?;
            if !id.starts_with(ADMIN_ID_PREFIX) {
                return Self::of(&id);
            }
        }
    }

    fn of(id: &str) -> Result<Self, getrandom::Error> {
        Ok(Self(Secret::new(format!("{PREFIX}{id}-{}", random(SECRET_CHARS)?))))
    }

    /// An admin key from elsewhere, such as the environment.
    ///
    /// # Errors
    /// The text is not an admin key.
    pub fn parse_admin(text: &str) -> Result<Self, String> {
        match id_of(text).filter(|id| id.starts_with(ADMIN_ID_PREFIX)) {
            Some(_) => Ok(Self(Secret::new(text))),
            None => Err(format!(
                "is not an admin key: {PREFIX}, {ADMIN_ID_PREFIX} and 9 letters or digits, a hyphen, and 32 letters or \
                 digits; `gaud admin key new` makes one"
            )),
        }
    }

    /// A client key from elsewhere; `None` for a text that is not a client key.
    pub fn parse_client(text: &str) -> Option<Self> {
        id_of(text).filter(|id| !id.starts_with(ADMIN_ID_PREFIX))?;
        Some(Self(Secret::new(text)))
    }

    /// What logs and lists name the key by.
    pub fn id(&self) -> &str {
        id_of(self.0.expose()).unwrap_or_default()
    }

    pub fn hash(&self) -> KeyHash {
        KeyHash::of(self.0.expose())
    }

    /// The key itself, for the one time that it is shown.
    pub fn expose(&self) -> &str {
        self.0.expose()
    }
}

/// A secret by which the parts of a gateway know each other; not a key.
///
/// # Errors
/// The system gives no random bytes.
pub fn token() -> Result<Secret, getrandom::Error> {
    Ok(Secret::new(random(SECRET_CHARS)?))
}

fn random(length: usize) -> Result<String, getrandom::Error> {
    let mut bytes = vec![0; length];
    getrandom::fill(&mut bytes)?;
    let letter = |byte: &u8| Some(char::from(*ALPHABET.get(usize::from(byte & 31))?));
    Ok(bytes.iter().filter_map(letter).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_key_is_a_good_key_and_no_other_key() {
        let (one, two) = (IssuedKey::admin().unwrap(), IssuedKey::admin().unwrap());
        assert_ne!(one.expose(), two.expose());
        assert_eq!(one.expose().len(), "sk-prx-".len() + 12 + 1 + 32);
        assert_eq!(IssuedKey::parse_admin(one.expose()).unwrap().id(), one.id());
        assert!(one.id().starts_with("adm"));
        let client = IssuedKey::client().unwrap();
        assert!(IssuedKey::parse_admin(client.expose()).is_err());
        assert_eq!(IssuedKey::parse_client(client.expose()).unwrap().hash(), client.hash());
        assert!(IssuedKey::parse_client(one.expose()).is_none());
    }

    #[test]
    fn other_texts_are_refused() {
        let good = format!("sk-prx-adm{}-{}", "a".repeat(9), "b".repeat(32));
        assert!(IssuedKey::parse_admin(&good).is_ok());
        for bad in [
            "",
            "sk-1234",
            &good.replace("adm", "abc"),
            &good.replace("bb", "b"),
            &good.replace('b', "é"),
            &format!("{good} "),
        ] {
            assert!(IssuedKey::parse_admin(bad).is_err(), "{bad}");
        }
    }
}
