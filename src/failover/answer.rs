//! What the head of a provider's response says: an answer, or a reason for another attempt.
//!
//! | [`Details`] | status | kind |
//! |---|---|---|
//! | the provider answered | 2xx | good; its body may still begin with an error |
//! | | 400, 413 | may be that the context is too long: its body says |
//! | | 429 | failed: `429` |
//! | | 5xx | failed: `5xx` |
//! | | any other | the client's |
//! | no response in time, nothing moved | | failed: `timeout` |
//! | refused, reset, or no address | | failed: `connection` |
//! | any other: the gateway answered | | the client's |

use crate::config::RetryOn;
use crate::failover::reader::Content;
use crate::health::details::Details;

/// The head of a response.
#[derive(Debug, Clone, Copy, Default)]
pub struct AnswerHead<'a> {
    pub status: u32,
    /// Envoy's `response.code_details`.
    pub details: &'a [u8],
    /// `retry-after`, in seconds.
    pub retry_after_secs: Option<u64>,
    /// What the body can be.
    pub content: Content,
    /// There is a `content-length`: nothing can be added to the body.
    pub has_length: bool,
    /// The body is compressed, so its bytes are not read.
    pub is_encoded: bool,
    /// The answer has no body.
    pub end: bool,
}

/// What a response's head says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AnswerKind {
    /// A 2xx of the provider.
    Good,
    /// An error that may be about the length of the context.
    MayBeTooLong,
    /// The attempt has failed, for this reason.
    Failed(RetryOn),
    /// A response for the client, as it is.
    Other,
}

/// Reads a head by the table above.
pub fn classify(answer: &AnswerHead<'_>) -> AnswerKind {
    match Details::parse(answer.details) {
        Details::Provider => match answer.status {
            200..300 => AnswerKind::Good,
            400 | 413 if !answer.is_encoded => AnswerKind::MayBeTooLong,
            429 => AnswerKind::Failed(RetryOn::RateLimited),
            500.. => AnswerKind::Failed(RetryOn::ServerError),
            _ => AnswerKind::Other,
        },
        Details::Timeout | Details::Idle => AnswerKind::Failed(RetryOn::Timeout),
        Details::NoAddress
        | Details::NoCluster
        | Details::Overflow
        | Details::Shortage
        | Details::Closed
        | Details::ResetBefore => AnswerKind::Failed(RetryOn::Connection),
        Details::ResetAfter | Details::Other => AnswerKind::Other,
    }
}

/// The wait in a `retry-after` or a `retry-after-ms`, rounded up. `None` for a date.
pub fn retry_after_secs(seconds: &[u8], milliseconds: &[u8]) -> Option<u64> {
    let number = |text: &[u8]| std::str::from_utf8(text).ok()?.trim().parse::<u64>().ok();
    number(seconds).or_else(|| number(milliseconds).map(|ms| ms.div_ceil(1000)))
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(all(target_family = "wasm", target_os = "unknown"))]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn classifies_by_the_table() {
        let kind = |status, details: &'static str| {
            classify(&AnswerHead { status, details: details.as_bytes(), ..AnswerHead::default() })
        };
        for (status, expected) in [
            (200, AnswerKind::Good),
            (204, AnswerKind::Good),
            (302, AnswerKind::Other),
            (400, AnswerKind::MayBeTooLong),
            (401, AnswerKind::Other),
            (404, AnswerKind::Other),
            (413, AnswerKind::MayBeTooLong),
            (429, AnswerKind::Failed(RetryOn::RateLimited)),
            (500, AnswerKind::Failed(RetryOn::ServerError)),
            (529, AnswerKind::Failed(RetryOn::ServerError)),
        ] {
            assert_eq!(kind(status, "via_upstream"), expected, "{status}");
        }
        for (details, expected) in [
            ("upstream_per_try_timeout", AnswerKind::Failed(RetryOn::Timeout)),
            ("stream_idle_timeout", AnswerKind::Failed(RetryOn::Timeout)),
            ("no_healthy_upstream", AnswerKind::Failed(RetryOn::Connection)),
            (
                "upstream_reset_before_response_started{connection_termination}",
                AnswerKind::Failed(RetryOn::Connection),
            ),
            ("request_payload_too_large", AnswerKind::Other),
            ("gaud_provider_unavailable", AnswerKind::Other),
        ] {
            assert_eq!(kind(503, details), expected, "{details}");
        }
        let encoded = AnswerHead {
            status: 400,
            details: b"via_upstream",
            is_encoded: true,
            ..AnswerHead::default()
        };
        assert_eq!(classify(&encoded), AnswerKind::Other);
    }

    #[test]
    fn reads_how_long_to_wait() {
        for (seconds, milliseconds, expected) in [
            ("3", "", Some(3)),
            ("", "1200", Some(2)),
            ("3", "9000", Some(3)),
            ("Wed, 21 Oct 2026 07:28:00 GMT", "", None),
            ("-1", "", None),
            ("", "", None),
        ] {
            let seen = retry_after_secs(seconds.as_bytes(), milliseconds.as_bytes());
            assert_eq!(seen, expected, "{seconds} {milliseconds}");
        }
    }
}
