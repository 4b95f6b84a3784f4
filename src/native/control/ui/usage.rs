//! What was used, and what it cost: the sums of the ledger's days.

use std::iter::Sum;

use axum::extract::State;
use axum::http::Uri;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::IntoResponse;
use serde::Serialize;

use super::chart::Chart;
use super::error::PageResult;
use super::form::Form;
use super::page::page;
use super::template::{grouped, rounded};
use super::visit::Admin;
use crate::native::control::api::{Control, Shared, today};
use crate::native::control::error::ApiError;
use crate::native::ledger::{self, Group, Query, Row, since};

const GROUPS: [Group; 5] = [Group::Day, Group::Model, Group::Key, Group::Provider, Group::User];
const SPANS: [(&str, &str); 4] =
    [("1d", "Today"), ("7d", "7 days"), ("30d", "30 days"), ("90d", "90 days")];

/// What a chart shows: the name in the query, and the name on the page.
const MEASURES: [(&str, &str); 3] =
    [("cost", "Cost"), ("tokens", "Tokens"), ("attempts", "Attempts")];

/// The most bars of a chart that is not of days.
const BARS_MAX: usize = 24;

/// The most rows of a page; the file has all.
const ROWS_MAX: usize = 500;

#[derive(Serialize)]
struct Usage {
    by: &'static str,
    since: String,
    measure: &'static str,
    groups: Vec<&'static str>,
    spans: [(&'static str, &'static str); 4],
    measures: [(&'static str, &'static str); 3],
    chart: Option<Chart>,
    chart_title: String,
    rows: Vec<Sums>,
    more_rows: usize,
    total: Sums,
    is_metered: bool,
}

/// The sums of a row, or of all rows.
#[derive(Clone, Default, Serialize)]
pub(super) struct Sums {
    pub(super) name: String,
    pub(super) attempts: i64,
    pub(super) failed: i64,
    pub(super) guessed: i64,
    pub(super) unpriced: i64,
    pub(super) input: i64,
    pub(super) cached: i64,
    pub(super) output: i64,
    pub(super) cost_nanos: i64,
}

impl Sums {
    pub(super) fn of(row: &Row) -> Self {
        let name = row.group.first().map(|(_, value)| value.clone()).unwrap_or_default();
        Self {
            name,
            attempts: row.sum("attempts"),
            failed: row.sum("failed"),
            guessed: row.sum("guessed"),
            unpriced: row.sum("unpriced"),
            input: row.sum("input"),
            cached: row.sum("cached"),
            output: row.sum("output"),
            cost_nanos: row.cost_nanos,
        }
    }

    fn measured(&self, measure: &str) -> i64 {
        match measure {
            "tokens" => self.input + self.output,
            "attempts" => self.attempts,
            _ => self.cost_nanos,
        }
    }
}

impl<'a> Sum<&'a Self> for Sums {
    /// The sums of all rows, without a name.
    fn sum<I: Iterator<Item = &'a Self>>(rows: I) -> Self {
        rows.fold(Self::default(), |sum, row| Self {
            name: String::new(),
            attempts: sum.attempts + row.attempts,
            failed: sum.failed + row.failed,
            guessed: sum.guessed + row.guessed,
            unpriced: sum.unpriced + row.unpriced,
            input: sum.input + row.input,
            cached: sum.cached + row.cached,
            output: sum.output + row.output,
            cost_nanos: sum.cost_nanos + row.cost_nanos,
        })
    }
}

/// Whether requests are recorded now; usage of before may be there all the same.
pub(super) fn is_metered(control: &Control) -> bool {
    control.loaded().is_some_and(|loaded| loaded.gateway.records)
}

pub(super) async fn show(State(control): Shared, admin: Admin, uri: Uri) -> PageResult {
    let asked = Form::parse(uri.query().unwrap_or_default());
    let query = read(&asked)?;
    let by = query.by.first().copied().unwrap_or(Group::Day);
    let (measure, measure_name) =
        *MEASURES.iter().find(|(name, _)| *name == asked.text("show")).unwrap_or(&MEASURES[0]);
    let mut rows: Vec<Sums> = control.ledger()?.report(&query)?.iter().map(Sums::of).collect();
    let total = rows.iter().sum();
    if by != Group::Day {
        rows.sort_by_key(|row| std::cmp::Reverse(row.measured(measure)));
    }
    let written = |value| if measure == "cost" { rounded(value) } else { grouped(value) };
    let chart = Chart::of(&bars(by, &query, &rows, measure), &written);
    let more_rows = rows.len().saturating_sub(ROWS_MAX);
    rows.truncate(ROWS_MAX);
    let usage = Usage {
        by: by.as_str(),
        since: asked.filled("since").unwrap_or(SPANS[2].0).to_owned(),
        measure,
        groups: GROUPS.map(Group::as_str).to_vec(),
        spans: SPANS,
        measures: MEASURES,
        chart,
        chart_title: format!("{measure_name} by {}", by.as_str()),
        rows,
        more_rows,
        total,
        is_metered: is_metered(&control),
    };
    page(&control, &admin, "usage.html", "Usage", &usage)
}

/// Each day of the span has a bar; of other groups the largest have one.
fn bars(by: Group, query: &Query, rows: &[Sums], measure: &str) -> Vec<(String, i64)> {
    let pair = |row: &Sums| (row.name.clone(), row.measured(measure));
    if by != Group::Day {
        return rows.iter().take(BARS_MAX).map(pair).collect();
    }
    let mut days = Vec::new();
    let mut day = query.since;
    while day <= query.until {
        let name = day.to_string();
        let value = rows.iter().find(|row| row.name == name).map_or(0, |row| row.measured(measure));
        days.push((short(&name), value));
        day = day.after(1);
    }
    days
}

/// A day without its year, for a label.
pub(super) fn short(day: &str) -> String {
    day.split_once('-').map_or(day, |(_, rest)| rest).to_owned()
}

pub(super) async fn csv(State(control): Shared, _admin: Admin, uri: Uri) -> PageResult {
    let query = read(&Form::parse(uri.query().unwrap_or_default()))?;
    let rows = control.ledger()?.report(&query)?;
    let name = format!("attachment; filename=\"usage-{}-{}.csv\"", query.since, query.until);
    let heads = [(CONTENT_TYPE, "text/csv; charset=utf-8".to_owned()), (CONTENT_DISPOSITION, name)];
    Ok((heads, ledger::csv(&query, &rows)).into_response())
}

fn read(asked: &Form) -> Result<Query, ApiError> {
    let wrong = |problem: String| ApiError::bad_request(format!("{problem}."));
    let by = Group::parse_list(asked.filled("by").unwrap_or("day")).map_err(wrong)?;
    let until = today();
    let since = since(asked.filled("since").unwrap_or(SPANS[2].0), until).map_err(wrong)?;
    Ok(Query { by: by.into_iter().take(1).collect(), since: since.max(until.before(366)), until })
}
