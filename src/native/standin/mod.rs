//! `gaud upstream`: a small server with OpenAI's API, and Anthropic's `/v1/messages`, in the place of a provider.
//!
//! The stand-in is for the first minute, without a key or an account. Every answer names the model that was asked for, so
//! that a user sees the name that reaches the provider without its namespace. Keys are not checked.

mod answer;
mod ask;
mod completion;
mod embedding;
mod events;
mod messages;
mod responses;

use std::convert::Infallible;
use std::io;
use std::time::{SystemTime, UNIX_EPOCH};

use http_body_util::{BodyExt, Either, Full, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};

use answer::answer;
use ask::{Answer, failure};
use events::Events;

/// The most of a request that is read: as much as a large prompt with pictures needs.
const BODY_BYTES_MAX: usize = 64 << 20;

type Body = Either<Full<Bytes>, Events>;

/// Answers every connection of `listener`. Ends only when the listener fails.
pub async fn serve(listener: TcpListener) -> io::Result<Infallible> {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => drop(tokio::spawn(converse(stream))),
            // The client left before the connection was accepted.
            Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => {}
            Err(error) => return Err(error),
        }
    }
}

async fn converse(stream: TcpStream) {
    let connection =
        http1::Builder::new().serve_connection(TokioIo::new(stream), service_fn(respond));
    // An error here is the client's: the client left, or does not speak HTTP.
    let _ = connection.await;
}

async fn respond(request: Request<Incoming>) -> Result<Response<Body>, Infallible> {
    let (head, body) = request.into_parts();
    let answer = match Limited::new(body, BODY_BYTES_MAX).collect().await {
        Ok(body) => answer(&head.method, head.uri.path(), &body.to_bytes(), now()),
        Err(error) => failure(StatusCode::BAD_REQUEST, &error.to_string(), None),
    };
    Ok(response(answer))
}

fn response(answer: Answer) -> Response<Body> {
    match answer {
        Answer::Json(status, value) => {
            let body = Either::Left(Full::from(value.to_string()));
            with_type(body, status, "application/json")
        }
        Answer::Events(events) => {
            let body = Either::Right(Events::new(events));
            let mut response = with_type(body, StatusCode::OK, "text/event-stream");
            response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
            response
        }
    }
}

fn with_type(body: Body, status: StatusCode, content_type: &'static str) -> Response<Body> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}

/// Seconds since 1970: `created` of every answer.
fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |elapsed| elapsed.as_secs())
}
