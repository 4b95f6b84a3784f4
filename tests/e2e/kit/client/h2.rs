//! An HTTP/2 client: every piece of a body is one DATA frame.

use super::{Headers, Request, Response};
use crate::kit::harness::runtime;
use crate::kit::upstream::pipe::{Pipe, Pump};
use http_body_util::BodyExt;
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http2::{Builder, SendRequest};
use hyper::header::{HeaderMap, HeaderName, HeaderValue};
use hyper_util::rt::{TokioExecutor, TokioIo};
use std::net::{Ipv4Addr, SocketAddr};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;

/// Sends a request on a new connection and reads the whole response.
pub(crate) fn exchange(addr: SocketAddr, request: &Request) -> Response {
    Connection::open(addr).exchange(request)
}

/// One connection, for any number of requests.
pub(crate) struct Connection {
    sender: SendRequest<Pipe>,
}

impl Connection {
    pub(crate) fn open(addr: SocketAddr) -> Self {
        Self::over(async move {
            let stream = TcpStream::connect(addr).await.expect("a connection");
            stream.set_nodelay(true).expect("no delay");
            stream
        })
    }

    /// The same from a certain address of the loopback.
    pub(crate) fn open_from(source: Ipv4Addr, addr: SocketAddr) -> Self {
        Self::over(super::connect_from(source, addr))
    }

    pub(super) fn over<S>(stream: impl Future<Output = S>) -> Self
    where
        S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        runtime::run("an HTTP/2 connection", async move {
            let io = TokioIo::new(stream.await);
            let mut builder = Builder::new(TokioExecutor::new());
            builder.max_header_list_size(1 << 20);
            let (sender, connection) = builder.handshake(io).await.expect("an HTTP/2 handshake");
            tokio::spawn(connection);
            Self { sender }
        })
    }

    /// Sends a request and reads the whole response.
    pub(crate) fn exchange(&self, request: &Request) -> Response {
        let mut exchange = self.start(request);
        for piece in &request.pieces {
            if exchange.send(piece).is_err() {
                break;
            }
        }
        exchange.end(&request.trailers);
        exchange.response()
    }

    /// Sends the head alone: the test sends the body.
    pub(crate) fn start(&self, request: &Request) -> Exchange {
        let (pump, pipe) = Pump::new();
        let request = message(request, pipe);
        let mut sender = self.sender.clone();
        let answer = runtime::handle().spawn(async move { sender.send_request(request).await });
        Exchange { pump: Some(pump), answer: Some(answer), body: None }
    }
}

/// A request under way.
pub(crate) struct Exchange {
    pump: Option<Pump>,
    answer: Option<JoinHandle<hyper::Result<hyper::Response<Incoming>>>>,
    body: Option<Incoming>,
}

impl Exchange {
    /// Sends one DATA frame; an error means that the other side wants no more.
    pub(crate) fn send(&mut self, piece: &[u8]) -> Result<(), ()> {
        self.pump.as_mut().expect("an open body").send(piece)
    }

    /// Ends the body.
    pub(crate) fn end(&mut self, trailers: &Headers) {
        if let (Some(mut pump), false) = (self.pump.take(), trailers.0.is_empty()) {
            let _ = pump.trailers(header_map(trailers));
        }
    }

    /// Resets the stream.
    pub(crate) fn reset(mut self) {
        self.pump.take().expect("an open body").fail();
    }

    /// Reads the head of the response.
    pub(crate) fn head(&mut self) -> (u16, Headers) {
        self.try_head().expect("a response")
    }

    /// Reads the head of the response; `None` when the stream was reset instead.
    pub(crate) fn try_head(&mut self) -> Option<(u16, Headers)> {
        let answer = self.answer.take().expect("an unread head");
        let answer = runtime::run("a response head", answer).expect("a task that does not panic");
        let (head, body) = answer.ok()?.into_parts();
        self.body = Some(body);
        Some((head.status.as_u16(), headers(&head.headers)))
    }

    /// Reads the next piece of the body; `None` at its end, an error when it was cut.
    pub(crate) fn piece(&mut self) -> Option<hyper::Result<Bytes>> {
        let body = self.body.as_mut().expect("a head that was read");
        runtime::run("a piece of the response", async {
            loop {
                match body.frame().await?.map(|frame| frame.into_data()) {
                    Ok(Ok(data)) if !data.is_empty() => return Some(Ok(data)),
                    Ok(_) => {} // trailers, or an empty frame
                    Err(error) => return Some(Err(error)),
                }
            }
        })
    }

    /// Reads the whole response.
    pub(crate) fn response(&mut self) -> Response {
        let (status, headers) = self.head();
        let (body, complete) = self.rest();
        Response { status, headers, body, complete }
    }

    /// Reads what is left of the body, and whether it came to its end.
    pub(crate) fn rest(&mut self) -> (Vec<u8>, bool) {
        let mut body = Vec::new();
        loop {
            match self.piece() {
                Some(Ok(piece)) => body.extend_from_slice(&piece),
                Some(Err(error)) => {
                    // Shown where the test fails: why, and by which side.
                    eprintln!("the body broke off after {} bytes: {error:?}", body.len());
                    return (body, false);
                }
                None => return (body, true),
            }
        }
    }
}

/// Dropping a request leaves it: the stream is reset unless it has ended.
impl Drop for Exchange {
    fn drop(&mut self) {
        if let Some(answer) = &self.answer {
            answer.abort();
        }
    }
}

fn message(request: &Request, body: Pipe) -> hyper::Request<Pipe> {
    let path = std::str::from_utf8(&request.path).expect("a path that HTTP/2 clients can send");
    let mut message = hyper::Request::new(body);
    *message.method_mut() = request.method.parse().expect("a method");
    let host = request.headers.get("host").unwrap_or_else(|| "gateway".to_owned());
    *message.uri_mut() = format!("http://{host}{path}").parse().expect("a path");
    *message.headers_mut() = header_map(&request.headers);
    message.headers_mut().remove("host");
    if !request.chunked && !request.pieces.is_empty() {
        let length: usize = request.pieces.iter().map(Vec::len).sum();
        message.headers_mut().insert("content-length", length.into());
    }
    message
}

/// Headers as hyper holds them.
pub(crate) fn header_map(headers: &Headers) -> HeaderMap {
    let pair = |(name, value): &(String, Vec<u8>)| {
        let name: HeaderName = name.parse().expect("a header name");
        (name, HeaderValue::from_bytes(value).expect("a header value"))
    };
    let mut map = HeaderMap::new();
    for (name, value) in headers.0.iter().map(pair) {
        map.append(name, value);
    }
    map
}

/// Headers as these tests hold them.
pub(crate) fn headers(map: &HeaderMap) -> Headers {
    let pair = |(name, value): (&HeaderName, &HeaderValue)| {
        (name.as_str().to_owned(), value.as_bytes().to_vec())
    };
    Headers(map.iter().map(pair).collect())
}
