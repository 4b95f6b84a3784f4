//! `GET /admin/usage?by=day,model&since=2026-11-01&until=2026-11-30`.

use std::path::Path;

use percent_encoding::percent_decode_str;
use serde_json::Value;

use super::error::ApiError;
use crate::native::ledger::{Day, Group, Ledger, Query, Report, since};

/// The days of a report that names none.
const USUAL_SINCE: &str = "30d";

/// The sums of the ledger in the folder `data`.
pub(super) fn report(data: &Path, query: &str, now_secs: i64) -> Result<Value, ApiError> {
    let query = read(query, now_secs).map_err(ApiError::bad_request)?;
    let failed = |error: &dyn std::fmt::Display| ApiError::failed(error.to_string());
    let ledger = Ledger::open(data).map_err(|error| failed(&error))?;
    let rows = ledger.report(&query).map_err(|error| failed(&error))?;
    serde_json::to_value(Report::of(&query, &rows)).map_err(|error| failed(&error))
}

fn read(text: &str, now_secs: i64) -> Result<Query, String> {
    let now_ms = u64::try_from(now_secs).unwrap_or_default().saturating_mul(1000);
    let today = Day::of_ms(now_ms);
    let mut query = Query { by: vec![Group::Day], since: since(USUAL_SINCE, today)?, until: today };
    for pair in text.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let value = percent_decode_str(value).decode_utf8_lossy();
        match name {
            "by" => query.by = Group::parse_list(&value)?,
            "since" => query.since = since(&value, today)?,
            "until" => query.until = value.parse()?,
            _ => return Err(format!("{name:?} is none of by, since, until")),
        }
    }
    Ok(query)
}
