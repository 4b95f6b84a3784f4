//! A provider that behaves badly: it does to each connection what the test lists.

use super::answer::Gate;
use crate::harness::runtime;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};

/// One step on a connection.
#[derive(Clone, Debug)]
pub(crate) enum Act {
    /// Reads until the end of the request's head.
    ReadHead,
    /// Writes bytes.
    Send(&'static [u8]),
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
    connections: Arc<AtomicUsize>,
}

impl Raw {
    pub(crate) fn start(acts: Vec<Act>) -> Self {
        let listener = runtime::run("a port", TcpListener::bind("127.0.0.1:0")).expect("a port");
        let addr = listener.local_addr().expect("an address");
        let connections = Arc::new(AtomicUsize::new(0));
        let counter = connections.clone();
        runtime::handle().spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                counter.fetch_add(1, Ordering::SeqCst);
                tokio::spawn(act(stream, acts.clone()));
            }
        });
        Self { addr, connections }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.addr)
    }

    /// How many connections it has taken.
    pub(crate) fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }
}

/// A port on which nobody listens, and which nobody else can take.
pub(crate) struct Closed(TcpSocket);

impl Closed {
    pub(crate) fn bind() -> Self {
        let _inside = runtime::handle().enter();
        let socket = TcpSocket::new_v4().expect("a socket");
        socket.bind(([127, 0, 0, 1], 0).into()).expect("a port");
        Self(socket)
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.0.local_addr().expect("an address"))
    }
}

async fn act(mut stream: TcpStream, acts: Vec<Act>) {
    for act in acts {
        match act {
            Act::ReadHead => read_head(&mut stream).await,
            Act::Send(bytes) => drop(stream.write_all(bytes).await),
            Act::Pass(gate) => gate.pass().await,
            Act::ReadOn => drop(stream.read_to_end(&mut Vec::new()).await),
            Act::Reset => stream.set_zero_linger().expect("no linger"),
        }
    }
}

async fn read_head(stream: &mut TcpStream) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        match stream.read_u8().await {
            Ok(byte) => head.push(byte),
            Err(_) => return,
        }
    }
}
