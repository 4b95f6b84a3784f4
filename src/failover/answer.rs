//! What the head of a provider's response says: an answer, or a reason for another attempt.
//!
//! | [`Details`] | status | kind |
//! |---|---|---|
//! | the provider answered | 2xx | good; its body may still begin with an error |
//! | | 400, 413 | may be that the context is too long: its body says |
//! | | 408, 425: the provider, or its provider, had no time | failed: `timeout` |
//! | | 429 to the gateway's credential | failed: `429`; its body may still say that the quota is spent |
//! | | 429 to the client's own credential, or to none | the client's |
//! | | 5xx | failed: `5xx` |
//! | | 5xx to a request without the credential that it would need | the client's |
//! | | any other | the client's |
//! | no response in time, nothing moved | | failed: `timeout` |
//! | refused, reset, or no address | | failed: `connection` |
//! | any other: the gateway answered | | the client's |

use crate::config::RetryOn;
use crate::failover::reader::Content;
use crate::gateway::Account;
use crate::health::details::Details;

/// The head of a response.
#[derive(Debug, Clone, Copy, Default)]
pub struct AnswerHead<'a> {
    pub status: u32,
    /// Envoy's `response.code_details`.
    pub details: &'a [u8],
    /// For how many seconds the provider asks to be left alone; see [`super::retry_after`].
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

/// Reads a head by the table above. `account` is what the provider saw.
pub fn classify(answer: &AnswerHead<'_>, account: Account) -> AnswerKind {
    match Details::parse(answer.details) {
        Details::Provider => match answer.status {
            200..300 => AnswerKind::Good,
            400 | 413 if !answer.is_encoded => AnswerKind::MayBeTooLong,
            408 | 425 => AnswerKind::Failed(RetryOn::Timeout),
            429 if account == Account::Gateway => AnswerKind::Failed(RetryOn::RateLimited),
            500.. if account != Account::Missing => AnswerKind::Failed(RetryOn::ServerError),
            _ => AnswerKind::Other,
        },
        Details::Timeout | Details::Idle => AnswerKind::Failed(RetryOn::Timeout),
        Details::NoAddress
        | Details::NoCluster
        | Details::Overflow
        | Details::Shortage
        | Details::NoCredential
        | Details::Closed
        | Details::ResetBefore => AnswerKind::Failed(RetryOn::Connection),
        Details::ResetAfter | Details::Other => AnswerKind::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(all(target_family = "wasm", target_os = "unknown"))]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn classifies_by_the_table() {
        let kind = |status, details: &'static str| {
            let answer =
                AnswerHead { status, details: details.as_bytes(), ..AnswerHead::default() };
            classify(&answer, Account::Gateway)
        };
        for (status, expected) in [
            (200, AnswerKind::Good),
            (204, AnswerKind::Good),
            (302, AnswerKind::Other),
            (400, AnswerKind::MayBeTooLong),
            (401, AnswerKind::Other),
            (404, AnswerKind::Other),
            (408, AnswerKind::Failed(RetryOn::Timeout)),
            (409, AnswerKind::Other),
            (425, AnswerKind::Failed(RetryOn::Timeout)),
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
        assert_eq!(classify(&encoded, Account::Gateway), AnswerKind::Other);
    }

    #[test]
    fn a_refusal_of_the_clients_own_credential_is_the_clients() {
        use AnswerKind::{Failed, Other};
        use RetryOn::{Connection, ServerError, Timeout};
        for (status, details, of_client, of_none) in [
            (401, "via_upstream", Other, Other),
            (403, "via_upstream", Other, Other),
            (408, "via_upstream", Failed(Timeout), Failed(Timeout)),
            (429, "via_upstream", Other, Other),
            (500, "via_upstream", Failed(ServerError), Other),
            (503, "via_upstream", Failed(ServerError), Other),
            (503, "no_healthy_upstream", Failed(Connection), Failed(Connection)),
        ] {
            let answer =
                AnswerHead { status, details: details.as_bytes(), ..AnswerHead::default() };
            let seen = [Account::Client, Account::Missing].map(|own| classify(&answer, own));
            assert_eq!(seen, [of_client, of_none], "{status} {details}");
        }
    }
}
