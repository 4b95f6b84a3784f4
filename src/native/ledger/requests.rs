//! The newest attempts, one by one.
//!
//! Rows are read by the index of times, from the newest on, and at most a fixed number for an answer: a page
//! costs the same whatever the ledger holds. What comes after is read from the [`Cursor`] on.

use serde::Serialize;

use super::durations::Percentiles;
use super::schema::Ledger;
use crate::native::database::{DatabaseError, Row, values};
use crate::usage::Basis;

/// The most rows that are looked at for the sums of an hour.
const SCAN_MAX: usize = 20_000;

/// The most rows that are looked at for a page of attempts, whose rows are larger.
const PAGE_SCAN_MAX: usize = 5_000;

/// How many of them are read at a time.
const PIECE: usize = 1000;

/// The columns of [`attempt_row`], in their order.
pub(super) const COLUMNS: &str = "begun_ms, request, attempt, key, \"user\", provider, model, asked, operation, status, basis, duration_ms,
    first_ms, input, cached, output, cost_nanos";

/// An attempt that is over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AttemptRow {
    /// When it began, in milliseconds since 1970.
    pub begun_ms: i64,
    pub request: String,
    /// From 1.
    pub attempt: i64,
    pub key: String,
    pub user: String,
    pub provider: String,
    /// What the provider was sent.
    pub model: String,
    /// What the client asked for.
    pub asked: String,
    pub operation: String,
    pub status: i64,
    pub basis: String,
    pub duration_ms: i64,
    pub first_ms: Option<i64>,
    pub input: i64,
    pub cached: i64,
    pub output: i64,
    /// Nano-dollars; `None` without a price.
    pub cost_nanos: Option<i64>,
}

/// Which attempts are wanted; `None` for any.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wanted {
    pub key: Option<String>,
    pub user: Option<String>,
    pub provider: Option<String>,
    /// As the client asked for it, or as the provider was sent it.
    pub model: Option<String>,
    /// Those alone that failed, or that were answered with an error.
    pub with_errors: bool,
}

/// The place of a row in the order of times.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor {
    begun_ms: i64,
    request: String,
    attempt: i64,
}

/// A page of attempts, the newest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempts {
    pub rows: Vec<AttemptRow>,
    /// Where older attempts begin; `None` at the end of the ledger.
    pub next: Option<Cursor>,
}

/// Sums over the newest attempts.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Recent {
    pub attempts: i64,
    pub with_errors: i64,
    pub input: i64,
    pub output: i64,
    pub cost_nanos: i64,
    pub durations: Percentiles,
    /// There were more attempts than are looked at.
    pub is_cut: bool,
}

impl AttemptRow {
    pub fn is_error(&self) -> bool {
        is_error(&self.basis, self.status)
    }
}

fn is_error(basis: &str, status: i64) -> bool {
    basis == Basis::Failed.as_str() || status >= 400
}

impl Wanted {
    fn takes(&self, row: &AttemptRow) -> bool {
        let is = |wanted: &Option<String>, own: &str| wanted.as_deref().is_none_or(|it| it == own);
        is(&self.key, &row.key)
            && is(&self.user, &row.user)
            && is(&self.provider, &row.provider)
            && (is(&self.model, &row.model) || is(&self.model, &row.asked))
            && (!self.with_errors || row.is_error())
    }
}

impl Cursor {
    fn of(row: &AttemptRow) -> Self {
        let AttemptRow { begun_ms, request, attempt, .. } = row;
        Self { begun_ms: *begun_ms, request: request.clone(), attempt: *attempt }
    }

    /// As a query carries it: `1795948573000-1-REQUEST`.
    pub fn to_text(&self) -> String {
        format!("{}-{}-{}", self.begun_ms, self.attempt, self.request)
    }

    pub fn parse(text: &str) -> Option<Self> {
        let (begun_ms, rest) = text.split_once('-')?;
        let (attempt, request) = rest.split_once('-')?;
        let (begun_ms, attempt) = (begun_ms.parse().ok()?, attempt.parse().ok()?);
        Some(Self { begun_ms, attempt, request: request.to_owned() })
    }
}

impl Ledger {
    /// The newest attempts that are wanted, at most `limit`, from a cursor on.
    pub fn requests(
        &self,
        wanted: &Wanted,
        from: Option<&Cursor>,
        limit: usize,
    ) -> Result<Attempts, DatabaseError> {
        let newest = Cursor { begun_ms: i64::MAX, request: String::new(), attempt: 0 };
        let (mut rows, mut last) = (Vec::new(), None);
        for _ in 0..PAGE_SCAN_MAX.div_ceil(PIECE) {
            let piece = self.before(last.as_ref().or(from).unwrap_or(&newest))?;
            let is_end = piece.len() < PIECE;
            for row in piece {
                if rows.len() == limit {
                    return Ok(Attempts { rows, next: last });
                }
                last = Some(Cursor::of(&row));
                if wanted.takes(&row) {
                    rows.push(row);
                }
            }
            if is_end {
                return Ok(Attempts { rows, next: None });
            }
        }
        Ok(Attempts { rows, next: last })
    }

    /// The newest attempts before a place.
    fn before(&self, place: &Cursor) -> Result<Vec<AttemptRow>, DatabaseError> {
        let Cursor { begun_ms, request, attempt } = place;
        let sql = format!(
            "SELECT {COLUMNS} FROM attempts WHERE (begun_ms, request, attempt) < (?1, ?2, ?3)
                ORDER BY begun_ms DESC, request DESC, attempt DESC LIMIT {PIECE}"
        );
        let rows = self.connection.query(&sql, values![*begun_ms, request, *attempt])?;
        rows.iter().map(attempt_row).collect()
    }

    /// Sums over the attempts that have begun since a time, in milliseconds since 1970.
    pub fn recent(&self, since_ms: i64) -> Result<Recent, DatabaseError> {
        let sql = "SELECT status, basis, duration_ms, input, output, cost_nanos FROM attempts WHERE begun_ms >= ?1
            ORDER BY begun_ms DESC LIMIT ?2";
        let found = self.connection.query(sql, values![since_ms, SCAN_MAX as u64])?;
        let (mut recent, mut times) = (Recent::default(), Vec::new());
        for row in &found {
            let basis: String = row.get(1)?;
            recent.attempts += 1;
            recent.with_errors += i64::from(is_error(&basis, row.get(0)?));
            recent.input += row.get::<i64>(3)?;
            recent.output += row.get::<i64>(4)?;
            recent.cost_nanos += row.get::<Option<i64>>(5)?.unwrap_or_default();
            if Basis::parse(&basis).is_some_and(Basis::has_duration) {
                times.push(row.get(2)?);
            }
        }
        recent.durations = Percentiles::of_times(times.into_iter());
        recent.is_cut = found.len() == SCAN_MAX;
        Ok(recent)
    }
}

pub(super) fn attempt_row(row: &Row) -> Result<AttemptRow, DatabaseError> {
    Ok(AttemptRow {
        begun_ms: row.get(0)?,
        request: row.get(1)?,
        attempt: row.get(2)?,
        key: row.get(3)?,
        user: row.get(4)?,
        provider: row.get(5)?,
        model: row.get(6)?,
        asked: row.get(7)?,
        operation: row.get(8)?,
        status: row.get(9)?,
        basis: row.get(10)?,
        duration_ms: row.get(11)?,
        first_ms: row.get(12)?,
        input: row.get(13)?,
        cached: row.get(14)?,
        output: row.get(15)?,
        cost_nanos: row.get(16)?,
    })
}
