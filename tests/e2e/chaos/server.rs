//! A provider that fails as the dice fall, and checks what reaches it.

use super::fate::Fate;
use super::ledger::Ledger;
use super::plan::Plan;
use super::wire::{Received, Wire};
use super::{HTTP2, act, arrival, server2};
use crate::harness::runtime;
use crate::upstream::raw::Closed;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Handle;
use tokio::sync::watch;

/// One of the providers.
pub(super) struct Server {
    port: Closed,
    thread: Handle,
    house: Arc<House>,
    /// Whether it is away.
    away: watch::Sender<bool>,
}

/// What its connections share.
pub(super) struct House {
    pub(super) seed: u64,
    pub(super) provider: usize,
    pub(super) ledger: Arc<Ledger>,
    at_peace: AtomicBool,
    connections: AtomicUsize,
}

impl Server {
    pub(super) fn start(seed: u64, provider: usize, ledger: &Arc<Ledger>) -> Self {
        let house = House {
            seed,
            provider,
            ledger: ledger.clone(),
            at_peace: AtomicBool::new(false),
            connections: AtomicUsize::new(0),
        };
        let away = watch::Sender::new(true);
        let server =
            Self { port: Closed::bind(), thread: runtime::new(), house: Arc::new(house), away };
        server.open();
        server
    }

    pub(super) fn url(&self) -> String {
        self.port.url()
    }

    /// Takes connections.
    pub(super) fn open(&self) {
        let listener = TcpListener::bind(self.port.addr());
        let listener = runtime::run_on(&self.thread, "the port", listener).expect("the port");
        self.away.send_replace(false);
        self.thread.spawn(serve(listener, self.house.clone(), self.away.subscribe()));
    }

    /// Refuses connections, and ends those it has between two requests.
    pub(super) fn close(&self) {
        self.away.send_replace(true);
        let gone = || std::net::TcpStream::connect(self.addr()).is_err();
        crate::harness::wait::until_true("a closed port", gone);
    }

    /// Fails no more.
    pub(super) fn make_peace(&self) {
        self.house.at_peace.store(true, Ordering::SeqCst);
    }

    /// How many connections are open.
    pub(super) fn connections(&self) -> usize {
        self.house.connections.load(Ordering::SeqCst)
    }

    fn addr(&self) -> SocketAddr {
        self.port.addr()
    }
}

async fn serve(listener: TcpListener, house: Arc<House>, away: watch::Receiver<bool>) {
    let mut end = away.clone();
    let accept = async {
        loop {
            if let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(count(stream, house.clone(), away.clone()));
            }
        }
    };
    tokio::select! {
        () = accept => {}
        _ = end.wait_for(|away| *away) => {}
    }
}

async fn count(stream: TcpStream, house: Arc<House>, away: watch::Receiver<bool>) {
    let _ = stream.set_nodelay(true);
    house.connections.fetch_add(1, Ordering::SeqCst);
    if house.provider == HTTP2 {
        server2::connection(stream, house.clone(), away).await;
    } else {
        connection(Wire::new(stream), &house, away).await;
    }
    house.connections.fetch_sub(1, Ordering::SeqCst);
}

/// Answers one request after another, until one of them costs the connection.
async fn connection(mut wire: Wire, house: &House, mut away: watch::Receiver<bool>) {
    loop {
        let begins = tokio::select! {
            begins = wire.begins() => begins,
            _ = away.wait_for(|away| *away) => false,
        };
        if !begins {
            return;
        }
        let Ok(received) = wire.request().await else {
            return house.ledger.tell("requests were cut on their way to a provider");
        };
        let Some((plan, fate)) = house.receive(&received) else { return };
        if !act::act(&mut wire, house, &plan, fate).await.unwrap_or(false) {
            return;
        }
    }
}

impl House {
    /// Notes and checks an attempt; `None` when it is nobody's.
    pub(super) fn receive(&self, received: &Received) -> Option<(Plan, Fate)> {
        let Some(plan) = Plan::of_body(self.seed, &received.body) else {
            self.ledger.complain(format!("a body without a number: {}", received.line));
            return None;
        };
        for complaint in arrival::check(&plan, self.provider, received) {
            self.ledger.complain(format!("{} at {}: {complaint}", plan.id, self.provider));
        }
        let fate = self.ledger.visit(plan.id, self.provider, |visit| match self.at_peace() {
            true => Fate::Good,
            false => Fate::draw(self.seed, plan.id, self.provider, visit, plan.streams),
        });
        self.ledger.tell(format!("attempts: {fate:?}"));
        Some((plan, fate))
    }

    fn at_peace(&self) -> bool {
        self.at_peace.load(Ordering::SeqCst)
    }
}
