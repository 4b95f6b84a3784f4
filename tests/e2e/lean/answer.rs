//! What the provider answers.

use super::{KEYS, Message};
use std::io::{self, Error, Write};

/// Writes the answer that the request wants; an error ends the connection.
pub(super) fn answer(mut stream: impl Write, request: &Message) -> io::Result<()> {
    let wanted = request.header("x-want").unwrap_or_default();
    let is_one = request.header("authorization").is_some_and(|key| key.ends_with(KEYS[0].1));
    let (kind, number) = match request.header("x-first") {
        Some(_) if !is_one => ("", 0),
        _ => split(&wanted),
    };
    match kind {
        "status" => plain(&mut stream, number, r#"{"error":{"message":"no","code":"none"}}"#),
        "large" => plain(&mut stream, 200, &"x".repeat(number)),
        "stream" => events(&mut stream, number),
        "cut" => {
            head(&mut stream, 200, "content-length: 100")?;
            stream.write_all(b"{\"cut\":")?;
            Err(Error::other("cut"))
        }
        _ => plain(&mut stream, 200, &seen(request).to_string()),
    }
}

fn split(wanted: &str) -> (&str, usize) {
    let (kind, number) = wanted.split_once(' ').unwrap_or((wanted, ""));
    (kind, number.parse().unwrap_or(0))
}

/// What was seen, so that the client can tell its own answer from another's.
fn seen(request: &Message) -> serde_json::Value {
    let sum = request.body.iter().fold(0_u32, |sum, byte| sum.wrapping_add(u32::from(*byte)));
    serde_json::json!({
        "mark": request.header("x-mark"),
        "path": request.start[1],
        "bytes": request.body.len(),
        "sum": sum,
        "choices": [{"index": 0, "message": {"role": "assistant", "content": "hi"}}],
    })
}

fn head(stream: &mut impl Write, status: usize, framing: &str) -> io::Result<()> {
    write!(stream, "HTTP/1.1 {status} x\r\ncontent-type: application/json\r\n{framing}\r\n\r\n")
}

fn plain(stream: &mut impl Write, status: usize, body: &str) -> io::Result<()> {
    let framing = format!("content-length: {}", body.len());
    let mut whole = Vec::with_capacity(body.len() + 200);
    head(&mut whole, status, &framing)?;
    whole.extend_from_slice(body.as_bytes());
    stream.write_all(&whole)
}

fn events(stream: &mut impl Write, count: usize) -> io::Result<()> {
    let framing = "transfer-encoding: chunked";
    write!(stream, "HTTP/1.1 200 x\r\ncontent-type: text/event-stream\r\n{framing}\r\n\r\n")?;
    for index in 0..count {
        let event = format!("data: {{\"index\":{index}}}\n\n");
        write!(stream, "{:x}\r\n{event}\r\n", event.len())?;
    }
    stream.write_all(b"e\r\ndata: [DONE]\n\n\r\n0\r\n\r\n")
}
