//! JSON and forms that are nearly right.

use super::case::{CHAT, Case, Expected, JSON, post};
use super::is_object;
use crate::kit::random::Random;
use Expected::{Code, Good, Json, Status};

const SEEDS: [&[u8]; 6] = [
    br#"{"a":[1,-2.5e+3,true,null,{"model":"x"}],"model":"one:gp\u0074\/m","b":"\ud83d\ude00"}"#,
    br#"{"model":"one:m","messages":[{"role":"user","content":"hi \"model\":\"x\" \\"}]}"#,
    b"\r\n{ \"stream\" : true ,\t\"model\" : \"two:\xc3\xa9\" } ",
    br#"{"stream":false,"model":"one:chain","messages":[{"a":"\u00e9\n"}]}"#,
    br#"{"model":"one\u003achain"}"#,
    br#"{"mod\u0065l":"one:m","tools":[[[[{"a":{"b":{}}}]]]],"n":0.10E-2}"#,
];

const ALPHABET: &[u8] = b"\"\\{}[]:,0e-.+u\0\n\x1f\xff\xc3\xed\xa0\x80 ";

/// Spellings of the same key.
const KEYS: [&str; 5] =
    ["model", r"mod\u0065l", r"\u006d\u006f\u0064\u0065\u006c", r"mo\u0064el", r"\u006Dodel"];

/// A random JSON body.
pub(super) fn json(random: &mut Random) -> Case {
    let (body, expected) = match random.below(12) {
        0 => {
            let (one, two) = (random.pick(&KEYS), random.pick(&KEYS));
            let body = format!(r#"{{"{one}":"one:m","a":1,"{two}":"one:n"}}"#);
            (body.into_bytes(), Code(&["duplicate_model"]))
        }
        1 => {
            let depth = [120, 125, 126, 127, 128, 1000, 20_000][random.below(7)];
            let (open, close) = *random.pick(&[("[", "]"), ("{\"a\":", "}")]);
            let inner = format!("{}1{}", open.repeat(depth), close.repeat(depth));
            let expected = if depth <= 126 { Good } else { Code(&["invalid_json"]) };
            (format!(r#"{{"model":"one:m","a":{inner}}}"#).into_bytes(), expected)
        }
        2 => {
            let bad = *random.pick(&[
                r"\ud800",
                r"\udc00\ud800",
                r"\u0000",
                r"a\nb",
                r"\u007f",
                "\u{85}",
            ]);
            (format!(r#"{{"model":"one:{bad}"}}"#).into_bytes(), Code(&["invalid_model"]))
        }
        3 => {
            let length = [507, 508, 509, 600, 100_000][random.below(5)];
            let expected = if length <= 508 { Good } else { Code(&["invalid_model"]) };
            (format!(r#"{{"model":"one:{}"}}"#, "m".repeat(length)).into_bytes(), expected)
        }
        4 => {
            let other = *random.pick(&["1", "true", "[]", "{}", "[\"one:m\"]", "-0.5"]);
            (format!(r#"{{"model":{other}}}"#).into_bytes(), Code(&["invalid_type"]))
        }
        5 => {
            let before =
                *random.pick(&[&b"\xef\xbb\xbf"[..], b"\0", b"\xff\xfe", b"\x0b", b"/**/", b"["]);
            ([before, SEEDS[1]].concat(), Code(&["invalid_json"]))
        }
        6 => {
            let after = *random.pick(&[&b"{}"[..], b"\0", b"x", b"\xff", b",", b"\x0c", b"]"]);
            ([*random.pick::<&[u8]>(&SEEDS), after].concat(), Code(&["invalid_json"]))
        }
        7 => {
            let body = *random.pick(&[&b""[..], b" ", b"{", b"[]", b"1", b"\"\"", b"null"]);
            (body.to_vec(), Code(&["invalid_json"]))
        }
        8 => {
            let size = [255, 256, 257, 5000][random.below(4)];
            let expected = if size <= 256 { Good } else { Code(&["invalid_json"]) };
            (format!(r#"{{"{}":1,"model":"one:m"}}"#, "k".repeat(size)).into_bytes(), expected)
        }
        _ => {
            let mut body = random.pick(&SEEDS).to_vec();
            random.mutate(&mut body, ALPHABET);
            let is_object = is_object(&body);
            (body, Json { is_object })
        }
    };
    // Twice the namespace: once is stripped, and the judge would complain of the other.
    match find(&body, b"one:one") || find(&body, b":one:") || find(&body, b"two:two:") {
        true => json(random),
        false => Case::new(post(CHAT, JSON, &body), expected),
    }
}

/// Bodies around `body_limit_bytes`, with the model last.
pub(super) fn size(random: &mut Random, limit: usize) -> Case {
    // The bytes up to the last one of the value count.
    const AROUND: usize = r#"{"a":"","model":"one:m""#.len();
    let size = limit + random.below(5) - 2;
    let body = format!(r#"{{"a":"{}","model":"one:m"}}"#, "x".repeat(size - AROUND));
    let expected = match size {
        size if size < limit => Good,
        size if size > limit + 1 => Code(&["request_too_large"]),
        _ => Status(&[200, 413]),
    };
    Case::new(post(CHAT, JSON, body.as_bytes()), expected)
}

/// A random form.
pub(super) fn form(random: &mut Random) -> Case {
    let part = |headers: &str, content: &str| format!("--b\r\n{headers}\r\n\r\n{content}\r\n");
    let disposition = "Content-Disposition: form-data; name=";
    let name = *random.pick(&["one:m", "one:chain"]);
    let model = part(&format!("{disposition}\"model\""), name);
    let file = part(&format!("{disposition}\"file\"; filename=\"a\""), "\r\n--x\0\u{e9}\r\n--");
    let good = format!("{model}{file}--b--\r\n");
    let (body, expected) = match random.below(6) {
        0 => (format!("{file}{model}--b--\r\n"), Good),
        1 => (format!("{model}{model}--b--\r\n"), Code(&["duplicate_model"])),
        2 => (good.replace("\r\n", "\n"), Code(&["invalid_form"])),
        3 => (good.trim_end_matches("--\r\n").to_owned(), Code(&["invalid_form"])),
        _ => (good, Status(&[200, 400])),
    };
    let mut body = body.into_bytes();
    if let Status(_) = expected {
        random.mutate(&mut body, b"\r\n-b:;=\"\\model\0\xff\xc3 \t");
    }
    let lines = "content-type: multipart/form-data; boundary=b\r\n";
    Case::new(post("/v1/audio/transcriptions", lines, &body), expected)
}

fn find(text: &[u8], words: &[u8]) -> bool {
    text.windows(words.len()).any(|window| window == words)
}
