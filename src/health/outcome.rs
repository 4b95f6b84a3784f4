//! What an attempt says about its provider, from what Envoy says about the attempt ([`Details`]).
//!
//! | case | `response.code_details` | outcome |
//! |---|---|---|
//! | a response below 500, 429 included | any | success |
//! | a 5xx of the provider's own | `via_upstream` | failure |
//! | a 5xx on a path that is not of the API | `via_upstream` | neutral |
//! | refused, reset or closed before a response; no HTTP | `upstream_reset_before_response_started{…}` | failure |
//! | closed while the client still sends: it may have been too slow | `…{connection_termination}` | neutral |
//! | Envoy's own limits | `…{overflow}` | neutral |
//! | the name does not resolve | `no_healthy_upstream` | failure |
//! | no such cluster, no such route | `cluster_not_found`, `route_not_found` | neutral |
//! | no response in time | `upstream_per_try_timeout`, `response_timeout` | failure |
//! | nothing moves, before the request was sent whole | `stream_idle_timeout`, `max_duration_timeout` | neutral |
//! | nothing moves, after it was | the same | failure |
//! | nothing moves, in the middle of a response: the client may not be reading | the same | neutral |
//! | the response breaks off | `upstream_reset_after_response_started{…}` | failure |
//! | the client leaves | `downstream_remote_disconnect`, flag DC | neutral |
//! | anything else: the gateway's own | | neutral |

use super::details::{CLIENT_LEFT, Details};
pub use crate::breaker::Outcome;

/// What is known of a request when its response begins.
#[derive(Debug, Clone, Copy)]
pub struct SentRequest {
    /// The provider got all of it.
    pub is_whole: bool,
    /// Its path is of the API.
    pub is_api: bool,
    /// Its outcome may close a breaker. Then a status below 500 alone is not believed, for Envoy gives its local replies
    /// to gRPC requests the status 200.
    pub is_probe: bool,
}

/// The outcome when a response begins. `details` is asked for where the status does not say.
pub fn at_headers(status: u32, sent: SentRequest, details: impl FnOnce() -> Vec<u8>) -> Outcome {
    let good = status < 500;
    if good && !sent.is_probe {
        return Outcome::Success;
    }
    match Details::parse(&details()) {
        Details::Provider if good => Outcome::Success,
        Details::Provider if sent.is_api => Outcome::Failure,
        Details::Provider => Outcome::Neutral,
        details => without_answer(details, sent.is_whole),
    }
}

/// The outcome when a response that had begun well is over. `flags` is Envoy's `response.flags`.
pub fn at_end(flags: u64, request_is_whole: bool, details: impl FnOnce() -> Vec<u8>) -> Outcome {
    if flags == 0 {
        return Outcome::Success;
    }
    if flags & CLIENT_LEFT != 0 {
        return Outcome::Neutral;
    }
    match Details::parse(&details()) {
        Details::Provider => Outcome::Success,
        // The client may not be reading.
        Details::Idle => Outcome::Neutral,
        details => without_answer(details, request_is_whole),
    }
}

fn without_answer(details: Details, request_is_whole: bool) -> Outcome {
    let is_failure = match details {
        Details::NoAddress | Details::Timeout | Details::ResetBefore | Details::ResetAfter => true,
        // The client may have been too slow.
        Details::Idle | Details::Closed => request_is_whole,
        Details::Provider | Details::NoCluster | Details::Overflow | Details::Other => false,
    };
    if is_failure { Outcome::Failure } else { Outcome::Neutral }
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(all(target_family = "wasm", target_os = "unknown"))]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    const API: SentRequest = SentRequest { is_whole: true, is_api: true, is_probe: false };
    const ADMIN: SentRequest = SentRequest { is_api: false, ..API };
    const PROBE: SentRequest = SentRequest { is_probe: true, ..API };

    #[test]
    fn a_probe_is_not_believed_by_its_status_alone() {
        let reset = b"upstream_reset_before_response_started{remote_connection_failure}";
        assert_eq!(at_headers(200, PROBE, || reset.to_vec()), Outcome::Failure);
        assert_eq!(at_headers(200, PROBE, || b"via_upstream".to_vec()), Outcome::Success);
        assert_eq!(at_headers(200, PROBE, Vec::new), Outcome::Neutral);
    }

    #[test]
    fn the_beginning_of_a_response() {
        use Outcome::{Failure, Neutral, Success};
        for (status, whole, details, expected) in [
            (200, true, "via_upstream", Success),
            (404, true, "via_upstream", Success),
            (429, true, "via_upstream", Success),
            (500, true, "via_upstream", Failure),
            (
                503,
                true,
                "upstream_reset_before_response_started{remote_connection_failure|x}",
                Failure,
            ),
            (503, true, "upstream_reset_before_response_started{connection_termination}", Failure),
            (503, false, "upstream_reset_before_response_started{connection_termination}", Neutral),
            (502, true, "upstream_reset_before_response_started{protocol_error}", Failure),
            (503, true, "upstream_reset_before_response_started{overflow}", Neutral),
            (503, true, "no_healthy_upstream", Failure),
            (503, true, "cluster_not_found", Neutral),
            (504, true, "upstream_per_try_timeout", Failure),
            (504, true, "upstream_per_try_idle_timeout", Failure),
            (504, true, "response_timeout", Failure),
            (504, true, "stream_idle_timeout", Failure),
            (504, false, "stream_idle_timeout", Neutral),
            (504, false, "max_duration_timeout", Neutral),
            (503, true, "wasm_fail_stream", Neutral),
            (500, true, "", Neutral),
        ] {
            let got = at_headers(status, SentRequest { is_whole: whole, ..API }, || {
                details.as_bytes().to_vec()
            });
            assert_eq!(got, expected, "{status} {details}");
        }
    }

    #[test]
    fn a_provider_is_judged_by_its_api_alone() {
        let upstream = || b"via_upstream".to_vec();
        assert_eq!(at_headers(500, ADMIN, upstream), Outcome::Neutral);
        let refused =
            || b"upstream_reset_before_response_started{remote_connection_failure}".to_vec();
        assert_eq!(at_headers(503, ADMIN, refused), Outcome::Failure);
    }

    #[test]
    fn the_end_of_a_response() {
        use Outcome::{Failure, Neutral, Success};
        let reset = "upstream_reset_after_response_started{protocol_error}";
        for (flags, details, expected) in [
            (0, "via_upstream", Success),
            (1 << 23, reset, Failure),
            (4, "response_timeout", Failure),
            (1 << 16, "stream_idle_timeout", Neutral),
            (1 << 14, "downstream_remote_disconnect", Neutral),
            (1 << 14, reset, Neutral),
            (1 << 5, "via_upstream", Success),
        ] {
            assert_eq!(at_end(flags, true, || details.as_bytes().to_vec()), expected, "{details}");
        }
    }
}
