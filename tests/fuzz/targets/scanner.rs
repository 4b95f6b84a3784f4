//! The JSON scanner takes what `serde_json` takes, within its limits, and finds the same model.

use std::fmt;

use gaud::body::json::{DEPTH_MAX, KEY_BYTES_MAX};
use gaud::body::{JsonScanner, Problem, ScanError, Scanner};
use gaud::request::model::MODEL_BYTES_MAX;
use serde::de::{DeserializeSeed, Error, IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::input::{Input, check_edit, scan, scan_every_way};

/// Names that are written in the model's place.
const NAMES: [&str; 3] = ["gpt-4o", "a\"b\\c/\u{e9}\u{1f600}\u{7f}", ""];

pub(crate) fn run(data: &[u8]) {
    let Some(input) = Input::parse(data) else { return };
    let begin = || Scanner::Json(JsonScanner::default());
    let (scanner, verdict) = scan_every_way(&input, begin);
    let object = Object::read(input.bytes);
    match &verdict {
        Ok(model) => {
            let object = object.expect("what the scanner takes serde_json takes");
            assert_eq!(object.model(), model.as_ref().map(|(value, ..)| value.as_str()));
            assert!(object.longest_key <= KEY_BYTES_MAX && !object.has_other_case);
            assert!(depth(input.bytes) <= DEPTH_MAX);
        }
        Err(error) => check_refusal(input.bytes, *error, object.as_ref()),
    }
    if let (Ok(Some((_, start, end))), name) = (&verdict, NAMES[data.len() % NAMES.len()]) {
        let quoted = &input.bytes[*start as usize - 1..=*end as usize];
        let edit = scanner.edit(name).expect("a model to edit");
        let edited = check_edit(&input, &edit);
        let again = scan(begin(), [edited.as_slice()]).1.unwrap().expect("a model");
        assert_eq!(again.0, name);
        let value: String = serde_json::from_slice(quoted).expect("a string");
        assert_eq!(scanner.model().unwrap().value, value);
    }
}

/// The scanner's rules refuse what breaks them; any other refusal is `serde_json`'s too.
fn check_refusal(body: &[u8], error: ScanError, object: Option<&Object>) {
    assert!(error.offset <= body.len() as u64, "{error}");
    if error.problem == Problem::TooDeep {
        let before = &body[..=error.offset as usize];
        return assert_eq!(depth(before), DEPTH_MAX + 1);
    }
    let Some(object) = object else { return };
    let holds = match error.problem {
        Problem::KeyTooLong => object.longest_key > KEY_BYTES_MAX,
        Problem::DuplicateModel => object.models > 1,
        Problem::ModelInOtherCase => object.has_other_case,
        Problem::ModelNotAString(_) => matches!(object.first, Some(Model::Other)),
        Problem::ModelTooLong => {
            matches!(&object.first, Some(Model::Text(text)) if text.len() > MODEL_BYTES_MAX)
        }
        Problem::ModelNotUnicode => {
            matches!(&object.first, Some(Model::Text(text)) if std::str::from_utf8(text).is_err())
        }
        _ => false,
    };
    assert!(holds, "{error}, of which serde_json knows nothing");
}

/// The deepest nesting, brackets in strings apart.
fn depth(body: &[u8]) -> u32 {
    let (mut depth, mut deepest, mut quoted, mut escaped) = (0_u32, 0, false, false);
    for byte in body {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            b'{' | b'[' if !quoted => depth += 1,
            b'}' | b']' if !quoted => depth = depth.saturating_sub(1),
            _ => {}
        }
        deepest = deepest.max(depth);
    }
    deepest
}

/// An object as `serde_json` sees it.
struct Object {
    models: usize,
    /// A key is `model` but for its case.
    has_other_case: bool,
    first: Option<Model>,
    longest_key: usize,
}

enum Model {
    /// A string; half a surrogate pair is three bytes that are not UTF-8.
    Text(Vec<u8>),
    Null,
    Other,
}

impl Object {
    fn read(body: &[u8]) -> Option<Self> {
        // Keys are decoded as bytes, which may be anything: whether it is JSON is asked before.
        std::str::from_utf8(body).ok()?;
        serde_json::from_slice::<IgnoredAny>(body).ok()?;
        let keys = Keys { decode_first: false }.read(body)?;
        // A model that is not a string cannot be decoded, and nothing else is different then.
        let decoded = Keys { decode_first: true }.read(body);
        Some(decoded.unwrap_or(keys))
    }

    fn model(&self) -> Option<&str> {
        assert!(self.models <= 1, "a second model");
        self.first.as_ref().and_then(|model| match model {
            Model::Text(text) => Some(std::str::from_utf8(text).expect("the scanner's rule")),
            Model::Null => None,
            Model::Other => panic!("the model is not a string"),
        })
    }
}

struct Keys {
    decode_first: bool,
}

impl Keys {
    fn read(self, body: &[u8]) -> Option<Object> {
        let mut deserializer = serde_json::Deserializer::from_slice(body);
        let object = self.deserialize(&mut deserializer).ok()?;
        deserializer.end().ok().map(|()| object)
    }
}

impl<'de> DeserializeSeed<'de> for Keys {
    type Value = Object;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Object, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Keys {
    type Value = Object;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Object, A::Error> {
        let mut object = Object { models: 0, has_other_case: false, first: None, longest_key: 0 };
        while let Some(Text(key)) = map.next_key()? {
            object.longest_key = object.longest_key.max(key.len());
            let is_model = key == b"model";
            object.models += usize::from(is_model);
            object.has_other_case |= !is_model && key.eq_ignore_ascii_case(b"model");
            if is_model && object.models == 1 {
                object.first = Some(match self.decode_first {
                    true => map
                        .next_value::<Option<Text>>()?
                        .map_or(Model::Null, |text| Model::Text(text.0)),
                    false => map.next_value::<IgnoredAny>().map(|_| Model::Other)?,
                });
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(object)
    }
}

/// A string's bytes, decoded.
struct Text(Vec<u8>);

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_bytes(TextVisitor)
    }
}

struct TextVisitor;

impl Visitor<'_> for TextVisitor {
    type Value = Text;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }

    fn visit_bytes<E: Error>(self, bytes: &[u8]) -> Result<Text, E> {
        Ok(Text(bytes.to_vec()))
    }
}
