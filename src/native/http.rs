//! One HTTP request to Envoy's admin, or to the gateway.

use std::error::Error;
use std::net::SocketAddr;

use http_body_util::{BodyExt, Empty};
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper::header::HOST;
use hyper::{Request, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

/// Asks for a path, and reads the whole answer.
pub(crate) async fn get(
    admin: SocketAddr,
    path: &str,
) -> Result<(StatusCode, String), Box<dyn Error>> {
    let stream = TokioIo::new(TcpStream::connect(admin).await?);
    let (mut sender, connection) = http1::handshake(stream).await?;
    // The task ends with the answer, because `sender` is dropped then.
    tokio::spawn(connection);
    let request = Request::get(path).header(HOST, admin.to_string()).body(Empty::<Bytes>::new())?;
    let response = sender.send_request(request).await?;
    let status = response.status();
    let body = response.into_body().collect().await?.to_bytes();
    Ok((status, String::from_utf8_lossy(&body).into_owned()))
}
