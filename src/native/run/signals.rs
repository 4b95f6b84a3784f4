//! Being asked to stop, or to read the configuration again.

use std::future::pending;
use std::io::{self, IsTerminal};

use tokio::select;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// The signals that ask for a clean end. A hangup is one of them where a terminal is this program's input: a terminal that
/// is closed would otherwise end this process alone, and leave Envoy running.
pub(crate) struct Stop {
    interrupt: Signal,
    terminate: Signal,
    hangup: Option<Signal>,
}

/// The signal that asks a program without a terminal to read its configuration again.
pub(crate) struct Reread(Option<Signal>);

/// From here on none of these signals ends the process at once.
pub(crate) fn listen() -> io::Result<(Stop, Reread)> {
    let hangup = signal(SignalKind::hangup())?;
    let (ends, rereads) =
        if io::stdin().is_terminal() { (Some(hangup), None) } else { (None, Some(hangup)) };
    let stop = Stop {
        interrupt: signal(SignalKind::interrupt())?,
        terminate: signal(SignalKind::terminate())?,
        hangup: ends,
    };
    Ok((stop, Reread(rereads)))
}

impl Stop {
    /// Returns when a signal has come.
    pub(crate) async fn asked(&mut self) {
        select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
            () = received(self.hangup.as_mut()) => {}
        }
    }
}

impl Reread {
    /// Returns when the signal has come.
    pub(super) async fn asked(&mut self) {
        received(self.0.as_mut()).await;
    }
}

async fn received(signal: Option<&mut Signal>) {
    match signal {
        Some(signal) => _ = signal.recv().await,
        None => pending().await,
    }
}
