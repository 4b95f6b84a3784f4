//! The JSON scanner reads blocks of 64 bytes where it can, and single bytes elsewhere. Both ways come to the same: a
//! document that is fed byte by byte never fills a block.

use gaud::body::{JsonScanner, ScanError};
use proptest::prelude::*;
use serde_json::{Value, json};

/// The model with its place, or what is wrong and where.
type Verdict = Result<Option<(String, u64, u64)>, ScanError>;

fn scan<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> Verdict {
    let mut scanner = JsonScanner::default();
    let mut bytes = 0;
    for piece in pieces {
        scanner.feed(piece)?;
        bytes += piece.len() as u64;
        assert_eq!(scanner.offset(), bytes);
    }
    scanner.finish()?;
    Ok(scanner.model().map(|found| (found.value.clone(), found.start, found.end)))
}

/// How a client writes JSON.
#[derive(Debug, Clone, Copy)]
enum Style {
    Compact,
    /// As Python's `json.dumps` writes: spaces after `,` and `:`, and all that is not ASCII as `\uXXXX`.
    Python,
    Indented,
}

impl Style {
    fn write(self, value: &Value) -> String {
        match self {
            Self::Compact => value.to_string(),
            Self::Python => python(value),
            Self::Indented => serde_json::to_string_pretty(value).unwrap(),
        }
    }
}

fn python(value: &Value) -> String {
    match value {
        Value::Array(items) => {
            let items: Vec<_> = items.iter().map(python).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Object(members) => {
            let members = members.iter().map(|(key, value)| {
                format!("{}: {}", escaped(&Value::from(key.as_str()).to_string()), python(value))
            });
            format!("{{{}}}", members.collect::<Vec<_>>().join(", "))
        }
        _ => escaped(&value.to_string()),
    }
}

fn escaped(text: &str) -> String {
    let units = |c: char| {
        let mut units = [0; 2];
        c.encode_utf16(&mut units).iter().map(|unit| format!("\\u{unit:04x}")).collect::<String>()
    };
    text.chars().map(|c| if c.is_ascii() { c.to_string() } else { units(c) }).collect()
}

/// Each kind of content that clients send.
fn content() -> impl Strategy<Value = Value> {
    let prose = "[a-z ,.:{}\\[\\]]{0,200}";
    let code = "[a-z ({\"\\\\\n\t]{0,120}";
    let base64 = "[A-Za-z0-9+/]{0,300}";
    let alphabets = "[a\u{e9}\u{4e2d}\u{1f98a}\u{7f}]{0,60}";
    let number = prop_oneof![
        (0..100_000_u32).prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        (-1.0..1.0).prop_map(|float: f64| Value::from(float)),
        any::<f64>().prop_map(Value::from),
    ];
    let literal = prop_oneof![Just(json!(true)), Just(json!(false)), Just(Value::Null)];
    let leaf = prop_oneof![number.clone(), literal.clone(), "[a-z]{0,8}".prop_map(Value::from)];
    let member = ("[a-z\u{e9}\"]{0,12}", leaf.clone());
    prop_oneof![
        prop_oneof![prose, code, base64, alphabets].prop_map(Value::from),
        prop::collection::vec(number, 0..60).prop_map(Value::from),
        prop::collection::vec(literal, 0..60).prop_map(Value::from),
        prop::collection::vec("[a-z\\\\]{0,9}", 0..60).prop_map(Value::from),
        prop::collection::vec(leaf, 0..60).prop_map(Value::from),
        prop::collection::vec(member, 0..40).prop_map(Value::from_iter),
        prop::collection::vec((any::<bool>(), "[a-z]{0,3}"), 0..130).prop_map(nested),
        ("[a-z]{1,9}", "[a-z ]{0,70}").prop_map(|(name, about)| json!({
            "type": "function",
            "function": {"name": name, "description": about, "parameters": {"type": "object", "properties": {
                name.as_str(): {"type": "string", "enum": ["a", "b"], "minimum": 1}}, "required": [name]}},
        })),
    ]
}

/// Objects and arrays within each other.
fn nested(levels: Vec<(bool, String)>) -> Value {
    levels.into_iter().fold(json!(1), |inner, (is_object, key)| match is_object {
        true => json!({key: inner}),
        false => json!([inner]),
    })
}

/// The text of an object that has a `model` before, between or after its other members.
fn document() -> impl Strategy<Value = String> {
    let style = prop_oneof![Just(Style::Compact), Just(Style::Python), Just(Style::Indented)];
    let model = prop::option::weighted(0.9, "[a-z/\u{e9}\u{1f98a}\"-]{1,40}".prop_map(Value::from));
    let members = prop::collection::vec(("[a-z_\u{e9}]{1,24}", content()), 0..5);
    (style, model, members, any::<prop::sample::Index>()).prop_map(
        |(style, model, mut members, place)| {
            if let Some(model) = model {
                members.insert(place.index(members.len() + 1), ("model".into(), model));
            }
            style.write(&Value::from_iter(members))
        },
    )
}

/// What makes a document another one, or none.
const PIECES: [&str; 40] = [
    "\"",
    "\\",
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    " ",
    "\n",
    "\t",
    "\r",
    "0",
    "7",
    "-",
    "+",
    ".",
    "e",
    "E5",
    "01",
    "-0",
    "1.5e-7",
    "true",
    "nul",
    "false",
    "\\u00e9",
    "\\ud83d",
    "\\u12g4",
    "\\\\",
    "\\\"",
    "\\x",
    "\u{1}",
    "\u{e9}",
    "{}",
    "[]",
    "\"\"",
    "\"k\":",
    ",\"model\":\"x\"",
    ",\"Model\":\"x\"",
    ",\"mod\\u0065l\":\"x\"",
];

/// A piece that is put at a place, instead of that many bytes.
type Change = (prop::sample::Index, prop::sample::Index, usize);

fn changes() -> impl Strategy<Value = Vec<Change>> {
    let change = (any::<prop::sample::Index>(), any::<prop::sample::Index>(), 0..3_usize);
    prop::collection::vec(change, 0..4)
}

fn changed(text: String, changes: Vec<Change>) -> Vec<u8> {
    let mut bytes = text.into_bytes();
    for (place, piece, replaced) in changes {
        let at = place.index(bytes.len() + 1);
        let end = (at + replaced).min(bytes.len());
        bytes.splice(at..end, piece.get(&PIECES).bytes());
    }
    bytes
}

fn pieces_of<'a>(bytes: &'a [u8], cuts: &[prop::sample::Index]) -> Vec<&'a [u8]> {
    let mut places: Vec<_> = cuts.iter().map(|cut| cut.index(bytes.len() + 1)).collect();
    places.extend([0, bytes.len()]);
    places.sort_unstable();
    places.windows(2).map(|cut| &bytes[cut[0]..cut[1]]).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3000))]

    #[test]
    fn blocks_and_single_bytes_come_to_the_same(
        text in document(),
        changes in changes(),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..6),
    ) {
        let is_whole = changes.is_empty();
        let bytes = changed(text, changes);
        let by_bytes = scan(bytes.chunks(1));
        prop_assert_eq!(scan([&bytes[..]]), by_bytes.clone());
        prop_assert_eq!(scan(pieces_of(&bytes, &cuts)), by_bytes.clone());
        // Of documents that are as a client writes them, only those are refused that are nested too deep.
        if is_whole && let Err(error) = by_bytes {
            prop_assert_eq!(error.problem, gaud::body::Problem::TooDeep);
        }
    }
}
