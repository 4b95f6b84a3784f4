//! The path where the filter asks what has changed.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::{HeaderMap, Uri};
use axum::response::{IntoResponse, Response};
use tokio::select;
use tokio::time::{Instant, sleep_until};

use super::super::api::Control;
use super::super::error::ApiError;
use super::query::number;

/// The longest that a question is held.
const HOLD_LIMIT: Duration = Duration::from_secs(60);

/// Answers the filter once there is a change, or after a while.
pub(in super::super) async fn changes(
    State(control): State<Arc<Control>>,
    headers: HeaderMap,
    uri: Uri,
) -> Result<Response, ApiError> {
    let feed = &control.feed;
    if !feed.opens(&headers) {
        return Err(ApiError::not_found());
    }
    let asked = |name| number(&uri, name).unwrap_or_default();
    let (database, since, prices) = (asked("database"), asked("since"), asked("prices"));
    let deadline = Instant::now() + Duration::from_millis(asked("wait_ms")).min(HOLD_LIMIT);
    let mut changes = feed.changes();
    loop {
        let (own, last) = control.store.feed()?;
        feed.note_question(asked("asker"), (database == own).then_some(since), last, deadline);
        let needs_prices = control.store.has_budgets(last)? || control.prices.now().are_told();
        let is_priced = !needs_prices || prices == control.price_number();
        if database != own || since != last || !is_priced || Instant::now() >= deadline {
            let mut page = control.store.page(database, since)?;
            control.add_spent(&mut page)?;
            page.prices = (!is_priced).then(|| control.price_list());
            return Ok(page.to_bytes().into_response());
        }
        select! {
            // An error would mean that the feed is gone.
            _ = changes.changed() => {}
            () = sleep_until(deadline.min(feed.next_look())) => {}
        }
    }
}
