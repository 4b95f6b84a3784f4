//! Forms: the model is found and changed, and every other byte stays as it is.

mod exact;
mod refused;
mod routed;
mod uploads;

use crate::kit::client::Request;

const TRANSCRIPTIONS: &str = "/v1/audio/transcriptions";

const BOUNDARY: &str = "----WebKitFormBoundary7MA4YWxkTrZu0gW";

/// A part, its delimiter included.
fn part(disposition: &str, headers: &str, content: &[u8]) -> Vec<u8> {
    let head =
        format!("--{BOUNDARY}\r\nContent-Disposition: form-data; {disposition}\r\n{headers}\r\n");
    [head.as_bytes(), content, b"\r\n"].concat()
}

fn model(name: &str) -> Vec<u8> {
    part("name=\"model\"", "", name.as_bytes())
}

/// A file of about this size, which holds bytes that only a parser can tell from a delimiter.
fn file(size: usize) -> Vec<u8> {
    let almost = format!("\r\n--{}\r\n\r\n-- \r\n--\r\n\0\u{e9}", &BOUNDARY[..30]).into_bytes();
    let noise: Vec<u8> = (0..=255).collect();
    let pattern = [noise, almost].concat();
    let mut content = pattern.repeat(size / pattern.len() + 1);
    content.truncate(size);
    let headers = "Content-Type: audio/mpeg\r\nContent-Transfer-Encoding: binary\r\n";
    part("name=\"file\"; filename=\"speech; \u{e4}.mp3\"", headers, &content)
}

/// A whole form.
fn form(parts: &[Vec<u8>]) -> Vec<u8> {
    [parts.concat(), format!("--{BOUNDARY}--\r\n").into_bytes()].concat()
}

/// A form with its content-type.
fn post(path: &str, body: Vec<u8>) -> Request {
    of_type(path, &format!("multipart/form-data; boundary={BOUNDARY}"), body)
}

fn of_type(path: &str, content_type: &str, body: Vec<u8>) -> Request {
    let mut request = Request::new("POST", path).header("content-type", content_type);
    request.pieces.push(body);
    request
}

/// The offset of a text.
fn find(body: &[u8], text: &str) -> usize {
    let at = body.windows(text.len()).position(|window| window == text.as_bytes());
    at.expect("the text")
}
