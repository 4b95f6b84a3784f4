//! The kinds of requests, and what each of them must get.

use crate::kit::client::{Request, Response};
use crate::kit::random::Random;
use crate::kit::samples::{Place, body};

/// One request, and its answer.
pub(super) struct Kind {
    pub(super) request: Request,
    pub(super) want: Want,
    mark: String,
}

/// What must come back.
pub(super) enum Want {
    /// The provider's report that it saw this many bytes, with this sum.
    Seen { bytes: usize, sum: u32 },
    /// A refusal.
    Code(u16, &'static str),
    /// The provider's answer with this status.
    Status(u16),
    /// This number of events, and their end.
    Events(usize),
    /// A body of this size.
    Bytes(usize),
    /// A list of models.
    List,
    /// An answer that breaks off.
    Cut,
    /// The client leaves after this many bytes.
    Nothing { after: usize },
    /// The answer of the provider `two`, in the place of one that failed.
    Second,
}

impl Kind {
    /// A random one.
    pub(super) fn new(random: &mut Random, number: u64) -> Self {
        let small = || Request::chat(body("one:m", Place::First, 200));
        let wanting = |want: &str| small().header("x-want", want);
        let (request, want) = match random.below(1000) {
            0..400 => good(Place::First, 100 + random.below(3000)),
            400..550 => good(Place::Last, 100 + random.below(30_000)),
            550..555 => good(Place::Last, 1_000_000),
            555..560 => good(Place::First, 1_000_000),
            560..660 => bad(random),
            660..740 => (wanting("stream 20"), Want::Events(20)),
            740..750 => (wanting("cut"), Want::Cut),
            750..770 => {
                let request = Request::chat(body("one:m", Place::Last, 20_000));
                (request, Want::Nothing { after: random.below(20_000) })
            }
            770..790 => (wanting("large 100000"), Want::Bytes(100_000)),
            790..870 => form(),
            870..900 => (Request::new("GET", "/v1/models"), Want::List),
            900..940 => {
                let status = *random.pick(&[500, 429, 404, 503]);
                (wanting(&format!("status {status}")), Want::Status(status))
            }
            _ => {
                let request = Request::chat(body("one:chain", Place::First, 300));
                (request.header("x-want", "status 500").header("x-first", "1"), Want::Second)
            }
        };
        let mark = format!("mark-{number}");
        let request = request.header("x-mark", &mark).header("authorization", "Bearer client");
        Self { request, want, mark }
    }

    /// What is wrong with an answer, if anything.
    pub(super) fn check(&self, answer: Option<&Response>) -> Result<(), String> {
        let Some(answer) = answer.filter(|answer| answer.complete) else {
            return match self.want {
                Want::Cut => Ok(()),
                _ => Err("no whole answer".to_owned()),
            };
        };
        let text = answer.text();
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
            Want::Cut | Want::Nothing { .. } => false,
        };
        let status = match self.want {
            Want::Code(status, _) | Want::Status(status) => status,
            _ => 200,
        };
        match good && answer.status == status {
            true => Ok(()),
            false => Err(format!("another answer than {} wants", self.mark)),
        }
    }
}

fn seen(body: &[u8]) -> Want {
    let sum = body.iter().fold(0_u32, |sum, byte| sum.wrapping_add(u32::from(*byte)));
    Want::Seen { bytes: body.len(), sum }
}

/// The provider sees the same without the namespace.
fn good(place: Place, size: usize) -> (Request, Want) {
    (Request::chat(body("one:m", place, size)), seen(&body("m", place, size)))
}

fn bad(random: &mut Random) -> (Request, Want) {
    let good = String::from_utf8(body("one:m", Place::Middle, 2000)).expect("text");
    let (body, code) = match random.below(4) {
        0 => (format!("{good}x"), "invalid_json"),
        1 => (good[..good.len() - 4].to_owned(), "invalid_json"),
        2 => (format!("{{\"model\":1,{}", &good[1..]), "invalid_type"),
        _ => (format!("{{\"m\\u006fdel\":\"two:x\",{}", &good[1..]), "duplicate_model"),
    };
    (Request::chat(body), Want::Code(400, code))
}

fn form() -> (Request, Want) {
    let form = |model: &str| {
        let part = "--b\r\nContent-Disposition: form-data; name=";
        let file = "x\r\n-\0".repeat(500);
        let file = format!("{part}\"file\"; filename=\"a\"\r\n\r\n{file}\r\n");
        format!("{file}{part}\"model\"\r\n\r\n{model}\r\n--b--\r\n").into_bytes()
    };
    let mut request = Request::new("POST", "/v1/audio/transcriptions")
        .header("content-type", "multipart/form-data; boundary=b");
    request.pieces.push(form("one:m"));
    (request, seen(&form("m")))
}
