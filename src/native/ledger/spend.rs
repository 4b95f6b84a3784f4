//! What keys and users have spent, and the attempts that have cost it.

use std::collections::BTreeMap;

use super::day::Day;
use super::report::Group;
use super::requests::{AttemptRow, COLUMNS, attempt_row};
use super::schema::Ledger;
use crate::native::database::{DatabaseError, Row, Value, values};

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

/// The answers of a provider's model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answers {
    pub provider: String,
    pub model: String,
    pub count: u64,
    /// Tokens of all of them.
    pub output: u64,
}

impl Ledger {
    /// The answers of all models from a day on.
    pub fn answers(&self, since: Day) -> Result<Vec<Answers>, DatabaseError> {
        let sql = "SELECT provider, model, CAST(sum(attempts - failed) AS BIGINT), CAST(sum(output) AS BIGINT)
            FROM days WHERE day >= ?1 GROUP BY provider, model";
        let row = |row: &Row| {
            let (provider, model) = (row.get(0)?, row.get(1)?);
            Ok(Answers { provider, model, count: row.get(2)?, output: row.get(3)? })
        };
        self.connection.query(sql, values![since.to_string()])?.iter().map(row).collect()
    }

    /// What a key or a user has spent, in nano-dollars. Only [`Group::Key`] and [`Group::User`] have an index.
    pub fn spend(&self, of: Group, id: &str) -> Result<i64, DatabaseError> {
        let sql =
            format!("SELECT coalesce(sum(cost_nanos), 0) FROM days WHERE {} = ?1", of.column());
        self.connection.one(&sql, values![id])?.get(0)
    }

    /// What each key, or each user, has spent from a day on, in nano-dollars.
    pub fn spent(&self, of: Group, since: Day) -> Result<BTreeMap<String, i64>, DatabaseError> {
        let name = of.column();
        let sql =
            format!("SELECT {name}, sum(cost_nanos) FROM days WHERE day >= ?1 GROUP BY {name}");
        let rows = self.connection.query(&sql, values![since.to_string()])?;
        rows.iter().map(|row| Ok((row.get(0)?, row.get(1)?))).collect()
    }

    /// What a key has spent from a day on, in nano-dollars, by the models that were asked for.
    pub fn spent_on(&self, key: &str, since: Day) -> Result<BTreeMap<String, i64>, DatabaseError> {
        let sql =
            "SELECT asked, sum(cost_nanos) FROM asked WHERE key = ?1 AND day >= ?2 GROUP BY asked";
        let rows = self.connection.query(sql, values![key, since.to_string()])?;
        rows.iter().map(|row| Ok((row.get(0)?, row.get(1)?))).collect()
    }

    /// A number that changes with each change that another connection makes; `None` where the database has none.
    pub fn version(&self) -> Result<Option<i64>, DatabaseError> {
        self.connection.version()
    }

    /// The attempts that are kept, the last one first.
    pub fn attempts(&self, filter: &AttemptFilter) -> Result<Vec<AttemptRow>, DatabaseError> {
        let (condition, mut values) = filter.condition("begun_ms");
        values.push((filter.limit as u64).into());
        let sql = format!(
            "SELECT {COLUMNS} FROM attempts WHERE {condition} ORDER BY begun_ms DESC, request, attempt LIMIT ?"
        );
        self.connection.query(&sql, &values)?.iter().map(attempt_row).collect()
    }

    /// What was spent, by day, key, user and model, in the order of the days.
    pub fn spend_by_day(&self, filter: &AttemptFilter) -> Result<Vec<DaySpend>, DatabaseError> {
        let (condition, values) = filter.condition("day");
        let sql = format!(
            "SELECT day, key, \"user\", model, sum(cost_nanos) FROM days WHERE {condition}
            GROUP BY day, key, \"user\", model ORDER BY day, key, \"user\", model"
        );
        let row = |row: &Row| {
            Ok(DaySpend {
                day: row.get(0)?,
                key: row.get(1)?,
                user: row.get(2)?,
                model: row.get(3)?,
                cost_nanos: row.get(4)?,
            })
        };
        self.connection.query(&sql, &values)?.iter().map(row).collect()
    }
}

impl AttemptFilter {
    /// For the table with this column of time.
    fn condition(&self, time: &str) -> (String, Vec<Value>) {
        let mut condition = String::from("1 = 1");
        let mut values = Vec::new();
        let texts = [("key", &self.key), ("\"user\"", &self.user), ("request", &self.request)];
        for (name, text) in texts {
            if let Some(text) = text {
                condition += &format!(" AND {name} = ?");
                values.push(text.into());
            }
        }
        if let Some((first, last)) = self.days {
            let of = |day: Day, is_last: bool| match (time, is_last) {
                ("day", _) => Value::from(day.to_string()),
                (_, false) => day.begins_ms().into(),
                (_, true) => (day.after(1).begins_ms() - 1).into(),
            };
            condition += &format!(" AND {time} BETWEEN ? AND ?");
            values.extend([of(first, false), of(last, true)]);
        }
        (condition, values)
    }
}
