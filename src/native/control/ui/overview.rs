//! The first page: traffic, spend, and how the providers are.

use axum::extract::State;
use serde::Serialize;

use super::chart::Chart;
use super::error::PageResult;
use super::page::page;
use super::providers::Gateway;
use super::template::rounded;
use super::usage::{Sums, is_metered, short};
use super::visit::Admin;
use crate::native::control::api::{Shared, now_secs, today};
use crate::native::ledger::{Day, Group, Percentiles, Query, Recent};

/// The days of the chart, and of the last column.
const DAYS: u64 = 30;

#[derive(Serialize)]
struct Overview {
    hour: Recent,
    today: Sums,
    month: Sums,
    /// Of the hour, of today, and of the month.
    durations: [Percentiles; 3],
    chart: Option<Chart>,
    /// The days that have usage: the numbers of the chart.
    days: Vec<Sums>,
    gateway: Gateway,
    is_metered: bool,
    envoy: String,
    version: &'static str,
    file: Option<String>,
}

pub(super) async fn show(State(control): Shared, admin: Admin) -> PageResult {
    let gateway = Gateway::ask(&control).await;
    let ledger = control.ledger()?;
    let (until, since) = (today(), today().before(DAYS - 1));
    let hour = ledger.recent(now_secs().saturating_sub(3600).saturating_mul(1000))?;
    let rows = ledger.report(&Query { by: vec![Group::Day], since, until })?;
    let days: Vec<Sums> = rows.iter().map(Sums::of).collect();
    let of_day = |day: Day| days.iter().find(|sums| sums.name == day.to_string());
    let cost = |number: u64| {
        let day = since.after(number);
        (short(&day.to_string()), of_day(day).map_or(0, |sums| sums.cost_nanos))
    };
    let costs: Vec<_> = (0..DAYS).map(cost).collect();
    let of_days = |first: Day| ledger.durations(first, until);
    let durations = [hour.durations, of_days(until)?, of_days(since)?];
    let file = control.config.as_ref().map(|config| config.path().display().to_string());
    let overview = Overview {
        hour,
        today: of_day(until).cloned().unwrap_or_default(),
        month: days.iter().sum(),
        durations,
        chart: Chart::of(&costs, &rounded),
        days,
        gateway,
        is_metered: is_metered(&control),
        envoy: control.envoy().unwrap_or("none").to_owned(),
        version: env!("CARGO_PKG_VERSION"),
        file,
    };
    page(&control, &admin, "overview.html", "Overview", &overview)
}
