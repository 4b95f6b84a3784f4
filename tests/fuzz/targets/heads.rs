//! Heads, paths, the hop's header and the words of providers: any bytes, nothing panics, places
//! are places.
//!
//! The first byte says which reader gets the rest.

use gaud::body::{Boundary, Scanner};
use gaud::config::RetryOn;
use gaud::failover::answer::{AnswerHead, AnswerKind, classify};
use gaud::failover::reader::{AnswerReader, Content};
use gaud::failover::retry_after;
use gaud::failover::stream_end::StreamEnd;
use gaud::failover::too_long::is_context_length;
use gaud::gateway::Account;
use gaud::health::outcome::{self, SentRequest};
use gaud::request::credentials::{Credentials, PROTOCOLS, is_query_credential};
use gaud::request::endpoint::{self, Classified, Endpoint, LocalEndpoint, ModelIn};
use gaud::request::escape;
use gaud::request::head::{self, Head};
use gaud::session::hop::Crossing;

use super::input::{Input, scan};

pub(crate) fn run(data: &[u8]) {
    let Some((kind, rest)) = data.split_first() else { return };
    match kind % 6 {
        0 => answer(rest),
        1 => words(rest),
        2 => watch(rest),
        3 => map(rest),
        4 => crossing(rest),
        _ => request(rest),
    }
}

/// A response's head: `status details`.
fn answer(data: &[u8]) {
    let Some((bits, rest)) = data.split_first_chunk::<3>() else { return };
    let status = u32::from(u16::from_le_bytes([bits[0], bits[1]]));
    let (is_encoded, end) = (bits[2] & 1 == 1, bits[2] & 2 == 2);
    let answer = AnswerHead { status, details: rest, is_encoded, end, ..AnswerHead::default() };
    let account =
        [Account::Gateway, Account::Client, Account::Missing][usize::from(bits[2] >> 2) % 3];
    match classify(&answer, account) {
        AnswerKind::Good => assert!((200..300).contains(&status) && rest == b"via_upstream"),
        AnswerKind::MayBeTooLong => assert!(matches!(status, 400 | 413) && !is_encoded),
        AnswerKind::Failed(RetryOn::ServerError) => {
            assert!(status >= 500 && rest == b"via_upstream")
        }
        AnswerKind::Failed(RetryOn::RateLimited) => {
            assert!(account == Account::Gateway && status == 429 && rest == b"via_upstream")
        }
        AnswerKind::Failed(_) => {
            assert!(matches!(status, 408 | 425) || rest != b"via_upstream")
        }
        AnswerKind::Other => {}
    }
    let sent = SentRequest { is_whole: end, has_model: is_encoded, can_heal: false, account };
    outcome::at_end(u64::from(status), sent, || rest.to_vec());
}

/// Values and bodies in which words are looked for.
fn words(data: &[u8]) {
    let (first, second) = halves(data);
    let header = |name: &str| match name {
        "retry-after" => first.to_vec(),
        "retry-after-ms" => second.to_vec(),
        _ => Vec::new(),
    };
    let secs = retry_after::wait_secs(header, 0);
    if let Some(expected) =
        std::str::from_utf8(first).ok().and_then(|text| text.trim().parse().ok())
    {
        assert_eq!(secs, Some(expected));
    }
    if is_context_length(data) {
        assert!(data.len() >= "prompt is too long".len());
    }
    let mut credentials = Credentials::default();
    credentials.note(PROTOCOLS.as_bytes(), data);
    if let Some(public) = credentials.sent().public_protocols() {
        assert!(!public.split(", ").any(|name| name.starts_with("openai-insecure-api-key.")));
    }
    let _ = Boundary::parse(data);
}

/// A stream ends where it ends, however it is cut.
fn watch(data: &[u8]) {
    const PATHS: [&str; 4] =
        ["/v1/chat/completions", "/v1/messages", "/v1/responses/", "/v1/completions"];
    let Some(input) = Input::parse(data) else { return };
    let path = PATHS[data.len() % PATHS.len()];
    let feed = |pieces: &[&[u8]]| {
        let mut reader = AnswerReader::new(Content::Events, StreamEnd::of(path));
        pieces.iter().for_each(|piece| reader.feed(piece));
        reader.finish();
        reader.is_cut()
    };
    let whole = feed(&[input.bytes]);
    assert_eq!(feed(&input.pieces()), whole, "cut at {:?}", input.cuts);
    assert_eq!(feed(&input.bytes.chunks(1).collect::<Vec<_>>()), whole, "byte by byte");
}

/// A header map as the host lays it out, or anything else.
fn map(data: &[u8]) {
    let head = Head::parse(data);
    for part in [head.method, head.path, head.crossing].into_iter().chain(head.encoding) {
        assert!(part.len() <= data.len());
    }
    assert!(head.credentials.sent().names().all(|name| name.len() <= data.len()));
    for name in head::private_trailers(data) {
        assert!(name.len() <= data.len());
    }
}

/// A crossing that is read is written so that it is read again, in visible ASCII.
fn crossing(data: &[u8]) {
    let Some(crossing) = Crossing::from_header(data) else { return };
    let header = crossing.to_header();
    assert!(header[crossing.request.len()..].bytes().all(|byte| byte.is_ascii_graphic()));
    assert_eq!(Crossing::from_header(header.as_bytes()).as_ref(), Some(&crossing));
    let Some(place) = crossing.place else { return };
    // Places may lie beyond any body: an edit there is none, or goes up to its end.
    let edit = place.edit("", "m");
    edit.resized(u64::MAX);
    for (offset, size) in [(0, 0), (0, 100), (u64::MAX, 1), (edit.start, 9), (edit.end, usize::MAX)]
    {
        if let Some(cut) = edit.cut(offset, size) {
            assert!(cut.keep <= size && cut.end <= size, "{cut:?} of {size}");
        }
    }
    edit.apply(vec![b'x'; 64]);
}

/// A method and a path.
fn request(data: &[u8]) {
    let (method, path) = halves(data);
    let Ok(path) = std::str::from_utf8(path) else { return };
    let plain = escape::without_query(path);
    let bases = ["/api/litellm".to_owned(), String::new()];
    let request = Classified::classify(method, plain, &bases);
    let place = match &request.endpoint {
        Endpoint::Model(ModelIn::Path(place, _)) | Endpoint::Local(LocalEndpoint::Model, place) => {
            place.clone()
        }
        _ => 0..0,
    };
    let model = plain.get(place.clone()).expect("a place in the path");
    let name = String::from_utf8_lossy(&escape::unescaped(model)).into_owned();
    let escaped = escape::escaped(&name, true);
    assert_eq!(escape::unescaped(&escaped), name.as_bytes());
    let replaced = escape::replaced(path, &place, &escaped);
    assert_eq!(replaced.len(), path.len() - place.len() + escaped.len());
    endpoint::with_version(path);
    for place in escape::query_values(path, b"model") {
        assert!(path.get(place).is_some());
    }
    if let Some(without) = escape::without_query_pairs(path, &|key, _| is_query_credential(key)) {
        assert!(
            escape::without_query_pairs(&without, &|key, _| is_query_credential(key)).is_none()
        );
    }
    assert!(endpoint::below_bases(path, &bases).all(|rest| rest.starts_with('/')));
    let _ = scan(Scanner::Json(Default::default()), [data]);
}

/// The bytes before the first line break, and the bytes after it.
fn halves(data: &[u8]) -> (&[u8], &[u8]) {
    let at = data.iter().position(|byte| *byte == b'\n').unwrap_or(data.len());
    (&data[..at], data.get(at + 1..).unwrap_or_default())
}
