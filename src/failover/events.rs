//! What an event of a stream says of itself.

use super::document::Facts;
use crate::document;

/// A stream of events of which some bytes have come.
pub type Events = document::Events<Facts>;

/// An event that has come whole.
pub type Event<'a> = document::Event<'a, Facts>;

impl Event<'_> {
    /// Whether the event, or its data, says that it is of this type.
    pub fn is(&self, kind: &[u8]) -> bool {
        self.name == kind || self.facts.kind.as_bytes() == kind
    }

    /// Whether the event says that the provider has failed.
    pub fn is_error(&self) -> bool {
        self.facts.has_error
            || self.is(b"error")
            || self.is(b"response.failed")
            || self.facts.object.as_bytes() == b"error"
            || self.facts.finish.as_bytes() == b"error"
    }

    /// Whether the event only keeps the connection open.
    pub fn is_ping(&self) -> bool {
        self.is(b"ping") || self.is(b"keepalive")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(all(target_family = "wasm", target_os = "unknown"))]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    /// Name and type of each event; `!` is `[DONE]`.
    fn heard(pieces: &[&[u8]]) -> Vec<String> {
        let mut all = Vec::new();
        let mut note = |event: Event<'_>| {
            let kind = String::from_utf8_lossy(event.facts.kind.as_bytes()).into_owned();
            let done = if event.is_done { "!" } else { "" };
            all.push(format!("{}/{kind}{done}", String::from_utf8_lossy(event.name)));
        };
        let mut events = Events::default();
        pieces.iter().for_each(|piece| events.feed(piece, &mut note));
        events.finish(&mut note);
        all
    }

    const STREAMS: [(&str, &[&str]); 14] = [
        ("data: {\"type\":\"a\"}\n\ndata: {\"type\":\"b\"}\n\n", &["/a", "/b"]),
        ("data:{\"type\":\"a\"}\n\n", &["/a"]),
        ("data:  {\"type\":\"a\"}\n\n", &["/a"]),
        (": comment\n\n:\n\nevent: ping\ndata: {}\n\n", &["ping/"]),
        ("event: x\nevent: y\nid: 7\nretry: 1\ndata: [DONE]\n\n", &["y/!"]),
        ("data:[DONE]\n\n", &["/!"]),
        ("data: \"[DONE]\"\n\n", &["/"]),
        ("data: {\"type\":\ndata: \"a\"}\n\n", &["/a"]),
        ("data\n\nevent\n\n", &["/"]),
        ("\u{feff}data: [DONE]\n\n", &["/!"]),
        ("data: {}\n\n\u{feff}data: [DONE]\n\n", &["/"]),
        ("data: {\"type\":\"a\"}", &["/a"]),
        ("event: a\n\nevent: b", &["a/", "b/"]),
        ("data: {\"type\":\"a\"", &[]),
    ];

    #[test]
    fn reads_events_with_every_end_of_line_wherever_they_are_cut() {
        for (text, expected) in STREAMS {
            for end_of_line in ["\n", "\r", "\r\n"] {
                let text = text.replace('\n', end_of_line);
                let bytes = text.as_bytes();
                for first in 0..=bytes.len() {
                    for second in first..=bytes.len() {
                        let pieces = [&bytes[..first], &bytes[first..second], &bytes[second..]];
                        assert_eq!(heard(&pieces), expected, "{text:?} {first} {second}");
                    }
                }
            }
        }
    }

    #[test]
    fn a_carriage_return_at_the_end_of_a_piece_is_one_end_of_a_line() {
        assert_eq!(heard(&[b"data: 1\r", b"\ndata: 2\r", b"\n\r", b"\n"]), ["/"]);
        assert_eq!(heard(&[b"data: 1\r", b"\r", b"data: 2\r\r"]), ["/", "/"]);
    }
}
