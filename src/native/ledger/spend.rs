//! What keys and users have spent, and the attempts that have cost it.

use std::collections::BTreeMap;

use rusqlite::types::Value;
use rusqlite::{params, params_from_iter};

use super::day::Day;
use super::report::Group;
use super::requests::{AttemptRow, COLUMNS, attempt_row};
use super::schema::{Ledger, LedgerError};

/// Which attempts; `None` is any.
#[derive(Debug, Clone, Default)]
pub struct AttemptFilter {
    /// The key's public id.
    pub key: Option<String>,
    pub user: Option<String>,
    /// The name of the request.
    pub request: Option<String>,
    /// The first day, and the last.
    pub days: Option<(Day, Day)>,
    /// The most attempts, from the last one on.
    pub limit: usize,
}

/// What a day's requests of a key or a user have cost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DaySpend {
    pub day: String,
    pub key: String,
    pub user: String,
    pub model: String,
    pub cost_nanos: i64,
}

impl Ledger {
    /// What a key or a user has spent, in nano-dollars. Only [`Group::Key`] and [`Group::User`] have an index.
    pub fn spend(&self, of: Group, id: &str) -> Result<i64, LedgerError> {
        let sql =
            format!("SELECT coalesce(sum(cost_nanos), 0) FROM days WHERE {} = ?1", of.as_str());
        Ok(self.connection.query_row(&sql, params![id], |row| row.get(0))?)
    }

    /// What each key, or each user, has spent from a day on, in nano-dollars.
    pub fn spent(&self, of: Group, since: Day) -> Result<BTreeMap<String, i64>, LedgerError> {
        let name = of.as_str();
        let sql =
            format!("SELECT {name}, sum(cost_nanos) FROM days WHERE day >= ?1 GROUP BY {name}");
        let mut statement = self.connection.prepare(&sql)?;
        let rows = statement
            .query_map([since.to_string()], |row| Ok((row.get(0)?, row.get(1)?)))?
            .collect::<Result<_, _>>()?;
        Ok(rows)
    }

    /// The attempts that are kept, the last one first.
    pub fn attempts(&self, filter: &AttemptFilter) -> Result<Vec<AttemptRow>, LedgerError> {
        let (condition, mut values) = filter.condition("begun_ms");
        values.push(Value::Integer(i64::try_from(filter.limit).unwrap_or(i64::MAX)));
        let sql = format!(
            "SELECT {COLUMNS} FROM attempts WHERE {condition} ORDER BY begun_ms DESC, request, attempt LIMIT ?"
        );
        let mut statement = self.connection.prepare(&sql)?;
        let rows = statement.query_map(params_from_iter(values), attempt_row)?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// What was spent, by day, key, user and model, in the order of the days.
    pub fn spend_by_day(&self, filter: &AttemptFilter) -> Result<Vec<DaySpend>, LedgerError> {
        let (condition, values) = filter.condition("day");
        let sql = format!(
            "SELECT day, key, user, model, sum(cost_nanos) FROM days WHERE {condition}
            GROUP BY day, key, user, model ORDER BY day, key, user, model"
        );
        let mut statement = self.connection.prepare(&sql)?;
        let rows = statement.query_map(params_from_iter(values), |row| {
            Ok(DaySpend {
                day: row.get(0)?,
                key: row.get(1)?,
                user: row.get(2)?,
                model: row.get(3)?,
                cost_nanos: row.get(4)?,
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}

impl AttemptFilter {
    /// For the table with this column of time.
    fn condition(&self, time: &str) -> (String, Vec<Value>) {
        let mut condition = String::from("1");
        let mut values = Vec::new();
        let texts = [("key", &self.key), ("user", &self.user), ("request", &self.request)];
        for (name, text) in texts {
            if let Some(text) = text {
                condition += &format!(" AND {name} = ?");
                values.push(Value::Text(text.clone()));
            }
        }
        if let Some((first, last)) = self.days {
            let of = |day: Day, is_last: bool| match (time, is_last) {
                ("day", _) => Value::Text(day.to_string()),
                (_, false) => milliseconds(day.begins_ms()),
                (_, true) => milliseconds(day.after(1).begins_ms() - 1),
            };
            condition += &format!(" AND {time} BETWEEN ? AND ?");
            values.extend([of(first, false), of(last, true)]);
        }
        (condition, values)
    }
}

fn milliseconds(ms: u64) -> Value {
    Value::Integer(i64::try_from(ms).unwrap_or(i64::MAX))
}
