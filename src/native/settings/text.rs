//! The text of a file as a table.

use serde::Deserialize;
use toml::Table;
use toml::de::{DeTable, Deserializer, Error};

use super::{line, words};
use crate::config::ConfigError;

/// An error and its line, from 1.
pub(super) type Placed = (Option<usize>, ConfigError);

/// The table, and an error for each key that is there twice: of such keys the table has the first.
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
    let repeated = repeated.iter().map(|error| repetition(text, error)).collect();
    let table = Table::deserialize(Deserializer::from(table));
    table
        .map(|table| (table, repeated))
        .map_err(|error| (line_of(text, &error), ConfigError::new("", error.message())))
}

fn line_of(text: &str, error: &Error) -> Option<usize> {
    error.span().map(|span| line::at(text, span.start))
}

/// Names the key that is there twice, and the line of the first.
fn repetition(text: &str, error: &Error) -> Placed {
    let line = line_of(text, error);
    let key = error.span().and_then(|span| text.get(span)).unwrap_or_default();
    let path = path(text, line.unwrap_or(1), key);
    let first = line::of(text, &path).filter(|first| Some(*first) != line);
    let first = first.map(|first| format!(", first on line {first}")).unwrap_or_default();
    (line, ConfigError::new(path, format!("is there twice{first}; put both into one")))
}

/// The path of a key on a line: the table that the line is in, and the key.
fn path(text: &str, line: usize, key: &str) -> String {
    let key = key.trim().trim_matches(['"', '\'']);
    let header = |line: &str| {
        let name = line.trim().strip_prefix('[')?.split(']').next()?;
        Some(name.trim().trim_matches(['"', '\'']).to_owned())
    };
    let mut above = text.lines().take(line).collect::<Vec<_>>().into_iter().rev();
    let own = above.next().unwrap_or_default();
    if let Some(table) = header(own) {
        return table;
    }
    match above.find_map(header) {
        Some(table) => format!("{table}.{key}"),
        None => key.to_owned(),
    }
}
