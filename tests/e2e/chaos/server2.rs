//! The same fates over HTTP/2: resets are those of a stream.

use super::act::{PATIENCE, pause};
use super::answer;
use super::fate::Fate;
use super::plan::Plan;
use super::server::House;
use super::wire::Received;
use crate::upstream::pipe::Broken;
use http_body_util::BodyExt;
use hyper::body::{Body, Bytes, Frame, Incoming};
use hyper::server::conn::http2::Builder;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo};
use std::collections::VecDeque;
use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::{Sleep, sleep};

/// A body that takes its time, and may break.
struct Steps(VecDeque<Step>);

enum Step {
    Send(Vec<u8>),
    Wait(Pin<Box<Sleep>>),
    Break,
}

pub(super) async fn connection(
    stream: TcpStream,
    house: Arc<House>,
    mut away: watch::Receiver<bool>,
) {
    let service = service_fn(move |request| respond(request, house.clone()));
    let connection = Builder::new(TokioExecutor::new());
    let mut connection = pin!(connection.serve_connection(TokioIo::new(stream), service));
    tokio::select! {
        _ = &mut connection => return,
        _ = away.wait_for(|away| *away) => connection.as_mut().graceful_shutdown(),
    }
    let _ = connection.await;
}

/// An error resets the stream.
async fn respond(request: Request<Incoming>, house: Arc<House>) -> Result<Response<Steps>, Broken> {
    let received = receive(request).await.inspect_err(|_| {
        house.ledger.tell("requests were cut on their way to a provider");
    })?;
    let (plan, fate) = house.receive(&received).ok_or(Broken)?;
    match fate {
        Fate::Reset => return Err(Broken),
        Fate::Slow => sleep(pause(&house, &plan)).await,
        Fate::Silent => {
            sleep(PATIENCE).await;
            house.ledger.complain(format!("{} was silent, and nobody left", house.provider));
        }
        _ => {}
    }
    Ok(response(&house, &plan, fate))
}

async fn receive(request: Request<Incoming>) -> Result<Received, Broken> {
    let (head, body) = request.into_parts();
    let path = head.uri.path_and_query().map_or("", |path| path.as_str());
    let header = |(name, value): (&hyper::header::HeaderName, &hyper::header::HeaderValue)| {
        (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned())
    };
    let body = body.collect().await.map_err(|_| Broken)?.to_bytes().to_vec();
    let line = format!("{} {path} HTTP/1.1", head.method);
    Ok(Received { line, headers: head.headers.iter().map(header).collect(), body, is_http2: true })
}

fn response(house: &House, plan: &Plan, fate: Fate) -> Response<Steps> {
    let is_error = fate.status().is_some();
    let body = match fate {
        _ if is_error => answer::error(plan, house.provider, fate),
        Fate::Unfinished => answer::unfinished(plan, house.provider),
        _ => answer::good(plan, house.provider),
    };
    let streams = plan.streams && !is_error;
    let kind = if streams { "text/event-stream" } else { "application/json" };
    let mut head = Response::builder().status(fate.status().unwrap_or(200));
    head = head.header("content-type", kind);
    if !streams {
        head = head.header("content-length", body.len());
    }
    if let Some(secs) = fate.retry_after() {
        head = head.header("retry-after", secs);
    }
    head.body(Steps(steps(house, plan, fate, body).into())).expect("a response")
}

fn steps(house: &House, plan: &Plan, fate: Fate, mut body: Vec<u8>) -> Vec<Step> {
    let wait = |time: Duration| Step::Wait(Box::pin(sleep(time)));
    match fate {
        Fate::SlowBody => vec![wait(pause(house, plan)), Step::Send(body)],
        Fate::SilentBody => vec![wait(PATIENCE), Step::Break],
        Fate::Broken => {
            body.truncate(body.len() / 2);
            vec![Step::Send(body), wait(Duration::from_millis(20)), Step::Break]
        }
        _ => body.chunks(997).map(|piece| Step::Send(piece.to_vec())).collect(),
    }
}

impl Body for Steps {
    type Data = Bytes;
    type Error = Broken;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Broken>>> {
        if let Some(Step::Wait(time)) = self.0.front_mut() {
            ready!(time.as_mut().poll(context));
            self.0.pop_front();
        }
        Poll::Ready(match self.0.pop_front() {
            Some(Step::Send(bytes)) => Some(Ok(Frame::data(bytes.into()))),
            Some(Step::Break | Step::Wait(_)) => Some(Err(Broken)),
            None => None,
        })
    }
}
