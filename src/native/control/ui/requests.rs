//! The newest requests, one by one.

use axum::extract::State;
use axum::http::Uri;
use serde::Serialize;

use super::error::PageResult;
use super::form::Form;
use super::page::page;
use super::usage::is_metered;
use super::visit::Admin;
use crate::native::control::api::Shared;
use crate::native::ledger::{AttemptRow, Cursor, Wanted};

/// The requests of a page.
const LIMIT: usize = 100;

#[derive(Serialize)]
struct Requests {
    rows: Vec<Shown>,
    next: Option<String>,
    key: String,
    user: String,
    provider: String,
    model: String,
    with_errors: bool,
    is_first: bool,
    is_metered: bool,
}

#[derive(Serialize)]
struct Shown {
    #[serde(flatten)]
    row: AttemptRow,
    at_secs: i64,
    is_error: bool,
}

impl Shown {
    fn of(row: AttemptRow) -> Self {
        Self { at_secs: row.begun_ms / 1000, is_error: row.is_error(), row }
    }
}

pub(super) async fn show(State(control): Shared, admin: Admin, uri: Uri) -> PageResult {
    let query = Form::parse(uri.query().unwrap_or_default());
    let filled = |name: &str| query.filled(name).map(str::to_owned);
    let wanted = Wanted {
        key: filled("key"),
        user: filled("user"),
        provider: filled("provider"),
        model: filled("model"),
        with_errors: query.text("errors") == "true",
    };
    let from = query.filled("from").and_then(Cursor::parse);
    let found = control.ledger()?.requests(&wanted, from.as_ref(), LIMIT)?;
    let Wanted { key, user, provider, model, with_errors } = wanted;
    let requests = Requests {
        rows: found.rows.into_iter().map(Shown::of).collect(),
        next: found.next.as_ref().map(Cursor::to_text),
        key: key.unwrap_or_default(),
        user: user.unwrap_or_default(),
        provider: provider.unwrap_or_default(),
        model: model.unwrap_or_default(),
        with_errors,
        is_first: from.is_none(),
        is_metered: is_metered(&control),
    };
    page(&control, &admin, "requests.html", "Requests", &requests)
}
