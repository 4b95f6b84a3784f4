//! Every row is read at once, byte by byte, and at every pair of splits.

use super::super::error::Problem::{self, *};
use super::*;
use crate::request::model::MODEL_BYTES_MAX;
#[cfg(all(target_family = "wasm", target_os = "unknown"))]
use wasm_bindgen_test::wasm_bindgen_test as test;

/// What a body comes to: its model with its place, or what is wrong and where.
type Verdict = Result<Option<(String, u64, u64)>, (Problem, u64)>;

fn scan<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> Verdict {
    let mut scanner = JsonScanner::default();
    let wrong = |error: ScanError| (error.problem, error.offset);
    for piece in pieces {
        scanner.feed(piece).map_err(wrong)?;
    }
    scanner.finish().map_err(wrong)?;
    Ok(scanner.model().map(|found| (found.value.clone(), found.start, found.end)))
}

#[track_caller]
fn check(body: impl AsRef<[u8]>, expected: Verdict) {
    let body = body.as_ref();
    let shown = String::from_utf8_lossy(body);
    assert_eq!(scan([body]), expected, "{shown} at once");
    assert_eq!(scan(body.chunks(1)), expected, "{shown} byte by byte");
    if body.len() > 200 {
        return;
    }
    for first in 0..=body.len() {
        for second in first..=body.len() {
            let pieces = [&body[..first], &body[first..second], &body[second..]];
            assert_eq!(scan(pieces), expected, "{shown} split at {first} and {second}");
        }
    }
}

fn found(value: &str, start: u64, end: u64) -> Verdict {
    Ok(Some((value.to_owned(), start, end)))
}

