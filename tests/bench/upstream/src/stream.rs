//! A stream of events that goes out piece by piece, as a model's words do.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use hyper::body::{Body, Bytes, Frame};

const EVENT: &str = concat!(
    r#"data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1700000000,"#,
    r#""model":"gpt-4o","choices":[{"index":0,"delta":{"content":" word"},"finish_reason":null}]}"#,
    "\n\n"
);
const DONE: &str = "data: [DONE]\n\n";

/// So many events, and the one that ends them.
pub(crate) struct Events {
    left: u32,
    /// The event before is still to be written.
    is_pending: bool,
    is_done: bool,
}

impl Events {
    pub(crate) fn new(count: u32) -> Self {
        Self { left: count, is_pending: false, is_done: false }
    }

    fn next(&mut self) -> Option<&'static str> {
        if self.left > 0 {
            self.left -= 1;
            return Some(EVENT);
        }
        (!std::mem::replace(&mut self.is_done, true)).then_some(DONE)
    }
}

impl Body for Events {
    type Data = Bytes;
    type Error = Infallible;

    /// Waits a turn after each event: that makes hyper write it before it asks for the next.
    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        if std::mem::replace(&mut self.is_pending, false) {
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        self.is_pending = true;
        Poll::Ready(self.next().map(|event| Ok(Frame::data(Bytes::from_static(event.as_bytes())))))
    }
}
