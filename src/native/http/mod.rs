//! One HTTP request: to Envoy's admin interface, to the gateway, to a webhook, or to an issuer of tokens.

mod post;
mod remote;

use std::convert::Infallible;
use std::error::Error;
use std::fmt;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use http_body_util::{BodyExt, Empty, Limited};
use hyper::body::{Body, Bytes};
use hyper::client::conn::http1;
use hyper::header::{AUTHORIZATION, HOST};
use hyper::http::request::Builder;
use hyper::{Method, Request, StatusCode};
use hyper_util::rt::TokioIo;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, UnixStream};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::pki_types::CertificateDer;
use tokio_rustls::rustls::{self, ClientConfig};

use crate::config::Secret;
use crate::native::certificates;
use crate::native::settings::reachable;
pub(crate) use remote::Remote;

/// As a part of a path, of a query, of a form or of a fragment.
pub(crate) fn encoded(text: &str) -> String {
    const PLAIN: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_');
    utf8_percent_encode(text, PLAIN).to_string()
}

/// A server, and how it is reached.
#[derive(Debug, Clone)]
pub(crate) struct Server {
    address: SocketAddr,
    /// The certificate that it must show; `None` without TLS.
    certificate: Option<CertificateDer<'static>>,
}

impl Server {
    pub(crate) fn of(address: SocketAddr, certificate: Option<CertificateDer<'static>>) -> Self {
        Self { address, certificate }
    }

    /// Whether what listens on `address` is this server.
    pub(crate) fn is_on(&self, address: SocketAddr) -> bool {
        self.address == reachable(address)
    }

    /// Whether nobody else reads what is sent there.
    pub(crate) fn is_private(&self) -> bool {
        self.certificate.is_some() || self.address.ip().is_loopback()
    }

    /// Asks for a path, and reads the whole answer.
    pub(crate) async fn get(&self, path: &str) -> Result<(StatusCode, String), Box<dyn Error>> {
        self.send(Request::get(path)).await
    }

    /// The same with a key.
    pub(crate) async fn get_with(
        &self,
        path: &str,
        key: &Secret,
    ) -> Result<(StatusCode, String), Box<dyn Error>> {
        let bearer = format!("Bearer {}", key.expose());
        self.send(Request::get(path).header(AUTHORIZATION, bearer)).await
    }

    async fn send(&self, request: Builder) -> Result<(StatusCode, String), Box<dyn Error>> {
        let request = request.header(HOST, self.to_string()).body(Empty::new())?;
        let stream = TcpStream::connect(self.address).await?;
        match &self.certificate {
            None => exchange(stream, request).await,
            Some(certificate) => exchange(secured(stream, certificate).await?, request).await,
        }
    }
}

impl fmt::Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.address.fmt(f)
    }
}

async fn secured(
    stream: TcpStream,
    certificate: &CertificateDer<'static>,
) -> Result<TlsStream<TcpStream>, Box<dyn Error>> {
    let address = stream.peer_addr()?.ip();
    let config = only(certificate.clone())?;
    Ok(TlsConnector::from(Arc::new(config)).connect(address.into(), stream).await?)
}

/// Asks on a Unix socket: Envoy's admin interface, or the gateway.
pub(crate) async fn ask_socket(
    socket: &Path,
    method: Method,
    path: &str,
) -> Result<(StatusCode, String), Box<dyn Error>> {
    send_on(socket, Request::builder().method(method).uri(path)).await
}

/// The same to read, with this `authorization`.
pub(crate) async fn ask_socket_as(
    socket: &Path,
    path: &str,
    authorization: &str,
) -> Result<(StatusCode, String), Box<dyn Error>> {
    send_on(socket, Request::get(path).header(AUTHORIZATION, authorization)).await
}

async fn send_on(socket: &Path, request: Builder) -> Result<(StatusCode, String), Box<dyn Error>> {
    let request = request.header(HOST, "localhost").body(Empty::new())?;
    exchange(UnixStream::connect(socket).await?, request).await
}

async fn exchange<B>(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    request: Request<B>,
) -> Result<(StatusCode, String), Box<dyn Error>>
where
    B: Body<Data = Bytes, Error = Infallible> + Send + 'static,
{
    exchange_within(stream, request, usize::MAX).await
}

/// The same for an answer of this many bytes at most.
async fn exchange_within<B>(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    request: Request<B>,
    bytes_max: usize,
) -> Result<(StatusCode, String), Box<dyn Error>>
where
    B: Body<Data = Bytes, Error = Infallible> + Send + 'static,
{
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    // The task ends with the answer, because `sender` is dropped then.
    tokio::spawn(connection);
    let response = sender.send_request(request).await?;
    let status = response.status();
    let body = Limited::new(response.into_body(), bytes_max).collect().await;
    let body = body.map_err(|error| -> Box<dyn Error> { error })?.to_bytes();
    Ok((status, String::from_utf8_lossy(&body).into_owned()))
}

/// TLS to a server whose certificate is known: the certificate that `[tls]` names. It may be of any authority and for any name,
/// because the server is reached by its address.
fn only(certificate: CertificateDer<'static>) -> Result<ClientConfig, rustls::Error> {
    let mut config = certificates::client_config(move |shown, _, _, _| {
        let other = || "it shows another certificate than that of [tls]".to_owned();
        (*shown == certificate).then_some(()).ok_or_else(|| rustls::Error::General(other()))
    })?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}
