//! What Envoy is told of spans and of the access log.

use serde::Serialize;

use crate::names::clusters::TRACING;
use crate::names::{headers, properties};
use crate::native::envoy::{EnvoyVersion, Feature};
use crate::native::settings::{AccessLog, Tracing};

/// Where spans go.
#[derive(Serialize)]
pub(super) struct Spans {
    uri: String,
    cluster: &'static str,
    service_name: String,
    sampled_millionths: u32,
    /// Empty for an Envoy that cannot format attributes.
    tags: Vec<Tag>,
    /// How Envoy formats the name of a span; none for an Envoy that cannot.
    name: Option<String>,
}

/// An attribute of a span, or a field of a line, and how Envoy formats its value.
#[derive(Serialize)]
struct Tag {
    name: &'static str,
    value: String,
}

/// Where the lines of the access log go.
#[derive(Serialize)]
pub(super) struct Lines {
    /// None for Envoy's standard output.
    path: Option<String>,
    fields: Vec<Tag>,
    /// Those that an attempt after the hop has not.
    of_clients: Vec<Tag>,
}

/// What the filter says of a request: the property, the attribute of a span, the field of a line, and the meaning.
#[rustfmt::skip]
const SHOWN: [(&str, &str, &str, &str); 13] = [
    (properties::OPERATION, "gen_ai.operation.name", "operation", "`chat`, `text_completion`, `generate_content`, `embeddings` and so on"),
    (properties::PROVIDER, "gen_ai.provider.name", "provider", "the provider that was asked, as the configuration names it"),
    (properties::MODEL, "gen_ai.request.model", "model", "the model that the provider was sent"),
    (properties::ASKED, "gaud.model.asked", "asked", "the model that the client asked for"),
    (properties::INPUT_TOKENS, "gen_ai.usage.input_tokens", "input_tokens", "tokens of the input, cached ones included"),
    (properties::OUTPUT_TOKENS, "gen_ai.usage.output_tokens", "output_tokens", "tokens of the output, reasoning included"),
    (properties::CACHED_TOKENS, "gen_ai.usage.cache_read.input_tokens", "cached_tokens", "tokens of the input from the provider's cache"),
    (properties::FINISH_REASON, "gen_ai.response.finish_reasons", "finish_reason", "why the answer ended, in the provider's word"),
    (properties::ERROR, "error.type", "error", "the code of the gateway's own [error](errors.md), the status of a failed attempt, or `_OTHER`"),
    (properties::REQUEST, "gaud.request", "request", "the name of the request in the [ledger](usage.md); all attempts of a request have the same"),
    (properties::ATTEMPT, "gaud.attempt", "attempt", "the number of the attempt, from 1"),
    (properties::KEY, "gaud.key", "key", "the public id of the client's [key](keys.md)"),
    (properties::USER, "gaud.user", "user", "the user of the key"),
];

/// The path without its query, which may have a client's key.
const PATH: &str = "%PATH(NQ:PATH)%";

/// The further fields of a line, how Envoy formats them, and what they mean.
#[rustfmt::skip]
const FURTHER: [(&str, &str, &str); 10] = [
    ("time", "%START_TIME%", "when the request came, in UTC"),
    ("method", "%REQ(:METHOD)%", "the method"),
    ("path", PATH, "the path, without the query"),
    ("status", "%RESPONSE_CODE%", "the status of the answer; 0 without one"),
    ("duration_ms", "%DURATION%", "from the first byte of the request to the last byte of the answer"),
    ("first_byte_ms", "%RESPONSE_DURATION%", "from the first byte of the request to the first byte of the provider's answer"),
    ("bytes_received", "%BYTES_RECEIVED%", "the bytes of the request's body"),
    ("bytes_sent", "%BYTES_SENT%", "the bytes of the answer's body"),
    ("details", "%RESPONSE_CODE_DETAILS%", "how the answer came about, in Envoy's word"),
    ("trace", "%TRACE_ID%", "the trace, with `[tracing]`"),
];

/// The field of a client's request alone: an attempt after the hop has no client.
const CLIENT: (&str, &str, &str) =
    ("client", "%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%", "the address of the client");

/// What an answer says in a header: the header, the attribute, the field, and the meaning.
#[rustfmt::skip]
const ANSWERED: [(&str, &str, &str, &str); 2] = [
    (headers::ATTEMPTS, "gaud.attempts", "attempts", "how many attempts the request took, where the request may take several"),
    (headers::PROVIDER, "gaud.answered_by", "answered_by", "the provider that was asked last"),
];

/// The attributes of spans and their meanings, as the document lists them.
pub fn attributes() -> Vec<(&'static str, &'static str)> {
    let shown = SHOWN.iter().map(|(_, name, _, meaning)| (*name, *meaning));
    let answered = ANSWERED.iter().map(|(_, name, _, meaning)| (*name, *meaning));
    shown.chain(answered).collect()
}

/// The same of the fields of lines.
pub fn fields() -> Vec<(&'static str, &'static str)> {
    let further = FURTHER.iter().map(|(name, _, meaning)| (*name, *meaning));
    let shown = SHOWN.iter().map(|(_, _, name, meaning)| (*name, *meaning));
    let answered = ANSWERED.iter().map(|(_, _, name, meaning)| (*name, *meaning));
    further.chain(shown).chain([(CLIENT.0, CLIENT.2)]).chain(answered).collect()
}

impl Spans {
    pub(super) fn of(tracing: &Tracing, version: EnvoyVersion) -> Self {
        let Tracing { url, path, service_name, sampled_millionths } = tracing;
        let scheme = if url.https { "https" } else { "http" };
        let formats = version.has(Feature::FormatsSpans);
        Self {
            uri: format!("{scheme}://{}{path}", url.authority()),
            cluster: TRACING,
            service_name: service_name.clone(),
            sampled_millionths: *sampled_millionths,
            tags: if formats { tags() } else { Vec::new() },
            name: formats.then(|| state(properties::SPAN)),
        }
    }
}

impl Lines {
    pub(super) fn of(log: &AccessLog) -> Self {
        let further = FURTHER.map(|(name, value, _)| Tag::of(name, value));
        let shown = SHOWN.map(|(property, _, name, _)| Tag { name, value: state(property) });
        let answered = ANSWERED.map(|(header, _, name, _)| Tag { name, value: answered(header) });
        let path = match log {
            AccessLog::Stdout => None,
            AccessLog::File(path) => Some(path.clone()),
        };
        let fields = further.into_iter().chain(shown).collect();
        let of_clients = [Tag::of(CLIENT.0, CLIENT.1)].into_iter().chain(answered).collect();
        Self { path, fields, of_clients }
    }
}

impl Tag {
    fn of(name: &'static str, value: &str) -> Self {
        Self { name, value: value.to_owned() }
    }
}

fn tags() -> Vec<Tag> {
    let shown = SHOWN.map(|(property, name, ..)| Tag { name, value: state(property) });
    let answered = ANSWERED.map(|(header, name, ..)| Tag { name, value: answered(header) });
    let path = Tag::of("url.path", PATH);
    shown.into_iter().chain(answered).chain([path]).collect()
}

fn answered(header: &str) -> String {
    format!("%RESP({header})%")
}

/// How Envoy formats what a filter has set.
fn state(property: &str) -> String {
    format!("%FILTER_STATE({}{property}:PLAIN)%", properties::FILTER_STATE_PREFIX)
}
