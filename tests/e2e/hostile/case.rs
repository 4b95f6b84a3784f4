//! One request that means harm, and what it must get.

use crate::kit::client::Response;

/// A request as it is written, and its answer.
pub(super) struct Case {
    pub(super) bytes: Vec<u8>,
    pub(super) expected: Expected,
}

/// What must come back.
pub(super) enum Expected {
    /// One of these statuses.
    Status(&'static [u16]),
    /// One of these, or nothing but a closed connection.
    StatusOrClose(&'static [u16]),
    /// A body that is a JSON object, or not: the answer to an object must not say that it is not one.
    Json { is_object: bool },
    /// A refusal, with one of these codes.
    Code(&'static [&'static str]),
    /// An answer of the provider.
    Good,
}

use Expected::{Code, Good, Json, Status, StatusOrClose};

/// The codes of a JSON object that the gateway refuses.
const OBJECT: [&str; 5] =
    ["duplicate_model", "invalid_type", "invalid_model", "missing_model", "model_not_found"];

impl Case {
    pub(super) fn new(bytes: impl Into<Vec<u8>>, expected: Expected) -> Self {
        Self { bytes: bytes.into(), expected }
    }

    /// What is wrong with an answer, if anything.
    pub(super) fn check(&self, answer: Option<&Response>) -> Result<(), String> {
        let Some(answer) = answer else {
            return match self.expected {
                StatusOrClose(_) => Ok(()),
                _ => Err("no answer".to_owned()),
            };
        };
        let status = answer.status;
        let code = code(answer);
        let good = match &self.expected {
            Status(statuses) | StatusOrClose(statuses) => statuses.contains(&status),
            Good => status == 200,
            Code(codes) => (400..500).contains(&status) && codes.contains(&code.as_str()),
            Json { is_object: true } => {
                status == 200 || (matches!(status, 400 | 404) && OBJECT.contains(&code.as_str()))
            }
            Json { is_object: false } => {
                status == 400 && (code == "invalid_json" || OBJECT.contains(&code.as_str()))
            }
        };
        match good {
            true => Ok(()),
            false => Err(format!("{status} {:?} {}", answer.headers, answer.text())),
        }
    }
}

/// The code of a refusal.
fn code(answer: &Response) -> String {
    let document: serde_json::Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    document["error"]["code"].as_str().unwrap_or_default().to_owned()
}

/// A request with these header lines and this body, of the length that it has.
pub(super) fn post(path: &str, lines: &str, body: &[u8]) -> Vec<u8> {
    let length = body.len();
    let head =
        format!("POST {path} HTTP/1.1\r\nhost: a\r\n{lines}content-length: {length}\r\n\r\n");
    [head.as_bytes(), body].concat()
}

pub(super) const CHAT: &str = "/v1/chat/completions";
pub(super) const JSON: &str = "content-type: application/json\r\n";
pub(super) const BODY: &[u8] = br#"{"model":"one:m","n":1}"#;

/// The same by the hop.
pub(super) const CHAINED: &[u8] = br#"{"model":"one:chain"}"#;
