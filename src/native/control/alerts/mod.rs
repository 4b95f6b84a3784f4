//! Alerts: who has spent 80 % of a budget, or all of the budget, is told once in each window.
//!
//! ```text
//! ledger ── look, each second ──> table of alerts ──┬─> a line of the log
//!                                                   └─> tell ──> the webhook, tried again for some minutes
//! ```
//!
//! The table outlives this process: a start neither repeats an alert nor forgets an alert that the webhook has not taken.

mod document;

use std::convert::Infallible;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::join;
use tokio::time::sleep;

use super::api::{Control, now_secs};
use super::error::ApiError;
use super::keys::Sums;
use super::store::{Alert, BudgetOwner, BudgetRow, Carried};
use crate::limits::Known;
use crate::native::ledger::{Group, Ledger};
use crate::native::render::system_ca_file;
use document::Words;

/// The parts of a budget that are told, in percent.
const PARTS: [u8; 2] = [80, 100];

/// How often the ledger is looked at. A look that takes long is followed by a longer pause.
const LOOK_INTERVAL: Duration = Duration::from_secs(1);
const PAUSE_FACTOR: u32 = 20;

/// How often a webhook is asked to take an alert: for five minutes in all.
const TRIES_MAX: u32 = 8;

/// A try is over after this time, and can be made again where its process is gone.
const TRY_SECS: i64 = 12;

/// The pause after the first try; each pause is twice as long as the pause before.
const RETRY_SECS: i64 = 1;

/// Looks and tells for as long as the control server serves; `log` gets a line for each alert.
pub async fn watch(control: Arc<Control>, log: impl Fn(String)) -> Infallible {
    let (never, _) = join!(look_on(&control, &log), tell_on(&control, &log));
    never
}

async fn look_on(control: &Control, log: &impl Fn(String)) -> Infallible {
    let mut look = Look::default();
    loop {
        let begin = Instant::now();
        // What fails now is tried again at the next look.
        let _ = look.take(control, log);
        sleep(LOOK_INTERVAL.max(begin.elapsed() * PAUSE_FACTOR)).await;
    }
}

/// What the last look has seen.
#[derive(Default)]
struct Look {
    ledger: Option<Ledger>,
    /// The ledger's version, the number of the last change of a key, and the day.
    seen: Option<(Option<i64>, u64, i64)>,
}

impl Look {
    /// Notes what is new.
    fn take(&mut self, control: &Control, log: &impl Fn(String)) -> Result<(), ApiError> {
        let ledger = match &mut self.ledger {
            Some(ledger) => ledger,
            none => none.insert(control.ledger()?),
        };
        let now_secs = now_secs();
        let day = now_secs / 86_400;
        let now = (ledger.version()?, control.store.feed()?.1, day);
        if self.seen == Some(now) && now.0.is_some() {
            return Ok(());
        }
        if self.seen.is_none_or(|(.., seen)| seen != day) {
            control.store.forget_alerts(now_secs)?;
        }
        let has_webhook = control.alerts.now().is_some();
        let mut sums = Sums::of(ledger, now_secs);
        for (budget, carried) in control.store.budgets()? {
            for alert in reached(&budget, carried, &mut sums) {
                if control.store.add_alert(&alert, has_webhook, now_secs)? {
                    log(control.words(&alert)?.line());
                }
            }
        }
        self.seen = Some(now);
        Ok(())
    }
}

/// The parts of a budget that are spent.
fn reached(budget: &BudgetRow, carried: Carried, sums: &mut Sums<'_>) -> Vec<Alert> {
    let group = match budget.owner {
        BudgetOwner::Key => Group::Key,
        BudgetOwner::User => Group::User,
    };
    let Known { period, spent_nanos } = sums.known_with(carried, group, &budget.id, budget.window);
    let hundredfold = u128::from(spent_nanos) * 100;
    let is_reached = |percent: &u8| hundredfold >= u128::from(budget.nanos) * u128::from(*percent);
    // A budget of nothing is used up before the first request, and nobody has to be told.
    let parts = PARTS.into_iter().filter(|_| budget.nanos > 0).filter(is_reached);
    let alert = |percent| Alert { budget: budget.clone(), period, percent, spent_nanos, tries: 0 };
    parts.map(alert).collect()
}

async fn tell_on(control: &Control, log: &impl Fn(String)) -> Infallible {
    loop {
        sleep(LOOK_INTERVAL).await;
        if control.alerts.now().is_none() {
            continue;
        }
        for alert in control.store.untold_alerts(TRIES_MAX, now_secs()).unwrap_or_default() {
            // Only the database can fail here, and is asked again.
            let _ = tell(control, &alert, log).await;
        }
    }
}

/// Asks the webhook to take an alert.
async fn tell(control: &Control, alert: &Alert, log: &impl Fn(String)) -> Result<(), ApiError> {
    let Some(webhook) = control.alerts.now() else { return Ok(()) };
    // Several gateways of one database tell each alert once.
    if !control.store.take_try(alert, now_secs() + TRY_SECS)? {
        return Ok(());
    }
    let document = control.words(alert)?.document().to_string();
    let ca_file = system_ca_file(true, &|name| std::env::var_os(name));
    let Err(problem) = webhook.send(document, &ca_file).await else {
        return Ok(control.store.note_told(alert, now_secs())?);
    };
    let pause_secs = RETRY_SECS << alert.tries.min(TRIES_MAX);
    control.store.put_off(alert, now_secs() + pause_secs)?;
    let said = match alert.tries + 1 {
        1 => "it is tried again",
        TRIES_MAX => "it is not tried again",
        _ => return Ok(()),
    };
    log(format!("the webhook of alerts.url has not taken an alert: {problem}; {said}"));
    Ok(())
}

impl Control {
    /// An alert with the names of its owner.
    fn words(&self, alert: &Alert) -> Result<Words, ApiError> {
        let BudgetRow { owner, id, .. } = &alert.budget;
        let (name, user) = match owner {
            BudgetOwner::Key => {
                let row = self.store.key(id)?;
                row.map(|row| (row.name, row.user)).unwrap_or_default()
            }
            BudgetOwner::User => {
                (self.store.user(id)?.map(|row| row.name).unwrap_or_default(), None)
            }
        };
        Ok(Words { alert: alert.clone(), name, user })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::Window;
    use crate::native::database::testing;

    const NOW_SECS: i64 = 1_795_968_000;

    #[test]
    fn what_was_spent_elsewhere_in_the_window_counts() {
        let ledger = Ledger::open(&testing::sqlite()).unwrap();
        let budget = BudgetRow {
            owner: BudgetOwner::Key,
            id: "k1".to_owned(),
            window: Window::Day,
            nanos: 100,
        };
        let parts = |nanos, at_secs: i64| {
            let carried = Carried { nanos, at_secs: at_secs.unsigned_abs() };
            let alerts = reached(&budget, carried, &mut Sums::of(&ledger, NOW_SECS));
            alerts.iter().map(|alert| (alert.percent, alert.spent_nanos)).collect::<Vec<_>>()
        };
        assert_eq!(parts(79, NOW_SECS), []);
        assert_eq!(parts(80, NOW_SECS), [(80, 80)]);
        assert_eq!(parts(101, NOW_SECS), [(80, 101), (100, 101)]);
        assert_eq!(parts(101, NOW_SECS - 2 * 86_400), [], "that window is over");
    }
}
