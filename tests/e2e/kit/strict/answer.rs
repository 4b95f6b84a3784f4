//! What the provider answers.

use super::KEYS;
use crate::kit::upstream::{Answer, Seen};
use serde_json::json;

/// The answer that a request wants.
pub(super) async fn answer(seen: &Seen) -> Answer {
    let wanted = seen.header("x-want").unwrap_or_default();
    let is_one = seen.header("authorization").is_some_and(|key| key.ends_with(KEYS[0].1));
    let (kind, number) = match seen.header("x-first") {
        Some(_) if !is_one => ("", 0),
        _ => split(&wanted),
    };
    match kind {
        "status" => {
            let status = u16::try_from(number).expect("a status");
            Answer::json(status, &json!({"error": {"message": "no", "code": "none"}}))
        }
        "large" => Answer::new(200, "application/json", "x".repeat(number)),
        "stream" => Answer::new(200, "text/event-stream", events(number)),
        "cut" => cut().await,
        _ => Answer::json(200, &told(seen)),
    }
}

fn split(wanted: &str) -> (&str, usize) {
    let (kind, number) = wanted.split_once(' ').unwrap_or((wanted, ""));
    (kind, number.parse().unwrap_or(0))
}

/// What was seen, so that the client can tell its answer from another client's.
fn told(seen: &Seen) -> serde_json::Value {
    let sum = seen.body.iter().fold(0_u32, |sum, byte| sum.wrapping_add(u32::from(*byte)));
    json!({
        "mark": seen.header("x-mark"),
        "path": seen.path,
        "bytes": seen.length,
        "sum": sum,
        "choices": [{"index": 0, "message": {"role": "assistant", "content": "hi"}}],
    })
}

fn events(count: usize) -> String {
    let events: String =
        (0..count).map(|index| format!("data: {{\"index\":{index}}}\n\n")).collect();
    events + "data: [DONE]\n\n"
}

/// An answer that breaks off.
async fn cut() -> Answer {
    let (answer, pump) = Answer::piped("application/json");
    tokio::spawn(async move {
        let _ = pump.push(b"{\"cut\":".to_vec()).await;
        pump.cut().await;
    });
    answer.header("content-length", "100")
}
