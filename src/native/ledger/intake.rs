//! Takes records into the ledger: rows, sums and the journal's offset in one transaction.

use std::collections::BTreeMap;

use rusqlite::types::Value;
use rusqlite::{
    OptionalExtension, Statement, Transaction, TransactionBehavior, params, params_from_iter,
};

use super::day::Day;
use super::schema::{Ledger, LedgerError};
use crate::native::prices::{Price, Prices};
use crate::usage::amounts::AMOUNTS;
use crate::usage::journal::Line;
use crate::usage::reader::BYTES_PER_TOKEN;
use crate::usage::{Admission, Basis, Record, Settlement, Tier, Usage};

/// How long an answer is taken to be of which nothing is known, and whose model has not answered before.
const LOST_OUTPUT_TOKENS: u64 = 256;

/// Records that are taken in together.
#[derive(Debug, Default)]
pub struct Batch {
    /// The attempts that are not over within the batch.
    begun: BTreeMap<(String, u32), Admission>,
    ended: Vec<Ended>,
    /// How many lines were broken records.
    pub broken: u64,
}

/// An attempt that is over.
#[derive(Debug)]
struct Ended {
    settlement: Settlement,
    /// It has begun within the batch.
    is_new: bool,
}

/// What a batch has changed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counted {
    /// Attempts that are new in the ledger.
    pub new: u64,
    /// Attempts that were there already.
    pub known: u64,
    /// Attempts of days that the ledger does not keep any more.
    pub old: u64,
}

impl Batch {
    /// Takes a line of a log; false where the line is no record.
    pub fn take(&mut self, line: &str) -> bool {
        match Line::read(line) {
            Line::Foreign => return false,
            Line::Broken => self.broken += 1,
            Line::Record(record) => match *record {
                Record::Begun(admission) => {
                    self.begun.insert((admission.request.clone(), admission.attempt), admission);
                }
                Record::Ended(settlement) => {
                    let Admission { request, attempt, .. } = &settlement.admission;
                    let is_new = self.begun.remove(&(request.clone(), *attempt)).is_some();
                    self.ended.push(Ended { settlement, is_new });
                }
            },
        }
        true
    }

    pub fn is_empty(&self) -> bool {
        self.begun.is_empty() && self.ended.is_empty()
    }

    pub fn len(&self) -> usize {
        self.begun.len() + self.ended.len()
    }
}

/// Who has used what: the key of a row of `days`.
type Who = (Day, String, String, String, String);

/// The sums of a row of `days`.
#[derive(Debug, Clone, Copy, Default)]
struct Sums {
    attempts: i64,
    failed: i64,
    guessed: i64,
    unpriced: i64,
    amounts: [i64; AMOUNTS],
    cost_nanos: i64,
}

impl Ledger {
    /// How far the journal `name` was read.
    pub fn offset(&self, name: &str) -> Result<u64, LedgerError> {
        let sql = "SELECT offset FROM journals WHERE name = ?1";
        let offset: Option<i64> =
            self.connection.query_row(sql, [name], |row| row.get(0)).optional()?;
        Ok(offset.and_then(|offset| offset.try_into().ok()).unwrap_or_default())
    }

    /// Takes a batch in; `offset` is where the journal `name` goes on. Records of before `since` are left out.
    pub fn take(
        &mut self,
        batch: &Batch,
        name: &str,
        offset: u64,
        since: Day,
        prices: &Prices,
    ) -> Result<Counted, LedgerError> {
        let transaction =
            self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let counted = Intake::of(&transaction, prices, since)?.batch(batch, name)?;
        let sql = "INSERT INTO journals (name, offset) VALUES (?1, ?2)
            ON CONFLICT (name) DO UPDATE SET offset = ?2";
        transaction.execute(sql, params![name, integer(offset)])?;
        transaction.commit()?;
        Ok(counted)
    }

