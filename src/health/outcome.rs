//! What an attempt says about its provider and its model ([`Evidence`]), from what Envoy says about the attempt
//! ([`Details`]).
//!
//! | case | `response.code_details` | evidence |
//! |---|---|---|
//! | another protocol: 101 | any | switched: nothing that follows says anything |
//! | 408, 425: the provider, or its provider, had no time | any | nothing |
//! | any other response below 500, 429 included | any | answered |
//! | a 5xx of the provider's own, to a request without the credential that it would need | `via_upstream` | nothing |
//! | a 5xx of the provider's own, to a request that names a model | `via_upstream` | the model failed |
//! | a 5xx of the provider's own, to any other request | `via_upstream` | nothing |
//! | refused, reset or closed before a response; no TLS; no HTTP | `upstream_reset_before_response_started{…}` | unreachable |
//! | closed while the client still sends: the client may have been too slow | `…{connection_termination}` | nothing |
//! | Envoy's own limits | `…{overflow}` | nothing |
//! | no file descriptor, port or memory for a connection | `…{local_connection_failure…}` with a reason | a shortage |
//! | the gateway has no credential for the provider | `failed_to_inject_credential` | no credential |
//! | the name does not resolve | `no_healthy_upstream` | unreachable |
//! | no such cluster, no such route | `cluster_not_found`, `route_not_found` | nothing |
//! | no response in time | `upstream_per_try_timeout`, `response_timeout` | unreachable |
//! | nothing moves, before the request was sent whole | `stream_idle_timeout`, `max_duration_timeout` | nothing |
//! | nothing moves, after the request was sent whole | the same | unreachable |
//! | nothing moves, in the middle of a response: the client may not be reading | the same | nothing |
//! | a response to a request that names a model breaks off | `upstream_reset_after_response_started{…}` | the model failed |
//! | any other response breaks off | the same | nothing |
//! | the client leaves | `downstream_remote_disconnect`, flag DC | nothing |
//! | an error inside a 200: see [`crate::failover::fault`] | `via_upstream` | the model failed, or nothing |
//! | anything else: the gateway's own | | nothing |

use memchr::memmem;

use super::details::{CLIENT_LEFT, Details};
use crate::breaker::{Evidence, Reason};
use crate::gateway::Account;

/// The state of a request when its response begins.
#[derive(Debug, Clone, Copy)]
pub struct SentRequest {
    /// The provider has received the whole request.
    pub is_whole: bool,
    /// The path is of the API, and the request names a model.
    pub has_model: bool,
    /// A success of the request can change a breaker. Then the details are read also for a status below 500: Envoy's local
    /// replies to gRPC requests have the status 200.
    pub can_heal: bool,
    /// Whose credential the provider sees. LiteLLM without a database answers 500 to a request without one.
    pub account: Account,
}

/// How a stream has ended, as Envoy tells when it is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamEnd {
    /// The status of the response; 0 where none has begun.
    pub status: u32,
    /// Envoy's `response.flags`.
    pub flags: u64,
    /// Envoy's `response.code_details`.
    pub details: Vec<u8>,
}

impl StreamEnd {
    /// A whole response below 400: what an end is that Envoy has not noted. 101 is noted.
    pub const WHOLE: Self = Self { status: 200, flags: 0, details: Vec::new() };

    /// Whether a provider's response had begun, although the details may say by now how the response has ended.
    fn has_begun(&self) -> bool {
        match Details::parse(&self.details) {
            Details::Provider | Details::ResetAfter => true,
            // Envoy's own answer, when no response has begun, is 504.
            Details::Idle => self.status != 504,
            _ => self.flags & CLIENT_LEFT != 0,
        }
    }
}

/// The evidence of a response's head, where the end of the stream is all that was heard.
pub fn at_headers_by_end(end: &StreamEnd, sent: SentRequest) -> Evidence {
    match end.status {
        0 => Evidence::Nothing,
        status => at_headers(status, sent, || match end.has_begun() {
            true => VIA_UPSTREAM.to_vec(),
            false => end.details.clone(),
        }),
    }
}

/// The details of a provider's own response.
const VIA_UPSTREAM: &[u8] = b"via_upstream";

/// The evidence when a response begins. `details` is called only where the status alone does not decide.
pub fn at_headers(status: u32, sent: SentRequest, details: impl FnOnce() -> Vec<u8>) -> Evidence {
    let good = match status {
        101 => return Evidence::Switched,
        408 | 425 => return Evidence::Nothing,
        status => status < 500,
    };
    if good && !sent.can_heal {
        return Evidence::Answered;
    }
    let details = details();
    match Details::parse(&details) {
        Details::Provider if good => Evidence::Answered,
        Details::Provider if sent.account == Account::Missing => Evidence::Nothing,
        Details::Provider => blame(sent, Reason::Status(status)),
        _ => without_answer(&details, sent),
    }
}

