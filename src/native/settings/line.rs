//! The line of a field in the text.

use toml::de::{DeTable, DeValue};

/// The line, from 1, of the field at `path` (`providers.claude.match[0]`), or of the last part of
/// the path that is there.
pub(super) fn of(text: &str, path: &str) -> Option<usize> {
    let (table, _) = DeTable::parse_recoverable(text);
    let (offset, mut value) = enter(table.get_ref(), path)?;
    let mut found = offset;
    let mut rest = value.1;
    loop {
        let step = match value.0 {
            DeValue::Table(table) => enter(table, rest),
            DeValue::Array(items) => item(items, rest),
            _ => None,
        };
        let Some((offset, next)) = step else { return Some(at(text, found)) };
        found = offset;
        rest = next.1;
        value = next;
    }
}

/// A value, and the rest of the path after the value.
type Found<'a, 'i, 'p> = (&'a DeValue<'i>, &'p str);

/// The entry whose key begins `path`. Of several, the longest key: keys may have dots in them.
fn enter<'a, 'i, 'p>(table: &'a DeTable<'i>, path: &'p str) -> Option<(usize, Found<'a, 'i, 'p>)> {
    let path = path.strip_prefix('.').unwrap_or(path);
    table
        .iter()
        .filter_map(|(key, value)| {
            let rest = path.strip_prefix(key.get_ref().as_ref())?;
            let ends = rest.is_empty() || rest.starts_with(['.', '[']);
            ends.then_some((key.span().start, (value.get_ref(), rest)))
        })
        .min_by_key(|(_, (_, rest))| rest.len())
}

fn item<'a, 'i, 'p>(
    items: &'a toml::de::DeArray<'i>,
    path: &'p str,
) -> Option<(usize, Found<'a, 'i, 'p>)> {
    let (index, rest) = path.strip_prefix('[')?.split_once(']')?;
    let value = items.get(index.parse::<usize>().ok()?)?;
    Some((value.span().start, (value.get_ref(), rest)))
}

/// The line, from 1, of a byte.
pub(super) fn at(text: &str, offset: usize) -> usize {
    let before = text.as_bytes().get(..offset).unwrap_or(text.as_bytes());
    before.iter().filter(|byte| **byte == b'\n').count().saturating_add(1)
}
