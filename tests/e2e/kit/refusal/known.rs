//! All refusals, each with its status, code and message.

use super::{Refusal, about_model, refusal};
use crate::kit::client::Response;
use crate::kit::harness::version::a_wrong_name_shows;

pub(crate) fn empty_body() -> Refusal {
    let message = "The request has no body; send a JSON object with a 'model'.";
    refusal(400, "invalid_json", message)
}

pub(crate) fn invalid_json(problem: &str, offset: usize) -> Refusal {
    let message = format!("The body is not valid JSON: {problem} at byte offset {offset}.");
    refusal(400, "invalid_json", message)
}

pub(crate) fn duplicate_model(offset: usize) -> Refusal {
    unroutable("duplicate_model", "a second 'model'", offset)
}

pub(crate) fn invalid_type(found: &str, offset: usize) -> Refusal {
    unroutable("invalid_type", &format!("'model' is {found}, not a string"), offset)
}

pub(crate) fn unreadable_model(problem: &str, offset: usize) -> Refusal {
    unroutable("invalid_model", &format!("'model' {problem}"), offset)
}

fn unroutable(code: &'static str, problem: &str, offset: usize) -> Refusal {
    let message = format!("The body cannot be routed: {problem} at byte offset {offset}.");
    about_model(400, code, message)
}

pub(crate) fn invalid_model(problem: &str) -> Refusal {
    about_model(400, "invalid_model", format!("The 'model' {problem}."))
}

pub(crate) fn missing_model(namespace: &str) -> Refusal {
    let message = format!(
        "The model '{namespace}' is a namespace with nothing after it; write a model's name there."
    );
    about_model(400, "missing_model", message)
}

pub(crate) fn model_not_found(model: &str) -> Refusal {
    let message = format!(
        "The model '{model}' does not exist: no provider of this gateway takes it. GET /v1/models lists the models."
    );
    about_model(404, "model_not_found", message)
}

pub(crate) fn request_too_large(limit: usize) -> Refusal {
    let message = format!(
        "The body's first {limit} bytes hold no 'model'; send 'model' before the long parts, or \
         raise body_limit_bytes."
    );
    refusal(413, "request_too_large", message)
}

pub(crate) fn no_room() -> Refusal {
    let message = "Too many bytes wait for a 'model' that comes late; send 'model' before the long parts, or try again.";
    refusal(503, "gateway_busy", message)
}

pub(crate) fn share_is_full() -> Refusal {
    let message = "The requests of this address wait with too many bytes for a 'model' that comes late; send 'model' before \
                   the long parts, or try again.";
    refusal(503, "gateway_busy", message)
}

pub(crate) fn model_timeout() -> Refusal {
    let message = "The 'model' did not come in time; send 'model' before the long parts.";
    refusal(408, "model_timeout", message)
}

pub(crate) fn unsupported_content_encoding() -> Refusal {
    let message = "The body is compressed in a way that this gateway does not read; send it with \
                   gzip or deflate, or uncompressed.";
    refusal(415, "unsupported_content_encoding", message)
}

pub(crate) fn compressed_body_is_cut() -> Refusal {
    let message = "The compressed body is cut: it ends before its end.";
    refusal(400, "invalid_compression", message)
}

pub(crate) fn compressed_body_is_broken() -> Refusal {
    let message = "The body is not what content-encoding says, or has more after its end, or was changed on its way.";
    refusal(400, "invalid_compression", message)
}

pub(crate) fn compressed_body_is_too_long(limit: usize) -> Refusal {
    let message = format!(
        "The body is compressed and has more than {limit} bytes; send it uncompressed with 'model' first, or raise \
         body_limit_bytes."
    );
    refusal(413, "request_too_large", message)
}

pub(crate) fn invalid_form(problem: &str, offset: usize) -> Refusal {
    let message = format!("The body is not a valid form: {problem} at byte offset {offset}.");
    refusal(400, "invalid_form", message)
}

pub(crate) fn unsupported_media_type() -> Refusal {
    let message = "The content-type says that the body is a form; send JSON as application/json.";
    refusal(415, "unsupported_media_type", message)
}

pub(crate) fn malformed_media_type() -> Refusal {
    let message = "The content-type is not a media type in ASCII, or has a space before it; send application/json.";
    refusal(415, "unsupported_media_type", message)
}

pub(crate) fn other_charset() -> Refusal {
    let message = "The content-type names a charset other than UTF-8; send application/json without a charset.";
    refusal(415, "unsupported_media_type", message)
}

pub(crate) fn model_in_other_case(offset: usize) -> Refusal {
    let message = format!(
        "The body cannot be routed: 'model' with upper-case letters, which some servers read as 'model' at byte offset \
         {offset}."
    );
    about_model(400, "duplicate_model", &message)
}

pub(crate) fn model_in_query() -> Refusal {
    let message = "The URL's query names a 'model' too; name it in the body alone.";
    about_model(400, "duplicate_model", message)
}

pub(crate) fn models_in_query() -> Refusal {
    let message = "The URL's query names a 'model' in a way that servers read differently; name it once, as 'model=', \
         and escape what is not a letter or a digit: %2B for '+', %20 for a space.";
    about_model(400, "duplicate_model", message)
}

