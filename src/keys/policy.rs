//! What a key may do, as the control server tells the filter, and as shared data have it.
//!
//! ```text
//! number u64 | standing u8 | expires_secs u64 | id text | user text | name text | count u32 | count times: model text
//! | the key's terms | the user's terms | count u32 | count times: name text, the terms of these models
//! ```

use super::Models;
use crate::limits::Terms;
use crate::record::{Reader, Writer};

/// The most models of a list.
pub const MODELS_MAX: usize = 256;

/// What a key may do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// The number of the key's last change: of two policies of a key the one with the higher number is in force.
    pub number: u64,
    pub standing: Standing,
    /// In seconds since 1970; 0 for never.
    pub expires_secs: u64,
    /// The public id.
    pub id: String,
    /// The user's id; empty without a user.
    pub user: String,
    /// What people call the key.
    pub name: String,
    pub models: Models,
    /// What the key may use.
    pub terms: Terms,
    /// What all keys of the user may use together.
    pub user_terms: Terms,
    /// What the key may use of some models, by names and patterns: the first that fits counts.
    pub model_terms: Vec<(String, Terms)>,
}

/// Whether a key opens anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    Valid,
    /// Opens nothing until an administrator unblocks the key, or the key's user.
    Blocked,
    /// Opens nothing for ever.
    Revoked,
}

impl Standing {
    fn code(self) -> u8 {
        match self {
            Self::Valid => 0,
            Self::Blocked => 1,
            Self::Revoked => 2,
        }
    }

    fn of(code: u8) -> Option<Self> {
        [Self::Valid, Self::Blocked, Self::Revoked].into_iter().find(|own| own.code() == code)
    }
}

impl Policy {
    /// The bytes after `writer`.
    pub(super) fn write(&self, writer: Writer) -> Writer {
        let writer = writer.u64(self.number).u8(self.standing.code()).u64(self.expires_secs);
        let writer = writer.text(&self.id).text(&self.user).text(&self.name);
        let count = u32::try_from(self.models.names().count()).unwrap_or(u32::MAX);
        let writer = self.models.names().fold(writer.u32(count), Writer::text);
        let writer = self.user_terms.write(self.terms.write(writer));
        let count = u32::try_from(self.model_terms.len()).unwrap_or(u32::MAX);
        let add = |writer: Writer, (name, terms): &(String, Terms)| terms.write(writer.text(name));
        self.model_terms.iter().fold(writer.u32(count), add)
    }

    /// `None` for bytes that are not a policy.
    pub(super) fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let (number, standing) = (reader.u64()?, Standing::of(reader.u8()?)?);
        let expires_secs = reader.u64()?;
        let (id, user, name) = (reader.text()?, reader.text()?, reader.text()?);
        let mut models = Vec::new();
        for _ in 0..reader.u32()? {
            models.push(reader.text()?.to_owned());
        }
        let (terms, user_terms) = (Terms::read(reader)?, Terms::read(reader)?);
        let mut model_terms = Vec::new();
        for _ in 0..reader.u32()? {
            let name = reader.text()?.to_owned();
            model_terms.push((name, Terms::read(reader)?));
        }
        Some(Self {
            number,
            standing,
            expires_secs,
            id: id.to_owned(),
            user: user.to_owned(),
            name: name.to_owned(),
            models: Models::of(models),
            terms,
            user_terms,
            model_terms,
        })
    }

    /// Whether the key has expired.
    pub fn has_expired(&self, now_ms: u64) -> bool {
        self.expires_secs > 0 && now_ms >= self.expires_secs.saturating_mul(1000)
    }
}

#[cfg(test)]
pub(super) fn example(number: u64, id: &str) -> Policy {
    Policy {
        number,
        standing: Standing::Valid,
        expires_secs: 0,
        id: id.to_owned(),
        user: "ann".to_owned(),
        name: "laptop".to_owned(),
        models: Models::of(vec!["gpt-*".to_owned(), "claude:opus".to_owned()]),
        terms: Terms::default(),
        user_terms: Terms::default(),
        model_terms: vec![("gpt-*".to_owned(), Terms::default())],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(all(target_family = "wasm", target_os = "unknown"))]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn a_policy_is_read_as_it_was_written_and_no_part_of_it_is() {
        let policy = Policy { expires_secs: 7, standing: Standing::Blocked, ..example(9, "k1") };
        let bytes = policy.write(Writer::of_version(1, 0)).finish();
        let read = |bytes| Policy::read(&mut Reader::of_version(Some(bytes), 1)?);
        assert_eq!(read(&bytes), Some(policy));
        for length in 1..bytes.len() {
            assert_eq!(read(&bytes[..length]), None, "{length}");
        }
        let mut other = bytes.clone();
        other[9] = 3;
        assert_eq!(read(&other), None, "a standing that is not known");
    }

    #[test]
    fn a_key_expires_at_the_second() {
        let policy = Policy { expires_secs: 10, ..example(1, "k1") };
        assert!(!policy.has_expired(9_999) && policy.has_expired(10_000));
        assert!(!example(1, "k1").has_expired(u64::MAX));
    }
}
