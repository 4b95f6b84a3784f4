//! The text of a file as a table.

use serde::Deserialize;
use toml::Table;
use toml::de::{DeTable, Deserializer, Error};

use super::{line, words};
use crate::config::ConfigError;

/// An error and its line, from 1.
pub(super) type Placed = (Option<usize>, ConfigError);

/// The table, and an error for each key that is written twice: of such keys the table has the first.
///
/// # Errors
/// The first place where the text is not TOML: what follows may be a consequence.
pub(super) fn read(text: &str) -> Result<(Table, Vec<Placed>), Placed> {
    let (table, errors) = DeTable::parse_recoverable(text);
    let (repeated, syntax): (Vec<_>, Vec<_>) =
        errors.into_iter().partition(|error| error.message() == "duplicate key");
    if let Some(error) = syntax.into_iter().min_by_key(|error| error.span().map(|span| span.start))
    {
        return Err((
            line_of(text, &error),
            ConfigError::new("", words::plain("", error.message())),
        ));
    }
    let mut places: Vec<Placed> = Vec::new();
    for error in &repeated {
        let place = repetition(text, error);
        let is_within =
            |(_, earlier): &Placed| place.1.path.starts_with(&format!("{}.", earlier.path));
        // The settings of a table that is written twice are in it twice.
        if !places.iter().any(is_within) {
            places.push(place);
        }
    }
    let table = Table::deserialize(Deserializer::from(table));
    table
        .map(|table| (table, places))
        .map_err(|error| (line_of(text, &error), ConfigError::new("", error.message())))
}

fn line_of(text: &str, error: &Error) -> Option<usize> {
    error.span().map(|span| line::at(text, span.start))
}

/// Names the key that is written twice, and the line of the first.
fn repetition(text: &str, error: &Error) -> Placed {
    let line = line_of(text, error);
    let key = error.span().and_then(|span| text.get(span)).unwrap_or_default();
    let mut above = text.lines().enumerate().take(line.unwrap_or(1)).collect::<Vec<_>>();
    let own = above.pop().and_then(|(_, line)| header(line));
    let (path, first) = match own {
        Some(table) => {
            let first = above.iter().position(|(_, line)| header(line).as_deref() == Some(&table));
            (table, first.map(|place| place.saturating_add(1)))
        }
        None => {
            let key = key.trim().trim_matches(['"', '\'']);
            let table = above.iter().rev().find_map(|(_, line)| header(line));
            let path = table.map_or_else(|| key.to_owned(), |table| format!("{table}.{key}"));
            let first = line::of(text, &path).filter(|first| Some(*first) != line);
            (path, first)
        }
    };
    let first = first.map(|first| format!(", first on line {first}")).unwrap_or_default();
    (line, ConfigError::new(path, format!("is written twice{first}; put both into one")))
}

/// The table that a line begins.
fn header(line: &str) -> Option<String> {
    let name = line.trim().strip_prefix('[')?.split(']').next()?;
    Some(name.trim().trim_matches(['"', '\'']).to_owned())
}
