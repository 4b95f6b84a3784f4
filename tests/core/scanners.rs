//! Properties of the scanners: on random JSON, whole or broken, cut at random, one says what
//! `serde_json` says; of a random form the other finds what was put in.

use gaud::body::{Boundary, FormScanner, JsonScanner, Problem, ScanError, Scanner};
use proptest::prelude::*;
use serde::de::IgnoredAny;
use serde_json::{Map, Value};

/// What a scan comes to: the model, or what is wrong.
type Verdict = Result<Option<(String, u64, u64)>, ScanError>;

fn scan(body: &[u8], cuts: &[usize]) -> Verdict {
    feed(&mut Scanner::Json(JsonScanner::default()), body, cuts)
}

fn scan_form(body: &[u8], cuts: &[usize]) -> Verdict {
    feed(&mut form_scanner("b"), body, cuts)
}

fn form_scanner(boundary: &str) -> Scanner {
    let content_type = format!("multipart/form-data; boundary=\"{boundary}\"");
    Scanner::Form(FormScanner::new(Boundary::parse(content_type.as_bytes()).unwrap()))
}

fn feed(scanner: &mut Scanner, body: &[u8], cuts: &[usize]) -> Verdict {
    let mut start = 0;
    for cut in cuts.iter().copied().chain([body.len()]) {
        let cut = cut.clamp(start, body.len());
        scanner.feed(&body[start..cut])?;
        start = cut;
    }
    scanner.finish()?;
    Ok(scanner.model().map(|found| (found.value.clone(), found.start, found.end)))
}

/// Whether the slow and obvious way takes the body: valid UTF-8, one JSON value, an object.
fn oracle_accepts(body: &[u8]) -> bool {
    let first = body.iter().find(|byte| !b" \t\r\n".contains(byte));
    std::str::from_utf8(body).is_ok()
        && first == Some(&b'{')
        && serde_json::from_slice::<IgnoredAny>(body).is_ok()
}

/// Limits and rules of the scanner that the oracle does not have.
fn is_scanners_rule(problem: Problem) -> bool {
    use Problem::*;
    matches!(
        problem,
        TooDeep
            | KeyTooLong
            | DuplicateModel
            | ModelInOtherCase
            | ModelNotAString(_)
            | ModelTooLong
            | ModelNotUnicode
    )
}

fn json_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        "[\\\\\"/\\x00-\\x20a-z\u{e9}\u{1f600}]{0,80}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 40, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::vec((key(), inner), 0..6)
                .prop_map(|entries| Value::Object(entries.into_iter().collect())),
        ]
    })
}

fn key() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("model".to_owned()),
        Just("messages".to_owned()),
        any::<String>(),
        "[a-z]{1,8}"
    ]
}

/// An object's text, with white space where JSON allows it, and its model.
fn body() -> impl Strategy<Value = (String, Option<String>)> {
    let entries = prop::collection::vec((key(), json_value()), 0..6);
    let model = prop::option::of("[a-z:/.0-9\\\\\"\u{e9}\u{1f600}-]{1,40}");
    (entries, model, any::<prop::sample::Index>(), any::<bool>()).prop_map(
        |(entries, model, place, pretty)| {
            let mut map: Vec<_> = entries.into_iter().filter(|(key, _)| key != "model").collect();
            if let Some(model) = &model {
                map.insert(place.index(map.len() + 1), ("model".into(), Value::from(&**model)));
            }
            // The first of equal keys keeps its place and the last gives the value: no key is lost
            // that matters here.
            let object = Value::Object(map.into_iter().collect::<Map<_, _>>());
            let text = match pretty {
                true => serde_json::to_string_pretty(&object),
                false => serde_json::to_string(&object),
            };
            (text.unwrap(), model)
        },
    )
}

/// A form: its boundary, the preamble, the fields other than the model, and the epilogue.
#[derive(Debug, Clone)]
struct Form {
    boundary: String,
    preamble: String,
    fields: Vec<(String, Vec<u8>)>,
    epilogue: &'static str,
}

