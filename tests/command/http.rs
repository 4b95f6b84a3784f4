//! A minimal HTTP client.

use std::io::{Read, Write};
use std::net::TcpStream;

use serde_json::{Value, json};

/// An answer, read to the end of its connection.
pub(crate) struct Answer {
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("no JSON: {}", self.body))
    }
}

/// The least that a client can do: one request on one connection.
pub(crate) fn ask(address: &str, method: &str, path: &str, body: &str) -> Answer {
    ask_with(address, method, path, "", body)
}

/// The same with more headers, each of which ends its line.
pub(crate) fn ask_with(
    address: &str,
    method: &str,
    path: &str,
    headers: &str,
    body: &str,
) -> Answer {
    let mut stream = TcpStream::connect(address).expect("it listens");
    let length = body.len();
    write!(
        stream,
        "{method} {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n{headers}\
         content-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}"
    )
    .expect("it reads");
    let mut text = String::new();
    stream.read_to_string(&mut text).expect("it answers");
    let (head, body) = text.split_once("\r\n\r\n").expect("a head and a body");
    let chunked = head.contains("transfer-encoding: chunked");
    let body = if chunked { unchunked(body) } else { body.to_owned() };
    Answer { head: head.to_owned(), body }
}

fn unchunked(body: &str) -> String {
    let (size, rest) = body.split_once("\r\n").expect("the size of a chunk");
    let size = usize::from_str_radix(size, 16).expect("a number");
    match size {
        0 => String::new(),
        _ => format!("{}{}", &rest[..size], unchunked(&rest[size + 2..])),
    }
}

pub(crate) fn chat(address: &str, model: &str) -> Answer {
    let body = json!({ "model": model, "messages": [{ "role": "user", "content": "Hello" }] });
    ask(address, "POST", "/v1/chat/completions", &body.to_string())
}
