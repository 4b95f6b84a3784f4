//! A provider that takes one kind of WebSocket: it greets, and sends back what it reads.

use crate::harness::{runtime, wait};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// What it says first.
pub(crate) const GREETING: &[u8] = b"\x81\x05hello";

const SWITCHING: &[u8] = b"HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\n\
    connection: Upgrade\r\nsec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\
    sec-websocket-protocol: realtime\r\n\r\n";

/// Its connections so far.
pub(crate) struct WebSockets {
    addr: SocketAddr,
    heads: Arc<Mutex<Vec<String>>>,
    left: Arc<Mutex<usize>>,
}

impl WebSockets {
    pub(crate) fn start() -> Self {
        let listener = runtime::run("a port", TcpListener::bind("127.0.0.1:0")).expect("a port");
        let addr = listener.local_addr().expect("an address");
        let (heads, left) = (Arc::new(Mutex::new(Vec::new())), Arc::new(Mutex::new(0)));
        let (own_heads, own_left) = (heads.clone(), left.clone());
        runtime::handle().spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, own_heads.clone(), own_left.clone()));
            }
        });
        Self { addr, heads, left }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.addr)
    }

    /// The head of the last handshake.
    pub(crate) fn last_head(&self) -> String {
        self.heads.lock().expect("heads").last().cloned().expect("a handshake")
    }

    /// Waits until so many clients have left.
    pub(crate) fn wait_for_ends(&self, count: usize) {
        wait::until_true("a client's leaving", || *self.left.lock().expect("ends") >= count);
    }
}

async fn serve(mut stream: TcpStream, heads: Arc<Mutex<Vec<String>>>, left: Arc<Mutex<usize>>) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let Ok(byte) = stream.read_u8().await else { return };
        head.push(byte);
    }
    heads.lock().expect("heads").push(String::from_utf8(head).expect("a head in UTF-8"));
    let _ = stream.write_all(&[SWITCHING, GREETING].concat()).await;
    let (mut reader, mut writer) = stream.split();
    let _ = tokio::io::copy(&mut reader, &mut writer).await;
    *left.lock().expect("ends") += 1;
}