pub(crate) fn no_model() -> Refusal {
    let message = "The request names no 'model', and this gateway has no default provider.";
    about_model(404, "model_not_found", message)
}

pub(crate) fn not_listed(model: &str) -> Refusal {
    let message = format!("The model '{model}' is not in this gateway's list.");
    about_model(404, "model_not_found", message)
}

pub(crate) fn not_unicode() -> Refusal {
    about_model(400, "invalid_model", "The 'model' in the URL is not UTF-8.")
}

pub(crate) fn unknown_url(method: &str, path: &str) -> Refusal {
    refusal(404, "unknown_url", format!("Unknown URL: {method} {path}."))
}

pub(crate) fn headers_too_large() -> Refusal {
    refusal(431, "headers_too_large", "The request's headers are too large.")
}

pub(crate) fn invalid_request() -> Refusal {
    refusal(400, "invalid_request", "The HTTP request cannot be read (…")
}

pub(crate) fn host_not_allowed(host: &str) -> Refusal {
    let message = format!(
        "This gateway may not be called as '{host}': call it by its address or as localhost, or add the name to allow_hosts."
    );
    refusal(403, "host_not_allowed", message)
}

pub(crate) fn origin_not_allowed(origin: &str) -> Refusal {
    let message = format!(
        "Pages of '{origin}' may not call this gateway: add the origin to allow_origins of [cors]."
    );
    refusal(403, "origin_not_allowed", message)
}

pub(crate) fn preflight_refused() -> Refusal {
    let message =
        "Pages of other origins may not call this gateway: add theirs to allow_origins of [cors].";
    refusal(403, "origin_not_allowed", message)
}

pub(crate) fn wrong_certificate(provider: &str) -> Refusal {
    let message = format!(
        "The provider '{provider}' cannot be reached: its TLS certificate is not trusted. The certificate has expired, or is \
         for another name than the one in the url, or ca_file must name the authority that has signed it."
    );
    refusal(503, "provider_tls_failed", message)
}

pub(crate) fn wrong_name(provider: &str) -> Refusal {
    if !a_wrong_name_shows() {
        return wrong_certificate(provider);
    }
    let message = format!(
        "The provider '{provider}' cannot be reached: its TLS certificate is for another name than the one in its url."
    );
    refusal(503, "provider_tls_failed", message)
}

pub(crate) fn no_tls(provider: &str) -> Refusal {
    let message = format!(
        "The provider '{provider}' cannot be reached: it does not speak TLS as its url says; correct the port, or write \
         http://."
    );
    refusal(503, "provider_tls_failed", message)
}

pub(crate) fn provider_unreachable() -> Refusal {
    refusal(503, "provider_unreachable", "The provider '…")
}

pub(crate) fn bad_provider_response() -> Refusal {
    refusal(502, "bad_provider_response", "The provider '…")
}

pub(crate) fn provider_timeout(provider: &str) -> Refusal {
    let message = format!("The provider '{provider}' did not answer in time.");
    refusal(504, "provider_timeout", message)
}

pub(crate) fn no_first_token(provider: &str) -> Refusal {
    let message = format!("The provider '{provider}' sent nothing within first_token_secs.");
    refusal(504, "provider_timeout", message)
}

/// A breaker's; the seconds are those of the `retry-after` that came with it.
pub(crate) fn provider_unavailable(provider: &str, response: &Response) -> Refusal {
    let secs = response.header("retry-after").unwrap_or_default();
    let text = response.text();
    let model = text.split_once("The model '").and_then(|(_, rest)| rest.split('\'').next());
    let of = model.map_or_else(
        || format!("The provider '{provider}'"),
        |model| format!("The model '{model}' of the provider '{provider}'"),
    );
    let message = format!("{of} has failed several times in a row; try again in {secs} s.");
    refusal(503, "provider_unavailable", message)
}

pub(crate) fn unread_model(model: &str) -> Refusal {
    about_model(
        400,
        "unread_model",
        format!(
            "An object in the body names the model '{model}', which this gateway does not change \
             there; write a name that needs no change: the one that the provider knows."
        ),
    )
}

/// A path that could be this row's to another server.
pub(crate) fn read_as(row: &str) -> Refusal {
    ambiguous_path(&format!(
        "Another server could read the path as {row}, which names a model; write it exactly so."
    ))
}

pub(crate) fn two_models() -> Refusal {
    ambiguous_path(
        "Another server could read another model in the path; write the name without dots as \
         segments, '//', ';', '?', '#', '%25' and '\\'.",
    )
}

pub(crate) fn leaves_api() -> Refusal {
    ambiguous_path(
        "Another server could read a path outside the API; write the path without '..' and '%2E'.",
    )
}

pub(crate) fn control_in_path() -> Refusal {
    ambiguous_path("The path has a control character; leave it out.")
}

pub(crate) fn above_root() -> Refusal {
    ambiguous_path("The path leads above its root; write it without '..'.")
}

fn ambiguous_path(message: &str) -> Refusal {
    refusal(400, "ambiguous_path", message)
}
