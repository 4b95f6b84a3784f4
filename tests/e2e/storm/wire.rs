//! Bytes to the gateway and its first answer back.

use crate::harness::wait::LIMIT;
use crate::lean::Message;
use std::io::{BufReader, ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::time::Duration;

/// How long an answer may take to a request that may never end; then the client says that it has.
const PATIENCE: Duration = Duration::from_millis(300);

/// Sends bytes on a connection of their own; `None` when nothing comes back but its end.
pub(super) fn exchange(addr: SocketAddr, bytes: &[u8]) -> Option<Message> {
    let mut stream = open(addr);
    let mut writer = stream.try_clone().expect("a second handle");
    // The gateway may answer and close before it has read all.
    let _ = writer.write_all(bytes);
    wait(&mut stream, &writer);
    let mut reader = BufReader::new(stream);
    // An answer to HEAD says the length of a body that it has not.
    if bytes.starts_with(b"HEAD ") {
        Message::head(&mut reader)
    } else {
        Message::read(&mut reader)
    }
}

/// Waits for the first byte; a request that waits for more of itself gets its end.
fn wait(stream: &mut TcpStream, writer: &TcpStream) {
    stream.set_read_timeout(Some(PATIENCE)).expect("a limit");
    if stream.peek(&mut [0]).is_err() {
        let _ = writer.shutdown(Shutdown::Write);
    }
    stream.set_read_timeout(Some(LIMIT)).expect("a limit");
}

/// Reads until that holds of what came, until the other side closes, or until nothing comes; and
/// whether it has closed.
pub(super) fn until(stream: &mut TcpStream, ended: impl Fn(&[u8]) -> bool) -> (Vec<u8>, bool) {
    stream.set_read_timeout(Some(PATIENCE)).expect("a limit");
    let (mut bytes, mut piece) = (Vec::new(), [0; 16 * 1024]);
    loop {
        match stream.read(&mut piece) {
            Ok(read @ 1..) => bytes.extend_from_slice(&piece[..read]),
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                return (bytes, false);
            }
            Ok(_) | Err(_) => return (bytes, true),
        }
        if ended(&bytes) {
            return (bytes, false);
        }
    }
}

pub(super) fn open(addr: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect_timeout(&addr, LIMIT).expect("a listening gateway");
    stream.set_nodelay(true).expect("no delay");
    stream.set_write_timeout(Some(LIMIT)).expect("a limit");
    stream
}