/// The evidence when a response that had begun well is over. `flags` is Envoy's `response.flags`.
pub fn at_end(flags: u64, sent: SentRequest, details: impl FnOnce() -> Vec<u8>) -> Evidence {
    if flags == 0 {
        return Evidence::Answered;
    }
    if flags & CLIENT_LEFT != 0 {
        return Evidence::Nothing;
    }
    let details = details();
    match Details::parse(&details) {
        Details::Provider => Evidence::Answered,
        // The client may not be reading.
        Details::Idle => Evidence::Nothing,
        // The response was Envoy's own reply to a gRPC request, with the status 200.
        Details::NoAddress | Details::Shortage | Details::Closed | Details::ResetBefore => {
            without_answer(&details, sent)
        }
        _ => match without_answer(&details, sent).reason() {
            Some(reason) => blame(sent, reason),
            None => Evidence::Nothing,
        },
    }
}

/// A failure of the model, where the request names one.
fn blame(sent: SentRequest, reason: Reason) -> Evidence {
    match sent.has_model {
        true => Evidence::ModelFailed(reason),
        false => Evidence::Nothing,
    }
}

fn without_answer(details: &[u8], sent: SentRequest) -> Evidence {
    match Details::parse(details) {
        Details::NoAddress => Evidence::Unreachable(Reason::NoAddress),
        Details::Timeout => Evidence::Unreachable(Reason::Timeout),
        Details::ResetBefore => Evidence::Unreachable(reason_of_reset(details)),
        Details::Shortage => Evidence::Shortage,
        Details::NoCredential => Evidence::NoCredential,
        Details::ResetAfter => blame(sent, Reason::BrokeOff),
        // Before the request was whole, the client may have been too slow.
        Details::Idle if sent.is_whole => Evidence::Unreachable(Reason::Timeout),
        Details::Closed if sent.is_whole => Evidence::Unreachable(Reason::Closed),
        Details::Idle
        | Details::Closed
        | Details::Provider
        | Details::NoCluster
        | Details::Overflow
        | Details::Other => Evidence::Nothing,
    }
}

