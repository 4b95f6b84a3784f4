//! Sums of the ledger: by day, model, key, user or provider.

use rusqlite::params;
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::day::Day;
use super::schema::{Ledger, LedgerError};
use crate::usage::Usage;

/// What sums are taken by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Group {
    Day,
    Model,
    Provider,
    Key,
    User,
}

/// Which sums.
#[derive(Debug, Clone)]
pub struct Query {
    pub by: Vec<Group>,
    /// The first day.
    pub since: Day,
    /// The last day.
    pub until: Day,
}

/// A column of numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Column {
    pub name: &'static str,
    pub value: i64,
}

/// The sums of one group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// The group: by name and value.
    pub group: Vec<(&'static str, String)>,
    pub sums: Vec<Column>,
    /// Nano-dollars.
    pub cost_nanos: i64,
}

/// The sums before the amounts.
const COUNTS: [&str; 4] = ["attempts", "failed", "guessed", "unpriced"];

impl Group {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Day => "day",
            Self::Model => "model",
            Self::Provider => "provider",
            Self::Key => "key",
            Self::User => "user",
        }
    }

    /// Reads `day,model`.
    pub fn parse_list(text: &str) -> Result<Vec<Self>, String> {
        let all = [Self::Day, Self::Model, Self::Provider, Self::Key, Self::User];
        let one = |name: &str| {
            let found = all.into_iter().find(|group| group.as_str() == name);
            found.ok_or_else(|| format!("{name:?} is none of day, model, provider, key, user"))
        };
        text.split(',').map(|name| one(name.trim())).collect()
    }
}

/// The first day that is meant by `2026-11-01`, or by `7d`, the last seven days.
pub(in crate::native) fn since(text: &str, today: Day) -> Result<Day, String> {
    match text.strip_suffix('d').map(str::parse::<u64>) {
        Some(Ok(days)) => Ok(today.before(days.saturating_sub(1))),
        _ => text.parse().map_err(|_| {
            format!("{text:?} is neither a day as 2026-11-01 nor a number of days as 7d")
        }),
    }
}

impl Ledger {
    /// The sums, in the order of their groups; those of more than one row for each group are added.
    pub fn report(&self, query: &Query) -> Result<Vec<Row>, LedgerError> {
        let groups: Vec<_> = query.by.iter().map(|group| group.as_str()).collect();
        let names: Vec<_> = COUNTS.into_iter().chain(Usage::NAMES).collect();
        let sums: Vec<_> = names.iter().map(|name| format!("sum({name})")).collect();
        let by = groups.join(", ");
        let (select, tail) = match groups.is_empty() {
            true => (String::new(), " HAVING count(*) > 0".to_owned()),
            false => (format!("{by}, "), format!(" GROUP BY {by} ORDER BY {by}")),
        };
        let sql = format!(
            "SELECT {select}{}, sum(cost_nanos) FROM days WHERE day BETWEEN ?1 AND ?2{tail}",
            sums.join(", ")
        );
        let mut statement = self.connection.prepare(&sql)?;
        let row = |row: &rusqlite::Row<'_>| {
            let group: Result<Vec<_>, rusqlite::Error> = groups
                .iter()
                .enumerate()
                .map(|(place, name)| Ok((*name, row.get::<_, String>(place)?)))
                .collect();
            let number = |place: usize| row.get::<_, i64>(groups.len() + place);
            let sums: Result<Vec<_>, rusqlite::Error> = names
                .iter()
                .enumerate()
                .map(|(place, name)| Ok(Column { name, value: number(place)? }))
                .collect();
            Ok(Row { group: group?, sums: sums?, cost_nanos: number(names.len())? })
        };
        let days = params![query.since.to_string(), query.until.to_string()];
        let rows = statement.query_map(days, row)?.collect::<Result<_, _>>()?;
        Ok(rows)
    }
}

impl Row {
    /// As `/admin/usage` and `gaud usage --format json` have it.
    pub fn json(&self) -> Value {
        let mut row = Map::new();
        row.extend(self.group.iter().map(|(name, value)| ((*name).to_owned(), json!(value))));
        row.extend(self.sums.iter().map(|sum| (sum.name.to_owned(), json!(sum.value))));
        row.insert("cost_nanos".to_owned(), json!(self.cost_nanos));
        row.insert("cost_usd".to_owned(), json!(dollars(self.cost_nanos)));
        Value::Object(row)
    }

    /// A sum by its name.
    pub fn sum(&self, name: &str) -> i64 {
        self.sums.iter().find(|sum| sum.name == name).map_or(0, |sum| sum.value)
    }
}

/// Dollars, as a decimal number with at least two places.
pub(in crate::native) fn dollars(nanos: i64) -> String {
    const DOLLAR: u64 = 1_000_000_000;
    let sign = if nanos < 0 { "-" } else { "" };
    let nanos = nanos.unsigned_abs();
    let mut fraction = format!("{:09}", nanos % DOLLAR);
    while fraction.len() > 2 && fraction.ends_with('0') {
        fraction.pop();
    }
    format!("{sign}{}.{fraction}", nanos / DOLLAR)
}

/// The whole report, with what it is of.
#[derive(Serialize)]
pub(in crate::native) struct Report {
    since: String,
    until: String,
    by: Vec<&'static str>,
    rows: Vec<Value>,
}

impl Report {
    pub(in crate::native) fn of(query: &Query, rows: &[Row]) -> Self {
        Self {
            since: query.since.to_string(),
            until: query.until.to_string(),
            by: query.by.iter().map(|group| group.as_str()).collect(),
            rows: rows.iter().map(Row::json).collect(),
        }
    }
}
