//! How a provider does to an attempt what its fate says.

use super::answer;
use super::dice::Dice;
use super::fate::Fate;
use super::plan::Plan;
use super::server::House;
use super::wire::Wire;
use std::time::Duration;
use tokio::io::{self, AsyncWriteExt};
use tokio::time::{sleep, timeout};

/// The longest that a silent provider is to be waited for, on a busy machine.
pub(super) const PATIENCE: Duration = Duration::from_secs(12);

/// Answers; `true` when the connection can take another request.
pub(super) async fn act(
    wire: &mut Wire,
    house: &House,
    plan: &Plan,
    fate: Fate,
) -> io::Result<bool> {
    let while_ = pause(house, plan);
    match fate {
        Fate::Good => good(wire, house, plan).await,
        Fate::Slow => {
            sleep(while_).await;
            good(wire, house, plan).await
        }
        Fate::SlowBody => {
            let (head, body) = parts(plan, answer::good(plan, house.provider));
            wire.stream.write_all(&head).await?;
            sleep(while_).await;
            send_body(wire, &body).await
        }
        Fate::Reset => reset(wire),
        Fate::Broken => broken(wire, house, plan).await,
        Fate::Unfinished => {
            let (head, body) = parts(plan, answer::unfinished(plan, house.provider));
            wire.stream.write_all(&head).await?;
            send_body(wire, &body).await
        }
        Fate::Silent => wait_for_end(wire, house, &[]).await,
        Fate::SilentBody => {
            let (head, _) = parts(plan, answer::good(plan, house.provider));
            wait_for_end(wire, house, &head).await
        }
        _ => error(wire, house, plan, fate).await,
    }
}

/// How long a slow answer takes.
pub(super) fn pause(house: &House, plan: &Plan) -> Duration {
    let mut dice = Dice::of((house.seed, plan.id, house.provider, "pauses"));
    Duration::from_millis(20 + dice.below(200))
}

async fn good(wire: &mut Wire, house: &House, plan: &Plan) -> io::Result<bool> {
    let (head, body) = parts(plan, answer::good(plan, house.provider));
    wire.stream.write_all(&[head, body].concat()).await?;
    Ok(true)
}

async fn send_body(wire: &mut Wire, body: &[u8]) -> io::Result<bool> {
    let (first, second) = body.split_at(body.len() / 2);
    for piece in [first, second] {
        wire.stream.write_all(piece).await?;
        tokio::task::yield_now().await;
    }
    Ok(true)
}

/// Says nothing more until it is left alone: its caller has gone on to another.
async fn wait_for_end(wire: &mut Wire, house: &House, head: &[u8]) -> io::Result<bool> {
    wire.stream.write_all(head).await?;
    if timeout(PATIENCE, wire.drain()).await.is_err() {
        house.ledger.complain(format!("{} was silent, and nobody left", house.provider));
    }
    Ok(false)
}

fn reset(wire: &Wire) -> io::Result<bool> {
    wire.stream.set_zero_linger()?;
    Ok(false)
}

/// The pause lets the first half come through: a reset may overtake what was sent before it.
async fn broken(wire: &mut Wire, house: &House, plan: &Plan) -> io::Result<bool> {
    let (head, body) = parts(plan, answer::good(plan, house.provider));
    wire.stream.write_all(&[&head, &body[..body.len() / 2]].concat()).await?;
    sleep(Duration::from_millis(20)).await;
    if plan.streams { Ok(false) } else { reset(wire) }
}

async fn error(wire: &mut Wire, house: &House, plan: &Plan, fate: Fate) -> io::Result<bool> {
    let body = answer::error(plan, house.provider, fate);
    let status = fate.status().expect("an error");
    let mut head = format!(
        "HTTP/1.1 {status} Error\r\ncontent-type: application/json\r\ncontent-length: {}\r\n",
        body.len()
    );
    if let Some(secs) = fate.retry_after() {
        head += &format!("retry-after: {secs}\r\n");
    }
    wire.stream.write_all(&[format!("{head}\r\n").as_bytes(), &body].concat()).await?;
    Ok(true)
}

/// The head and the framed body of a 200.
fn parts(plan: &Plan, body: Vec<u8>) -> (Vec<u8>, Vec<u8>) {
    let (kind, framing, body) = if plan.streams {
        ("text/event-stream", "transfer-encoding: chunked".to_owned(), chunked(&body))
    } else {
        ("application/json", format!("content-length: {}", body.len()), body)
    };
    let head = format!("HTTP/1.1 200 OK\r\ncontent-type: {kind}\r\n{framing}\r\n\r\n");
    (head.into_bytes(), body)
}

fn chunked(body: &[u8]) -> Vec<u8> {
    let chunk =
        |piece: &[u8]| [format!("{:x}\r\n", piece.len()).as_bytes(), piece, b"\r\n"].concat();
    let mut all: Vec<u8> = body.chunks(97).flat_map(chunk).collect();
    all.extend(b"0\r\n\r\n");
    all
}
