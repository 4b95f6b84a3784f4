//! Envoy's local replies, in the gateway's words.

use std::borrow::Cow;

use serde::Serialize;

use crate::names::clusters::IS_TO_CONTROL;
use crate::names::headers::CLUSTER;
use crate::names::properties::{RATE_LIMITED, RATE_LIMITER_ERROR};
use crate::reply::{Code, too_large};
use crate::request::endpoint::Shape;

/// One of Envoy's mappers: the replies that it is for, and the document that the client gets.
#[derive(Serialize)]
pub(super) struct LocalReply {
    #[serde(flatten)]
    reason: Reason,
    /// The shape that the client expects, where that is not OpenAI's.
    shape: Option<&'static str>,
    body: String,
    retry_after_secs: Option<u32>,
    /// In place of Envoy's own.
    status_code: Option<u32>,
}

/// Why Envoy replies.
#[derive(Serialize, Clone, Default)]
struct Reason {
    /// How the response's status compares with `status`: `EQ` or `GE`.
    op: Option<&'static str>,
    status: Option<u32>,
    /// Envoy's response flags, any of them.
    flags: Option<&'static [&'static str]>,
    /// A condition in CEL.
    expression: Option<Cow<'static, str>>,
}

/// The provider, by the name of its cluster, which is the provider's name unless `cluster` is set. The name is checked: no
/// character of it needs an escape in JSON.
const PROVIDER: &str = "The provider '%UPSTREAM_CLUSTER_RAW%'";

/// The mappers, in the order in which Envoy tries them: for each error the shapes of Anthropic and
/// Gemini first, where the filter has said that the client expects them.
pub(super) fn all(body_limit_bytes: u64) -> Vec<LocalReply> {
    let before = [
        (Code::RequestTooLarge, status_is(413), too_large(body_limit_bytes)),
        (Code::HeadersTooLarge, status_is(431), "The request's headers are too large.".to_owned()),
        (Code::ProviderTimeout, status_is(504), format!("{PROVIDER} did not answer in time.")),
        (
            Code::GatewayBusy,
            said("response.code_details.contains('overload')"),
            "The gateway has no memory left for further bodies; try again.".to_owned(),
        ),
        (
            Code::OriginNotAllowed,
            // The route for preflights.
            said("response.code == 403 && response.code_details == 'direct_response'"),
            "Pages of other origins may not call this gateway: add theirs to allow_origins of [cors].".to_owned(),
        ),
        (
            Code::ProviderCredential,
            said("response.code_details == 'failed_to_inject_credential'"),
            "The gateway has no credential for the provider '%UPSTREAM_CLUSTER_RAW%'; try again.".to_owned(),
        ),
    ];
    let bad_answers = [
        (
            Code::BadProviderResponse,
            status_is(502),
            format!("{PROVIDER} sent no valid HTTP response (Envoy's flag %RESPONSE_FLAGS%)."),
        ),
        // A transfer coding that Envoy does not know.
        (Code::InvalidRequest, status_is(501), "The HTTP request cannot be read.".to_owned()),
        (Code::UnknownUrl, status_is(404), "Unknown URL.".to_owned()),
        (
            Code::GatewayError,
            status_from(500),
            "The gateway failed (Envoy's flag %RESPONSE_FLAGS%).".to_owned(),
        ),
        (
            Code::InvalidRequest,
            status_from(400),
            "The HTTP request cannot be read (Envoy's flag %RESPONSE_FLAGS%).".to_owned(),
        ),
    ];
    let rows = before.into_iter().chain(not_reached()).chain(bad_answers);
    rows.flat_map(|(code, reason, message)| all_shapes(code, &reason, &message)).collect()
}

