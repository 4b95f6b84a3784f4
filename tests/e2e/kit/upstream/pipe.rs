//! A body that a test writes piece by piece, for requests and responses.

use crate::kit::harness::{runtime, wait};
use hyper::body::{Body, Bytes, Frame};
use hyper::header::HeaderMap;
use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::sync::mpsc::{Receiver, Sender, channel};

/// The reading end, which hyper takes.
#[derive(Debug)]
pub(crate) struct Pipe(Receiver<Result<Frame<Bytes>, Broken>>);

/// The writing end. Dropping it ends the body.
#[derive(Debug)]
pub(crate) struct Pump(Sender<Result<Frame<Bytes>, Broken>>);

/// Ends a body before its end.
#[derive(Debug)]
pub(crate) struct Broken;

impl Pipe {
    /// A body of known bytes.
    pub(crate) fn full(bytes: impl Into<Bytes>) -> Self {
        let (send, receive) = channel(1);
        let _ = send.try_send(Ok(Frame::data(bytes.into())));
        Self(receive)
    }
}

impl Pump {
    pub(crate) fn new() -> (Self, Pipe) {
        let (send, receive) = channel(1);
        (Self(send), Pipe(receive))
    }

    /// Writes a piece, waiting for room; an error means that the reader has gone.
    pub(crate) fn send(&mut self, piece: impl AsRef<[u8]>) -> Result<(), ()> {
        self.frame(Frame::data(Bytes::copy_from_slice(piece.as_ref())))
    }

    pub(crate) fn trailers(&mut self, trailers: HeaderMap) -> Result<(), ()> {
        self.frame(Frame::trailers(trailers))
    }

    fn frame(&mut self, frame: Frame<Bytes>) -> Result<(), ()> {
        runtime::run("room for a piece of a body", self.0.send(Ok(frame))).map_err(|_| ())
    }

    /// Breaks the body off.
    pub(crate) fn fail(self) {
        let _ = runtime::run("room for the end of a body", self.0.send(Err(Broken)));
    }

    /// The same as [`send`](Self::send), inside a server.
    pub(crate) async fn push(&self, piece: Vec<u8>) -> Result<(), ()> {
        self.0.send(Ok(Frame::data(piece.into()))).await.map_err(|_| ())
    }

    /// The same as [`fail`](Self::fail), inside a server.
    pub(crate) async fn cut(self) {
        let _ = self.0.send(Err(Broken)).await;
    }

    /// Ends when the reader has gone.
    pub(crate) async fn closed(&self) {
        self.0.closed().await;
    }

    /// Waits until the reader has gone.
    pub(crate) fn wait_for_reader_to_leave(&self) {
        wait::until_true("the reader's leaving", || self.0.is_closed());
    }
}

impl Body for Pipe {
    type Data = Bytes;
    type Error = Broken;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Broken>>> {
        self.0.poll_recv(context)
    }
}

impl fmt::Display for Broken {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("the test broke the body off")
    }
}

impl std::error::Error for Broken {}
