//! Properties of what is read of a provider's answers: however a body is cut, and whatever its ends of lines, the
//! reader says what whole events, and documents read by `serde_json`, say.

use gaud::failover::document::Document;
use gaud::failover::events::{Event, Events};
use gaud::failover::reader::{AnswerReader, Content};
use gaud::failover::stream_end::StreamEnd;
use proptest::prelude::*;
use serde_json::{Map, Value};

/// Cuts `bytes` at these places.
fn pieces<'a>(bytes: &'a [u8], cuts: &[usize]) -> Vec<&'a [u8]> {
    let mut start = 0;
    let mut all = Vec::new();
    for cut in cuts.iter().copied().chain([bytes.len()]) {
        let cut = cut.clamp(start, bytes.len());
        all.push(&bytes[start..cut]);
        start = cut;
    }
    all
}

fn cuts() -> impl Strategy<Value = Vec<usize>> {
    proptest::collection::vec(0..400_usize, 0..8).prop_map(|mut cuts| {
        cuts.sort_unstable();
        cuts
    })
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i32>().prop_map(Value::from),
        "[a-z_\"\\\\{}\\[\\]:, ]{0,12}".prop_map(Value::from),
        Just(Value::from("stop")),
    ];
    let name = prop_oneof![
        Just("type"),
        Just("object"),
        Just("code"),
        Just("status"),
        Just("error"),
        Just("choices"),
        Just("finish_reason"),
        Just("response"),
        Just("x"),
        Just("\"y\\"),
    ];
    leaf.prop_recursive(7, 48, 5, move |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::Array),
            proptest::collection::vec((name.clone(), inner), 0..5).prop_map(|members| {
                let members = members.into_iter().map(|(name, value)| (name.to_owned(), value));
                Value::Object(members.collect::<Map<_, _>>())
            }),
        ]
    })
}

/// Whether a value says anything.
fn says(value: &Value) -> bool {
    !matches!(value, Value::Null | Value::Bool(false)) && value != 0 && value != ""
}

/// Whether an error says anything: a text, a list, or a member that does.
fn is_error(error: Option<&Value>) -> bool {
    match error {
        Some(Value::Object(members)) => members.values().any(|value| match value {
            // Only what is in them says anything.
            Value::Object(_) | Value::Array(_) => false,
            value => says(value),
        }),
        Some(Value::Array(_)) | None => false,
        Some(value) => says(value),
    }
}

/// Whether `serde_json` finds a reason why a choice has finished.
fn has_finished(document: &Value) -> bool {
    let choices = document["choices"].as_array().into_iter().flatten();
    choices.filter_map(|choice| choice.get("finish_reason")?.as_str()).any(|text| !text.is_empty())
}

proptest! {
    #[test]
    fn a_document_is_read_as_serde_json_reads_it(
        document in value().prop_filter("an object", Value::is_object),
        in_list: bool,
        pretty: bool,
        cuts in cuts(),
    ) {
        let whole = if in_list { Value::from(vec![document.clone()]) } else { document.clone() };
        let text = match pretty {
            true => serde_json::to_string_pretty(&whole).unwrap(),
            false => whole.to_string(),
        };
        let mut read = Document::default();
        pieces(text.as_bytes(), &cuts).into_iter().for_each(|piece| read.feed(piece));
        prop_assert!(read.is_complete());
        let facts = read.facts();
        prop_assert_eq!(!facts.finish.is_empty(), has_finished(&document), "{}", text);
        let has_error = is_error(document.get("error"))
            || is_error(document.get("response").and_then(|response| response.get("error")));
        prop_assert_eq!(facts.has_error, has_error, "{}", text);
        if let Some(kind) = document["type"].as_str().filter(|kind| !kind.contains(['"', '\\'])) {
            prop_assert_eq!(facts.kind.as_bytes(), kind.as_bytes());
        }
    }

    #[test]
    fn events_are_heard_as_they_were_written(
        written in proptest::collection::vec(
            ("[a-z.]{0,12}", proptest::collection::vec(value(), 0..2), "[a-z:]{0,8}", any::<bool>()),
            0..6,
        ),
        end_of_line in prop_oneof![Just("\n"), Just("\r"), Just("\r\n")],
        cuts in cuts(),
    ) {
        let mut text = String::new();
        let mut expected = Vec::new();
        for (name, data, comment, spaced) in &written {
            let space = if *spaced { " " } else { "" };
            text += &format!(":{comment}{end_of_line}event:{space}{name}{end_of_line}");
            data.iter().for_each(|data| text += &format!("data:{space}{data}{end_of_line}"));
            text += end_of_line;
            if !(name.is_empty() && data.is_empty()) {
                expected.push(name.clone());
            }
        }
        let mut heard = Vec::new();
        let mut note = |event: Event<'_>| heard.push(String::from_utf8(event.name.to_vec()).unwrap());
        let mut events = Events::default();
        pieces(text.as_bytes(), &cuts).into_iter().for_each(|piece| events.feed(piece, &mut note));
        events.finish(&mut note);
        prop_assert_eq!(heard, expected, "{:?}", text);
    }

    #[test]
    fn any_bytes_say_the_same_however_they_are_cut(
        bytes in prop_oneof![
            proptest::collection::vec(any::<u8>(), 0..400),
            proptest::collection::vec(
                prop_oneof![
                    Just("data:"), Just(" "), Just("\r"), Just("\n"), Just("[DONE]"), Just("event:"),
                    Just("error"), Just("message_stop"), Just("{\"error\":{\"code\":"), Just("500"),
                    Just("}"), Just("\""), Just("\\"), Just("{\"choices\":[{\"finish_reason\":"),
                ],
                0..30,
            ).prop_map(|words| words.concat().into_bytes()),
        ],
        cuts in cuts(),
    ) {
        let read = |pieces: &[&[u8]]| {
            let mut reader = AnswerReader::new(Content::Events, Some(StreamEnd::Chat));
            pieces.iter().for_each(|piece| reader.feed(piece));
            reader.finish();
            (reader.opening(), reader.is_cut(), reader.fault())
        };
        prop_assert_eq!(read(&pieces(&bytes, &cuts)), read(&[&bytes]));
    }
}
