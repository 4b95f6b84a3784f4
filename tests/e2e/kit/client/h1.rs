//! An HTTP/1.1 client that writes exactly the bytes it is given.

use super::{Headers, Request, Response};
use crate::kit::harness::runtime;
use crate::kit::harness::wait::LIMIT;
use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpStream};
use std::os::unix::net::UnixStream;
use std::time::Duration;

/// Sends a request on a new connection and reads the whole response.
pub(crate) fn exchange(addr: SocketAddr, request: &Request) -> Response {
    let mut connection = Connection::open(addr);
    connection.send_request(request);
    connection.response()
}

/// The same over a Unix socket.
pub(crate) fn exchange_by(socket: &str, request: &Request) -> Response {
    let stream = UnixStream::connect(socket).expect("a connection");
    let mut connection = Connection::over(Box::new(stream));
    connection.send_request(request);
    connection.response()
}

/// A TCP or a Unix socket.
pub(super) trait Stream: Read + Write + Send {
    fn set_patience(&self, read: Duration, write: Duration) -> io::Result<()>;
    fn end_writing(&self) -> io::Result<()>;
}

impl Stream for TcpStream {
    fn set_patience(&self, read: Duration, write: Duration) -> io::Result<()> {
        self.set_read_timeout(Some(read))?;
        self.set_write_timeout(Some(write))
    }

    fn end_writing(&self) -> io::Result<()> {
        self.shutdown(Shutdown::Write)
    }
}

impl Stream for UnixStream {
    fn set_patience(&self, read: Duration, write: Duration) -> io::Result<()> {
        self.set_read_timeout(Some(read))?;
        self.set_write_timeout(Some(write))
    }

    fn end_writing(&self) -> io::Result<()> {
        self.shutdown(Shutdown::Write)
    }
}

/// One connection.
pub(crate) struct Connection {
    stream: Box<dyn Stream>,
    /// Read, but not taken yet.
    buffer: Vec<u8>,
}

/// The start of a response.
#[derive(Clone, Debug)]
pub(crate) struct Head {
    pub(crate) status: u16,
    pub(crate) headers: Headers,
}

impl Connection {
    pub(crate) fn open(addr: SocketAddr) -> Self {
        Self::try_open(addr).expect("a connection")
    }

    /// The same; `None` where nobody listens.
    pub(crate) fn try_open(addr: SocketAddr) -> Option<Self> {
        let stream = TcpStream::connect_timeout(&addr, LIMIT).ok()?;
        stream.set_nodelay(true).expect("no delay");
        Some(Self::over(Box::new(stream)))
    }

    /// The same from a certain address of the loopback.
    pub(crate) fn open_from(source: Ipv4Addr, addr: SocketAddr) -> Self {
        let stream = runtime::run("a connection", super::connect_from(source, addr));
        let stream = stream.into_std().expect("a socket");
        stream.set_nonblocking(false).expect("a socket that waits");
        Self::over(Box::new(stream))
    }

    pub(super) fn over(stream: Box<dyn Stream>) -> Self {
        stream.set_patience(LIMIT, LIMIT).expect("limits");
        Self { stream, buffer: Vec::new() }
    }

    /// Writes these bytes; an error means that the other side has closed.
    pub(crate) fn send(&mut self, bytes: impl AsRef<[u8]>) -> io::Result<()> {
        self.stream.write_all(bytes.as_ref())
    }

    /// Writes a request piece by piece, and stops where the other side has closed.
    pub(crate) fn send_request(&mut self, request: &Request) {
        let _ = self.try_send_request(request);
    }

    fn try_send_request(&mut self, request: &Request) -> io::Result<()> {
        self.send(head(request))?;
        for piece in &request.pieces {
            self.send_piece(request, piece)?;
        }
        if request.chunked { self.send(last_chunk(&request.trailers)) } else { Ok(()) }
    }

    /// Writes one piece of a body in the request's framing.
    pub(crate) fn send_piece(&mut self, request: &Request, piece: &[u8]) -> io::Result<()> {
        match (request.chunked, piece.is_empty()) {
            (false, _) => self.send(piece),
            (true, true) => Ok(()), // an empty chunk would end the body
            (true, false) => {
                let size = format!("{:x}\r\n", piece.len());
                self.send([size.as_bytes(), piece, b"\r\n"].concat())
            }
        }
    }

    /// Reads the whole response, interim ones apart.
    pub(crate) fn response(&mut self) -> Response {
        self.try_response().expect("a response")
    }

    /// The same; `None` when the other side leaves without a response.
    pub(crate) fn try_response(&mut self) -> Option<Response> {
        let head = self.try_head()?;
        Some(self.body(head))
    }

    /// Reads the head of the response, interim ones apart; `None` when the other side leaves instead.
    pub(crate) fn try_head(&mut self) -> Option<Head> {
        loop {
            self.wait_for(|buffer| find(buffer, b"\r\n\r\n"))?;
            let head = self.head();
            if head.status != 100 {
                return Some(head);
            }
        }
    }

    /// Waits for an answer to begin; after `patience` without one, says that the request has ended.
    pub(crate) fn end_unless_answered(&mut self, patience: Duration) {
        self.stream.set_patience(patience, LIMIT).expect("limits");
        if self.buffer.is_empty() && self.fill().is_err() {
            let _ = self.stream.end_writing();
        }
        self.stream.set_patience(LIMIT, LIMIT).expect("limits");
    }

