//! Finds every string that a JSON document has for one of [`KEYS`], at any depth, while the bytes pass by.
//!
//! For bodies whose objects name models that the gateway does not change. The finder reads strings and nothing else; the
//! [`JsonScanner`](super::JsonScanner), which reads the same bytes, refuses what is not JSON, so a string here is a string there.
//!
//! ```text
//!          "              other end                 model"            :             "
//!  Between ──> String ──────────────> Between    String ──> AfterKey ──> AfterColon ──> Value ──> Between
//! ```

use crate::request::model::MODEL_BYTES_MAX;

/// The keys that name a model: `model`, and in Gemini's tuning jobs the model to tune.
const KEYS: [&str; 4] = ["model", "baseModel", "base_model", "tunedModel"];

/// The longest spelling of a key: `base_model` with each letter as an escape.
const KEY_BYTES_MAX: usize = 60;

/// The longest spelling of a model that can be valid. What is longer counts as found, cut off.
const VALUE_BYTES_MAX: usize = MODEL_BYTES_MAX * 6;

/// Reads a document piece by piece.
#[derive(Debug, Default)]
pub struct NestedModels {
    state: State,
    /// The string under way, as it is written; longer ones are cut off.
    text: Vec<u8>,
    /// The byte before was a backslash that begins an escape.
    in_escape: bool,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum State {
    #[default]
    Between,
    String,
    /// After a string that could be the key.
    AfterKey,
    AfterColon,
    Value,
}

impl NestedModels {
    /// Reads the next chunk; the names that end in it.
    pub fn feed(&mut self, chunk: &[u8]) -> Vec<String> {
        let mut found = Vec::new();
        for byte in chunk {
            match self.state {
                State::String => self.string(*byte, KEY_BYTES_MAX, State::AfterKey),
                State::Value => {
                    self.string(*byte, VALUE_BYTES_MAX, State::Between);
                    if self.state == State::Between {
                        found.push(decoded(&self.text));
                    }
                }
                State::Between | State::AfterKey | State::AfterColon => self.between(*byte),
            }
        }
        found
    }

    fn between(&mut self, byte: u8) {
        self.state = match (byte, self.state) {
            (b' ' | b'\t' | b'\n' | b'\r', state) => state,
            (b':', State::AfterKey) if names_model(&self.text) => State::AfterColon,
            (b'"', state) => {
                self.text.clear();
                self.in_escape = false;
                if state == State::AfterColon { State::Value } else { State::String }
            }
            _ => State::Between,
        };
    }

    fn string(&mut self, byte: u8, bytes_max: usize, then: State) {
        match byte {
            b'"' if !self.in_escape => {
                self.state = then;
                return;
            }
            b'\\' => self.in_escape = !self.in_escape,
            _ => self.in_escape = false,
        }
        if self.text.len() <= bytes_max {
            self.text.push(byte);
        }
    }
}

/// Whether a string is a key that some parser takes for one of [`KEYS`].
fn names_model(text: &[u8]) -> bool {
    let key = decoded(text);
    text.len() <= KEY_BYTES_MAX && KEYS.iter().any(|known| key.eq_ignore_ascii_case(known))
}

/// A string with its escapes decoded; one that is none, as it is.
fn decoded(text: &[u8]) -> String {
    let plain = || String::from_utf8_lossy(text).into_owned();
    if !text.contains(&b'\\') {
        return plain();
    }
    serde_json::from_slice(&[b"\"", text, b"\""].concat()).unwrap_or_else(|_| plain())
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(all(target_family = "wasm", target_os = "unknown"))]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn finds_models_at_any_depth_however_the_body_is_cut() {
        for (body, expected) in [
            (
                r#"{"model":"a","x":[{"model" : "b"},{"params":{"model":"c/d"}}]}"#,
                &["a", "b", "c/d"][..],
            ),
            (r#"{"x":{"mod\u0065l":"models\/a\u002db"}}"#, &["models/a-b"]),
            (r#"{"x":{"Model":"a"}}"#, &["a"]),
            (
                r#"{"baseModel":"a","x":{"base_model":"b","tunedModel":"c"},"base":"d"}"#,
                &["a", "b", "c"],
            ),
            (r#"{"x":"model","y":"\"model\":\"z\"","model_":"a","models":["b"]}"#, &[]),
            (r#"{"x":{"model":{"type":"string"}},"y":{"model":null,"z":["model","b"]}}"#, &[]),
            (r#"{"\\":"model","a\\\"":{"model":"\"b\\"}}"#, &["\"b\\"]),
            (r#"{"model":"\ud800"}"#, &["\\ud800"]),
            ("no JSON: \"model\":\"a", &[]),
        ] {
            let whole = NestedModels::default().feed(body.as_bytes());
            assert_eq!(whole, expected, "{body}");
            for size in 1..5 {
                let mut nested = NestedModels::default();
                let found: Vec<_> =
                    body.as_bytes().chunks(size).flat_map(|chunk| nested.feed(chunk)).collect();
                assert_eq!(found, expected, "{body} in pieces of {size}");
            }
        }
    }

    #[test]
    fn a_long_string_is_not_kept() {
        let long = "x".repeat(100_000);
        let mut nested = NestedModels::default();
        let found = nested.feed(format!(r#"{{"{long}":"{long}","model":"{long}"}}"#).as_bytes());
        assert_eq!(found.len(), 1);
        assert!(found[0].len() <= VALUE_BYTES_MAX + 1 && nested.text.capacity() < 8192);
    }
}
