//! The server behind a provider.

use super::pipe::{Broken, Pipe};
use super::record::{Seen, Tls, Writer};
use super::{Answer, Gate, Provider};
use crate::client::h2::headers;
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Request, Response, Version};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use std::time::Instant;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

/// Serves for ever.
pub(super) async fn serve(
    listener: TcpListener,
    acceptor: Option<TlsAcceptor>,
    provider: Provider,
) {
    while let Ok((stream, _)) = listener.accept().await {
        let _ = stream.set_nodelay(true);
        tokio::spawn(accept(stream, acceptor.clone(), provider.clone()));
    }
}

async fn accept(stream: TcpStream, acceptor: Option<TlsAcceptor>, provider: Provider) {
    let Some(acceptor) = acceptor else { return connection(stream, None, provider).await };
    if let Ok(stream) = acceptor.accept(stream).await {
        let session = stream.get_ref().1;
        let protocol = session.alpn_protocol().map(|name| String::from_utf8_lossy(name).into());
        let tls = Tls { server_name: session.server_name().map(str::to_owned), protocol };
        connection(stream, Some(tls), provider).await;
    }
}

async fn connection<S>(stream: S, tls: Option<Tls>, provider: Provider)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let service = service_fn(move |request| answer(request, tls.clone(), provider.clone()));
    // An error here is a connection that broke: the records tell how far its requests had come.
    let _ =
        Builder::new(TokioExecutor::new()).serve_connection(TokioIo::new(stream), service).await;
}

async fn answer(
    request: Request<Incoming>,
    tls: Option<Tls>,
    provider: Provider,
) -> Result<Response<Pipe>, Broken> {
    let (head, body) = request.into_parts();
    let seen = seen(&head, tls);
    let answer = provider.next_answer(&seen.header("x-case").unwrap_or_default());
    let reading = read(body, provider.records.open(seen), answer.reading.clone());
    if answer.early {
        tokio::spawn(reading);
    } else {
        reading.await;
    }
    if let Some(gate) = &answer.answering {
        gate.pass().await;
    }
    if answer.broken { Err(Broken) } else { Ok(response(answer)) }
}

async fn read(mut body: Incoming, mut writer: Writer, gate: Option<Gate>) {
    loop {
        if let Some(gate) = &gate {
            gate.pass().await;
        }
        match body.frame().await.map(|frame| frame.map(|frame| frame.into_data())) {
            None => return writer.complete(),
            Some(Ok(Ok(data))) => writer.data(&data),
            Some(Ok(Err(frame))) => {
                writer.trailers(headers(frame.trailers_ref().expect("trailers")));
            }
            Some(Err(_)) => return, // cut: the writer's end says so
        }
    }
}

fn seen(head: &hyper::http::request::Parts, tls: Option<Tls>) -> Seen {
    let path = head.uri.path_and_query().map_or("", |path| path.as_str()).to_owned();
    let mut headers = headers(&head.headers);
    if let Some(authority) = head.uri.authority() {
        headers.add("host", authority.as_str()); // HTTP/2 has it as :authority
    }
    Seen {
        arrived: Instant::now(),
        http2: head.version == Version::HTTP_2,
        tls,
        method: head.method.as_str().to_owned(),
        path,
        headers,
        trailers: Default::default(),
        body: Vec::new(),
        length: 0,
        sha256: String::new(),
        first_byte: None,
        ended: false,
        complete: false,
    }
}

fn response(answer: Answer) -> Response<Pipe> {
    let mut response = Response::builder().status(answer.status);
    for (name, value) in answer.headers {
        response = response.header(name, value);
    }
    response.body(answer.body).expect("a response")
}
