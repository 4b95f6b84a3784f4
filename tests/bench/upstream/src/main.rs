//! The provider of the benchmark, on one core.
//!
//! | request | answer |
//! |---|---|
//! | `POST` | reads the body, answers a chat completion |
//! | `POST …?chunks=N` | reads the body, answers N chunks of a stream, each in a piece of its own |
//! | `PUT /last` | keeps the body of the next `POST` |
//! | `GET /last` | what it kept, with that request's credential as `x-last-authorization` |
//! | any other | `{}` |

mod stream;

use std::cell::RefCell;
use std::rc::Rc;

use http_body_util::{BodyExt, Either, Full};
use hyper::body::{Bytes, Incoming};
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response};
use hyper_util::rt::TokioIo;
use stream::Events;
use tokio::net::TcpListener;

const COMPLETION: &str = r#"{"id":"chatcmpl-1","object":"chat.completion","created":1700000000,"model":"gpt-4o","choices":[{"index":0,"message":{"role":"assistant","content":"It depends on what you measure."},"finish_reason":"stop"}],"usage":{"prompt_tokens":1,"completion_tokens":7,"total_tokens":8}}"#;

type Answer = Response<Either<Full<Bytes>, Events>>;

/// The request that was asked to be kept.
#[derive(Default)]
enum Last {
    #[default]
    Ignored,
    Wanted,
    Kept(Kept),
}

struct Kept {
    body: Bytes,
    authorization: Option<HeaderValue>,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> std::io::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("http://{}", listener.local_addr()?);
    let last = Rc::new(RefCell::new(Last::default()));
    let serve = async {
        loop {
            let (connection, _) = listener.accept().await?;
            connection.set_nodelay(true)?;
            let last = Rc::clone(&last);
            let service = service_fn(move |request| answer(request, Rc::clone(&last)));
            let serving = http1::Builder::new().serve_connection(TokioIo::new(connection), service);
            // A connection that breaks off is its client's affair.
            tokio::task::spawn_local(async move { _ = serving.await });
        }
    };
    tokio::task::LocalSet::new().run_until(serve).await
}

async fn answer(
    request: Request<Incoming>,
    last: Rc<RefCell<Last>>,
) -> Result<Answer, hyper::Error> {
    match (request.method(), request.uri().path()) {
        (&Method::POST, _) => {}
        (&Method::PUT, "/last") => *last.borrow_mut() = Last::Wanted,
        (&Method::GET, "/last") => {
            return Ok(match std::mem::take(&mut *last.borrow_mut()) {
                Last::Kept(kept) => kept_answer(kept),
                Last::Ignored | Last::Wanted => json(Bytes::new()),
            });
        }
        _ => {}
    }
    if request.method() != Method::POST {
        return Ok(json(Bytes::from_static(b"{}")));
    }
    let chunks = request.uri().query().and_then(chunks);
    read(request, &last).await?;
    Ok(match chunks {
        Some(chunks) => response("text/event-stream", Either::Right(Events::new(chunks))),
        None => json(Bytes::from_static(COMPLETION.as_bytes())),
    })
}

async fn read(request: Request<Incoming>, last: &RefCell<Last>) -> Result<(), hyper::Error> {
    let authorization = request.headers().get(AUTHORIZATION).cloned();
    let mut body = request.into_body();
    // Borrowed for a moment only: what follows waits for the client.
    if !matches!(*last.borrow(), Last::Wanted) {
        while body.frame().await.transpose()?.is_some() {}
        return Ok(());
    }
    let body = body.collect().await?.to_bytes();
    *last.borrow_mut() = Last::Kept(Kept { body, authorization });
    Ok(())
}

fn kept_answer(kept: Kept) -> Answer {
    let mut answer = json(kept.body);
    if let Some(value) = kept.authorization {
        answer.headers_mut().insert("x-last-authorization", value);
    }
    answer
}

fn chunks(query: &str) -> Option<u32> {
    query.split('&').find_map(|pair| pair.strip_prefix("chunks="))?.parse().ok()
}

fn json(body: Bytes) -> Answer {
    response("application/json", Either::Left(Full::new(body)))
}

fn response(content_type: &'static str, body: Either<Full<Bytes>, Events>) -> Answer {
    let mut response = Response::new(body);
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}