/// A connection to the provider could not be opened, or ended before the answer.
fn not_reached() -> [(Code, Reason, String); 10] {
    let reached = |why: &str| format!("{PROVIDER} cannot be reached: {why}.");
    [
        (
            Code::ProviderTls,
            // Envoy 1.36 does not tell a wrong name from other reasons.
            said("upstream.transport_failure_reason.contains('SAN')"),
            reached("its TLS certificate is for another name than the one in its url"),
        ),
        (
            Code::ProviderTls,
            said("upstream.transport_failure_reason.contains('CERTIFICATE_VERIFY_FAILED')"),
            reached(
                "its TLS certificate is not trusted. The certificate has expired, or is for another name than the one in the \
                 url, or ca_file must name the authority that has signed it",
            ),
        ),
        (
            Code::ProviderTls,
            said("upstream.transport_failure_reason.contains('TLS_error')"),
            reached("it does not speak TLS as its url says; correct the port, or write http://"),
        ),
        (
            Code::ProviderUnreachable,
            // Envoy has the words of the operating system, with `_` for spaces.
            said("response.code_details.contains('Connection_refused')"),
            reached(
                "nothing takes connections at its url (connection refused; Envoy's flag %RESPONSE_FLAGS%)",
            ),
        ),
        (
            Code::ProviderUnreachable,
            said("response.code_details.contains('connection_timeout')"),
            reached(
                "nothing took the connection to its url in time (Envoy's flag %RESPONSE_FLAGS%)",
            ),
        ),
        (
            Code::ProviderUnreachable,
            flags(&["UH"]),
            reached("the name in its url does not resolve (Envoy's flag UH)"),
        ),
        (
            Code::ProviderUnreachable,
            flags(&["NC"]),
            // Envoy has not taken up a cluster: the filter has named the cluster in a header.
            format!(
                "The provider '%REQ({CLUSTER})%' cannot be reached: Envoy has no cluster of this name (Envoy's flag NC)."
            ),
        ),
        (
            Code::ProviderUnreachable,
            flags(&["UC"]),
            reached("it closed the connection before it answered (Envoy's flag UC)"),
        ),
        (
            Code::ProviderUnreachable,
            flags(&["UF"]),
            reached("no connection could be opened (Envoy's flag UF)"),
        ),
        (
            Code::ProviderUnreachable,
            flags(&["UR", "UO", "LH"]),
            reached(
                "the connection was reset, or Envoy opens no further one (Envoy's flag %RESPONSE_FLAGS%)",
            ),
        ),
    ]
}

/// The replies on the paths of a control server that is away.
pub(super) fn of_control() -> [LocalReply; 3] {
    let away = said(IS_TO_CONTROL);
    let message = "The control server is not there; requests for models are served all the same.";
    all_shapes(Code::ControlUnavailable, &away, message)
}

/// The replies of the filter that asks about rates which gateways share.
pub(super) fn of_shared_limits() -> Vec<LocalReply> {
    let rows = [
        (
            Code::RateLimitExceeded,
            details_are(RATE_LIMITED),
            "This API key, or its user, has used up its requests or tokens of this minute, at all gateways together; try again when \
             the minute is over.",
        ),
        (
            Code::LimitsUnavailable,
            details_are(RATE_LIMITER_ERROR),
            "The service that counts requests and tokens for all gateways does not answer; try again.",
        ),
    ];
    rows.iter().flat_map(|(code, reason, message)| all_shapes(*code, reason, message)).collect()
}

fn all_shapes(code: Code, reason: &Reason, message: &str) -> [LocalReply; 3] {
    [Shape::Anthropic, Shape::Gemini, Shape::OpenAi].map(|shape| LocalReply {
        reason: reason.clone(),
        shape: (shape != Shape::OpenAi).then(|| shape.as_str()),
        body: code.document(shape, message, None).to_string(),
        // Envoy's 503s carry no time: a client may try again soon.
        retry_after_secs: (code.status() == 503).then_some(1),
        status_code: matches!(
            code,
            Code::GatewayBusy | Code::ProviderCredential | Code::LimitsUnavailable
        )
        .then(|| code.status()),
    })
}

fn status_is(status: u32) -> Reason {
    Reason { op: Some("EQ"), status: Some(status), ..Reason::default() }
}

fn status_from(status: u32) -> Reason {
    Reason { op: Some("GE"), status: Some(status), ..Reason::default() }
}

fn flags(flags: &'static [&'static str]) -> Reason {
    Reason { flags: Some(flags), ..Reason::default() }
}

fn said(expression: &'static str) -> Reason {
    Reason { expression: Some(expression.into()), ..Reason::default() }
}

fn details_are(details: &str) -> Reason {
    let expression = format!("response.code_details == '{details}'");
    Reason { expression: Some(expression.into()), ..Reason::default() }
}
