//! What a request's body says of the length of its answer, and how many answers it asks for.
//!
//! A client could write a name in a way that some servers read and this reader does not: a name with an escape makes the
//! bounds unknown. Of a name that comes twice the larger number counts.

use crate::document::{Reading, Word};

/// The bounds that a body has named.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Bounds {
    output_max: Option<u64>,
    /// Of Bedrock's `inferenceConfig`.
    inference_max: Option<u64>,
    answers: u64,
    /// A bound is written in a way that is not read.
    is_unsure: bool,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Place {
    #[default]
    Outside,
    /// The document, or Gemini's `generationConfig`.
    Root,
    /// Bedrock's `inferenceConfig`.
    Inference,
    /// A member whose name has an escape.
    Unsure,
    OtherObject,
    OtherList,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Member {
    #[default]
    Other,
    OutputMax,
    InferenceMax,
    Answers,
    Config,
    Inference,
    Escaped,
}

impl Bounds {
    /// The most tokens of all answers together; `None` where the body names no bound.
    pub(super) fn output_max(&self) -> Option<u64> {
        self.output_max.filter(|_| !self.is_unsure)
    }

    /// The same for Bedrock's Converse, which reads `inferenceConfig` alone.
    pub(super) fn inference_max(&self) -> Option<u64> {
        self.inference_max.filter(|_| !self.is_unsure)
    }

    /// How many answers there may be.
    pub(super) fn answers(&self) -> u64 {
        self.answers.max(1)
    }
}

impl Reading for Bounds {
    type Place = Place;
    type Member = Member;
    const DEEP: Place = Place::OtherList;

    fn inner(place: Place, member: Member, is_object: bool) -> Place {
        match (place, member, is_object) {
            (Place::Outside, _, true) | (Place::Root, Member::Config, true) => Place::Root,
            (Place::Root, Member::Inference, true) => Place::Inference,
            (Place::Root | Place::Inference, Member::Escaped, _) => Place::Unsure,
            (_, _, true) => Place::OtherObject,
            (_, _, false) => Place::OtherList,
        }
    }

    fn is_object(place: Place) -> bool {
        matches!(place, Place::Root | Place::Inference | Place::OtherObject)
    }

    fn is_last(_place: Place, depth: usize) -> bool {
        depth == 0
    }

    fn member(place: Place, name: &[u8]) -> Member {
        match (place, name) {
            (Place::Root, b"max_tokens" | b"max_completion_tokens" | b"max_output_tokens") => {
                Member::OutputMax
            }
            (Place::Root, b"maxOutputTokens") => Member::OutputMax,
            (Place::Root, b"n" | b"best_of" | b"candidateCount") => Member::Answers,
            (Place::Root, b"generationConfig") => Member::Config,
            (Place::Root, b"inferenceConfig") => Member::Inference,
            (Place::Inference, b"maxTokens") => Member::InferenceMax,
            (Place::Root | Place::Inference, name) if name.contains(&b'\\') => Member::Escaped,
            _ => Member::Other,
        }
    }

    fn value(&mut self, _place: Place, member: Member, word: &Word, is_text: bool) {
        let text = str::from_utf8(word.as_bytes()).unwrap_or_default();
        let number = text.parse::<u64>().ok().filter(|_| !is_text);
        match (member, number) {
            (Member::Other | Member::Config | Member::Inference, _) => {}
            (Member::OutputMax, Some(number)) => {
                self.output_max = self.output_max.max(Some(number));
            }
            (Member::InferenceMax, Some(number)) => {
                self.inference_max = self.inference_max.max(Some(number));
            }
            (Member::Answers, Some(number)) => self.answers = self.answers.max(number),
            (Member::OutputMax | Member::InferenceMax | Member::Answers, None)
                if text == "null" && !is_text => {}
            _ => self.is_unsure = true,
        }
    }

    fn open(&mut self, place: Place) {
        self.is_unsure |= place == Place::Unsure;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::Document;
    #[cfg(all(target_family = "wasm", target_os = "unknown"))]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    fn read(body: &str) -> (Option<u64>, u64) {
        let mut document = Document::<Bounds>::default();
        body.as_bytes().chunks(3).for_each(|piece| document.feed(piece));
        (document.facts().output_max(), document.facts().answers())
    }

    #[test]
    fn a_body_names_the_bounds_of_its_answers() {
        for (body, output_max, answers) in [
            (r#"{"model":"m","max_tokens":5,"n":3}"#, Some(5), 3),
            (r#"{"max_tokens":5,"max_completion_tokens":9}"#, Some(9), 1),
            (r#"{"max_output_tokens":7,"messages":[{"max_tokens":1}]}"#, Some(7), 1),
            (r#"{"generationConfig":{"maxOutputTokens":8,"candidateCount":2}}"#, Some(8), 2),
            (r#"{"tools":{"max_tokens":1},"n":null}"#, None, 1),
            (r#"{"max_tokens":null}"#, None, 1),
            (r#"{"max_tokens":5,"max_tokens":50}"#, Some(50), 1),
        ] {
            assert_eq!(read(body), (output_max, answers), "{body}");
        }
    }

    #[test]
    fn bedrock_reads_the_bound_of_its_configuration_alone() {
        for (body, inference_max) in [
            (r#"{"max_tokens":1,"inferenceConfig":{"maxTokens":8}}"#, Some(8)),
            (r#"{"max_tokens":1,"maxTokens":1}"#, None),
            (r#"{"inferenceConfig":{"maxTokens":8,"max\u0054okens":80}}"#, None),
            (r#"{"inferenceConfig":{"maxTokens":8},"inferenceConfig":{"maxTokens":80}}"#, Some(80)),
        ] {
            let mut document = Document::<Bounds>::default();
            document.feed(body.as_bytes());
            assert_eq!(document.facts().inference_max(), inference_max, "{body}");
        }
    }

    #[test]
    fn what_servers_read_in_two_ways_is_no_bound() {
        for body in [
            r#"{"max_tokens":5,"max_\u0074okens":50}"#,
            r#"{"max_tokens":5,"generation\u0043onfig":{"maxOutputTokens":50}}"#,
            r#"{"max_tokens":5,"max_completion_tokens":"50"}"#,
            r#"{"max_tokens":1e9,"max_completion_tokens":5}"#,
            r#"{"max_tokens":-1,"max_completion_tokens":5}"#,
        ] {
            assert_eq!(read(body).0, None, "{body}");
        }
    }
}
