//! Clients that connect by TLS, to a gateway with a certificate for `localhost`.

use super::{Request, Response, h1, h2};
use crate::kit::harness::wait::LIMIT;
use crate::kit::upstream::tls::{Authority, Pair};
use std::io;
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::Duration;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::crypto::ring::default_provider;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use tokio_rustls::rustls::version::TLS12;
use tokio_rustls::rustls::{
    ALL_VERSIONS, ClientConfig, ClientConnection, StreamOwned, SupportedProtocolVersion,
};

type Stream = StreamOwned<ClientConnection, TcpStream>;

/// Whom a client trusts, and what the client shows.
#[derive(Clone)]
pub(crate) struct Tls(ClientConfig);

impl Tls {
    /// A client without a certificate.
    pub(crate) fn trusting(authority: &Authority) -> Self {
        Self::of(authority, None, ALL_VERSIONS)
    }

    /// A client that speaks no later version than TLS 1.2.
    pub(crate) fn old(authority: &Authority) -> Self {
        Self::of(authority, None, &[&TLS12])
    }

    /// A client with this certificate.
    pub(crate) fn showing(authority: &Authority, own: &Pair) -> Self {
        Self::of(authority, Some(own), ALL_VERSIONS)
    }

    fn of(
        authority: &Authority,
        own: Option<&Pair>,
        versions: &[&'static SupportedProtocolVersion],
    ) -> Self {
        let builder = ClientConfig::builder_with_provider(Arc::new(default_provider()))
            .with_protocol_versions(versions)
            .expect("versions")
            .with_root_certificates(authority.roots());
        let key = |own: &Pair| PrivateKeyDer::from_pem_slice(own.key.as_bytes()).expect("a key");
        Self(match own {
            None => builder.with_no_client_auth(),
            Some(own) => builder
                .with_client_auth_cert(vec![own.der.clone()], key(own))
                .expect("a certificate with its key"),
        })
    }

    /// Sends a request on a new connection and reads the whole response.
    pub(crate) fn exchange(&self, addr: SocketAddr, request: &Request) -> Response {
        let mut connection = self.h1(addr).expect("a connection");
        connection.send_request(request);
        connection.response()
    }

    /// A connection in HTTP/1.1, once the server takes what this client shows.
    pub(crate) fn h1(&self, addr: SocketAddr) -> io::Result<h1::Connection> {
        Ok(h1::Connection::over(Box::new(self.connect(addr, &[b"http/1.1"])?)))
    }

    /// A connection in HTTP/2.
    pub(crate) fn h2(&self, addr: SocketAddr) -> h2::Connection {
        let mut config = self.0.clone();
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        h2::Connection::over(async move {
            let stream = tokio::net::TcpStream::connect(addr).await.expect("a connection");
            stream.set_nodelay(true).expect("no delay");
            let connector = TlsConnector::from(Arc::new(config));
            let stream = connector.connect(name(), stream).await.expect("a handshake");
            assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
            stream
        })
    }

    /// The certificate that the server shows.
    pub(crate) fn shown(&self, addr: SocketAddr) -> CertificateDer<'static> {
        let stream = self.connect(addr, &[]).expect("a connection");
        stream.conn.peer_certificates().expect("certificates")[0].clone().into_owned()
    }

    fn connect(&self, addr: SocketAddr, protocols: &[&[u8]]) -> io::Result<Stream> {
        let mut config = self.0.clone();
        config.alpn_protocols = protocols.iter().map(|own| own.to_vec()).collect();
        let mut socket = TcpStream::connect_timeout(&addr, LIMIT)?;
        socket.set_nodelay(true)?;
        socket.set_read_timeout(Some(LIMIT))?;
        let mut client = ClientConnection::new(Arc::new(config), name()).expect("a client");
        while client.is_handshaking() {
            client.complete_io(&mut socket)?;
        }
        Ok(StreamOwned::new(client, socket))
    }
}

fn name() -> ServerName<'static> {
    ServerName::try_from("localhost").expect("a name")
}

impl h1::Stream for Stream {
    fn set_patience(&self, read: Duration, write: Duration) -> io::Result<()> {
        self.sock.set_read_timeout(Some(read))?;
        self.sock.set_write_timeout(Some(write))
    }

    fn end_writing(&self) -> io::Result<()> {
        self.sock.shutdown(Shutdown::Write)
    }
}
