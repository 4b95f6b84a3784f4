//! A context of Envoy: a client's request, or an attempt that came over the hop.

use super::attempt::AttemptStream;
use super::status::FilterStatus;
use super::stream::Stream;
use crate::reply::Reject;

pub(super) enum Context {
    Stream(Stream),
    Attempt(AttemptStream),
}

impl Context {
    pub(super) fn request_headers(&mut self, end: bool) -> FilterStatus {
        match self {
            Self::Stream(stream) => stream.request_headers(end),
            Self::Attempt(attempt) => attempt.request_headers(end),
        }
    }

    pub(super) fn request_body(&mut self, size: usize, end: bool) -> FilterStatus {
        match self {
            Self::Stream(stream) => stream.request_body(size, end),
            Self::Attempt(attempt) => attempt.request_body(size, end),
        }
    }

    pub(super) fn request_trailers(&mut self) -> FilterStatus {
        match self {
            Self::Stream(stream) => stream.request_trailers(),
            Self::Attempt(attempt) => attempt.request_body(0, true),
        }
    }

    pub(super) fn response_headers(&mut self, end: bool) -> FilterStatus {
        match self {
            Self::Stream(stream) => stream.response_headers(end),
            Self::Attempt(attempt) => attempt.response_headers(end),
        }
    }

    /// The filter for clients has this callback only where it meters.
    pub(super) fn response_body(&mut self, size: usize, end: bool) -> FilterStatus {
        match self {
            Self::Stream(stream) => stream.response_body(size, end),
            Self::Attempt(attempt) => attempt.response_body(size, end),
        }
    }

    pub(super) fn response_trailers(&mut self) -> FilterStatus {
        match self {
            Self::Stream(stream) => stream.response_body(0, true),
            Self::Attempt(attempt) => attempt.response_trailers(),
        }
    }

    /// Returns whether a probe of the clients' filter waits for its response.
    pub(super) fn tick(&mut self, id: u32) -> bool {
        match self {
            Self::Stream(stream) => return stream.tick(id),
            Self::Attempt(attempt) => attempt.tick(id),
        }
        false
    }

    /// Ends a stream from outside its own callbacks; `id` is Envoy's number of the stream.
    pub(super) fn refuse(&mut self, id: u32, reject: &Reject) {
        if let Self::Stream(stream) = self {
            stream.refuse(id, reject);
        }
    }

    /// The stream is over, however it ended.
    pub(super) fn end(&mut self) {
        match self {
            Self::Stream(stream) => stream.end(),
            Self::Attempt(attempt) => attempt.end(),
        }
    }

    /// The context goes. An attempt has heard of its end before.
    pub(super) fn over(&mut self) {
        if let Self::Stream(stream) = self {
            stream.over();
        }
    }
}
