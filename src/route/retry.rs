//! What follows an attempt that has failed: the same target, the next target, or no further attempt.
//!
//! | what has happened | while the provider has tries left | else, with a target left | else |
//! |---|---|---|---|
//! | a 5xx, a lost connection | same again | next | final |
//! | a 429 or a 5xx with a short `retry-after` | same again, after the wait | next | final |
//! | a 429 or a 5xx with a long `retry-after`, with one that cannot be read, or with `x-should-retry: false`; a spent quota | next, or final | next | final |
//! | a 429 without `retry-after` | next, or same again | next | final |
//! | no answer in time | next, or final | next | final |
//! | the context is too long | next with another model, or final | the same | final |
//! | anything else | final | final | final |

use crate::config::{ConfigError, RetriesFile, RetryOn};

/// The most further attempts on one provider.
const MAX: u64 = 5;

/// When a request is sent again, compiled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Retries {
    /// Further attempts on the same provider.
    pub max: u32,
    /// The base of the back-off between attempts.
    pub backoff_ms: u32,
    /// The longest `retry-after` that is waited for.
    pub retry_after_max_secs: u32,
    /// Models without a chain are retried too.
    pub for_all: bool,
    on: Vec<RetryOn>,
}

/// Why an attempt has failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// A failure that `[retries] on` can name.
    Of(RetryOn),
    /// The request is too long for the model.
    ContextLength,
}

/// What can still be tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Remaining {
    /// The same provider may be asked again.
    pub same: bool,
    /// There is another target.
    pub next: bool,
}

/// What comes next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// No further attempt: the client gets the response.
    Final,
    /// The same target, after these seconds where the provider has named a wait.
    Same(Option<u32>),
    /// The next target.
    Move,
}

impl Retries {
    /// Compiles `[retries]`.
    pub(crate) fn compile(file: Option<&RetriesFile>) -> Result<Self, ConfigError> {
        let retries = file.cloned().unwrap_or_default();
        let within = |field: &str, value: Option<u32>, default: u32, least: u64, most: u64| {
            let value = value.unwrap_or(default);
            let path = format!("retries.{field}");
            ConfigError::unless_within(&path, value.into(), least, most).map(|_| value)
        };
        use RetryOn::{Connection, RateLimited, ServerError, Timeout};
        Ok(Self {
            max: within("max", retries.max, 1, 0, MAX)?,
            backoff_ms: within("backoff_ms", retries.backoff_ms, 100, 10, 60_000)?,
            retry_after_max_secs: within(
                "retry_after_max_secs",
                retries.retry_after_max_secs,
                10,
                1,
                300,
            )?,
            for_all: file.is_some_and(|file| file.max.unwrap_or(1) > 0),
            on: retries.on.unwrap_or_else(|| vec![ServerError, RateLimited, Connection, Timeout]),
        })
    }

    /// Decides by the table above. `retry_after_secs` is the provider's.
    pub fn judge(&self, cause: Cause, retry_after_secs: Option<u64>, remaining: Remaining) -> Next {
        let wait =
            |same: bool, wait_secs: Option<u32>| match (same && remaining.same, remaining.next) {
                (true, _) => Next::Same(wait_secs),
                (false, true) => Next::Move,
                (false, false) => Next::Final,
            };
        match cause {
            Cause::Of(on) if !self.on.contains(&on) => Next::Final,
            Cause::ContextLength | Cause::Of(RetryOn::Timeout) => wait(false, None),
            Cause::Of(RetryOn::Connection) => wait(true, None),
            Cause::Of(RetryOn::ServerError | RetryOn::RateLimited) => {
                let limited = cause == Cause::Of(RetryOn::RateLimited);
                match retry_after_secs.map(u32::try_from) {
                    Some(Ok(0)) | None => wait(!limited || !remaining.next, None),
                    Some(Ok(secs)) if secs <= self.retry_after_max_secs => wait(true, Some(secs)),
                    Some(_) => wait(false, None),
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(all(target_family = "wasm", target_os = "unknown"))]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn decides_by_the_table() {
        use Cause::{ContextLength, Of};
        use RetryOn::{Connection, RateLimited, ServerError, Timeout};
        let retries = Retries::compile(None).unwrap();
        let (same, next, last) = (Next::Same(None), Next::Move, Next::Final);
        // With both left, with the same alone, with the next alone, with nothing.
        for (cause, retry_after, expected) in [
            (Of(ServerError), None, [same, same, next, last]),
            (Of(Connection), None, [same, same, next, last]),
            (Of(ServerError), Some(3), [Next::Same(Some(3)), Next::Same(Some(3)), next, last]),
            (Of(RateLimited), Some(10), [Next::Same(Some(10)), Next::Same(Some(10)), next, last]),
            (Of(RateLimited), Some(11), [next, last, next, last]),
            (Of(RateLimited), Some(u64::MAX), [next, last, next, last]),
            (Of(RateLimited), Some(0), [next, same, next, last]),
            (Of(RateLimited), None, [next, same, next, last]),
            (Of(Timeout), None, [next, last, next, last]),
            (ContextLength, None, [next, last, next, last]),
        ] {
            let lefts = [(true, true), (true, false), (false, true), (false, false)];
            let seen = lefts
                .map(|(same, next)| retries.judge(cause, retry_after, Remaining { same, next }));
            assert_eq!(seen, expected, "{cause:?} {retry_after:?}");
        }
    }

    #[test]
    fn what_is_left_out_is_final() {
        let file = RetriesFile { on: Some(vec![RetryOn::Timeout]), ..RetriesFile::default() };
        let retries = Retries::compile(Some(&file)).unwrap();
        let left = Remaining { same: true, next: true };
        assert_eq!(retries.judge(Cause::Of(RetryOn::ServerError), None, left), Next::Final);
        assert_eq!(retries.judge(Cause::Of(RetryOn::Timeout), None, left), Next::Move);
        assert_eq!(retries.judge(Cause::ContextLength, None, left), Next::Move);
    }
}