    /// The journal has no more lines: what it has begun and not ended is charged at an estimate. How many attempts that are.
    pub fn close(&mut self, name: &str, since: Day, prices: &Prices) -> Result<u64, LedgerError> {
        let transaction =
            self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let lost = Intake::of(&transaction, prices, since)?.close(name)?;
        transaction.execute("DELETE FROM journals WHERE name = ?1", [name])?;
        transaction.commit()?;
        Ok(lost)
    }

    /// Forgets the attempts of before `since`; their sums stay.
    pub fn forget(&mut self, since: Day) -> Result<(), LedgerError> {
        let sql = "DELETE FROM attempts WHERE begun_ms < ?1";
        self.connection.execute(sql, [integer(since.begins_ms())])?;
        Ok(())
    }
}

/// A transaction under way.
struct Intake<'a> {
    transaction: &'a Transaction<'a>,
    prices: &'a Prices,
    /// The prices that were looked up, by provider and model.
    found: BTreeMap<(String, String), Option<Price>>,
    since: Day,
    insert_attempt: Statement<'a>,
    find_attempt: Statement<'a>,
    insert_open: Statement<'a>,
    delete_open: Statement<'a>,
}

impl<'a> Intake<'a> {
    fn of(
        transaction: &'a Transaction<'a>,
        prices: &'a Prices,
        since: Day,
    ) -> Result<Self, LedgerError> {
        let of_attempt = "WHERE request = ?1 AND attempt = ?2";
        Ok(Self {
            transaction,
            prices,
            found: BTreeMap::new(),
            since,
            insert_attempt: transaction.prepare(&insert_attempt())?,
            find_attempt: transaction.prepare(&format!("SELECT 1 FROM attempts {of_attempt}"))?,
            insert_open: transaction.prepare(
                "INSERT OR IGNORE INTO open (request, attempt, journal, record) VALUES (?1, ?2, ?3, ?4)",
            )?,
            delete_open: transaction.prepare(&format!("DELETE FROM open {of_attempt}"))?,
        })
    }

    fn batch(mut self, batch: &Batch, name: &str) -> Result<Counted, LedgerError> {
        let mut counted = Counted::default();
        let mut sums = BTreeMap::new();
        for Ended { settlement, is_new } in &batch.ended {
            if !is_new {
                let Admission { request, attempt, .. } = &settlement.admission;
                self.delete_open.execute(params![request, attempt])?;
            }
            self.end(settlement, &mut counted, &mut sums)?;
        }
        for admission in batch.begun.values() {
            self.begin(admission, name)?;
        }
        self.add(&sums)?;
        Ok(counted)
    }

    fn begin(&mut self, admission: &Admission, name: &str) -> Result<(), LedgerError> {
        let Admission { request, attempt, .. } = admission;
        if !self.find_attempt.exists(params![request, attempt])? {
            let line = Record::Begun(admission.clone()).to_line();
            self.insert_open.execute(params![request, attempt, name, line])?;
        }
        Ok(())
    }

    fn end(
        &mut self,
        settlement: &Settlement,
        counted: &mut Counted,
        sums: &mut BTreeMap<Who, Sums>,
    ) -> Result<(), LedgerError> {
        if settlement.admission.begun_ms < self.since.begins_ms() {
            counted.old += 1;
            return Ok(());
        }
        let cost = self.cost(settlement);
        if !self.insert(settlement, cost)? {
            if settlement.basis == Basis::Lost || !self.take_back_lost(settlement, sums)? {
                counted.known += 1;
                return Ok(());
            }
            self.insert(settlement, cost)?;
        }
        counted.new += 1;
        sums.entry(who(&settlement.admission)).or_default().add(settlement, cost, 1);
        Ok(())
    }

