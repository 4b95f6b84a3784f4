//! `/v1/embeddings`: vectors without a meaning. Equal inputs have equal vectors.

use base64::{Engine, engine::general_purpose::STANDARD};
use hyper::StatusCode;
use serde_json::{Value, json};

use super::ask::{Answer, Ask};

const DIMENSIONS: usize = 6;

pub(super) fn embeddings(ask: &Ask) -> Answer {
    let base64 = ask.encoding_format.as_deref() == Some("base64");
    let data: Vec<Value> = inputs(&ask.input)
        .into_iter()
        .enumerate()
        .map(|(index, input)| {
            let vector = vector(&input.to_string());
            let vector = if base64 { json!(encoded(&vector)) } else { json!(vector) };
            json!({ "object": "embedding", "index": index, "embedding": vector })
        })
        .collect();
    let usage = json!({ "prompt_tokens": ask.prompt_tokens, "total_tokens": ask.prompt_tokens });
    let list = json!({ "object": "list", "data": data, "model": ask.model, "usage": usage });
    Answer::Json(StatusCode::OK, list)
}

/// A list of texts, or of lists of tokens, has an input for each element; any other value is one input.
fn inputs(input: &Value) -> Vec<&Value> {
    match input.as_array() {
        Some(list) if !list.iter().any(Value::is_number) => list.iter().collect(),
        _ => vec![input],
    }
}

/// Numbers between -1 and 1, drawn from the FNV-1a hash of the text.
fn vector(text: &str) -> [f32; DIMENSIONS] {
    let mut hash = text.bytes().fold(0xcbf2_9ce4_8422_2325, stirred);
    [(); DIMENSIONS].map(|()| {
        hash = stirred(hash, 0);
        let [high, ..] = hash.to_be_bytes();
        f32::from(high.cast_signed()) / 128.0
    })
}

fn stirred(hash: u64, byte: u8) -> u64 {
    (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
}

/// The little-endian bytes in base64, as OpenAI's clients ask for vectors.
fn encoded(vector: &[f32; DIMENSIONS]) -> String {
    STANDARD.encode(vector.map(f32::to_le_bytes).as_flattened())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_spells_the_little_endian_bytes() {
        assert_eq!(encoded(&[1.0, -1.0, 0.5, 0.0, 0.25, 2.0]), "AACAPwAAgL8AAAA/AAAAAAAAgD4AAABA");
    }

    #[test]
    fn the_same_text_has_the_same_vector_and_another_text_another() {
        assert_eq!(vector("a"), vector("a"));
        assert_ne!(vector("a"), vector("b"));
    }

    #[test]
    fn a_list_of_tokens_is_one_input_and_a_list_of_texts_is_many() {
        let counts = [json!("a"), json!([1, 2]), json!(["a", "b"]), json!([[1], [2], [3]])]
            .map(|input| inputs(&input).len());
        assert_eq!(counts, [1, 1, 2, 3]);
    }
}
