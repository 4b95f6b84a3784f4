//! A provider that fails as the dice fall, and checks what reaches it.

use super::fate::Fate;
use super::ledger::Ledger;
use super::plan::Plan;
use super::{answer, arrival};
use crate::kit::random::Random;
use crate::kit::upstream::pipe::Pump;
use crate::kit::upstream::{Answer, Provider, Seen};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::time::{sleep, timeout};

/// The longest that a silent provider is to be waited for, on a busy machine.
const PATIENCE: Duration = Duration::from_secs(12);

/// What all the providers share.
pub(super) struct House {
    pub(super) seed: u64,
    pub(super) ledger: Arc<Ledger>,
    /// The providers fail no more.
    pub(super) at_peace: AtomicBool,
}

/// Starts one of the providers.
pub(super) fn start(house: &Arc<House>, provider: usize) -> Provider {
    let house = house.clone();
    Provider::answering(move |seen| {
        let house = house.clone();
        Box::pin(async move {
            let Some((plan, fate)) = house.receive(provider, &seen) else {
                return Answer::broken();
            };
            house.act(provider, &plan, fate).await
        })
    })
}

impl House {
    /// Notes and checks an attempt; `None` when it was cut, or belongs to no caller.
    fn receive(&self, provider: usize, seen: &Seen) -> Option<(Plan, Fate)> {
        if !seen.complete {
            self.ledger.tell("requests were cut on their way to a provider");
            return None;
        }
        let Some(plan) = Plan::of_body(self.seed, &seen.body) else {
            self.ledger.complain(format!("a body without a number: {} {}", seen.method, seen.path));
            return None;
        };
        for complaint in arrival::check(&plan, provider, seen) {
            self.ledger.complain(format!("{} at {provider}: {complaint}", plan.id));
        }
        let fate = self.ledger.visit(plan.id, provider, |visit| {
            match self.at_peace.load(Ordering::SeqCst) {
                true => Fate::Good,
                false => Fate::draw(self.seed, plan.id, provider, visit, plan.streams),
            }
        });
        self.ledger.tell(format!("attempts: {fate:?}"));
        Some((plan, fate))
    }

    /// Does to an attempt what its fate says.
    async fn act(self: &Arc<Self>, provider: usize, plan: &Plan, fate: Fate) -> Answer {
        let good = || answer::good(plan, provider);
        let pause = self.pause(plan, provider);
        match fate {
            Fate::Good => whole(plan, good()),
            Fate::Slow => {
                sleep(pause).await;
                whole(plan, good())
            }
            Fate::SlowBody => piped(plan, good(), move |pump, body| async move {
                sleep(pause).await;
                let _ = pump.push(body).await;
            }),
            Fate::Reset => Answer::broken().resetting(),
            Fate::Broken | Fate::HalfBody => broken(plan, good()),
            Fate::Unfinished => whole(plan, answer::unfinished(plan, provider)),
            Fate::Silent => {
                sleep(PATIENCE).await;
                self.ledger.complain(format!("{provider} was silent, and the gateway stayed"));
                Answer::broken()
            }
            Fate::SilentBody => {
                let ledger = self.ledger.clone();
                piped(plan, good(), move |pump, _| async move {
                    if timeout(PATIENCE, pump.closed()).await.is_err() {
                        ledger.complain(format!("{provider} was silent, and the gateway stayed"));
                    }
                })
            }
            _ => error(plan, provider, fate),
        }
    }

    /// How long a slow answer takes.
    fn pause(&self, plan: &Plan, provider: usize) -> Duration {
        let mut random = Random::of((self.seed, plan.id, provider, "pauses"));
        Duration::from_millis(20 + random.below(200) as u64)
    }
}

fn whole(plan: &Plan, body: Vec<u8>) -> Answer {
    if !plan.streams {
        let length = body.len().to_string();
        return Answer::new(200, "application/json", body).header("content-length", &length);
    }
    piped(plan, body, |pump, body| async move {
        for piece in body.chunks(97) {
            if pump.push(piece.to_vec()).await.is_err() {
                return;
            }
        }
    })
}

/// An answer whose head comes at once, and whose body as something else writes it.
fn piped<F: Future<Output = ()> + Send + 'static>(
    plan: &Plan,
    body: Vec<u8>,
    write: impl FnOnce(Pump, Vec<u8>) -> F,
) -> Answer {
    let kind = if plan.streams { "text/event-stream" } else { "application/json" };
    let (mut answer, pump) = Answer::piped(kind);
    if !plan.streams {
        answer = answer.header("content-length", &body.len().to_string());
    }
    tokio::spawn(write(pump, body));
    answer
}

/// Half of an answer: a body breaks off by a reset, a stream by an end before its last chunk. The
/// pause lets the half come through: a reset may overtake what was sent before it.
fn broken(plan: &Plan, body: Vec<u8>) -> Answer {
    let answer = piped(plan, body, |pump, mut body| async move {
        body.truncate(body.len() / 2);
        let _ = pump.push(body).await;
        sleep(Duration::from_millis(20)).await;
        pump.cut().await;
    });
    if plan.streams { answer } else { answer.resetting() }
}

fn error(plan: &Plan, provider: usize, fate: Fate) -> Answer {
    let body = answer::error(plan, provider, fate);
    let length = body.len().to_string();
    let status = fate.status().expect("an error");
    let answer = Answer::new(status, "application/json", body).header("content-length", &length);
    match fate.retry_after() {
        Some(secs) => answer.header("retry-after", &secs.to_string()),
        None => answer,
    }
}
