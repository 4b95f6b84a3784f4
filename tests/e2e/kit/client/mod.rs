//! The client's side of the tests: what to send, and what came back.

mod exchange;
pub(crate) mod h1;
pub(crate) mod h2;
pub(crate) mod tls;
pub(crate) mod unread;

pub(crate) use exchange::{CLIENTS, Client, Exchange, Line};

use serde_json::Value;
use std::fmt;
use std::net::{Ipv4Addr, SocketAddr};
use tokio::net::{TcpSocket, TcpStream};

/// Connects from a certain address.
async fn connect_from(source: Ipv4Addr, addr: SocketAddr) -> TcpStream {
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.bind((source, 0).into()).expect("an address of the loopback");
    let stream = socket.connect(addr).await.expect("a connection");
    stream.set_nodelay(true).expect("no delay");
    stream
}

/// Headers in their order, values as bytes; names in lower case when they were received.
#[derive(Clone, Default)]
pub(crate) struct Headers(pub(crate) Vec<(String, Vec<u8>)>);

/// Values as text: tests look for words in what is printed.
impl fmt::Debug for Headers {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = self.0.iter().map(|(name, value)| (name, String::from_utf8_lossy(value)));
        formatter.debug_map().entries(text).finish()
    }
}

impl Headers {
    /// The first value of a header, as text.
    pub(crate) fn get(&self, name: &str) -> Option<String> {
        self.all(name).into_iter().next()
    }

    /// All values of a header, as text.
    pub(crate) fn all(&self, name: &str) -> Vec<String> {
        let named = self.0.iter().filter(|(key, _)| key.eq_ignore_ascii_case(name));
        named.map(|(_, value)| String::from_utf8_lossy(value).into_owned()).collect()
    }

    pub(crate) fn add(&mut self, name: impl Into<String>, value: impl AsRef<[u8]>) {
        self.0.push((name.into(), value.as_ref().to_vec()));
    }
}

/// A request, for either protocol.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) method: String,
    pub(crate) path: Vec<u8>,
    pub(crate) headers: Headers,
    /// The body in the pieces in which it is sent.
    pub(crate) pieces: Vec<Vec<u8>>,
    /// Whether the head does not say the body's length.
    pub(crate) chunked: bool,
    pub(crate) trailers: Headers,
}

impl Request {
    /// A request without a body.
    pub(crate) fn new(method: &str, path: impl AsRef<[u8]>) -> Self {
        Self {
            method: method.into(),
            path: path.as_ref().to_vec(),
            headers: Headers::default(),
            pieces: Vec::new(),
            chunked: false,
            trailers: Headers::default(),
        }
    }

    /// A JSON body posted to a path.
    pub(crate) fn post(path: impl AsRef<[u8]>, body: impl AsRef<[u8]>) -> Self {
        let mut request = Self::new("POST", path).header("content-type", "application/json");
        request.pieces.push(body.as_ref().to_vec());
        request
    }

    /// A JSON body posted to the chat endpoint.
    pub(crate) fn chat(body: impl AsRef<[u8]>) -> Self {
        Self::post("/v1/chat/completions", body)
    }

    /// Adds a header.
    pub(crate) fn header(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        self.headers.add(name, value);
        self
    }

    /// Marks the request, so that a provider finds its script and a test finds its record.
    pub(crate) fn case(self, name: &str) -> Self {
        self.header("x-case", name)
    }

    /// Sends the body without its length in the head.
    pub(crate) fn chunked(mut self) -> Self {
        self.chunked = true;
        self
    }

    /// Cuts the body at these places.
    pub(crate) fn cut(mut self, places: &[usize]) -> Self {
        let body = self.pieces.concat();
        let starts = std::iter::once(0).chain(places.iter().copied());
        let ends = places.iter().copied().chain(std::iter::once(body.len()));
        self.pieces = starts.zip(ends).map(|(start, end)| body[start..end].to_vec()).collect();
        self
    }

    /// Cuts the body into pieces of this size.
    pub(crate) fn cut_every(self, size: usize) -> Self {
        let length: usize = self.pieces.iter().map(Vec::len).sum();
        let places: Vec<usize> = (1..).map(|i| i * size).take_while(|at| *at < length).collect();
        self.cut(&places)
    }

    /// Sends a trailer after the body.
    pub(crate) fn trailer(mut self, name: &str, value: &str) -> Self {
        self.trailers.add(name, value);
        self
    }
}

/// What came back.
#[derive(Clone, Debug)]
pub(crate) struct Response {
    pub(crate) status: u16,
    pub(crate) headers: Headers,
    pub(crate) body: Vec<u8>,
    /// Whether the body ended as its framing says, and was not cut.
    pub(crate) complete: bool,
}

impl Response {
    /// The body as text.
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("{error} in the {} body {:?}", self.status, self.text()))
    }

    /// A header of the response.
    pub(crate) fn header(&self, name: &str) -> Option<String> {
        self.headers.get(name)
    }
}
