//! `/spend/logs`, and the `spend` of keys and users: dollars, from the ledger.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, Uri};
use axum::response::Response;
use serde_json::{Map, Value, json};

use super::super::api::{Control, answer, with};
use super::super::error::ApiError;
use super::super::keys::query_value;
use super::super::store::KeyFilter;
use crate::models::date;
use crate::native::ledger::{AttemptFilter, AttemptRow, Day, DaySpend, Group};
use crate::usage::{Basis, Operation};

type Shared = State<Arc<Control>>;

/// The most rows of an answer, as in LiteLLM.
const ROWS_MAX: usize = 10_000;

/// Dollars as LiteLLM has them: a number.
fn dollars(nanos: i64) -> Value {
    const DOLLAR: f64 = 1e9;
    #[allow(clippy::cast_precision_loss)] // LiteLLM's field has no more.
    let nanos = nanos as f64;
    json!(nanos / DOLLAR)
}

impl Control {
    /// A document of a key or a user with what it has spent.
    pub(super) fn with_spend(
        &self,
        document: Value,
        of: Group,
        id: &str,
    ) -> Result<Value, ApiError> {
        let spend = self.ledger()?.spend(of, id)?;
        Ok(with(document, "spend", dollars(spend)))
    }

    /// The hashes of all keys, by their public ids.
    fn hashes(&self) -> Result<BTreeMap<String, String>, ApiError> {
        let all = KeyFilter { with_revoked: true, limit: usize::MAX, ..KeyFilter::default() };
        let rows = self.store.keys(&all)?;
        Ok(rows.into_iter().map(|row| (row.id, row.hash.to_hex())).collect())
    }
}

/// With `start_date` and `end_date` the sums of each day, unless `summarize` is false; else attempts, the last one first.
pub(super) async fn logs(
    State(control): Shared,
    headers: HeaderMap,
    uri: Uri,
) -> Result<Response, ApiError> {
    control.authorize(&headers).await?;
    let filter = filter(&control, &uri)?;
    let summarizes = query_value(&uri, "summarize").is_none_or(|value| value != "false");
    let (ledger, hashes) = (control.ledger()?, control.hashes()?);
    let body = match (filter.days, &filter.request) {
        (Some(_), None) if summarizes => by_day(&ledger.spend_by_day(&filter)?, &hashes),
        _ => ledger.attempts(&filter)?.iter().map(|row| log(row, &hashes)).collect(),
    };
    Ok(answer(body, None))
}

fn filter(control: &Control, uri: &Uri) -> Result<AttemptFilter, ApiError> {
    let day = |name: &'static str| match query_value(uri, name) {
        None => Ok(None),
        Some(text) => text.parse::<Day>().map(Some).map_err(|_| {
            ApiError::bad_request(format!("The query's '{name}' is not a day as 2026-11-01."))
                .about(name)
        }),
    };
    let key = query_value(uri, "api_key").map(|name| control.named(&name)).transpose()?;
    let request = query_value(uri, "request_id");
    Ok(AttemptFilter {
        key: key.map(|row| row.id),
        user: query_value(uri, "user_id"),
        request: request
            .map(|id| id.split_once('-').map_or(id.clone(), |(name, _)| name.to_owned())),
        days: day("start_date")?.zip(day("end_date")?),
        limit: ROWS_MAX,
    })
}

/// One attempt, with LiteLLM's names.
fn log(row: &AttemptRow, hashes: &BTreeMap<String, String>) -> Value {
    let end_ms = row.begun_ms.saturating_add(row.duration_ms);
    let first_ms = row.first_ms.map(|first_ms| row.begun_ms.saturating_add(first_ms));
    let is_failure = row.basis == Basis::Failed.as_str();
    json!({
        "request_id": format!("{}-{}", row.request, row.attempt),
        "litellm_call_id": row.request,
        "call_type": call_type(&row.operation),
        "api_key": hashes.get(&row.key).cloned().unwrap_or_default(),
        "spend": dollars(row.cost_nanos.unwrap_or_default()),
        "total_tokens": row.input.saturating_add(row.output),
        "prompt_tokens": row.input,
        "completion_tokens": row.output,
        "startTime": time(row.begun_ms),
        "endTime": time(end_ms),
        "completionStartTime": time(first_ms.unwrap_or(end_ms)),
        "request_duration_ms": row.duration_ms,
        "model": row.model,
        "model_id": "",
        "model_group": row.asked,
        "custom_llm_provider": row.provider,
        "api_base": "",
        "user": row.user,
        "metadata": {"status_code": row.status, "basis": row.basis},
        "cache_hit": "False",
        "cache_key": "",
        "request_tags": [],
        "team_id": "",
        "organization_id": null,
        "end_user": "",
        "requester_ip_address": null,
        "messages": {},
        "response": {},
        "session_id": null,
        "status": if is_failure { "failure" } else { "success" },
        "agent_id": null,
    })
}

