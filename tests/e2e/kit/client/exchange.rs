//! A request step by step, over either protocol.

use super::{Headers, Request, Response, h1, h2};
use crate::kit::harness::Gateway;
use std::net::SocketAddr;
use std::thread::sleep;
use std::time::Duration;

/// The protocol of a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Client {
    Http1,
    Http2,
}

pub(crate) const CLIENTS: [Client; 2] = [Client::Http1, Client::Http2];

impl Client {
    /// Sends a request on a new connection and reads the whole response.
    pub(crate) fn send(self, gateway: &Gateway, request: &Request) -> Response {
        match self {
            Self::Http1 => h1::exchange(gateway.addr(), request),
            Self::Http2 => h2::exchange(gateway.addr(), request),
        }
    }

    /// Sends the head alone: the test sends the body.
    pub(crate) fn begin(self, gateway: &Gateway, request: &Request) -> Exchange {
        Exchange::begin(Connection::open(self, gateway.addr()), request)
    }

    /// Sends the whole request: the test reads the response.
    pub(crate) fn start(self, gateway: &Gateway, request: &Request) -> Exchange {
        let mut exchange = self.begin(gateway, request);
        exchange.send_body(request, Duration::ZERO);
        exchange
    }
}

/// A connection that no request is under way on.
enum Connection {
    Http1(h1::Connection),
    Http2(h2::Connection),
}

impl Connection {
    fn open(client: Client, addr: SocketAddr) -> Self {
        match client {
            Client::Http1 => Self::Http1(h1::Connection::open(addr)),
            Client::Http2 => Self::Http2(h2::Connection::open(addr)),
        }
    }
}

/// A request under way. Dropping it is a client that leaves.
pub(crate) struct Exchange {
    wire: Wire,
    /// The response's head, once it was read.
    head: Option<(u16, Headers)>,
}

enum Wire {
    /// The request is without its pieces: it says how they are framed.
    Http1(h1::Connection, Box<Request>),
    /// The stream, and the connection that it is on.
    Http2(h2::Exchange, h2::Connection, Headers),
}

impl Exchange {
    fn begin(connection: Connection, request: &Request) -> Self {
        let wire = match connection {
            Connection::Http1(mut connection) => {
                // An error here is a gateway that has closed: reading the response shows it.
                let _ = connection.send(h1::head(request));
                let framing = Request { pieces: Vec::new(), ..request.clone() };
                Wire::Http1(connection, Box::new(framing))
            }
            Connection::Http2(connection) => {
                Wire::Http2(connection.start(request), connection, request.trailers.clone())
            }
        };
        Self { wire, head: None }
    }

    /// Sends a piece of the body; an error means that the gateway wants no more of it.
    pub(crate) fn send(&mut self, piece: impl AsRef<[u8]>) -> Result<(), ()> {
        match &mut self.wire {
            Wire::Http1(connection, request) => {
                connection.send_piece(request, piece.as_ref()).map_err(|_| ())
            }
            Wire::Http2(exchange, ..) => exchange.send(piece.as_ref()),
        }
    }

    /// Ends the body, which does nothing where its length was told.
    pub(crate) fn end(&mut self) {
        match &mut self.wire {
            Wire::Http1(connection, request) if request.chunked => {
                let _ = connection.send(h1::last_chunk(&request.trailers));
            }
            Wire::Http1(..) => {}
            Wire::Http2(exchange, _, trailers) => exchange.end(trailers),
        }
    }

    /// Sends the pieces of a request with a pause after each, as far as the gateway wants them.
    fn send_body(&mut self, request: &Request, pause: Duration) {
        for piece in &request.pieces {
            if self.send(piece).is_err() {
                return;
            }
            if request.pieces.len() > 1 {
                sleep(pause);
            }
        }
        self.end();
    }

    /// Reads the head of the response.
    pub(crate) fn head(&mut self) -> &(u16, Headers) {
        self.try_head().expect("a response")
    }

    fn try_head(&mut self) -> Option<&(u16, Headers)> {
        if self.head.is_none() {
            self.head = match &mut self.wire {
                Wire::Http1(connection, _) => {
                    connection.try_head().map(|head| (head.status, head.headers))
                }
                Wire::Http2(exchange, ..) => exchange.try_head(),
            };
        }
        self.head.as_ref()
    }

    /// The next piece of a streamed response; an empty one is its end, `None` a broken stream.
    pub(crate) fn piece(&mut self) -> Option<Vec<u8>> {
        self.head();
        match &mut self.wire {
            Wire::Http1(connection, _) => connection.chunk(),
            Wire::Http2(exchange, ..) => match exchange.piece() {
                Some(piece) => piece.ok().map(|bytes| bytes.to_vec()),
                None => Some(Vec::new()),
            },
        }
    }

    /// Reads what is left of the response.
    pub(crate) fn response(&mut self) -> Response {
        self.try_response().expect("a response")
    }

    /// The same; `None` when the gateway leaves without a response.
    pub(crate) fn try_response(&mut self) -> Option<Response> {
        let (status, headers) = self.try_head()?.clone();
        let (body, complete) = match &mut self.wire {
            Wire::Http1(connection, _) => {
                let response = connection.body(h1::Head { status, headers: headers.clone() });
                (response.body, response.complete)
            }
            Wire::Http2(exchange, ..) => exchange.rest(),
        };
        Some(Response { status, headers, body, complete })
    }

    fn into_connection(self) -> Connection {
        match self.wire {
            Wire::Http1(connection, _) => Connection::Http1(connection),
            Wire::Http2(_, connection, _) => Connection::Http2(connection),
        }
    }
}

/// A client that sends one request after the other, on one connection for as long as that lives.
pub(crate) struct Line {
    client: Client,
    addr: SocketAddr,
    connection: Option<Connection>,
}

impl Line {
    pub(crate) fn open(client: Client, addr: SocketAddr) -> Self {
        Self { client, addr, connection: Some(Connection::open(client, addr)) }
    }

    /// Sends a request, its pieces apart by `pause`, and reads the response; `None` when the gateway
    /// leaves without one.
    pub(crate) fn exchange(&mut self, request: &Request, pause: Duration) -> Option<Response> {
        let connection = self.connection.take();
        let connection = connection.unwrap_or_else(|| Connection::open(self.client, self.addr));
        let mut exchange = Exchange::begin(connection, request);
        exchange.send_body(request, pause);
        let response = exchange.try_response();
        let is_kept = response.as_ref().is_some_and(|response| {
            response.complete && response.header("connection").as_deref() != Some("close")
        });
        self.connection = is_kept.then(|| exchange.into_connection());
        response
    }
}
