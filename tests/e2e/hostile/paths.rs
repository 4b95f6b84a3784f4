//! Paths and queries.

use super::case::{BODY, Case, Expected, JSON, post};
use crate::kit::random::Random;
use Expected::StatusOrClose;

/// Without `<`, `>` and `^`, which pass as they are sent: hyper, of which the stand-in provider is made, takes no path with
/// them, and the judge would never see the rest of the request.
const PIECES: [&[u8]; 34] = [
    b"/",
    b"//",
    b"/.",
    b"/..",
    b"/v1",
    b"/chat",
    b"/completions",
    b"/models",
    b"/one:m",
    b"%2f",
    b"%2F..%2f",
    b"%5c",
    b"\\",
    b"%00",
    b"%0d%0ax-evil:%201",
    b"%",
    b"%zz",
    b"%25",
    b"%c0%af",
    b"\xff",
    b"\xc3\xa9",
    b"?",
    b"?model=one:m",
    b"&model=two:m",
    b";model=x",
    b"#x",
    b":generateContent",
    b"/openai/deployments",
    b"/v1beta/models",
    b"/engines",
    b"/api/litellm",
    b"%6d",
    b"*",
    b"\"'{|}",
];

const METHODS: [&str; 10] =
    ["POST", "GET", "PUT", "PATCH", "DELETE", "OPTIONS", "HEAD", "TRACE", "post", "PURGE"];

/// A random one.
pub(super) fn case(random: &mut Random) -> Case {
    let mut path = b"/v1/chat/completions".to_vec();
    path.truncate(random.below(path.len() + 1));
    for _ in 0..random.below(6) {
        path.extend_from_slice(random.pick::<&[u8]>(&PIECES));
    }
    if random.below(50) == 0 {
        path.extend(b"/%41".repeat(1 + random.below(20_000)));
    }
    let bytes = post("@", JSON, BODY);
    let method = *random.pick(&METHODS);
    let rest = bytes.strip_prefix(b"POST @").expect("the start");
    let bytes = [method.as_bytes(), b" ", &path, rest].concat();
    Case::new(bytes, StatusOrClose(&[200, 400, 403, 404, 405, 411, 413, 414, 415, 426, 431]))
}
