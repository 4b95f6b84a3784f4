//! Keeps LiteLLM's keys in step, for as long as the configuration names LiteLLM's database.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use tokio::select;
use tokio::sync::Mutex;
use tokio::task::spawn_blocking;
use tokio::time::sleep;

use super::source::Source;
use super::take::{Report, take};
use crate::native::control::{Control, Taking};
use crate::native::database::PostgresUrl;

/// How often LiteLLM's database is asked whether anything has changed.
const INTERVAL: Duration = Duration::from_secs(2);

/// The most lines about keys at a time.
const LINES_MAX: usize = 20;

/// Follows the keys. Never returns.
pub(crate) async fn follow(control: Arc<Control>, note: impl Fn(String)) -> Infallible {
    let shared = control.litellm.clone();
    let mut url = shared.url.subscribe();
    let mut state = State::default();
    loop {
        let now = url.borrow_and_update().clone();
        let Some(place) = now else {
            // An error would mean that the sender is gone, and `shared` holds the sender.
            let _ = url.changed().await;
            continue;
        };
        let failed = select! {
            problem = keep(&place, &control, &mut state, &note) => problem,
            _ = url.changed() => {
                state.mark.clear();
                continue;
            }
        };
        shared.asked.send_replace(true);
        if !state.is_away {
            note(format!("LiteLLM's keys serve as they were last read: {failed}"));
        }
        state.is_away = true;
        sleep(INTERVAL).await;
    }
}

#[derive(Default)]
struct State {
    /// Of what was read last.
    mark: String,
    is_away: bool,
    /// One reading is taken at a time: a reading of another database is not over when the configuration names this one.
    taking: Arc<Mutex<()>>,
    /// Why keys open nothing here, as it was said last.
    said: BTreeMap<String, String>,
}

/// Keeps the keys in step until something fails: what.
async fn keep(
    url: &PostgresUrl,
    control: &Arc<Control>,
    state: &mut State,
    note: &impl Fn(String),
) -> String {
    let source = match Source::connect(url).await {
        Ok(source) => source,
        Err(problem) => return problem,
    };
    loop {
        if let Err(problem) = look(&source, control, state, note).await {
            return problem;
        }
        if std::mem::take(&mut state.is_away) {
            note("LiteLLM's keys are in step again".to_owned());
        }
        control.litellm.asked.send_replace(true);
        sleep(INTERVAL).await;
    }
}

/// Reads the keys if anything has changed.
async fn look(
    source: &Source,
    control: &Arc<Control>,
    state: &mut State,
    note: &impl Fn(String),
) -> Result<(), String> {
    let mark = source.mark().await?;
    if !state.mark.is_empty() && mark == state.mark {
        return Ok(());
    }
    let tokens = source.tokens().await?;
    let own = Arc::clone(control);
    let turn = Arc::clone(&state.taking).lock_owned().await;
    let taken = spawn_blocking(move || {
        let report = take(&tokens, &own.store, Taking::InStep);
        drop(turn);
        report
    });
    let taken = taken.await;
    let report = taken.map_err(|error| error.to_string())??;
    control.feed.look();
    state.mark = mark;
    tell(&report, state, note);
    Ok(())
}

/// Says which keys open nothing here, and why, once for each reason.
fn tell(report: &Report, state: &mut State, note: &impl Fn(String)) {
    let mut left = 0;
    let mut lines = 0;
    for line in &report.keys {
        let Some(why) = &line.closed else {
            state.said.remove(&line.id);
            continue;
        };
        if state.said.insert(line.id.clone(), why.clone()).as_ref() == Some(why) {
            continue;
        }
        lines += 1;
        match lines <= LINES_MAX {
            true => note(format!(
                "warning: LiteLLM's key {} opens nothing that goes direct: {why}",
                line.id
            )),
            false => left += 1,
        }
    }
    if left > 0 {
        note(format!(
            "warning: {left} more of LiteLLM's keys open nothing that goes direct; `gaud key list` shows these keys as blocked"
        ));
    }
}