/// Envoy appends what its TLS library says.
fn reason_of_reset(details: &[u8]) -> Reason {
    let has = |text: &[u8]| memmem::find(details, text).is_some();
    match has(b"TLS_error") {
        true if has(b"CERTIFICATE_VERIFY_FAILED") => Reason::Certificate,
        true => Reason::Tls,
        false => Reason::Refused,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(all(target_family = "wasm", target_os = "unknown"))]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    const CHAT: SentRequest =
        SentRequest { is_whole: true, has_model: true, can_heal: false, account: Account::Gateway };
    const ADMIN: SentRequest = SentRequest { has_model: false, ..CHAT };
    const PROBE: SentRequest = SentRequest { can_heal: true, ..CHAT };
    const REFUSED: &[u8] =
        b"upstream_reset_before_response_started{remote_connection_failure|delayed_connect_error}";

    #[test]
    fn the_head_is_known_by_the_end_of_the_stream() {
        use Evidence::{Answered, ModelFailed, Nothing, Shortage, Switched, Unreachable};
        let reset = "upstream_reset_after_response_started{remote_reset}";
        let broken = "upstream_reset_before_response_started{remote_connection_failure}";
        for (status, flags, details, expected) in [
            (0, CLIENT_LEFT, "downstream_remote_disconnect", Nothing),
            (200, 0, "via_upstream", Answered),
            (200, CLIENT_LEFT, "downstream_remote_disconnect", Answered),
            (200, 32, reset, Answered),
            (200, 0, "stream_idle_timeout", Answered),
            (101, 0, "via_upstream", Switched),
            (408, 0, "via_upstream", Nothing),
            (429, 0, "via_upstream", Answered),
            (500, 0, "via_upstream", ModelFailed(Reason::Status(500))),
            (500, CLIENT_LEFT, "downstream_remote_disconnect", ModelFailed(Reason::Status(500))),
            (502, 32, reset, ModelFailed(Reason::Status(502))),
            (500, 0, "stream_idle_timeout", ModelFailed(Reason::Status(500))),
            (504, 0, "stream_idle_timeout", Unreachable(Reason::Timeout)),
            (503, 32, broken, Unreachable(Reason::Refused)),
            (503, 4, "no_healthy_upstream", Unreachable(Reason::NoAddress)),
            (503, 0, "gaud_not_allowed", Nothing),
            (
                503,
                64,
                "upstream_reset_before_response_started{local_connection_failure|x}",
                Shortage,
            ),
        ] {
            let end = StreamEnd { status, flags, details: details.as_bytes().to_vec() };
            assert_eq!(at_headers_by_end(&end, CHAT), expected, "{status} {details}");
        }
        let grpc = StreamEnd { status: 200, flags: 32, details: broken.as_bytes().to_vec() };
        assert_eq!(at_headers_by_end(&grpc, PROBE), Unreachable(Reason::Refused));
    }

    #[test]
    fn a_probe_is_not_believed_by_its_status_alone() {
        let refused = Evidence::Unreachable(Reason::Refused);
        assert_eq!(at_headers(200, PROBE, || REFUSED.to_vec()), refused);
        assert_eq!(at_headers(200, PROBE, || b"via_upstream".to_vec()), Evidence::Answered);
        assert_eq!(at_headers(200, PROBE, Vec::new), Evidence::Nothing);
    }

    #[test]
    fn the_beginning_of_a_response() {
        use Evidence::{Answered, ModelFailed, Nothing, Shortage, Switched, Unreachable};
        let before = |what: &str| format!("upstream_reset_before_response_started{{{what}}}");
        let certificate = "remote_connection_failure|TLS_error:|268435581:SSL_routines:\
                           OPENSSL_internal:CERTIFICATE_VERIFY_FAILED:TLS_error_end";
        let tls = "remote_connection_failure|TLS_error:|268435703:SSL_routines:OPENSSL_internal:\
                   WRONG_VERSION_NUMBER:TLS_error_end";
        for (status, is_whole, details, expected) in [
            (101, true, "via_upstream".to_owned(), Switched),
            (200, true, "via_upstream".to_owned(), Answered),
            (404, true, "via_upstream".to_owned(), Answered),
            (408, true, "via_upstream".to_owned(), Nothing),
            (425, true, "via_upstream".to_owned(), Nothing),
            (429, true, "via_upstream".to_owned(), Answered),
            (500, true, "via_upstream".to_owned(), ModelFailed(Reason::Status(500))),
            (503, true, before("remote_connection_failure|x"), Unreachable(Reason::Refused)),
            (503, true, before("local_connection_failure|socket_creation_failure"), Shortage),
            (503, true, before(certificate), Unreachable(Reason::Certificate)),
            (503, true, before(tls), Unreachable(Reason::Tls)),
            (503, true, before("connection_termination"), Unreachable(Reason::Closed)),
            (503, false, before("connection_termination"), Nothing),
            (502, true, before("protocol_error"), Unreachable(Reason::Refused)),
            (503, true, before("overflow"), Nothing),
            (503, true, "no_healthy_upstream".to_owned(), Unreachable(Reason::NoAddress)),
            (503, true, "cluster_not_found".to_owned(), Nothing),
            (504, true, "upstream_per_try_timeout".to_owned(), Unreachable(Reason::Timeout)),
            (504, true, "upstream_per_try_idle_timeout".to_owned(), Unreachable(Reason::Timeout)),
            (504, true, "response_timeout".to_owned(), Unreachable(Reason::Timeout)),
            (504, true, "stream_idle_timeout".to_owned(), Unreachable(Reason::Timeout)),
            (504, false, "stream_idle_timeout".to_owned(), Nothing),
            (504, false, "max_duration_timeout".to_owned(), Nothing),
            (503, true, "wasm_fail_stream".to_owned(), Nothing),
            (500, true, String::new(), Nothing),
        ] {
            let sent = SentRequest { is_whole, ..CHAT };
            let got = at_headers(status, sent, || details.clone().into_bytes());
            assert_eq!(got, expected, "{status} {details}");
        }
    }

    #[test]
    fn a_request_without_a_model_blames_no_model() {
        let upstream = || b"via_upstream".to_vec();
        assert_eq!(at_headers(500, ADMIN, upstream), Evidence::Nothing);
        assert_eq!(at_headers(404, ADMIN, upstream), Evidence::Answered);
        let refused = Evidence::Unreachable(Reason::Refused);
        assert_eq!(at_headers(503, ADMIN, || REFUSED.to_vec()), refused);
        let reset = || b"upstream_reset_after_response_started{protocol_error}".to_vec();
        assert_eq!(at_end(1 << 23, ADMIN, reset), Evidence::Nothing);
    }

    #[test]
    fn a_5xx_to_a_request_without_a_credential_says_nothing() {
        let keyless = SentRequest { account: Account::Missing, ..CHAT };
        let upstream = || b"via_upstream".to_vec();
        assert_eq!(at_headers(500, keyless, upstream), Evidence::Nothing);
        assert_eq!(at_headers(404, keyless, upstream), Evidence::Answered);
        let refused = Evidence::Unreachable(Reason::Refused);
        assert_eq!(at_headers(503, keyless, || REFUSED.to_vec()), refused);
        let client = SentRequest { account: Account::Client, ..CHAT };
        let failed = Evidence::ModelFailed(Reason::Status(500));
        assert_eq!(at_headers(500, client, upstream), failed);
    }

    #[test]
    fn the_end_of_a_response() {
        use Evidence::{Answered, ModelFailed, Nothing, Unreachable};
        let refused = "upstream_reset_before_response_started{remote_connection_failure}";
        let reset = "upstream_reset_after_response_started{protocol_error}";
        for (flags, details, expected) in [
            (0, "via_upstream", Answered),
            (1 << 23, reset, ModelFailed(Reason::BrokeOff)),
            (32, refused, Unreachable(Reason::Refused)),
            (4, "response_timeout", ModelFailed(Reason::Timeout)),
            (1 << 16, "stream_idle_timeout", Nothing),
            (1 << 14, "downstream_remote_disconnect", Nothing),
            (1 << 14, reset, Nothing),
            (1 << 5, "via_upstream", Answered),
        ] {
            assert_eq!(at_end(flags, CHAT, || details.as_bytes().to_vec()), expected, "{details}");
        }
    }
}
