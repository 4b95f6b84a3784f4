//! One HTTP request: to Envoy's admin interface, or to the gateway.

use std::error::Error;
use std::net::SocketAddr;
use std::path::Path;

use http_body_util::{BodyExt, Empty};
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper::header::{AUTHORIZATION, HOST};
use hyper::{Method, Request, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, UnixStream};

/// Asks the gateway for a path, and reads the whole answer.
pub(crate) async fn get(
    gateway: SocketAddr,
    path: &str,
) -> Result<(StatusCode, String), Box<dyn Error>> {
    get_as(gateway, path, None).await
}

/// The same with this `authorization`.
pub(crate) async fn get_as(
    gateway: SocketAddr,
    path: &str,
    authorization: Option<&str>,
) -> Result<(StatusCode, String), Box<dyn Error>> {
    let mut request = Request::get(path).header(HOST, gateway.to_string());
    if let Some(value) = authorization {
        request = request.header(AUTHORIZATION, value);
    }
    exchange(TcpStream::connect(gateway).await?, request.body(Empty::new())?).await
}

/// Asks the admin interface on a Unix socket.
pub(crate) async fn ask_admin(
    socket: &Path,
    method: Method,
    path: &str,
) -> Result<(StatusCode, String), Box<dyn Error>> {
    let request = Request::builder().method(method).uri(path).header(HOST, "admin");
    exchange(UnixStream::connect(socket).await?, request.body(Empty::new())?).await
}

async fn exchange(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    request: Request<Empty<Bytes>>,
) -> Result<(StatusCode, String), Box<dyn Error>> {
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    // The task ends with the answer, because `sender` is dropped then.
    tokio::spawn(connection);
    let response = sender.send_request(request).await?;
    let status = response.status();
    let body = response.into_body().collect().await?.to_bytes();
    Ok((status, String::from_utf8_lossy(&body).into_owned()))
}
