//! Reading HTTP/1.1 requests from a connection, as they come.

use tokio::io::{self, AsyncReadExt};
use tokio::net::TcpStream;

/// A connection from Envoy.
pub(super) struct Wire {
    pub(super) stream: TcpStream,
    buffer: Vec<u8>,
}

/// A whole request.
pub(super) struct Received {
    pub(super) line: String,
    /// Names in lower case.
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Vec<u8>,
    /// It came over HTTP/2, which needs no framing of its own.
    pub(super) is_http2: bool,
}

impl Received {
    pub(super) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.headers.iter().filter(move |(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    pub(super) fn get<'a>(&'a self, name: &'a str) -> Option<&'a str> {
        self.all(name).next()
    }
}

impl Wire {
    pub(super) fn new(stream: TcpStream) -> Self {
        Self { stream, buffer: Vec::new() }
    }

    /// Waits for the first byte of a request; `false` when the connection ends instead.
    pub(super) async fn begins(&mut self) -> bool {
        !self.buffer.is_empty() || self.fill().await.is_ok()
    }

    /// Reads a request; an error when it is cut.
    pub(super) async fn request(&mut self) -> io::Result<Received> {
        let head = self.through(b"\r\n\r\n").await?;
        let head = String::from_utf8_lossy(&head).into_owned();
        let mut lines = head.trim_end().split("\r\n");
        let line = lines.next().unwrap_or_default().to_owned();
        let header = |line: &str| {
            let (name, value) = line.split_once(':')?;
            Some((name.to_ascii_lowercase(), value.trim().to_owned()))
        };
        let headers = lines.filter_map(header).collect();
        let mut received = Received { line, headers, body: Vec::new(), is_http2: false };
        received.body = self.body(&received).await?;
        Ok(received)
    }

    /// Reads until the other side leaves.
    pub(super) async fn drain(&mut self) {
        while self.fill().await.is_ok() {}
    }

    async fn body(&mut self, received: &Received) -> io::Result<Vec<u8>> {
        if received.get("transfer-encoding") == Some("chunked") {
            return self.chunks().await;
        }
        let length = received.get("content-length").and_then(|value| value.parse().ok());
        self.exactly(length.unwrap_or_default()).await
    }

    async fn chunks(&mut self) -> io::Result<Vec<u8>> {
        let mut body = Vec::new();
        loop {
            let line = self.through(b"\r\n").await?;
            let size = String::from_utf8_lossy(&line);
            let size = usize::from_str_radix(size.trim(), 16).map_err(io::Error::other)?;
            let chunk = self.exactly(size + 2).await?;
            if size == 0 {
                return Ok(body);
            }
            body.extend_from_slice(&chunk[..size]);
        }
    }

    async fn through(&mut self, end: &[u8]) -> io::Result<Vec<u8>> {
        loop {
            let found = self.buffer.windows(end.len()).position(|window| window == end);
            if let Some(place) = found {
                return Ok(self.buffer.drain(..place + end.len()).collect());
            }
            self.fill().await?;
        }
    }

    async fn exactly(&mut self, length: usize) -> io::Result<Vec<u8>> {
        while self.buffer.len() < length {
            self.fill().await?;
        }
        Ok(self.buffer.drain(..length).collect())
    }

    async fn fill(&mut self) -> io::Result<()> {
        self.buffer.reserve(64 * 1024);
        match self.stream.read_buf(&mut self.buffer).await? {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            _ => Ok(()),
        }
    }
}
