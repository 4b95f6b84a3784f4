//! One client: request after request on a connection that it keeps, each answer checked.

use super::kinds::{Exchange, Want};
use crate::harness::wait;
use crate::lean::Message;
use crate::storm::random::Random;
use std::io::{BufReader, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Takes numbers until `limit`, and sends the request of each.
pub(super) fn drive(addr: SocketAddr, (next, limit): (&AtomicU64, u64), done: &AtomicU64) {
    let mut kept = None;
    loop {
        let number = next.fetch_add(1, Relaxed);
        if number >= limit {
            return;
        }
        let exchange = Exchange::make(&mut Random::new(number), number);
        let reader = kept.take().unwrap_or_else(|| open(addr));
        kept = run(reader, &exchange);
        done.fetch_add(1, Relaxed);
    }
}

/// Sends one request and checks what comes; the connection, where it can be kept.
fn run(mut reader: BufReader<TcpStream>, exchange: &Exchange) -> Option<BufReader<TcpStream>> {
    let sent = reader.get_mut().write_all(&exchange.bytes);
    if let Want::Nothing = exchange.want {
        return None; // the client leaves
    }
    let answer = Message::read(&mut reader);
    if let Err(problem) = exchange.check(answer.as_ref()) {
        let shown = exchange.bytes[..exchange.bytes.len().min(600)].escape_ascii();
        panic!("{problem}: {answer:?} (sent: {sent:?})\nfor {shown}");
    }
    let answer = answer?;
    let is_kept = answer.status() == 200 && answer.header("connection").as_deref() != Some("close");
    is_kept.then_some(reader)
}

fn open(addr: SocketAddr) -> BufReader<TcpStream> {
    let stream = TcpStream::connect_timeout(&addr, wait::LIMIT).expect("a listening gateway");
    stream.set_nodelay(true).expect("no delay");
    stream.set_read_timeout(Some(wait::LIMIT)).expect("a limit");
    BufReader::with_capacity(64 * 1024, stream)
}
