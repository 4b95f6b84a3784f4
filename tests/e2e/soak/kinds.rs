//! The kinds of requests, and what each of them must get.

use crate::lean::Message;
use crate::samples::{Place, body};
use crate::storm::random::Random;

/// One request, and its answer.
pub(super) struct Exchange {
    pub(super) bytes: Vec<u8>,
    pub(super) want: Want,
    mark: String,
}

/// What must come back.
pub(super) enum Want {
    /// The provider's word that it saw so many bytes, with this sum.
    Seen { bytes: usize, sum: u32 },
    /// A refusal.
    Code(u16, &'static str),
    /// The provider's own answer of this status.
    Status(u16),
    /// So many events, and their end.
    Events(usize),
    /// A body of this size.
    Bytes(usize),
    /// A list of models.
    List,
    /// An answer that breaks off.
    Cut,
    /// The client does not wait.
    Nothing,
    /// The answer of the provider `two`, in the place of one that failed.
    Second,
}

const CHAT: &str = "/v1/chat/completions";

impl Exchange {
    /// A random one.
    pub(super) fn make(random: &mut Random, number: u64) -> Self {
        let mark = format!("mark-{number}");
        let post = |want: &str, body: &[u8]| request(CHAT, &mark, want, "application/json", body);
        let small = body("one:m", Place::First, 200);
        let (bytes, want) = match random.below(1000) {
            0..400 => good(&mark, Place::First, 100 + random.below(3000)),
            400..550 => good(&mark, Place::Last, 100 + random.below(30_000)),
            550..555 => good(&mark, Place::Last, 1_000_000),
            555..560 => good(&mark, Place::First, 1_000_000),
            560..660 => bad(&mark, random),
            660..740 => (post("x-want: stream 20\r\n", &small), Want::Events(20)),
            740..750 => (post("x-want: cut\r\n", &small), Want::Cut),
            750..770 => {
                let bytes = post("", &body("one:m", Place::Last, 20_000));
                (bytes[..random.below(bytes.len())].to_vec(), Want::Nothing)
            }
            770..790 => (post("x-want: large 100000\r\n", &small), Want::Bytes(100_000)),
            790..870 => form(&mark),
            870..900 => (b"GET /v1/models HTTP/1.1\r\nhost: a\r\n\r\n".to_vec(), Want::List),
            900..940 => {
                let status = *random.pick(&[500, 429, 404, 503]);
                (post(&format!("x-want: status {status}\r\n"), &small), Want::Status(status))
            }
            _ => {
                let body = body("one:chain", Place::First, 300);
                (post("x-want: status 500\r\nx-first: 1\r\n", &body), Want::Second)
            }
        };
        Self { bytes, want, mark }
    }

    /// What is wrong with an answer, if anything.
    pub(super) fn check(&self, answer: Option<&Message>) -> Result<(), String> {
        let Some(answer) = answer else {
            return match self.want {
                Want::Cut => Ok(()),
                _ => Err("no whole answer".to_owned()),
            };
        };
        let text = String::from_utf8_lossy(&answer.body);
        let json: serde_json::Value = serde_json::from_slice(&answer.body).unwrap_or_default();
        let is_mine = json["mark"] == self.mark.as_str();
        let good = match &self.want {
            Want::Seen { bytes, sum } => is_mine && json["bytes"] == *bytes && json["sum"] == *sum,
            Want::Code(_, code) => json["error"]["code"] == *code,
            Want::Status(_) => json["error"]["code"] == "none",
            Want::Events(count) => {
                text.matches("data: {").count() == *count && text.ends_with("data: [DONE]\n\n")
            }
            Want::Bytes(count) => text.len() == *count,
            Want::List => json["data"].as_array().is_some_and(|list| list.len() == 2),
            Want::Second => is_mine && answer.header("x-gaud-provider").as_deref() == Some("two"),
            Want::Cut | Want::Nothing => false,
        };
        let status = match self.want {
            Want::Code(status, _) | Want::Status(status) => status,
            _ => 200,
        };
        match good && answer.status() == status {
            true => Ok(()),
            false => Err(format!("another answer than {} wants", self.mark)),
        }
    }
}

fn request(path: &str, mark: &str, lines: &str, kind: &str, body: &[u8]) -> Vec<u8> {
    let head = format!(
        "POST {path} HTTP/1.1\r\nhost: a\r\ncontent-type: {kind}\r\nx-mark: {mark}\r\n\
         authorization: Bearer client\r\n{lines}content-length: {}\r\n\r\n",
        body.len()
    );
    [head.as_bytes(), body].concat()
}

fn seen(body: &[u8]) -> Want {
    let sum = body.iter().fold(0_u32, |sum, byte| sum.wrapping_add(u32::from(*byte)));
    Want::Seen { bytes: body.len(), sum }
}

/// The provider sees the same without the namespace.
fn good(mark: &str, place: Place, size: usize) -> (Vec<u8>, Want) {
    let sent = body("one:m", place, size);
    let stripped = body("m", place, size);
    (request(CHAT, mark, "", "application/json", &sent), seen(&stripped))
}

fn bad(mark: &str, random: &mut Random) -> (Vec<u8>, Want) {
    let good = String::from_utf8(body("one:m", Place::Middle, 2000)).expect("text");
    let (body, code) = match random.below(4) {
        0 => (format!("{good}x"), "invalid_json"),
        1 => (good[..good.len() - 4].to_owned(), "invalid_json"),
        2 => (format!("{{\"model\":1,{}", &good[1..]), "invalid_type"),
        _ => (format!("{{\"m\\u006fdel\":\"two:x\",{}", &good[1..]), "duplicate_model"),
    };
    (request(CHAT, mark, "", "application/json", body.as_bytes()), Want::Code(400, code))
}

fn form(mark: &str) -> (Vec<u8>, Want) {
    let form = |model: &str| {
        let part = "--b\r\nContent-Disposition: form-data; name=";
        let file = "x\r\n-\0".repeat(500);
        let file = format!("{part}\"file\"; filename=\"a\"\r\n\r\n{file}\r\n");
        format!("{file}{part}\"model\"\r\n\r\n{model}\r\n--b--\r\n").into_bytes()
    };
    let kind = "multipart/form-data; boundary=b";
    (request("/v1/audio/transcriptions", mark, "", kind, &form("one:m")), seen(&form("m")))
}
