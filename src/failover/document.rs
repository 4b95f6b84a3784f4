//! What a JSON document says of itself: its type, how it finished, and its error.
//!
//! Only an object is read, or the first object of a list.
//!
//! | place | members that are read |
//! |---|---|
//! | the object | `type`, `object`, `code`, `error`, `choices`, `response` |
//! | `error`, of the object or of its `response` | `type`, `code`, `status` |
//! | each of `choices` | `finish_reason` |

use crate::document::{self, Reading, Word};

/// A document of which some bytes have come.
pub type Document = document::Document<Facts>;

/// What was read so far. A word is empty where it is absent, `null`, `false`, `0` or an empty string.
#[derive(Debug, Clone, Default)]
pub struct Facts {
    /// `type`.
    pub kind: Word,
    /// `object`.
    pub object: Word,
    /// A `finish_reason`.
    pub finish: Word,
    /// `code` of the error, else of the object.
    pub code: Word,
    /// `type` of the error.
    pub error_kind: Word,
    /// `status` of the error.
    pub status: Word,
    /// There is an error that says anything.
    pub has_error: bool,
}

/// A place of the table.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Place {
    #[default]
    Outside,
    List,
    Root,
    Error,
    Choices,
    Choice,
    Response,
    OtherObject,
    OtherList,
}

/// A member of the table.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Member {
    #[default]
    Other,
    Type,
    Object,
    Code,
    Status,
    Error,
    Choices,
    Finish,
    Response,
}

impl Reading for Facts {
    type Place = Place;
    type Member = Member;
    const DEEP: Place = Place::OtherList;

    fn inner(place: Place, member: Member, is_object: bool) -> Place {
        match (place, member, is_object) {
            (Place::Outside, _, false) => Place::List,
            (Place::Outside | Place::List, _, true) => Place::Root,
            (Place::Root | Place::Response, Member::Error, true) => Place::Error,
            (Place::Root, Member::Choices, false) => Place::Choices,
            (Place::Choices, _, true) => Place::Choice,
            (Place::Root, Member::Response, true) => Place::Response,
            (_, _, true) => Place::OtherObject,
            (_, _, false) => Place::OtherList,
        }
    }

    fn is_object(place: Place) -> bool {
        use Place::{Choice, Error, OtherObject, Response, Root};
        matches!(place, Root | Error | Choice | Response | OtherObject)
    }

    fn is_last(place: Place, _depth: usize) -> bool {
        place == Place::Root
    }

    fn member(place: Place, name: &[u8]) -> Member {
        match (place, name) {
            (Place::Root | Place::Error, b"type") => Member::Type,
            (Place::Root | Place::Error, b"code") => Member::Code,
            (Place::Root, b"object") => Member::Object,
            (Place::Root, b"choices") => Member::Choices,
            (Place::Root, b"response") => Member::Response,
            (Place::Root | Place::Response, b"error") => Member::Error,
            (Place::Error, b"status") => Member::Status,
            (Place::Choice, b"finish_reason") => Member::Finish,
            _ => Member::Other,
        }
    }

    fn value(&mut self, place: Place, member: Member, word: &Word, is_text: bool) {
        if !is_text && matches!(word.as_bytes(), b"null" | b"false" | b"0") {
            return;
        }
        self.has_error |= place == Place::Error || member == Member::Error;
        match (place, member) {
            (Place::Root, Member::Type) => self.kind = *word,
            (Place::Root, Member::Object) => self.object = *word,
            (Place::Root | Place::Error, Member::Code) => self.code = *word,
            (Place::Error, Member::Type) => self.error_kind = *word,
            (Place::Error, Member::Status) => self.status = *word,
            (Place::Choice, Member::Finish) if is_text => self.finish = *word,
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::WORD_BYTES;
    #[cfg(all(target_family = "wasm", target_os = "unknown"))]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    fn read(text: &str) -> Document {
        let mut document = Document::default();
        document.feed(text.as_bytes());
        document
    }

    /// Type, object, finish, code, the error's type, status.
    fn words(facts: &Facts) -> [&str; 6] {
        [&facts.kind, &facts.object, &facts.finish, &facts.code, &facts.error_kind, &facts.status]
            .map(|word| std::str::from_utf8(word.as_bytes()).unwrap())
    }

    #[test]
    fn reads_what_a_document_says_of_itself_however_it_is_cut() {
        for (text, expected, has_error) in [
            (r#"{"type":"message_stop"}"#, ["message_stop", "", "", "", "", ""], false),
            (
                r#"{"choices" : [ {"delta":{"finish_reason":"x"},"finish_reason" : "stop"} ]}"#,
                ["", "", "stop", "", "", ""],
                false,
            ),
            (
                r#"{"choices":[{"finish_reason":"stop"},{"finish_reason":null}]}"#,
                ["", "", "stop", "", "", ""],
                false,
            ),
            (r#"{"choices":[{"finish_reason":""}],"error":null}"#, [""; 6], false),
            (
                r#"{"error":{"message":"a \"code\":\"b\"","type":"t","code":529,"status":"S"}}"#,
                ["", "", "", "529", "t", "S"],
                true,
            ),
            (
                r#"[{"error":{"code":503}}, {"error":{"code":1}}]"#,
                ["", "", "", "503", "", ""],
                true,
            ),
            (
                r#"{"type":"response.failed","response":{"error":{"code":"c"},"type":"no"}}"#,
                ["response.failed", "", "", "c", "", ""],
                true,
            ),
            (r#"{"error":"a text"}"#, [""; 6], true),
            (r#"{"error":{"code":null,"message":null,"param":null}}"#, [""; 6], false),
            (r#"{"error":{}}"#, [""; 6], false),
            (r#"{"usage":{"error":{"code":"c"}}}"#, [""; 6], false),
            (
                r#"{"a":[[[[[[[[{"type":"no"}]]]]]]]],"type":"yes"}"#,
                ["yes", "", "", "", "", ""],
                false,
            ),
            (r#"{"object":"error","code":400}"#, ["", "error", "", "400", "", ""], false),
        ] {
            for cut in 0..=text.len() {
                let (start, end) = text.as_bytes().split_at(cut);
                let mut document = Document::default();
                document.feed(start);
                document.feed(end);
                let facts = document.facts();
                assert_eq!((words(facts), facts.has_error), (expected, has_error), "{text} {cut}");
                assert!(document.is_complete(), "{text}");
            }
        }
    }

    #[test]
    fn a_document_without_its_end_is_not_complete() {
        for text in ["", "[", "{", r#"{"a":"}"#, r#"{"a":{}"#, r#"{"a":"\"}"#, "nonsense"] {
            assert!(!read(text).is_complete(), "{text}");
        }
    }

    #[test]
    fn a_long_word_is_cut() {
        let document = read(&format!(r#"{{"type":"{}","{}":1}}"#, "x".repeat(99), "y".repeat(99)));
        assert_eq!(document.facts().kind.as_bytes(), "x".repeat(WORD_BYTES).as_bytes());
    }
}