    /// `None` without a price.
    fn cost(&mut self, settlement: &Settlement) -> Option<i64> {
        let Settlement { admission, basis, usage, tier, .. } = settlement;
        if *basis == Basis::Failed {
            return Some(0);
        }
        let Admission { provider, model, operation, request_bytes, .. } = admission;
        let known = self.found.entry((provider.clone(), model.clone()));
        let find = || self.prices.find(provider, model).map(|found| found.price);
        let price = known.or_insert_with(find).as_ref()?;
        Some(price.cost_nanos(usage, *tier, *operation, *request_bytes))
    }

    /// Whether the attempt was not there.
    fn insert(&mut self, settlement: &Settlement, cost: Option<i64>) -> Result<bool, LedgerError> {
        let mut values = fields(settlement);
        values.extend(settlement.usage.amounts().map(|amount| Value::Integer(integer(amount))));
        values.push(cost.map_or(Value::Null, Value::Integer));
        values.push(settlement.first_ms.map_or(Value::Null, |ms| Value::Integer(integer(ms))));
        Ok(self.insert_attempt.execute(params_from_iter(values))? > 0)
    }

    /// The end of an attempt that was thought lost has come all the same: takes the estimate out of the sums.
    fn take_back_lost(
        &self,
        settlement: &Settlement,
        sums: &mut BTreeMap<Who, Sums>,
    ) -> Result<bool, LedgerError> {
        let Admission { request, attempt, .. } = &settlement.admission;
        let sql = format!(
            "DELETE FROM attempts WHERE request = ?1 AND attempt = ?2 AND basis = '{}' RETURNING cost_nanos, {}",
            Basis::Lost.as_str(),
            Usage::NAMES.join(", ")
        );
        let mut statement = self.transaction.prepare(&sql)?;
        let lost = statement.query_row(params![request, attempt], |row| {
            let mut amounts = [0; AMOUNTS];
            for (place, amount) in amounts.iter_mut().enumerate() {
                *amount = u64::try_from(row.get::<_, i64>(place + 1)?).unwrap_or_default();
            }
            Ok((row.get::<_, Option<i64>>(0)?, Usage::of(amounts)))
        });
        let Some((cost, usage)) = lost.optional()? else { return Ok(false) };
        let estimate = Settlement { usage, basis: Basis::Lost, ..settlement.clone() };
        sums.entry(who(&settlement.admission)).or_default().add(&estimate, cost, -1);
        Ok(true)
    }

    fn close(mut self, name: &str) -> Result<u64, LedgerError> {
        let mut statement =
            self.transaction.prepare("DELETE FROM open WHERE journal = ?1 RETURNING record")?;
        let lines: Vec<String> =
            statement.query_map([name], |row| row.get(0))?.collect::<Result<_, _>>()?;
        let mut counted = Counted::default();
        let mut sums = BTreeMap::new();
        for line in lines {
            let Some(Record::Begun(admission)) = Record::parse(&line) else { continue };
            let settlement = self.lost(admission)?;
            self.end(&settlement, &mut counted, &mut sums)?;
        }
        self.add(&sums)?;
        Ok(counted.new)
    }

    /// What an attempt whose end is not known has probably used: input by its bytes, and as much output as the model's
    /// answers have had.
    fn lost(&self, admission: Admission) -> Result<Settlement, LedgerError> {
        let sql = "SELECT sum(output) / sum(attempts - failed) FROM days WHERE provider = ?1 AND model = ?2";
        let usual: Option<i64> = self.transaction.query_row(
            sql,
            params![admission.provider, admission.model],
            |row| row.get(0),
        )?;
        let usual = usual.and_then(|tokens| tokens.try_into().ok()).unwrap_or(LOST_OUTPUT_TOKENS);
        let output = if admission.operation.is_without_output() { 0 } else { usual };
        let input = admission.request_bytes.div_ceil(BYTES_PER_TOKEN);
        Ok(Settlement {
            status: 0,
            basis: Basis::Lost,
            tier: Tier::Standard,
            usage: Usage { input, output, ..Usage::NONE },
            duration_ms: 0,
            first_ms: None,
            admission,
        })
    }

