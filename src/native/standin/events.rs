//! Server-sent events: how one is spelled, and a body that sends them one by one.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use std::vec;

use hyper::body::{Body, Bytes, Frame};
use serde_json::Value;
use tokio::time::{Interval, interval};

/// The pause between two events: short enough for a test, long enough to be seen as a stream.
const PACE: Duration = Duration::from_millis(20);

/// What ends OpenAI's streams of completions.
pub(super) const DONE: &str = "data: [DONE]\n\n";

pub(super) fn data(event: &Value) -> String {
    format!("data: {event}\n\n")
}

pub(super) fn named(name: &str, event: &Value) -> String {
    format!("event: {name}\ndata: {event}\n\n")
}

/// A body that sends its events at the pace of a fast model.
#[derive(Debug)]
pub(super) struct Events {
    rest: vec::IntoIter<String>,
    pace: Interval,
}

impl Events {
    pub(super) fn new(events: Vec<String>) -> Self {
        Self { rest: events.into_iter(), pace: interval(PACE) }
    }
}

impl Body for Events {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        if !self.rest.as_slice().is_empty() {
            ready!(self.pace.poll_tick(cx));
        }
        Poll::Ready(self.rest.next().map(|event| Ok(Frame::data(event.into()))))
    }
}