    /// Reads the head of the next response; this may be an interim one.
    pub(crate) fn head(&mut self) -> Head {
        let end = loop {
            if let Some(end) = find(&self.buffer, b"\r\n\r\n") {
                break end;
            }
            let read = self.fill().expect("a response head");
            assert!(read > 0, "closed within the response head {:?}", self.unread());
        };
        let head = self.take(end + 4);
        parse_head(&String::from_utf8_lossy(&head))
    }

    /// Reads the body that follows `head`.
    pub(crate) fn body(&mut self, head: Head) -> Response {
        let Head { status, headers } = head;
        let chunked = headers.get("transfer-encoding").is_some_and(|value| value == "chunked");
        let length = headers.get("content-length").map(|value| value.parse().expect("a length"));
        let (body, complete) = match length {
            _ if status == 204 || status == 304 => (Vec::new(), true),
            _ if chunked => self.chunks(),
            Some(length) => self.fixed(length),
            None => self.rest(),
        };
        Response { status, headers, body, complete }
    }

    /// Reads one chunk of a chunked body; an empty one ends it, and `None` means that it was cut.
    pub(crate) fn chunk(&mut self) -> Option<Vec<u8>> {
        let end = self.wait_for(|buffer| find(buffer, b"\r\n"))?;
        let line = String::from_utf8(self.take(end + 2)).expect("a chunk size");
        let size = usize::from_str_radix(line.trim(), 16).expect("a chunk size");
        self.wait_for(|buffer| (buffer.len() >= size + 2).then_some(()))?;
        let mut chunk = self.take(size + 2);
        chunk.truncate(size);
        Some(chunk)
    }

    /// Reads this many bytes as they are.
    pub(crate) fn bytes(&mut self, length: usize) -> Vec<u8> {
        let (bytes, whole) = self.fixed(length);
        assert!(whole, "closed after {bytes:?}");
        bytes
    }

    fn chunks(&mut self) -> (Vec<u8>, bool) {
        let mut body = Vec::new();
        loop {
            match self.chunk() {
                Some(chunk) if chunk.is_empty() => return (body, true),
                Some(chunk) => body.extend(chunk),
                None => return (body, false),
            }
        }
    }

    fn fixed(&mut self, length: usize) -> (Vec<u8>, bool) {
        let whole = self.wait_for(|buffer| (buffer.len() >= length).then_some(())).is_some();
        let length = length.min(self.buffer.len());
        (self.take(length), whole)
    }

    fn rest(&mut self) -> (Vec<u8>, bool) {
        let ended = loop {
            match self.fill() {
                Ok(0) => break true,
                Ok(_) => {}
                Err(_) => break false,
            }
        };
        let length = self.buffer.len();
        (self.take(length), ended)
    }

    fn wait_for<T>(&mut self, ready: impl Fn(&[u8]) -> Option<T>) -> Option<T> {
        loop {
            if let Some(found) = ready(&self.buffer) {
                return Some(found);
            }
            if self.fill().unwrap_or(0) == 0 {
                return None;
            }
        }
    }

    fn fill(&mut self) -> io::Result<usize> {
        let mut piece = [0; 65536];
        let read = self.stream.read(&mut piece)?;
        self.buffer.extend_from_slice(&piece[..read]);
        Ok(read)
    }

    fn take(&mut self, length: usize) -> Vec<u8> {
        self.buffer.drain(..length).collect()
    }

    fn unread(&self) -> String {
        String::from_utf8_lossy(&self.buffer).into_owned()
    }
}

/// The request line and headers as they are sent.
pub(crate) fn head(request: &Request) -> Vec<u8> {
    let mut head = [request.method.as_bytes(), b" ", &request.path, b" HTTP/1.1\r\n"].concat();
    if request.headers.get("host").is_none() {
        head.extend(b"host: gateway\r\n");
    }
    for (name, value) in &request.headers.0 {
        head.extend([name.as_bytes(), b": ", value, b"\r\n"].concat());
    }
    let length: usize = request.pieces.iter().map(Vec::len).sum();
    if request.chunked {
        head.extend(b"transfer-encoding: chunked\r\n");
    } else if !request.pieces.is_empty() {
        head.extend(format!("content-length: {length}\r\n").into_bytes());
    }
    head.extend(b"\r\n");
    head
}

pub(super) fn last_chunk(trailers: &Headers) -> Vec<u8> {
    let lines =
        trailers.0.iter().map(|(name, value)| [name.as_bytes(), b": ", value, b"\r\n"].concat());
    [b"0\r\n".to_vec(), lines.collect::<Vec<_>>().concat(), b"\r\n".to_vec()].concat()
}

fn parse_head(text: &str) -> Head {
    let mut lines = text.split("\r\n");
    let status = lines.next().and_then(|line| line.split(' ').nth(1)?.parse().ok());
    let header = |line: &str| {
        let (name, value) = line.split_once(':')?;
        Some((name.to_ascii_lowercase(), value.trim().as_bytes().to_vec()))
    };
    let headers = Headers(lines.filter_map(header).collect());
    Head { status: status.unwrap_or_else(|| panic!("no status line in {text:?}")), headers }
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack.windows(needle.len()).position(|window| window == needle)
}