    fn add(&self, sums: &BTreeMap<Who, Sums>) -> Result<(), LedgerError> {
        let names = ["attempts", "failed", "guessed", "unpriced", "cost_nanos"];
        let names: Vec<_> = names.into_iter().chain(Usage::NAMES).collect();
        let places: Vec<_> = (1..=5 + names.len()).map(|place| format!("?{place}")).collect();
        let sums_of: Vec<_> =
            names.iter().map(|name| format!("{name} = {name} + excluded.{name}")).collect();
        let sql = format!(
            "INSERT INTO days (day, key, user, provider, model, {}) VALUES ({})
                ON CONFLICT (day, key, user, provider, model) DO UPDATE SET {}",
            names.join(", "),
            places.join(", "),
            sums_of.join(", ")
        );
        let mut statement = self.transaction.prepare(&sql)?;
        for ((day, key, user, provider, model), own) in sums {
            let texts =
                [day.to_string(), key.clone(), user.clone(), provider.clone(), model.clone()];
            let numbers = [own.attempts, own.failed, own.guessed, own.unpriced, own.cost_nanos];
            let numbers = numbers.into_iter().chain(own.amounts).map(Value::Integer);
            statement
                .execute(params_from_iter(texts.into_iter().map(Value::Text).chain(numbers)))?;
        }
        Ok(())
    }
}

fn insert_attempt() -> String {
    let names = [
        "request",
        "attempt",
        "begun_ms",
        "key",
        "user",
        "provider",
        "model",
        "asked",
        "operation",
        "status",
        "basis",
        "tier",
        "duration_ms",
    ];
    let names = names.into_iter().chain(Usage::NAMES).chain(["cost_nanos", "first_ms"]);
    let names: Vec<_> = names.collect();
    let places: Vec<_> = (1..=names.len()).map(|place| format!("?{place}")).collect();
    let (names, places) = (names.join(", "), places.join(", "));
    format!("INSERT OR IGNORE INTO attempts ({names}) VALUES ({places})")
}

impl Sums {
    /// Adds an attempt, or takes it away.
    fn add(&mut self, settlement: &Settlement, cost: Option<i64>, sign: i64) {
        let is_guess = matches!(settlement.basis, Basis::Estimated | Basis::Partial | Basis::Lost);
        let one = |holds: bool| if holds { sign } else { 0 };
        self.attempts += sign;
        self.failed += one(settlement.basis == Basis::Failed);
        self.guessed += one(is_guess);
        self.unpriced += one(cost.is_none());
        self.cost_nanos = self.cost_nanos.saturating_add(cost.unwrap_or_default() * sign);
        for (sum, amount) in self.amounts.iter_mut().zip(settlement.usage.amounts()) {
            *sum = sum.saturating_add(integer(amount) * sign);
        }
    }
}

fn who(admission: &Admission) -> Who {
    let Admission { begun_ms, key, user, provider, model, .. } = admission;
    (Day::of_ms(*begun_ms), key.clone(), user.clone(), provider.clone(), model.clone())
}

/// The fields of an attempt, but for its amounts, its cost and the time of its first byte.
fn fields(settlement: &Settlement) -> Vec<Value> {
    let Settlement { admission, status, basis, tier, duration_ms, .. } = settlement;
    let text = |text: &str| Value::Text(text.to_owned());
    vec![
        text(&admission.request),
        Value::Integer(admission.attempt.into()),
        Value::Integer(integer(admission.begun_ms)),
        text(&admission.key),
        text(&admission.user),
        text(&admission.provider),
        text(&admission.model),
        text(&admission.asked),
        text(admission.operation.as_str()),
        Value::Integer((*status).into()),
        text(basis.as_str()),
        text(tier.as_str()),
        Value::Integer(integer(*duration_ms)),
    ]
}

/// SQLite has no larger number.
fn integer(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