impl Form {
    /// The form's bytes with this model before the field at `place`, and where the model begins.
    fn with_model(&self, place: usize, model: Option<&str>) -> (Vec<u8>, u64) {
        let (mut body, mut start) = (self.preamble.clone().into_bytes(), 0);
        for at in 0..=self.fields.len() {
            if let Some(model) = model.filter(|_| at == place) {
                self.write(&mut body, "name=\"model\"", model.as_bytes());
                start = (body.len() - "\r\n".len() - model.len()) as u64;
            }
            if let Some((headers, content)) = self.fields.get(at) {
                self.write(&mut body, headers, content);
            }
        }
        body.extend(format!("--{}--{}", self.boundary, self.epilogue).into_bytes());
        (body, start)
    }

    fn write(&self, body: &mut Vec<u8>, headers: &str, content: &[u8]) {
        let delimiter = format!("--{}\r\n", self.boundary);
        let headers = format!("Content-Disposition: form-data; {headers}\r\n\r\n");
        body.extend([delimiter.as_bytes(), headers.as_bytes(), content, b"\r\n"].concat());
    }
}

fn form() -> impl Strategy<Value = Form> {
    let boundary = prop_oneof![Just("b"), Just("----formdata-0123"), Just("-"), Just("(a b)?=:/,")];
    let headers = prop_oneof![
        Just("name=file; filename=\"a; name=model\"".to_owned()),
        Just("name=\"f\"; filename*=utf-8''%6d\r\nContent-Type: audio/mpeg".to_owned()),
        "name=\"[a-ln-z\u{e9};=]{0,8}\"",
    ];
    let content = prop_oneof![
        "[b\r\n -]{0,12}".prop_map(String::into_bytes),
        prop::collection::vec(any::<u8>(), 0..200),
        prop::collection::vec(prop::sample::select(b"\r\n-bx".to_vec()), 0..200),
    ];
    let preamble = prop_oneof![Just(""), Just("\r\n"), Just("read me - or not\r\n\r\n")];
    let epilogue = prop_oneof![Just(""), Just("\r\n"), Just("\r\n\r\n")];
    let fields = prop::collection::vec((headers, content), 0..5);
    (boundary, preamble, fields, epilogue).prop_map(|(boundary, preamble, mut fields, epilogue)| {
        // As a client does: no content has the boundary in it.
        let delimiter = format!("--{boundary}");
        fields.retain(|(_, content)| {
            !content.windows(delimiter.len()).any(|bytes| bytes == delimiter.as_bytes())
        });
        Form { boundary: boundary.into(), preamble: preamble.into(), fields, epilogue }
    })
}

fn cuts() -> impl Strategy<Value = Vec<usize>> {
    prop::collection::vec(0..600_usize, 0..8).prop_map(|mut cuts| {
        cuts.sort_unstable();
        cuts
    })
}

/// A byte at a place: put in the place of another, taken away, or put in between.
type Change = (prop::sample::Index, u8, u8);

fn changes(count: std::ops::Range<usize>) -> impl Strategy<Value = Vec<Change>> {
    prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0..3_u8), count)
}

