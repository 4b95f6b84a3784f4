//! Properties of what is read of usage: however an answer is cut, the numbers are those that `serde_json` reads.

use gaud::body::StreamOptions;
use gaud::usage::reader::AnswerUsage;
use gaud::usage::{Basis, Operation};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

/// A member that says nothing of usage, whatever is in it.
fn other() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<i32>().prop_map(Value::from),
        "[a-z_\"\\\\{}\\[\\]:, ]{0,12}".prop_map(Value::from),
        Just(json!({"usage": {"prompt_tokens": 9, "completion_tokens": 9}})),
    ];
    leaf.prop_recursive(5, 24, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::Array),
            proptest::collection::vec(("[a-z]{1,6}", inner), 0..4)
                .prop_map(|members| { Value::Object(members.into_iter().collect::<Map<_, _>>()) }),
        ]
    })
}

/// Where a document has its usage, between members that are of no account.
fn documents() -> impl Strategy<Value = (Value, u64, u64)> {
    (0..2_000_000_u64, 0..900_000_u64, 0..3_usize, other(), other()).prop_map(
        |(input, output, form, before, after)| {
            let (name, usage) = match form {
                0 => (
                    "usage",
                    json!({"prompt_tokens": input, "x": before, "completion_tokens": output}),
                ),
                1 => {
                    ("usage", json!({"input_tokens": input, "output_tokens": output, "y": [after]}))
                }
                _ => (
                    "usageMetadata",
                    json!({"promptTokenCount": input, "candidatesTokenCount": output}),
                ),
            };
            let mut document = Map::new();
            document.insert("before".to_owned(), before);
            document.insert(name.to_owned(), usage);
            document.insert("after".to_owned(), after);
            (Value::Object(document), input, output)
        },
    )
}

/// The answer's basis, input and output, cut at these places.
fn read(content_type: &str, text: &str, cuts: &[usize]) -> (Basis, u64, u64) {
    let mut reader = AnswerUsage::new(content_type.as_bytes(), b"");
    let (bytes, mut start) = (text.as_bytes(), 0);
    for cut in cuts.iter().copied().chain([bytes.len()]) {
        let cut = cut.clamp(start, bytes.len());
        reader.feed(&bytes[start..cut]);
        start = cut;
    }
    let found = reader.outcome(Operation::Chat, 0, true);
    (found.basis, found.usage.input, found.usage.output)
}

proptest! {
    #[test]
    fn a_document_and_a_stream_have_the_usage_that_serde_json_reads(
        (document, input, output) in documents(),
        pretty: bool,
        mut cuts in proptest::collection::vec(0..600_usize, 0..6),
        end_of_line in prop_oneof![Just("\n"), Just("\r\n")],
    ) {
        cuts.sort_unstable();
        let text = if pretty { serde_json::to_string_pretty(&document).unwrap() } else { document.to_string() };
        let expected = (Basis::Counted, input, output);
        prop_assert_eq!(read("application/json", &text, &cuts), expected, "{}", text);
        let event = format!("data: {document}{end_of_line}{end_of_line}");
        let stream = format!("data: {{}}{end_of_line}{end_of_line}{event}data: [DONE]{end_of_line}{end_of_line}");
        prop_assert_eq!(read("text/event-stream", &stream, &cuts), expected, "{}", stream);
    }

    #[test]
    fn no_bytes_break_the_reader(
        bytes in proptest::collection::vec(any::<u8>(), 0..300),
        is_events: bool,
        is_whole: bool,
    ) {
        let content_type = if is_events { "text/event-stream" } else { "application/json" };
        let mut reader = AnswerUsage::new(content_type.as_bytes(), b"");
        bytes.chunks(7).for_each(|piece| reader.feed(piece));
        let found = reader.outcome(Operation::Chat, 4, is_whole);
        prop_assert!(found.basis == Basis::Failed || found.usage.input > 0 || found.basis == Basis::Counted);
    }
}

/// What a request may say of streams.
fn options() -> impl Strategy<Value = Value> {
    let flag =
        prop_oneof![Just(json!(true)), Just(json!(false)), Just(Value::Null), Just(json!(1))];
    prop_oneof![
        Just(Value::Null),
        Just(json!([])),
        other().prop_map(|other| json!({"other": other})),
        (flag, other()).prop_map(|(flag, other)| json!({"include_usage": flag, "other": other})),
        Just(json!({})),
    ]
}

/// A request of which each member may be missing.
fn requests() -> impl Strategy<Value = Map<String, Value>> {
    use proptest::option::of;
    let stream =
        prop_oneof![4 => Just(json!(true)), 1 => Just(json!(false)), 1 => Just(json!("true"))];
    (of(other()), of(stream), of(options()), of(other())).prop_map(|(a, stream, options, z)| {
        let named = [("a", a), ("stream", stream), ("stream_options", options), ("z", z)];
        named.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect()
    })
}

/// The request with the usage asked for; `None` where a stream is not asked for, the client asks itself, or a value is strange.
fn asking(mut request: Map<String, Value>) -> Option<Map<String, Value>> {
    if request.get("stream") != Some(&json!(true)) {
        return None;
    }
    let options = request.entry("stream_options").or_insert(Value::Null);
    if options.is_null() {
        *options = json!({});
    }
    let flag = options.as_object_mut()?.insert("include_usage".to_owned(), json!(true));
    flag.is_none_or(|flag| flag.is_null() || flag == false).then_some(request)
}

proptest! {
    #[test]
    fn a_request_is_asked_for_the_usage_and_changes_in_nothing_else(
        request in requests(), cuts in proptest::collection::vec(0..400_usize, 0..4), is_pretty in any::<bool>()
    ) {
        let value = Value::Object(request.clone());
        let body = if is_pretty { format!(" {value:#} ") } else { value.to_string() };
        let mut options = StreamOptions::default();
        let (mut start, mut cuts) = (0, cuts);
        cuts.sort_unstable();
        for cut in cuts.into_iter().chain([body.len()]) {
            let cut = cut.clamp(start, body.len());
            options.feed(&body.as_bytes()[start..cut]);
            start = cut;
        }
        let edited = options.question().map(|question| question.edit().apply(body.into_bytes()));
        let edited = edited.map(|body| serde_json::from_slice::<Map<String, Value>>(&body).unwrap());
        prop_assert_eq!(edited, asking(request));
    }
}
