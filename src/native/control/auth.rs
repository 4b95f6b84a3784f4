//! Who asks: an admin key, where clients of the known APIs put keys.
//!
//! A key is looked up by its hash, so the time of an answer says nothing of a key. After [`FREE_FAILURES`] wrong keys within
//! a minute the answer to a wrong key waits; the answer to a right key never does.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use tokio::time::sleep;

use super::error::ApiError;
use super::store::Store;
use crate::keys::KeyHash;
use crate::native::lock::lock;

const FREE_FAILURES: u32 = 5;
const FAILURES_KEPT: Duration = Duration::from_secs(60);
const DELAY: Duration = Duration::from_secs(1);

/// The wrong keys of the last minute.
#[derive(Debug, Default)]
pub struct Throttle(Mutex<Failures>);

#[derive(Debug, Default)]
struct Failures {
    count: u32,
    last: Option<Instant>,
}

impl Throttle {
    /// Notes a wrong key; how long its answer waits.
    fn delay(&self, now: Instant) -> Duration {
        let mut failures = lock(&self.0);
        let is_recent = failures.last.is_some_and(|last| now.duration_since(last) < FAILURES_KEPT);
        failures.count = if is_recent { failures.count.saturating_add(1) } else { 1 };
        failures.last = Some(now);
        if failures.count > FREE_FAILURES { DELAY } else { Duration::ZERO }
    }
}

/// The id of the caller's key.
pub(super) async fn authorize(
    headers: &HeaderMap,
    store: &Store,
    throttle: &Throttle,
) -> Result<String, ApiError> {
    check(key(headers), store, throttle).await
}

/// The id of an admin key, wherever a caller has put the key.
pub(super) async fn check(
    key: Option<&str>,
    store: &Store,
    throttle: &Throttle,
) -> Result<String, ApiError> {
    if let Some(key) = key {
        match store.admin_key(&KeyHash::of(key)) {
            Ok(Some(id)) => return Ok(id),
            Ok(None) => {}
            Err(error) => return Err(ApiError::failed(error.to_string())),
        }
    }
    sleep(throttle.delay(Instant::now())).await;
    Err(ApiError::unauthorized())
}

fn key(headers: &HeaderMap) -> Option<&str> {
    let value = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let bearer =
        headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok()).and_then(|value| {
            let (scheme, key) = value.split_once(' ')?;
            scheme.eq_ignore_ascii_case("bearer").then(|| key.trim())
        });
    bearer.or_else(|| value("x-api-key"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wrong_keys_wait_after_a_few_and_not_for_ever() {
        let (throttle, start) = (Throttle::default(), Instant::now());
        let delays: Vec<_> =
            (0..7).map(|secs| throttle.delay(start + Duration::from_secs(secs))).collect();
        assert_eq!(delays, [[Duration::ZERO; 5].as_slice(), &[DELAY; 2]].concat());
        assert_eq!(throttle.delay(start + Duration::from_secs(70)), Duration::ZERO);
    }

    #[test]
    fn a_key_is_where_clients_put_keys() {
        let headers = |name: &'static str, value: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(name, value.parse().unwrap());
            headers
        };
        assert_eq!(key(&headers("authorization", "Bearer sk-1")), Some("sk-1"));
        assert_eq!(key(&headers("authorization", "bearer  sk-1")), Some("sk-1"));
        assert_eq!(key(&headers("x-api-key", "sk-1")), Some("sk-1"));
        assert_eq!(key(&headers("authorization", "Basic sk-1")), None);
        assert_eq!(key(&HeaderMap::new()), None);
    }
}