fn changed(mut bytes: Vec<u8>, changes: Vec<Change>) -> Vec<u8> {
    for (place, byte, kind) in changes {
        let at = place.index(bytes.len().max(1)).min(bytes.len());
        match kind {
            0 if at < bytes.len() => bytes[at] = byte,
            1 if at < bytes.len() => _ = bytes.remove(at),
            _ => bytes.insert(at, byte),
        }
    }
    bytes
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn the_scanner_finds_the_model_of_valid_json((text, model) in body(), cuts in cuts()) {
        let found = scan(text.as_bytes(), &cuts).unwrap();
        prop_assert_eq!(found.as_ref().map(|(value, ..)| value), model.as_ref());
        if let Some((value, start, end)) = found {
            // The place is right: between quotes, and it spells the value.
            let quoted = &text[start as usize - 1..=end as usize];
            prop_assert_eq!(serde_json::from_str::<String>(quoted).unwrap(), value);
        }
    }

    #[test]
    fn the_scanner_accepts_what_serde_json_accepts(
        (text, _) in body(),
        cuts in cuts(),
        changes in changes(0..3),
    ) {
        let bytes = changed(text.into_bytes(), changes);
        match scan(&bytes, &cuts) {
            Ok(_) => prop_assert!(oracle_accepts(&bytes)),
            Err(error) if is_scanners_rule(error.problem) => {}
            Err(_) => prop_assert!(!oracle_accepts(&bytes)),
        }
    }

    #[test]
    fn cuts_do_not_change_the_verdict_on_json(
        bytes in prop_oneof![
            "[{}\\[\\]:,\"\\\\umodel0-9 \n\u{e9}a-f]{0,60}".prop_map(String::into_bytes),
            prop::collection::vec(any::<u8>(), 0..40),
            body().prop_map(|(text, _)| text.into_bytes()),
        ],
        cuts in cuts(),
    ) {
        prop_assert_eq!(scan(&bytes, &cuts), scan(&bytes, &[]));
    }

    #[test]
    fn the_scanner_finds_and_edits_the_model_of_a_form(
        form in form(),
        place in any::<prop::sample::Index>(),
        model in prop::option::of("[a-z:/.0-9\\\\\"\u{e9}\u{1f600}-]{0,40}"),
        other in "[a-z:/.\u{e9}\"]{0,40}",
        cuts in cuts(),
    ) {
        let place = place.index(form.fields.len() + 1);
        let (body, start) = form.with_model(place, model.as_deref());
        let mut scanner = form_scanner(&form.boundary);
        let found = feed(&mut scanner, &body, &cuts).unwrap();
        let end = |model: &String| start + model.len() as u64;
        prop_assert_eq!(found, model.clone().map(|model| (model.clone(), start, end(&model))));
        let edit = scanner.edit(&other);
        prop_assert_eq!(edit.is_some(), model.is_some());
        if let Some(edit) = edit {
            let (expected, _) = form.with_model(place, Some(&other));
            prop_assert_eq!(edit.resized(body.len() as u64), expected.len() as u64);
            prop_assert_eq!(edit.apply(body), expected);
        }
    }

    #[test]
    fn cuts_do_not_change_the_verdict_on_a_form(
        bytes in prop_oneof![
            prop::collection::vec(any::<u8>(), 0..60),
            "(--b|\r\n|\r|\n|-|x|--b--|[^b]|Content-Disposition: form-data; name=\"?model\"?|: ){0,30}"
                .prop_map(String::into_bytes),
            form().prop_map(|form| form.with_model(0, Some("gpt")).0),
        ],
        cuts in cuts(),
    ) {
        prop_assert_eq!(scan_form(&bytes, &cuts), scan_form(&bytes, &[]));
        let single = (1..bytes.len()).collect::<Vec<_>>();
        prop_assert_eq!(scan_form(&bytes, &single), scan_form(&bytes, &[]));
    }

    /// The gateway's rules are a part of RFC 2046's: a form that passes has its delimiters where
    /// a search finds them, and the model between two.
    #[test]
    fn a_model_lies_between_two_delimiters(
        form in form(),
        changes in changes(1..4),
    ) {
        let form = Form { boundary: "b".into(), ..form };
        let bytes = changed(form.with_model(0, Some("gpt-4o")).0, changes);
        if let Ok(Some((value, start, end))) = scan_form(&bytes, &[]) {
            let (before, rest) = bytes.split_at(start as usize);
            prop_assert!(before.ends_with(b"\r\n\r\n"));
            prop_assert_eq!(&rest[..value.len()], value.as_bytes());
            prop_assert_eq!(end - start, value.len() as u64);
            prop_assert!(rest[value.len()..].starts_with(b"\r\n--b"));
        }
    }
}
