//! `GET /admin/usage?by=day,model&since=2026-11-01&until=2026-11-30`.

use percent_encoding::percent_decode_str;
use serde_json::Value;

use super::api::Control;
use super::error::ApiError;
use crate::native::ledger::{Day, Group, Query, Report, since};

/// The days of a report that names none.
const USUAL_SINCE: &str = "30d";

/// The sums of the ledger.
pub(super) fn report(control: &Control, query: &str, now_secs: i64) -> Result<Value, ApiError> {
    let query = read(query, now_secs).map_err(ApiError::bad_request)?;
    let rows = control.ledger()?.report(&query)?;
    serde_json::to_value(Report::of(&query, &rows))
        .map_err(|error| ApiError::failed(error.to_string()))
}

fn read(text: &str, now_secs: i64) -> Result<Query, String> {
    let today = Day::of_secs(now_secs);
    let mut query = Query { by: vec![Group::Day], since: since(USUAL_SINCE, today)?, until: today };
    for pair in text.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let value = percent_decode_str(value).decode_utf8_lossy();
        match name {
            "by" => query.by = Group::parse_list(&value)?,
            "since" => query.since = since(&value, today)?,
            "until" => query.until = value.parse()?,
            _ => return Err(format!("{name:?} is not one of by, since, until")),
        }
    }
    Ok(query)
}
