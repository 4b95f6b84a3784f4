//! Takes a setting out of a document.

use toml_edit::{Item, TableLike};

/// Takes out the setting at these parts, and the tables above it that have nothing left.
pub(super) fn take(table: &mut dyn TableLike, parts: &[&str]) -> bool {
    match parts {
        [] => false,
        [last] => table.remove(last).is_some(),
        [first, rest @ ..] => {
            let Some(inner) = table.get_mut(first).and_then(Item::as_table_like_mut) else {
                return false;
            };
            let is_taken = take(inner, rest);
            if is_taken && inner.is_empty() {
                table.remove(first);
            }
            is_taken
        }
    }
}