#[test]
fn finds_the_model_wherever_it_stands() {
    check(r#"{"model":"a"}"#, found("a", 10, 11));
    check(r#" { "model" : "gpt-4o" , "n" : 1 } "#, found("gpt-4o", 14, 20));
    check(r#"{"n":[1,{"x":"y"}],"model":"b"}"#, found("b", 28, 29));
    check(r#"{"a":"}","b":"\"","model":"c","d":"\\"}"#, found("c", 27, 28));
    check("{\"a\":\"\u{e9}\u{20ac}\u{1f600}\",\"model\":\"d\u{e9}\"}", found("d\u{e9}", 26, 29));
}

#[test]
fn only_the_outermost_model_counts() {
    check(r#"{"x":{"model":"a"},"y":[{"model":1}]}"#, Ok(None));
    check(r#"{"x":"model","models":"a","model_":"b","":"c"}"#, Ok(None));
    check(r#"{}"#, Ok(None));
}

#[test]
fn reads_escapes_as_a_parser_does() {
    check(r#"{"mod\u0065l":"a"}"#, found("a", 15, 16));
    check(r#"{"\u006D\u006f\u0064\u0065\u006C":"a"}"#, found("a", 35, 36));
    check(r#"{"model":"gp\u0074\/4\"\\\b\f\n\r\t"}"#, found("gpt/4\"\\\u{8}\u{c}\n\r\t", 10, 35));
    check(r#"{"model":"\ud83d\ude00"}"#, found("\u{1f600}", 10, 22));
    check(r#"{"mode\\l":"a"}"#, Ok(None));
}

#[test]
fn accepts_every_kind_of_value() {
    check(
        r#"{"a":[],"b":{},"c":[1,-0,0.5,1e9,-1.25E+3,2e-7],"d":[true,false,null],"e":""}"#,
        Ok(None),
    );
    check(r#"{"half":"\ud83d","model":"a"}"#, found("a", 26, 27));
}

#[test]
fn refuses_a_second_model() {
    check(r#"{"model":"a","model":"b"}"#, Err((DuplicateModel, 19)));
    check(r#"{"model":"a","x":1,"m\u006fdel":"b"}"#, Err((DuplicateModel, 30)));
    check(r#"{"model":null,"model":"b"}"#, Err((DuplicateModel, 20)));
    check(r#"{"model":"a","model":null}"#, Err((DuplicateModel, 19)));
}

#[test]
fn null_is_no_model() {
    check(r#"{"model":null}"#, Ok(None));
    check(r#"{"x":{"model":1},"model" : null ,"y":2}"#, Ok(None));
}

#[test]
fn model_in_another_case_is_refused() {
    check(r#"{"Model":"a"}"#, Err((ModelInOtherCase, 7)));
    check(r#"{"model":"a","mODEL":null}"#, Err((ModelInOtherCase, 19)));
    check(r#"{"mod\u0045l":1}"#, Err((ModelInOtherCase, 12)));
    check(r#"{"x":{"Model":"a"},"models":[{"MODEL":"b"}]}"#, Ok(None));
}

#[test]
fn refuses_a_model_that_is_no_string() {
    check(r#"{"model":1}"#, Err((ModelNotAString("a number"), 9)));
    check(r#"{"model":-1}"#, Err((ModelNotAString("a number"), 9)));
    check(r#"{"model":nul}"#, Err((Expected("true, false or null"), 12)));
    check(r#"{"model": true}"#, Err((ModelNotAString("a boolean"), 10)));
    check(r#"{"model":["a"]}"#, Err((ModelNotAString("an array"), 9)));
    check(r#"{"model":{"a":1}}"#, Err((ModelNotAString("an object"), 9)));
    check(r#"{"model":}"#, Err((Expected("a value"), 9)));
    check(r#"{"model":"\ud83d"}"#, Err((ModelNotUnicode, 16)));
    check(r#"{"model":"\ude00"}"#, Err((ModelNotUnicode, 16)));
    check(r#"{"model":"\ud83dx"}"#, Err((ModelNotUnicode, 17)));
    check(r#"{"model":"\ud83d\ud83d\ude00"}"#, Err((ModelNotUnicode, 28)));
}

#[test]
fn refuses_what_is_no_json() {
    check("", Err((Incomplete, 0)));
    check(" \n", Err((Incomplete, 2)));
    check("[]", Err((Expected("a JSON object"), 0)));
    check("\"model\"", Err((Expected("a JSON object"), 0)));
    check("\u{feff}{}", Err((Expected("a JSON object"), 0)));
    check("{,}", Err((Expected("a key or '}'"), 1)));
    check(r#"{"a":1,}"#, Err((Expected("a key"), 7)));
    check(r#"{"a"}"#, Err((Expected("':'"), 4)));
    check(r#"{"a":}"#, Err((Expected("a value"), 5)));
    check(r#"{"a":1 "b":2}"#, Err((Expected("',' or '}'"), 7)));
    check(r#"{"a":[1 2]}"#, Err((Expected("',' or ']'"), 8)));
    check(r#"{"a":[1,]}"#, Err((Expected("a value"), 8)));
    check(r#"{"a":[1}, "model":"x"}"#, Err((Expected("',' or ']'"), 7)));
    check(r#"{"a":{"b":1]}"#, Err((Expected("',' or '}'"), 11)));
    check("{'a':1}", Err((Expected("a key or '}'"), 1)));
    check("{\"a\":\u{a0}1}", Err((Expected("a value"), 5)));
}

#[test]
fn refuses_bad_numbers_and_literals() {
    for (body, offset) in [
        (r#"{"a":-}"#, 6),
        (r#"{"a":1.}"#, 7),
        (r#"{"a":1e}"#, 7),
        (r#"{"a":1e+}"#, 8),
        (r#"{"a":-x}"#, 6),
    ] {
        check(body, Err((Expected("a digit"), offset)));
    }
    check(r#"{"a":01}"#, Err((Expected("',' or '}'"), 6)));
    check(r#"{"a":+1}"#, Err((Expected("a value"), 5)));
    check(r#"{"a":NaN}"#, Err((Expected("a value"), 5)));
    check(r#"{"a":truE}"#, Err((Expected("true, false or null"), 8)));
    check(r#"{"a":nul}"#, Err((Expected("true, false or null"), 8)));
    check(r#"{"a":truex}"#, Err((Expected("',' or '}'"), 9)));
}

#[test]
fn refuses_bad_strings() {
    check("{\"a\":\"x\ny\"}", Err((ControlCharacter, 7)));
    check("{\"a\nb\":1}", Err((ControlCharacter, 3)));
    check("{\"model\":\"x\0\"}", Err((ControlCharacter, 11)));
    check(r#"{"a":"\x"}"#, Err((InvalidEscape, 7)));
    check(r#"{"a":"\u12g4"}"#, Err((InvalidEscape, 10)));
    check("{\"a\":\"0123456789abcdef\\\0\"}", Err((InvalidEscape, 23)));
    check(r#"{"model":"\x"}"#, Err((InvalidEscape, 11)));
    check(r#"{"\u12g4":1}"#, Err((InvalidEscape, 6)));
    check(b"{\"a\":\"\xff\"}", Err((InvalidUtf8, 6)));
    check(b"{\"a\":\"\xe2\x82\"}", Err((InvalidUtf8, 6)));
    check(b"{\"model\":\"a\xc3(\"}", Err((InvalidUtf8, 11)));
    check(b"{\"a\":\xff}", Err((Expected("a value"), 5)));
    check(b"{\xe2\x82\xac:1}", Err((Expected("a key or '}'"), 1)));
}

#[test]
fn refuses_what_comes_behind_the_object() {
    check("{}x", Err((TrailingBytes, 2)));
    check("{} {}", Err((TrailingBytes, 3)));
    check(r#"{"model":"a"}{"model":"b"}"#, Err((TrailingBytes, 13)));
    check(b"{}\xff", Err((TrailingBytes, 2)));
    check("{}\0", Err((TrailingBytes, 2)));
}

#[test]
fn refuses_an_object_that_never_ends() {
    for body in
        [r#"{"model":"a""#, r#"{"model":"a"#, "{", r#"{"a":[{}"#, r#"{"a":12"#, r#"{"a":tr"#]
    {
        check(body, Err((Incomplete, body.len() as u64)));
    }
    check(b"{\"a\":\"\xe2\x82", Err((Incomplete, 8)));
}

#[test]
fn holds_its_limits() {
    let nested = |levels: usize| format!("{{\"a\":{}{}}}", "[".repeat(levels), "]".repeat(levels));
    check(nested(126), Ok(None));
    check(nested(127), Err((TooDeep, 5 + 126)));

    let key = |length: usize| format!("{{\"{}\":1}}", "k".repeat(length));
    check(key(KEY_BYTES_MAX), Ok(None));
    check(key(KEY_BYTES_MAX + 1), Err((KeyTooLong, 2 + KEY_BYTES_MAX as u64)));

    let name = "m".repeat(MODEL_BYTES_MAX);
    check(format!("{{\"model\":\"{name}\"}}"), found(&name, 10, 10 + MODEL_BYTES_MAX as u64));
    let end = 10 + MODEL_BYTES_MAX as u64;
    check(format!("{{\"model\":\"{name}m\"}}"), Err((ModelTooLong, end)));
}

#[test]
fn a_limit_within_a_character_is_the_same_at_every_split() {
    let tails: [&[u8]; 10] = [
        b"k",
        b"\xc3\xa9",
        b"\xe2\x82\xac",
        b"\xf0\x9f\x98\x80",
        b"\xe2\x82k",
        b"\xc3k",
        b"\xf0\x9f\x98k",
        b"\xff",
        b"\xed\xa0\x80",
        b"\xf4\x90\x80\x80",
    ];
    for tail in tails {
        let (characters, start) = (std::str::from_utf8(tail), KEY_BYTES_MAX - tail.len());
        for length in start..=KEY_BYTES_MAX {
            let body = [b"{\"", "k".repeat(length).as_bytes(), tail, b"k\":1}"].concat();
            let expected = match characters {
                Ok(_) if length + tail.len() > KEY_BYTES_MAX => {
                    Err((KeyTooLong, (1 + length + tail.len()) as u64))
                }
                Ok(_) if length + tail.len() == KEY_BYTES_MAX => {
                    Err((KeyTooLong, 2 + KEY_BYTES_MAX as u64))
                }
                Ok(_) => Ok(None),
                Err(_) => Err((InvalidUtf8, 2 + length as u64)),
            };
            for size in [body.len(), 1, 2, 3, 5] {
                assert_eq!(
                    scan(body.chunks(size)),
                    expected,
                    "{length} before {tail:x?} by {size}"
                );
            }
        }
    }
}

#[test]
fn brackets_in_a_row_close_what_was_opened() {
    for levels in [1, 2, 15, 40, 63, 64, 65, 100, 125] {
        let is_object = |level: usize| level * level % 7 < 3;
        let mut open = String::from("{\"a\":");
        let mut close = Vec::new();
        for level in 0..levels {
            open.push_str(if is_object(level) { "{\"k\":" } else { "[" });
            close.insert(0, if is_object(level) { b'}' } else { b']' });
        }
        let body = |close: &[u8]| [open.as_bytes(), b"1", close, b",\"model\":\"x\"}"].concat();
        let start = (open.len() + 1 + levels + ",\"model\":\"".len()) as u64;
        check(body(&close), found("x", start, start + 1));
        for place in 0..levels {
            let (is_curly, offset) = (close[place] == b'}', (open.len() + 1 + place) as u64);
            let mut wrong = close.clone();
            wrong[place] = if is_curly { b']' } else { b'}' };
            let expected = if is_curly { "',' or '}'" } else { "',' or ']'" };
            check(body(&wrong), Err((Expected(expected), offset)));
        }
        // The outermost object ends in the row, and is followed by another bracket.
        let closed = [open.as_bytes(), b"1", &close, b"}"].concat();
        check(&closed, Ok(None));
        check([&closed[..], b"}"].concat(), Err((TrailingBytes, closed.len() as u64)));
    }
}

/// Each kind of content, longer than a block.
const DOCUMENTS: [&str; 7] = [
    r#"{"messages":[{"role":"user","content":"say \"x\" \\ \u00e9\ud83e\udd8a and \n"}],"model":"gpt-4o","n":1}"#,
    r#"{"model":"a","input":[0,10,-1,99999,-0.25,1.5e-7,2E+3,7,80,900,1000,11000,-12,13.0,14e1,15,16],"x":1}"#,
    r#"{"input": [1, 20, 300, 4000, 50000, 60, 7, 8, 90, 100, 11, 120, 13, 14], "user": "b", "model": "a"}"#,
    r#"{"input":["","a","bc","","def","\"","g","hijk","\\","","lm",true,false,null,"n",null,"o"],"model":"a"}"#,
    r#"{"a":[[{"b":[{"c":{"d":[[[{"e":1}]]],"f":{}}},[]]}]],"model":"a","g":{"h":{"i":{"j":[{"k":[]}]}}}}"#,
    "{\n  \"tools\": [\n    {\n      \"type\": \"function\",\n      \"strict\": true\n    }\n  ],\n\t\"model\": \"a\"\r\n}",
    r#"{"a":1,"bc":"d","model":"a","temperature":0.5,"e":null,"f":{},"g":[],"models":"h","modem":2,"i":true}"#,
];

/// What makes a document another one, or none.
const PIECES: [&str; 22] = [
    "", "\"", "\\", "{", "}", "[", "]", ",", ":", " ", "\n", "0", "1", "-", ".", "e", "+", "u",
    "\0", "\u{e9}", "\\u00e9", "model",
];

/// A document that is fed byte by byte never fills a block.
#[test]
fn blocks_and_single_bytes_come_to_the_same() {
    for document in DOCUMENTS.map(str::as_bytes) {
        assert!(scan([document]).is_ok(), "{}", String::from_utf8_lossy(document));
        for place in 0..document.len() {
            for piece in PIECES.map(str::as_bytes) {
                for replaced in 0..2 {
                    let bytes = [&document[..place], piece, &document[place + replaced..]].concat();
                    let shown = String::from_utf8_lossy(&bytes);
                    assert_eq!(scan([&bytes[..]]), scan(bytes.chunks(1)), "{shown}");
                }
            }
        }
    }
}
