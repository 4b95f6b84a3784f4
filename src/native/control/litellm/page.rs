//! A page of a list, as a query asks for it.

use axum::http::Uri;

use super::super::keys::query_number;

/// The most rows of a page.
const SIZE_MAX: usize = 100;

pub(super) struct Page {
    /// From 1.
    pub(super) number: usize,
    /// From 1 to [`SIZE_MAX`].
    pub(super) size: usize,
}

impl Page {
    /// The page that `page` names, with as many rows as the field `size` says, or `usual`.
    pub(super) fn asked(uri: &Uri, size: &str, usual: usize) -> Self {
        let count = |name| query_number(uri, name).and_then(|count| usize::try_from(count).ok());
        Self {
            number: count("page").unwrap_or(1).max(1),
            size: count(size).unwrap_or(usual).clamp(1, SIZE_MAX),
        }
    }

    /// The page's rows.
    pub(super) fn of<'a, T>(&self, rows: &'a [T]) -> impl Iterator<Item = &'a T> + use<'a, T> {
        rows.iter().skip((self.number - 1).saturating_mul(self.size)).take(self.size)
    }

    /// How many pages all rows take.
    pub(super) fn count<T>(&self, rows: &[T]) -> usize {
        rows.len().div_ceil(self.size)
    }
}
