//! Properties of the scanner: on random JSON, whole or broken, cut at random, it says what
//! `serde_json` says.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    clippy::unwrap_used,
    missing_docs
)]

use gaud::body::{JsonScanner, Problem, ScanError};
use proptest::prelude::*;
use serde::de::IgnoredAny;
use serde_json::{Map, Value};

/// What a scan comes to: the model, or what is wrong.
fn scan(body: &[u8], cuts: &[usize]) -> Result<Option<(String, u64, u64)>, ScanError> {
    let mut scanner = JsonScanner::default();
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

/// Limits and rules that are the scanner's own; the oracle knows nothing of them.
fn is_own_rule(problem: Problem) -> bool {
    use Problem::*;
    matches!(
        problem,
        TooDeep | KeyTooLong | DuplicateModel | ModelNotAString(_) | ModelTooLong | ModelNotUnicode
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

/// An object's text, with white space where it may stand, and its model.
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

fn cuts() -> impl Strategy<Value = Vec<usize>> {
    prop::collection::vec(0..600_usize, 0..8).prop_map(|mut cuts| {
        cuts.sort_unstable();
        cuts
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn finds_the_model_of_valid_json((text, model) in body(), cuts in cuts()) {
        let found = scan(text.as_bytes(), &cuts).unwrap();
        prop_assert_eq!(found.as_ref().map(|(value, ..)| value), model.as_ref());
        if let Some((value, start, end)) = found {
            // The place is right: between quotes, and it spells the value.
            let quoted = &text[start as usize - 1..=end as usize];
            prop_assert_eq!(serde_json::from_str::<String>(quoted).unwrap(), value);
        }
    }

    #[test]
    fn accepts_what_serde_json_accepts(
        (text, _) in body(),
        cuts in cuts(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0..3_u8), 0..3),
    ) {
        let mut bytes = text.into_bytes();
        for (place, byte, kind) in changes {
            let at = place.index(bytes.len().max(1)).min(bytes.len());
            match kind {
                0 if at < bytes.len() => bytes[at] = byte,
                1 if at < bytes.len() => _ = bytes.remove(at),
                _ => bytes.insert(at, byte),
            }
        }
        match scan(&bytes, &cuts) {
            Ok(_) => prop_assert!(oracle_accepts(&bytes)),
            Err(error) if is_own_rule(error.problem) => {}
            Err(_) => prop_assert!(!oracle_accepts(&bytes)),
        }
    }

    #[test]
    fn says_the_same_however_it_is_cut(
        bytes in prop_oneof![
            "[{}\\[\\]:,\"\\\\umodel0-9 \n\u{e9}a-f]{0,60}".prop_map(String::into_bytes),
            prop::collection::vec(any::<u8>(), 0..40),
            body().prop_map(|(text, _)| text.into_bytes()),
        ],
        cuts in cuts(),
    ) {
        prop_assert_eq!(scan(&bytes, &cuts), scan(&bytes, &[]));
    }
}
