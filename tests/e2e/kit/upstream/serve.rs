//! The server of a provider.

use super::answer::GREETING;
use super::pipe::{Broken, Pipe};
use super::record::{Seen, Tls, Writer};
use super::socket::{Ending, Socket};
use super::{Answer, Gate, Mode, Provider, State};
use crate::kit::client::h2::headers;
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Request, Response, Version};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use std::error::Error;
use std::pin::pin;
use std::sync::atomic::Ordering;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, copy, split};
use tokio::net::{TcpListener, TcpStream};

/// Serves until the provider leaves.
pub(super) async fn serve(listener: TcpListener, provider: Provider) {
    let mut state = provider.0.state.subscribe();
    let accept = async {
        loop {
            if let Ok((stream, _)) = listener.accept().await {
                let _ = stream.set_nodelay(true);
                tokio::spawn(accept(stream, provider.clone()));
            }
        }
    };
    tokio::select! {
        () = accept => {}
        _ = state.wait_for(|state| *state != State::Listening) => {}
    }
}

async fn accept(stream: TcpStream, provider: Provider) {
    let counted = Counted::new(provider);
    let socket = Socket { stream, ending: Ending::default() };
    let ending = socket.ending.clone();
    let Some(acceptor) = counted.0.0.acceptor.clone() else {
        return connection(socket, None, ending, &counted.0).await;
    };
    if let Ok(stream) = acceptor.accept(socket).await {
        let session = stream.get_ref().1;
        let protocol = session.alpn_protocol().map(|name| String::from_utf8_lossy(name).into());
        let tls = Tls { server_name: session.server_name().map(str::to_owned), protocol };
        connection(stream, Some(tls), ending, &counted.0).await;
    }
}

/// A connection that is open.
struct Counted(Provider);

impl Counted {
    fn new(provider: Provider) -> Self {
        provider.0.connections.fetch_add(1, Ordering::SeqCst);
        Self(provider)
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.0.connections.fetch_sub(1, Ordering::SeqCst);
    }
}

/// Serves one connection, until it ends or the provider leaves.
async fn connection<S>(stream: S, tls: Option<Tls>, ending: Ending, provider: &Provider)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let mut state = provider.0.state.subscribe();
    let service = {
        let provider = provider.clone();
        service_fn(move |request| answer(request, tls.clone(), ending.clone(), provider.clone()))
    };
    let mut builder = Builder::new(TokioExecutor::new());
    builder.http1().max_headers(1000).max_buf_size(1 << 20);
    builder.http2().max_header_list_size(1 << 20);
    let mut connection =
        pin!(builder.serve_connection_with_upgrades(TokioIo::new(stream), service));
    tokio::select! {
        ended = &mut connection => return note(ended.err(), provider),
        _ = state.wait_for(|state| *state != State::Listening) => {}
    }
    connection.as_mut().graceful_shutdown();
    tokio::select! {
        _ = &mut connection => {}
        _ = state.wait_for(|state| *state == State::Dead) => {}
    }
}

/// An error is a connection that broke, and the records tell how far its requests had come; or bytes that are not HTTP. A
/// path that hyper does not take (`<` in it, or more than 64 KiB) is for the provider to refuse: the gateway passes a
/// path as the client has sent the path.
fn note(error: Option<Box<dyn Error + Send + Sync>>, provider: &Provider) {
    let error = error.as_deref().and_then(|error| error.downcast_ref::<hyper::Error>());
    let is_of_path = |error: &hyper::Error| {
        let problem = format!("{error:?}");
        ["Uri", "UriTooLong"].into_iter().any(|kind| problem.contains(&format!("Parse({kind})")))
    };
    let is_malformed = error.is_some_and(|error| error.is_parse() && !is_of_path(error));
    if let (Some(error), true, Some(act)) = (error, is_malformed, provider.0.on_malformed.get()) {
        act(format!("what is not HTTP: {error:?}"));
    }
}

async fn answer(
    request: Request<Incoming>,
    tls: Option<Tls>,
    ending: Ending,
    provider: Provider,
) -> Result<Response<Pipe>, Broken> {
    let is_http2 = request.version() == Version::HTTP_2;
    let answer = match &provider.0.mode {
        Mode::Scripted { records, .. } => {
            let (head, body) = request.into_parts();
            let seen = Seen::begin(&head, tls);
            let answer = provider.next_answer(&seen.header("x-case").unwrap_or_default());
            let writer = records.open(seen);
            if answer.switches {
                let request = Request::from_parts(head, body);
                tokio::spawn(websocket(request, writer));
                return Ok(response(answer));
            }
            let reading = read(body, writer, answer.reading.clone());
            if answer.early {
                tokio::spawn(reading);
            } else {
                reading.await;
            }
            answer
        }
        Mode::Answering(act) => act(whole(request, tls).await).await,
    };
    if let Some(gate) = &answer.answering {
        gate.pass().await;
    }
    if answer.resets && !is_http2 {
        ending.reset();
    }
    if answer.broken { Err(Broken) } else { Ok(response(answer)) }
}

/// Reads a request into a record.
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

/// Reads a request of which nothing is recorded.
async fn whole(request: Request<Incoming>, tls: Option<Tls>) -> Seen {
    let (head, body) = request.into_parts();
    let mut seen = Seen::begin(&head, tls);
    if let Ok(body) = body.collect().await {
        seen.body = body.to_bytes().to_vec();
        seen.length = seen.body.len();
        seen.complete = true;
    }
    seen.ended = true;
    seen
}

/// Greets, and sends back what it reads until the client leaves.
async fn websocket(request: Request<Incoming>, mut writer: Writer) {
    let Ok(upgraded) = hyper::upgrade::on(request).await else { return };
    let (mut reader, mut answers) = split(TokioIo::new(upgraded));
    let _ = answers.write_all(GREETING).await;
    let _ = copy(&mut reader, &mut answers).await;
    writer.complete();
}

fn response(answer: Answer) -> Response<Pipe> {
    let mut response = Response::builder().status(answer.status);
    for (name, value) in answer.headers {
        response = response.header(name, value);
    }
    response.body(answer.body).expect("a response")
}
