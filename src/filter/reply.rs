//! The gateway's answers and changes of requests as calls into Envoy.

use super::abi::{self, Buffer, Map};
use crate::body::Splice;
use crate::gateway::{Gateway, Provider};
use crate::health::outcome::StreamEnd;
use crate::names::properties;
use crate::reply::Reply;
use crate::request::endpoint::Shape;
use crate::session::{HeaderChange, Outgoing};
use crate::usage::AnswerStart;

/// Answers in the provider's place, with further headers.
pub(super) fn send(reply: &Reply, further: &[(&str, String)]) {
    let retry_after = reply.retry_after_secs.map(|secs| secs.to_string());
    let mut headers = vec![("content-type", "application/json")];
    headers.extend(retry_after.as_deref().map(|secs| ("retry-after", secs)));
    headers.extend(reply.headers.iter().map(|(name, value)| (*name, value.as_str())));
    headers.extend(further.iter().map(|(name, value)| (*name, value.as_str())));
    abi::send_reply(reply.status, &reply.details, &headers, &reply.body);
}

/// Names the span of a request of which no more is known.
pub(super) fn name_span(gateway: &Gateway, method: &[u8]) {
    if gateway.shows
        && let Ok(method) = std::str::from_utf8(method)
    {
        abi::set_property(properties::SPAN, method);
    }
}

/// Shows the error that the gateway answers, where spans or the access log do.
pub(super) fn show(gateway: &Gateway, reply: &Reply) {
    if gateway.shows && reply.status >= 400 {
        let code = reply.details.strip_prefix(properties::DETAILS_PREFIX);
        abi::set_property(properties::ERROR, code.unwrap_or(&reply.details));
    }
}

/// Tells Envoy the shape of the client's errors. Without it, Envoy's local replies have OpenAI's shape.
pub(super) fn tell_shape(shape: Shape) {
    if shape != Shape::OpenAi {
        abi::set_property(properties::SHAPE, shape.as_str());
    }
}

/// Changes the request's headers for its provider.
pub(super) fn change_headers(outgoing: &Outgoing, provider: &Provider) {
    for change in outgoing.header_changes(provider) {
        match change {
            HeaderChange::Set(name, value) => abi::set_header(Map::RequestHeaders, name, value),
            HeaderChange::SetNumber(name, number) => {
                abi::set_header(Map::RequestHeaders, name, &number.to_string())
            }
            HeaderChange::Remove(name) => abi::remove_header(Map::RequestHeaders, name),
        };
    }
}

/// Gives the held body back.
pub(super) fn splice_body(splice: Splice) {
    let Splice { mut replaced, mut pieces } = splice;
    while let Some(piece) = pieces.pop() {
        abi::replace_start(Buffer::RequestBody, std::mem::take(&mut replaced), &piece);
    }
}

/// An HTTP status as a header has it.
pub(super) fn status(map: Map) -> Option<u32> {
    std::str::from_utf8(&abi::header(map, ":status")).ok()?.parse().ok()
}

/// The status of an answer of Envoy's rate limit filter; `None` for any other answer.
pub(super) fn status_of_rate_limiter() -> Option<u32> {
    let status = status(Map::ResponseHeaders).filter(|status| *status >= 400)?;
    let is_own = |details: &[u8]| {
        [properties::RATE_LIMITED, properties::RATE_LIMITER_ERROR]
            .map(str::as_bytes)
            .contains(&details)
    };
    is_own(&details()).then_some(status)
}

/// How the stream has ended, or how far it has come.
pub(super) fn stream_end() -> StreamEnd {
    StreamEnd { status: begun_status(), flags: flags(), details: details() }
}

/// The status of the response; 0 where none has begun.
pub(super) fn begun_status() -> u32 {
    let status = abi::property(properties::RESPONSE_CODE).try_into().map_or(0, u64::from_le_bytes);
    u32::try_from(status).unwrap_or_default()
}

/// Reads what a meter must know of an answer's head. `end` says that no body follows.
#[inline(never)]
pub(super) fn with_answer_start(end: bool, act: &mut dyn FnMut(&AnswerStart<'_>)) {
    let header = |name: &str| abi::header(Map::ResponseHeaders, name);
    let length = header("content-length");
    act(&AnswerStart {
        status: status(Map::ResponseHeaders).unwrap_or_default(),
        content_type: &header("content-type"),
        encoding: &header("content-encoding"),
        content_length: std::str::from_utf8(&length).ok().and_then(|text| text.parse().ok()),
        end,
    });
}

pub(super) fn details() -> Vec<u8> {
    abi::property(properties::RESPONSE_CODE_DETAILS)
}

pub(super) fn flags() -> u64 {
    abi::property(properties::RESPONSE_FLAGS).try_into().map_or(0, u64::from_le_bytes)
}
