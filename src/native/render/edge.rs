//! Where the gateway listens, how clients connect, and whom it believes, as the templates read it.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::native::settings::{AddressRange, Tls};

/// The sockets between Envoy and the control server.
#[derive(Debug, Clone)]
pub struct Sockets {
    /// Where the control server listens.
    pub control: PathBuf,
    /// Where Envoy listens for the control server's own questions.
    pub own: PathBuf,
}

/// The same, as the templates read it.
#[derive(Serialize)]
pub(super) struct Control {
    socket: String,
    own: String,
}

impl From<&Sockets> for Control {
    fn from(sockets: &Sockets) -> Self {
        let text = |path: &Path| path.to_string_lossy().into_owned();
        Self { socket: text(&sockets.control), own: text(&sockets.own) }
    }
}

/// What clients are shown that connect by TLS, and what they must show.
#[derive(Serialize)]
pub(super) struct ServerTls {
    cert: String,
    key: String,
    client_ca: Option<String>,
    client_ca_pem: Option<String>,
}

impl From<&Tls> for ServerTls {
    fn from(tls: &Tls) -> Self {
        let Tls { cert, key, client_ca, client_ca_pem, .. } = tls.clone();
        Self { cert, key, client_ca, client_ca_pem }
    }
}

/// Where a listener is.
#[derive(Serialize)]
pub(super) struct Socket {
    address: String,
    port: u16,
    /// Whether all addresses of IPv6 are meant, and those of IPv4 with them.
    both_families: bool,
}

impl From<SocketAddr> for Socket {
    fn from(socket: SocketAddr) -> Self {
        let both_families = socket.is_ipv6() && socket.ip().is_unspecified();
        Self { address: socket.ip().to_string(), port: socket.port(), both_families }
    }
}

/// A range of addresses.
#[derive(Serialize)]
pub(super) struct Range {
    address: String,
    prefix_bits: u8,
}

impl From<&AddressRange> for Range {
    fn from(range: &AddressRange) -> Self {
        Self { address: range.address.to_string(), prefix_bits: range.prefix_bits }
    }
}
