//! Hears of changes that other processes have made.

use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use tokio::time::{sleep, timeout};
use tokio_postgres::AsyncMessage;

use super::{CHANNEL, PostgresUrl, connect};

/// How long a connection that has ended is left alone.
const PAUSE: Duration = Duration::from_millis(500);

/// How often a quiet connection is asked whether the connection lives.
const CHECK_INTERVAL: Duration = Duration::from_secs(5);

/// Calls `changed` after each change, and whenever a change may have been missed. Never returns.
pub(crate) async fn listen(url: PostgresUrl, changed: impl Fn()) {
    loop {
        hear(&url, &changed).await;
        changed();
        sleep(PAUSE).await;
    }
}

/// Returns when the connection has ended.
async fn hear(url: &PostgresUrl, changed: &impl Fn()) {
    let Ok((client, mut wire)) = connect(url).await else { return };
    let mut messages = pin!(poll_fn(|context| loop {
        match wire.poll_message(context) {
            Poll::Ready(Some(Ok(AsyncMessage::Notification(_)))) => changed(),
            Poll::Ready(Some(Ok(_))) => {}
            Poll::Ready(Some(Err(_)) | None) => return Poll::Ready(()),
            Poll::Pending => return Poll::Pending,
        }
    }));
    let listened = format!("LISTEN {CHANNEL}");
    let asks = async {
        if client.batch_execute(&listened).await.is_err() {
            return;
        }
        // What was changed before the channel was heard.
        changed();
        loop {
            sleep(CHECK_INTERVAL).await;
            match timeout(CHECK_INTERVAL, client.batch_execute("")).await {
                Ok(Ok(())) => {}
                _ => return,
            }
        }
    };
    tokio::select! {
        () = &mut messages => {}
        () = asks => {}
    }
}