/// The name of LiteLLM's function.
fn call_type(operation: &str) -> &'static str {
    match Operation::parse(operation) {
        Some(Operation::Completions) => "atext_completion",
        Some(Operation::Responses) => "aresponses",
        Some(Operation::Messages) => "anthropic_messages",
        Some(Operation::Generate) => "agenerate_content",
        Some(Operation::Embeddings) => "aembedding",
        Some(Operation::Images) => "aimage_generation",
        Some(Operation::Transcription) => "atranscription",
        Some(Operation::Speech) => "aspeech",
        Some(Operation::Rerank) => "arerank",
        Some(Operation::Chat) | None => "acompletion",
    }
}

/// A time in milliseconds since 1970.
fn time(ms: i64) -> String {
    let ms = u64::try_from(ms).unwrap_or_default();
    let secs = date::format(ms / 1000);
    format!("{}.{:03}Z", secs.trim_end_matches('Z'), ms % 1000)
}

/// What was spent on a day: in all, and by key, user and model.
#[derive(Default)]
struct Sums {
    all: i64,
    keys: BTreeMap<String, i64>,
    users: BTreeMap<String, i64>,
    models: BTreeMap<String, i64>,
}

fn by_day(rows: &[DaySpend], hashes: &BTreeMap<String, String>) -> Value {
    let mut days: BTreeMap<&str, Sums> = BTreeMap::new();
    for row in rows {
        let sums = days.entry(&row.day).or_default();
        sums.all = sums.all.saturating_add(row.cost_nanos);
        let hash = hashes.get(&row.key).cloned().unwrap_or_default();
        for (own, name) in
            [(&mut sums.keys, &hash), (&mut sums.users, &row.user), (&mut sums.models, &row.model)]
        {
            let sum = own.entry(name.clone()).or_default();
            *sum = sum.saturating_add(row.cost_nanos);
        }
    }
    days.iter().map(|(day, sums)| sums.document(day)).collect()
}

impl Sums {
    fn document(&self, day: &str) -> Value {
        let all = |own: &BTreeMap<String, i64>| {
            own.iter().map(|(name, nanos)| (name.clone(), dollars(*nanos))).collect::<Map<_, _>>()
        };
        let mut document = all(&self.keys);
        document.insert("startTime".to_owned(), json!(day));
        document.insert("spend".to_owned(), dollars(self.all));
        document.insert("users".to_owned(), Value::Object(all(&self.users)));
        document.insert("models".to_owned(), Value::Object(all(&self.models)));
        Value::Object(document)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_days_sums_have_litellms_names() {
        let row = |day: &str, key: &str, model: &str, cost_nanos| DaySpend {
            day: day.to_owned(),
            key: key.to_owned(),
            user: "ann".to_owned(),
            model: model.to_owned(),
            cost_nanos,
        };
        let rows = [
            row("2026-11-28", "k1", "a", 3_163_500),
            row("2026-11-29", "k1", "a", 1),
            row("2026-11-29", "k2", "b", 2),
        ];
        let hashes = BTreeMap::from([("k1".to_owned(), "hash".to_owned())]);
        let expected = json!([
            {"startTime": "2026-11-28", "spend": 0.0031635, "hash": 0.0031635, "users": {"ann": 0.0031635}, "models": {"a": 0.0031635}},
            {"startTime": "2026-11-29", "spend": 3e-9, "hash": 1e-9, "": 2e-9, "users": {"ann": 3e-9}, "models": {"a": 1e-9, "b": 2e-9}},
        ]);
        assert_eq!(by_day(&rows, &hashes), expected);
    }

    #[test]
    fn times_have_milliseconds() {
        assert_eq!(time(1_795_953_600_007), "2026-11-29T12:00:00.007Z");
    }
}
