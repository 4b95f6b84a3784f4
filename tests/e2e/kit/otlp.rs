//! A collector of spans: reads what Envoy exports (OTLP over HTTP, protobuf).

use super::upstream::{Provider, Seen};
use crate::kit::harness::wait;
use std::collections::BTreeMap;

/// The path where collectors take traces.
const PATH: &str = "/v1/traces";

/// A span as it was exported.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) trace: String,
    pub(crate) id: String,
    /// Empty for the first span of a trace.
    pub(crate) parent: String,
    pub(crate) name: String,
    pub(crate) kind: u64,
    pub(crate) service: String,
    attributes: BTreeMap<String, String>,
}

/// OTLP's `SpanKind`.
pub(crate) const SERVER: u64 = 2;
pub(crate) const CLIENT: u64 = 3;

impl Span {
    /// An attribute; empty where the span has none of the name.
    pub(crate) fn get(&self, name: &str) -> &str {
        self.attributes.get(name).map_or("", String::as_str)
    }
}

/// Waits until the collector has a span for each of `wanted`, and returns them in that order.
#[track_caller]
pub(crate) fn wait_for<const COUNT: usize>(
    collector: &Provider,
    wanted: [&dyn Fn(&Span) -> bool; COUNT],
) -> [Span; COUNT] {
    wait::until("spans at the collector", || {
        let spans = spans(collector);
        let found = wanted.map(|is_wanted| spans.iter().find(|span| is_wanted(span)).cloned());
        found.iter().all(Option::is_some).then(|| found.map(Option::unwrap))
    })
}

/// All spans that have come.
pub(crate) fn spans(collector: &Provider) -> Vec<Span> {
    let exports = collector.all().into_iter().filter(|seen| seen.complete);
    exports.flat_map(|seen| of_export(&seen)).collect()
}

fn of_export(seen: &Seen) -> Vec<Span> {
    assert_eq!(seen.path, PATH);
    assert_eq!(seen.header("content-type").as_deref(), Some("application/x-protobuf"));
    let resource_spans = all(&seen.body, 1);
    let spans = resource_spans.flat_map(|own| {
        let resource = attributes(&bytes(&own, 1), 1);
        let service = resource.get("service.name").cloned().unwrap_or_default();
        let scopes: Vec<_> = all(&own, 2).collect();
        let spans = scopes.into_iter().flat_map(|scope| all(&scope, 2).collect::<Vec<_>>());
        spans.map(|span| Span { service: service.clone(), ..of_span(&span) }).collect::<Vec<_>>()
    });
    spans.collect()
}

fn of_span(span: &[u8]) -> Span {
    let kind = fields(span).into_iter().find_map(|(number, value)| match value {
        Value::Number(kind) if number == 6 => Some(kind),
        _ => None,
    });
    Span {
        trace: hex(&bytes(span, 1)),
        id: hex(&bytes(span, 2)),
        parent: hex(&bytes(span, 4)),
        name: text(&bytes(span, 5)),
        kind: kind.unwrap_or_default(),
        service: String::new(),
        attributes: attributes(span, 9),
    }
}

fn attributes(message: &[u8], number: u64) -> BTreeMap<String, String> {
    let pairs = all(message, number);
    pairs.map(|pair| (text(&bytes(&pair, 1)), text(&bytes(&bytes(&pair, 2), 1)))).collect()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("UTF-8")
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The first field of this number; empty where there is none.
fn bytes(message: &[u8], number: u64) -> Vec<u8> {
    all(message, number).next().unwrap_or_default()
}

fn all(message: &[u8], number: u64) -> impl Iterator<Item = Vec<u8>> {
    fields(message).into_iter().filter_map(move |(own, value)| match value {
        Value::Bytes(bytes) if own == number => Some(bytes),
        _ => None,
    })
}

enum Value {
    Number(u64),
    Bytes(Vec<u8>),
    Fixed,
}

/// The fields of a message (<https://protobuf.dev/programming-guides/encoding/>).
fn fields(mut message: &[u8]) -> Vec<(u64, Value)> {
    let mut fields = Vec::new();
    while !message.is_empty() {
        let tag = varint(&mut message);
        let value = match tag & 7 {
            0 => Value::Number(varint(&mut message)),
            1 => skip(&mut message, 8),
            2 => {
                let size = usize::try_from(varint(&mut message)).expect("a size");
                let (bytes, rest) = message.split_at(size);
                message = rest;
                Value::Bytes(bytes.to_vec())
            }
            5 => skip(&mut message, 4),
            kind => panic!("a field of kind {kind}"),
        };
        fields.push((tag >> 3, value));
    }
    fields
}

fn skip(message: &mut &[u8], size: usize) -> Value {
    *message = &message[size..];
    Value::Fixed
}

fn varint(message: &mut &[u8]) -> u64 {
    let mut value = 0;
    for shift in (0..64).step_by(7) {
        let byte = message[0];
        *message = &message[1..];
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            break;
        }
    }
    value
}
