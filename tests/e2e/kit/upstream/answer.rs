//! What a provider answers, and when: the test holds the gates.

use super::pipe::{Pipe, Pump};
use serde_json::{Value, json};
use std::sync::Arc;
use tokio::sync::Semaphore;

/// A scripted answer to one request.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(super) status: u16,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Pipe,
    /// Passed before each piece of the request's body is read.
    pub(super) reading: Option<Gate>,
    /// Passed before the answer begins.
    pub(super) answering: Option<Gate>,
    /// Answers at once, and reads the request afterwards.
    pub(super) early: bool,
    /// Ends the connection instead.
    pub(super) broken: bool,
    /// Where the connection ends before the answer does, it ends with a reset.
    pub(super) resets: bool,
    /// Takes a WebSocket: greets, and sends back what it reads.
    pub(super) switches: bool,
}

impl Answer {
    pub(crate) fn new(status: u16, content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        let headers = vec![("content-type".to_owned(), content_type.to_owned())];
        Self {
            status,
            headers,
            body: Pipe::full(body.into()),
            reading: None,
            answering: None,
            early: false,
            broken: false,
            resets: false,
            switches: false,
        }
    }

    pub(crate) fn json(status: u16, body: &Value) -> Self {
        Self::new(status, "application/json", body.to_string())
    }

    /// A chat completion, the answer of a provider without a script.
    pub(crate) fn completion() -> Self {
        let message = json!({"role": "assistant", "content": "Hello"});
        let choice = json!({"index": 0, "message": message, "finish_reason": "stop"});
        let completion =
            json!({"id": "chatcmpl-1", "object": "chat.completion", "choices": [choice]});
        Self::json(200, &completion)
    }

    /// A stream of events that the test writes through the pump.
    pub(crate) fn events() -> (Self, Pump) {
        Self::piped("text/event-stream")
    }

    /// A body that the test writes through the pump.
    pub(crate) fn piped(content_type: &str) -> (Self, Pump) {
        let (pump, pipe) = Pump::new();
        (Self { body: pipe, ..Self::new(200, content_type, "") }, pump)
    }

    /// No answer: the connection ends, or over HTTP/2 the stream.
    pub(crate) fn broken() -> Self {
        Self { broken: true, ..Self::new(500, "text/plain", "") }
    }

    /// A WebSocket that speaks `realtime`: the server greets, and sends back what it reads.
    pub(crate) fn websocket() -> Self {
        let mut answer = Self { headers: Vec::new(), switches: true, ..Self::new(101, "", "") };
        for (name, value) in [
            ("upgrade", "websocket"),
            ("connection", "Upgrade"),
            ("sec-websocket-accept", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="),
            ("sec-websocket-protocol", "realtime"),
        ] {
            answer = answer.header(name, value);
        }
        answer
    }

    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Begins only when the gate is open.
    pub(crate) fn held_by(mut self, gate: &Gate) -> Self {
        self.answering = Some(gate.clone());
        self
    }

    /// Reads the request's body only as far as the gate lets it.
    pub(crate) fn reading_by(mut self, gate: &Gate) -> Self {
        self.reading = Some(gate.clone());
        self
    }

    /// Ends its connection with a reset where it ends the answer too early; over HTTP/2 the stream is reset in any case.
    pub(crate) fn resetting(mut self) -> Self {
        self.resets = true;
        self
    }

    /// Does not wait for the request's end.
    pub(crate) fn early(mut self) -> Self {
        self.early = true;
        self
    }
}

/// What a WebSocket says first.
pub(crate) const GREETING: &[u8] = b"\x81\x05hello";

/// Holds a provider up until the test lets it go on.
#[derive(Clone, Debug)]
pub(crate) struct Gate(Arc<Semaphore>);

impl Gate {
    pub(crate) fn closed() -> Self {
        Self(Arc::new(Semaphore::new(0)))
    }

    /// Lets this many steps through.
    pub(crate) fn let_through(&self, steps: usize) {
        self.0.add_permits(steps);
    }

    /// Holds nothing up from now on.
    pub(crate) fn open(&self) {
        self.0.close();
    }

    pub(super) async fn pass(&self) {
        if let Ok(permit) = self.0.acquire().await {
            permit.forget();
        }
    }
}
