//! A provider that behaves badly: it does to each connection what the test lists.

use super::answer::Gate;
use crate::kit::harness::runtime;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};

/// One step on a connection.
#[derive(Clone, Debug)]
pub(crate) enum Act {
    /// Reads until the end of the request's head.
    ReadHead,
    /// Reads a request whose body has a `content-length`.
    ReadRequest,
    /// Writes bytes.
    Send(&'static [u8]),
    /// Writes the same bytes again and again, until the other side closes.
    SendOn(&'static [u8]),
    /// Waits for the test.
    Pass(Gate),
    /// Reads until the other side closes.
    ReadOn,
    /// Ends the connection with a reset; without this step it ends in order.
    Reset,
}

/// A server of such connections.
pub(crate) struct Raw {
    addr: SocketAddr,
    arrivals: Arc<Mutex<Vec<Instant>>>,
}

impl Raw {
    /// Does the same to every connection.
    pub(crate) fn start(acts: Vec<Act>) -> Self {
        Self::start_each(vec![acts])
    }

    /// Does to each connection what its list says, and to all further ones what the last list says.
    pub(crate) fn start_each(lists: Vec<Vec<Act>>) -> Self {
        Self::start_at(&Closed::bind(), lists)
    }

    /// The same, on a port that was closed.
    pub(crate) fn start_at(closed: &Closed, lists: Vec<Vec<Act>>) -> Self {
        let _inside = runtime::handle().enter();
        Self::serve(closed.listen(), lists)
    }

    fn serve(listener: TcpListener, lists: Vec<Vec<Act>>) -> Self {
        let addr = listener.local_addr().expect("an address");
        let arrivals = Arc::new(Mutex::new(Vec::new()));
        let noted = arrivals.clone();
        runtime::handle().spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let mut noted = noted.lock().expect("arrivals");
                let list = &lists[noted.len().min(lists.len() - 1)];
                noted.push(Instant::now());
                tokio::spawn(act(stream, list.clone()));
            }
        });
        Self { addr, arrivals }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.addr)
    }

    /// How many connections it has taken.
    pub(crate) fn connections(&self) -> usize {
        self.arrivals().len()
    }

    /// When it took each of them.
    pub(crate) fn arrivals(&self) -> Vec<Instant> {
        self.arrivals.lock().expect("arrivals").clone()
    }
}

/// A server whose queue of connections is full: its system does not answer to further ones.
pub(crate) struct Full {
    url: String,
    _listener: TcpListener,
    _queue: Vec<std::net::TcpStream>,
}

impl Full {
    pub(crate) fn bind() -> Self {
        const LIMIT: Duration = Duration::from_millis(200);
        let _inside = runtime::handle().enter();
        let socket = TcpSocket::new_v4().expect("a socket");
        socket.bind(([127, 0, 0, 1], 0).into()).expect("a port");
        let listener = socket.listen(0).expect("the port");
        let addr = listener.local_addr().expect("an address");
        let connect = || std::net::TcpStream::connect_timeout(&addr, LIMIT).ok();
        let queue = std::iter::from_fn(connect).collect();
        Self { url: format!("http://{addr}"), _listener: listener, _queue: queue }
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }
}

/// A port that no server listens on, and that the system gives to no other socket.
pub(crate) struct Closed(TcpSocket);

impl Closed {
    pub(crate) fn bind() -> Self {
        let _inside = runtime::handle().enter();
        let socket = TcpSocket::new_v4().expect("a socket");
        socket.set_reuseaddr(true).expect("a port that may be listened on later");
        socket.bind(([127, 0, 0, 1], 0).into()).expect("a port");
        Self(socket)
    }

    /// Listens on it, on the runtime that was entered. Its connections buffer little: a server that
    /// does not read holds its clients up, whatever buffers the system allows.
    pub(super) fn listen(&self) -> TcpListener {
        const BUFFER_BYTES: u32 = 256 * 1024;
        let socket = TcpSocket::new_v4().expect("a socket");
        socket.set_reuseaddr(true).expect("a port that is bound already");
        socket.set_recv_buffer_size(BUFFER_BYTES).expect("a small buffer");
        socket.bind(self.addr()).expect("the port");
        socket.listen(1024).expect("the port")
    }

    pub(crate) fn addr(&self) -> SocketAddr {
        self.0.local_addr().expect("an address")
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.addr())
    }
}

async fn act(mut stream: TcpStream, acts: Vec<Act>) {
    for act in acts {
        match act {
            Act::ReadHead => drop(read_head(&mut stream).await),
            Act::ReadRequest => read_request(&mut stream).await,
            Act::Send(bytes) => drop(stream.write_all(bytes).await),
            Act::SendOn(bytes) => while stream.write_all(bytes).await.is_ok() {},
            Act::Pass(gate) => gate.pass().await,
            Act::ReadOn => drop(stream.read_to_end(&mut Vec::new()).await),
            Act::Reset => stream.set_zero_linger().expect("no linger"),
        }
    }
}

async fn read_head(stream: &mut TcpStream) -> Vec<u8> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        match stream.read_u8().await {
            Ok(byte) => head.push(byte),
            Err(_) => break,
        }
    }
    head
}

async fn read_request(stream: &mut TcpStream) {
    let head = String::from_utf8_lossy(&read_head(stream).await).to_ascii_lowercase();
    let length =
        head.lines().find_map(|line| line.strip_prefix("content-length:")?.trim().parse().ok());
    let mut body = vec![0; length.unwrap_or_default()];
    let _ = stream.read_exact(&mut body).await;
}
