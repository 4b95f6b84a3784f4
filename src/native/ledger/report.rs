//! Sums of the ledger: by day, model, key, user or provider.

use serde::Serialize;
use serde_json::{Map, Value, json};

use super::day::Day;
use super::schema::Ledger;
use crate::native::database::{self, DatabaseError, listed, values};
use crate::pricing;
use crate::usage::Usage;

/// What sums are taken by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, clap::ValueEnum)]
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

    /// As a statement names the column: PostgreSQL has a word of its own for `user`.
    pub(crate) fn column(self) -> String {
        format!("\"{}\"", self.as_str())
    }

    /// Reads `day,model`.
    pub fn parse_list(text: &str) -> Result<Vec<Self>, String> {
        let all = [Self::Day, Self::Model, Self::Provider, Self::Key, Self::User];
        let one = |name: &str| {
            let found = all.into_iter().find(|group| group.as_str() == name);
            found.ok_or_else(|| format!("{name:?} is not one of day, model, provider, key, user"))
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
    pub fn report(&self, query: &Query) -> Result<Vec<Row>, DatabaseError> {
        let groups: Vec<_> = query.by.iter().map(|group| group.as_str()).collect();
        let names: Vec<_> = COUNTS.into_iter().chain(Usage::NAMES).collect();
        let sums = listed(names.iter().map(|name| format!("sum({name})")));
        let by = listed(query.by.iter().map(|group| group.column()));
        let (select, tail) = match groups.is_empty() {
            true => (String::new(), " HAVING count(*) > 0".to_owned()),
            false => (format!("{by}, "), format!(" GROUP BY {by} ORDER BY {by}")),
        };
        let sql = format!(
            "SELECT {select}{sums}, sum(cost_nanos) FROM days WHERE day BETWEEN ?1 AND ?2{tail}"
        );
        let row = |row: &database::Row| {
            let group = groups.iter().enumerate();
            let group = group.map(|(place, name)| Ok((*name, row.get(place)?)));
            let number = |place: usize| row.get(groups.len() + place);
            let sums = names.iter().enumerate();
            let sums = sums.map(|(place, name)| Ok(Column { name, value: number(place)? }));
            Ok(Row {
                group: group.collect::<Result<_, DatabaseError>>()?,
                sums: sums.collect::<Result<_, DatabaseError>>()?,
                cost_nanos: number(names.len())?,
            })
        };
        let days = values![query.since.to_string(), query.until.to_string()];
        self.connection.query(&sql, days)?.iter().map(row).collect()
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
    let sign = if nanos < 0 { "-" } else { "" };
    format!("{sign}{}", pricing::dollars(nanos.unsigned_abs(), 2))
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
