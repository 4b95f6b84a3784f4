//! Envoy's own replies, said as the gateway would say them.

use gaud::endpoint::Shape;
use gaud::reply::{Code, too_large};
use serde::Serialize;

/// Envoy's filter of access logs by an expression.
const CEL: &str = "envoy.access_loggers.extension_filters.cel";

const CEL_TYPE: &str =
    "type.googleapis.com/envoy.extensions.access_loggers.filters.cel.v3.ExpressionFilter";

/// What the template needs: a filter of Envoy's access logs, and the document for what it matches.
#[derive(Serialize)]
pub(super) struct LocalReply {
    filter: String,
    body: String,
    retry_after_secs: Option<u32>,
}

/// The mappers, in the order in which Envoy tries them: for each error the shapes of Anthropic and
/// Gemini first, where the filter has said that the client expects them.
pub(super) fn all(body_limit_bytes: u64) -> Vec<LocalReply> {
    let rows = [
        (Code::RequestTooLarge, status_is(413), too_large(body_limit_bytes)),
        (Code::HeadersTooLarge, status_is(431), "The request's headers are too large.".to_owned()),
        (Code::ProviderTimeout, status_is(504), "The provider did not answer in time.".to_owned()),
        (
            Code::ProviderUnreachable,
            flags("\"UF\", \"UC\", \"UR\", \"UH\", \"UO\", \"LH\", \"NC\""),
            "The provider cannot be reached (Envoy's flag %RESPONSE_FLAGS%).".to_owned(),
        ),
        (
            Code::BadProviderResponse,
            status_is(502),
            "The provider sent no valid HTTP response (Envoy's flag %RESPONSE_FLAGS%).".to_owned(),
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
    rows.iter().flat_map(|(code, filter, message)| all_shapes(*code, filter, message)).collect()
}

fn all_shapes(code: Code, filter: &str, message: &str) -> [LocalReply; 3] {
    let reply = |shape, filter| LocalReply {
        filter,
        body: code.document(shape, message, None),
        // Envoy's own 503s carry no time of their own: a client may try again soon.
        retry_after_secs: (code.status() == 503).then_some(1),
    };
    let expected = |shape: Shape| {
        let is_said = format!(
            "{{ extension_filter: {{ name: {CEL}, typed_config: {{ \"@type\": {CEL_TYPE}, expression: \
             'filter_state[\"wasm.{}\"] == b\"{}\"' }} }} }}",
            Shape::PROPERTY,
            shape.as_str()
        );
        format!("{{ and_filter: {{ filters: [{filter}, {is_said}] }} }}")
    };
    [
        reply(Shape::Anthropic, expected(Shape::Anthropic)),
        reply(Shape::Gemini, expected(Shape::Gemini)),
        reply(Shape::OpenAi, filter.to_owned()),
    ]
}

fn status_is(status: u32) -> String {
    compare("EQ", status)
}

fn status_from(status: u32) -> String {
    compare("GE", status)
}

fn compare(op: &str, status: u32) -> String {
    format!(
        "{{ status_code_filter: {{ comparison: {{ op: {op}, value: {{ default_value: {status}, \
         runtime_key: gaud.local_reply }} }} }} }}"
    )
}

fn flags(flags: &str) -> String {
    format!("{{ response_flag_filter: {{ flags: [{flags}] }} }}")
}
