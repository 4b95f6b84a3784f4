//! LiteLLM's keys into the store, and what there is to say of each.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::carry::{Carry, carry};
use super::source::Source;
use super::token::Token;
use crate::native::control::{Done, IssuedKey, Store, Taken, Taking, UserRow, now_secs};
use crate::native::database::PostgresUrl;

/// What has become of the keys.
#[derive(Debug, Default)]
pub(crate) struct Report {
    pub(crate) keys: Vec<Line>,
    /// Rows whose `token` is not a SHA-256.
    odd: usize,
}

/// What has become of a key.
#[derive(Debug)]
pub(crate) struct Line {
    pub(crate) id: String,
    name: String,
    pub(crate) done: Done,
    without: Vec<String>,
    pub(super) closed: Option<String>,
}

/// Reads LiteLLM's keys once, and makes them Gaud's.
///
/// # Errors
/// A database fails; a sentence without passwords.
pub(crate) async fn take_over(url: &PostgresUrl, store: &Store) -> Result<Report, String> {
    let tokens = Source::connect(url).await?.tokens().await?;
    take(&tokens, store, Taking::Over)
}

/// Takes the keys into the store.
pub(super) fn take(tokens: &[Token], store: &Store, taking: Taking) -> Result<Report, String> {
    let mut all: Vec<Carry> = tokens.iter().filter_map(carry).collect();
    close_ambiguous(&mut all);
    let odd = tokens.len().saturating_sub(all.len());
    let owners: BTreeMap<&str, &UserRow> =
        all.iter().filter_map(|own| own.owner.as_ref()).map(|own| (own.id.as_str(), own)).collect();
    let users: Vec<UserRow> = owners.into_values().cloned().collect();
    let keys: Vec<_> = all.iter().map(|own| own.key.clone()).collect();
    let ids = ids(keys.len())?;
    let taken = store.take_litellms(&keys, &users, taking, &ids, now_secs());
    let Taken { keys: done, .. } = taken.map_err(|error| error.to_string())?;
    let line = |((id, done), own): ((String, Done), Carry)| {
        let Carry { key, without, closed, .. } = own;
        Line { id, name: key.key.name, done, without, closed }
    };
    Ok(Report { keys: done.into_iter().zip(all).map(line).collect(), odd })
}

/// Teams and users are users here: where a team and a user have one id, nobody could tell whose limits count.
fn close_ambiguous(all: &mut [Carry]) {
    let of = |is_of_team: bool| -> BTreeSet<String> {
        let own = all.iter().filter(|own| own.is_of_team == is_of_team);
        own.filter_map(|own| Some(own.owner.as_ref()?.id.clone())).collect()
    };
    let both: BTreeSet<String> = of(true).intersection(&of(false)).cloned().collect();
    for own in all {
        if own.owner.as_ref().is_some_and(|owner| both.contains(&owner.id)) {
            own.close("a team and a user have the id of its owner");
        }
    }
}

/// Public ids for as many keys.
fn ids(count: usize) -> Result<Vec<String>, String> {
    let id = |_| IssuedKey::client().map(|key| key.id().to_owned());
    (0..count).map(id).collect::<Result<_, _>>().map_err(|error| error.to_string())
}

impl Report {
    fn count(&self, done: Done) -> usize {
        self.keys.iter().filter(|line| line.done == done).count()
    }
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { id, name, done, without, closed } = self;
        let word = match done {
            Done::Added => "taken over",
            Done::Changed => "changed",
            Done::Same => "as before",
            Done::Revoked => "was revoked here, and stays so",
        };
        match name.as_str() {
            "" => write!(f, "key {id}: {word}")?,
            name => write!(f, "key {id} ({}): {word}", name.escape_default())?,
        }
        if let Some(why) = closed {
            write!(f, ", blocked: {why}")?;
        }
        match without.as_slice() {
            [] => Ok(()),
            all => write!(f, ", without {}", all.join("; ")),
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.keys.iter().try_for_each(|line| writeln!(f, "{line}"))?;
        if self.odd > 0 {
            writeln!(
                f,
                "rows that are left out, because their token is not a SHA-256: {}",
                self.odd
            )?;
        }
        writeln!(
            f,
            "keys: {} taken over, {} changed, {} as before; blocked because of what Gaud cannot keep: {}",
            self.count(Done::Added),
            self.count(Done::Changed),
            self.count(Done::Same) + self.count(Done::Revoked),
            self.keys.iter().filter(|line| line.closed.is_some()).count()
        )
    }
}
