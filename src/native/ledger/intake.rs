//! Takes records into the ledger: rows, sums and the journal's offset in one transaction.

use std::collections::BTreeMap;

use super::day::Day;
use super::durations::Durations;
use super::lease_spent::spend;
use super::report::Group;
use super::schema::Ledger;
use crate::native::database::{Connection, DatabaseError, Row, Value, listed, places, values};
use crate::native::gateway_id::GatewayId;
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
    /// Takes a line of a log; false where the line is not a record.
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
    pub fn offset(&self, name: &str) -> Result<u64, DatabaseError> {
        let sql = "SELECT \"offset\" FROM journals WHERE name = ?1";
        let row = self.connection.first(sql, values![name])?;
        row.map_or(Ok(0), |row| row.get(0))
    }

    /// Takes a batch in; `offset` is where the journal `name` goes on. Records of before `since` are left out.
    pub fn take(
        &mut self,
        batch: &Batch,
        name: &str,
        offset: u64,
        since: Day,
        prices: &Prices,
    ) -> Result<Counted, DatabaseError> {
        let gateway = self.gateway.as_ref();
        self.connection.transaction(|transaction| {
            let intake = Intake::of(transaction, gateway, prices, since);
            let counted = intake.batch(batch, name)?;
            let sql = "INSERT INTO journals (name, \"offset\") VALUES (?1, ?2)
                ON CONFLICT (name) DO UPDATE SET \"offset\" = ?2";
            transaction.execute(sql, values![name, offset])?;
            Ok(counted)
        })
    }

    /// The journal has no more lines: what it has begun and not ended is charged at an estimate. How many attempts that are.
    pub fn close(&mut self, name: &str, since: Day, prices: &Prices) -> Result<u64, DatabaseError> {
        let gateway = self.gateway.as_ref();
        self.connection.transaction(|transaction| {
            let lost = Intake::of(transaction, gateway, prices, since).close(name)?;
            transaction.execute("DELETE FROM journals WHERE name = ?1", values![name])?;
            Ok(lost)
        })
    }

    /// Forgets the attempts of before `since`; their sums stay.
    pub fn forget(&mut self, since: Day) -> Result<(), DatabaseError> {
        let sql = "DELETE FROM lease_spent WHERE ends_secs < ?1";
        self.connection.execute(sql, values![since.begins_ms() / 1000])?;
        let sql = "DELETE FROM attempts WHERE begun_ms < ?1";
        self.connection.execute(sql, values![since.begins_ms()]).map(drop)
    }
}

/// A transaction under way.
struct Intake<'a> {
    transaction: &'a Connection,
    gateway: Option<&'a GatewayId>,
    prices: &'a Prices,
    /// The prices that were looked up, by provider and model.
    found: BTreeMap<(String, String), Option<Price>>,
    since: Day,
    counted: Counted,
    sums: BTreeMap<Who, Sums>,
    /// Nano-dollars, by day, key, and the model that was asked for.
    asked: BTreeMap<(Day, String, String), i64>,
    durations: Durations,
}

impl<'a> Intake<'a> {
    fn of(
        transaction: &'a Connection,
        gateway: Option<&'a GatewayId>,
        prices: &'a Prices,
        since: Day,
    ) -> Self {
        let (found, sums) = (BTreeMap::new(), BTreeMap::new());
        let counted = Counted::default();
        let (asked, durations) = (BTreeMap::new(), Durations::default());
        Self { transaction, gateway, prices, found, since, counted, sums, asked, durations }
    }

    fn batch(mut self, batch: &Batch, name: &str) -> Result<Counted, DatabaseError> {
        let begun_before = batch.ended.iter().filter(|ended| !ended.is_new);
        let places = begun_before.map(|ended| place(&ended.settlement.admission)).collect();
        let sql = "DELETE FROM open WHERE request = ?1 AND attempt = ?2";
        self.transaction.execute_each(sql, places)?;
        self.end(batch.ended.iter().map(|ended| &ended.settlement))?;
        self.begin(batch.begun.values(), name)?;
        self.add()?;
        Ok(self.counted)
    }

    /// Attempts have begun, unless the ledger has their ends already.
    fn begin<'b>(
        &self,
        begun: impl Iterator<Item = &'b Admission>,
        name: &str,
    ) -> Result<(), DatabaseError> {
        let sql = "INSERT INTO open (request, attempt, journal, record) SELECT ?1, ?2, ?3, ?4
            WHERE NOT EXISTS (SELECT 1 FROM attempts WHERE request = ?1 AND attempt = ?2) ON CONFLICT DO NOTHING";
        let row = |admission: &Admission| {
            let mut values = place(admission);
            let line = Record::Begun(admission.clone()).to_line();
            values.extend([name.into(), line.into()]);
            values
        };
        self.transaction.execute_each(sql, begun.map(row).collect()).map(drop)
    }

    /// Attempts are over: those that are new in the ledger are added to the sums.
    fn end<'b>(
        &mut self,
        ended: impl Iterator<Item = &'b Settlement>,
    ) -> Result<(), DatabaseError> {
        let first_ms = self.since.begins_ms();
        let (kept, old): (Vec<_>, Vec<_>) =
            ended.partition(|settlement| settlement.admission.begun_ms >= first_ms);
        self.counted.old += old.len() as u64;
        let costs: Vec<_> = kept.iter().map(|settlement| self.cost(settlement)).collect();
        let rows = kept.iter().zip(&costs).map(|(settlement, cost)| row(settlement, *cost));
        let inserted = self.transaction.execute_each(&insert_attempt(), rows.collect())?;
        for ((settlement, cost), count) in kept.into_iter().zip(costs).zip(inserted) {
            if count == 0 && !self.replace_lost(settlement, cost)? {
                self.counted.known += 1;
                continue;
            }
            self.counted.new += 1;
            self.note(settlement, cost, 1);
        }
        Ok(())
    }

    /// Adds an attempt to the sums, or takes the attempt away.
    fn note(&mut self, settlement: &Settlement, cost: Option<i64>, sign: i64) {
        let admission = &settlement.admission;
        self.sums.entry(who(admission)).or_default().add(settlement, cost, sign);
        self.durations.note(settlement, sign);
        let cost = cost.unwrap_or_default();
        if cost > 0 && !admission.key.is_empty() {
            let Admission { begun_ms, key, asked, .. } = admission;
            let place = (Day::of_ms(*begun_ms), key.clone(), asked.clone());
            *self.asked.entry(place).or_default() += cost * sign;
        }
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

    /// The end of an attempt that was thought lost has come all the same: takes the estimate out of the sums.
    fn replace_lost(
        &mut self,
        settlement: &Settlement,
        cost: Option<i64>,
    ) -> Result<bool, DatabaseError> {
        if settlement.basis == Basis::Lost {
            return Ok(false);
        }
        let sql = format!(
            "DELETE FROM attempts WHERE request = ?1 AND attempt = ?2 AND basis = '{}' RETURNING cost_nanos, {}",
            Basis::Lost.as_str(),
            Usage::NAMES.join(", ")
        );
        let lost = self.transaction.first(&sql, &place(&settlement.admission))?;
        let Some(lost) = lost else { return Ok(false) };
        let estimate =
            Settlement { usage: usage(&lost)?, basis: Basis::Lost, ..settlement.clone() };
        self.note(&estimate, lost.get(0)?, -1);
        self.transaction.execute(&insert_attempt(), &row(settlement, cost))?;
        Ok(true)
    }

    fn close(mut self, name: &str) -> Result<u64, DatabaseError> {
        let sql = "DELETE FROM open WHERE journal = ?1 RETURNING record";
        let mut lost = Vec::new();
        for row in self.transaction.query(sql, values![name])? {
            let Some(Record::Begun(admission)) = Record::parse(&row.get::<String>(0)?) else {
                continue;
            };
            lost.push(self.lost(admission)?);
        }
        self.end(lost.iter())?;
        self.add()?;
        Ok(self.counted.new)
    }

    /// What an attempt whose end is not known has probably used: input by its bytes, and as much output as the model's
    /// answers have had.
    fn lost(&self, admission: Admission) -> Result<Settlement, DatabaseError> {
        let sql = "SELECT CAST(sum(output) AS BIGINT) / nullif(CAST(sum(attempts - failed) AS BIGINT), 0) FROM days
            WHERE provider = ?1 AND model = ?2";
        let values = values![&admission.provider, &admission.model];
        let usual: Option<i64> = self.transaction.one(sql, values)?.get(0)?;
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

    fn add(&self) -> Result<(), DatabaseError> {
        let names = ["attempts", "failed", "guessed", "unpriced", "cost_nanos"];
        let names: Vec<_> = names.into_iter().chain(Usage::NAMES).collect();
        let sql = format!(
            "INSERT INTO days (day, key, \"user\", provider, model, {}) VALUES ({})
                ON CONFLICT (day, key, \"user\", provider, model) DO UPDATE SET {}",
            listed(&names),
            places(5 + names.len()),
            listed(names.iter().map(|name| format!("{name} = days.{name} + excluded.{name}")))
        );
        let row = |((day, key, user, provider, model), own): (&Who, &Sums)| {
            let texts =
                [day.to_string(), key.clone(), user.clone(), provider.clone(), model.clone()];
            let numbers = [own.attempts, own.failed, own.guessed, own.unpriced, own.cost_nanos];
            let numbers = numbers.into_iter().chain(own.amounts).map(Value::Integer);
            texts.into_iter().map(Value::Text).chain(numbers).collect()
        };
        self.transaction.execute_each(&sql, self.sums.iter().map(row).collect())?;
        self.add_asked()?;
        self.durations.add(self.transaction)?;
        match self.gateway {
            Some(gateway) => spend(self.transaction, gateway, self.spent().into_iter()),
            None => Ok(()),
        }
    }

    fn add_asked(&self) -> Result<(), DatabaseError> {
        let sql = "INSERT INTO asked (day, key, asked, cost_nanos) VALUES (?1, ?2, ?3, ?4)
            ON CONFLICT (key, day, asked) DO UPDATE SET cost_nanos = asked.cost_nanos + excluded.cost_nanos";
        let row = |((day, key, asked), nanos): (&(Day, String, String), &i64)| {
            values![day.to_string(), key, asked, *nanos].to_vec()
        };
        self.transaction.execute_each(sql, self.asked.iter().map(row).collect()).map(drop)
    }

    /// What keys and users have spent on each day.
    fn spent(&self) -> Vec<(Group, String, Day, i64)> {
        let mut spent = BTreeMap::new();
        for ((day, key, user, ..), sums) in &self.sums {
            for (is_key, owner) in [(true, key), (false, user)] {
                if !owner.is_empty() && sums.cost_nanos != 0 {
                    *spent.entry((is_key, owner.clone(), *day)).or_default() += sums.cost_nanos;
                }
            }
        }
        let scope = |is_key: bool| if is_key { Group::Key } else { Group::User };
        let row = |((is_key, owner, day), nanos)| (scope(is_key), owner, day, nanos);
        spent.into_iter().map(row).collect()
    }
}

fn insert_attempt() -> String {
    let names = [
        "request",
        "attempt",
        "begun_ms",
        "key",
        "\"user\"",
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
    let places = places(names.len());
    format!("INSERT INTO attempts ({}) VALUES ({places}) ON CONFLICT DO NOTHING", listed(names))
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

/// The names of an attempt.
fn place(admission: &Admission) -> Vec<Value> {
    let Admission { request, attempt, .. } = admission;
    vec![request.into(), (*attempt).into()]
}

/// The row of an attempt in `attempts`.
fn row(settlement: &Settlement, cost: Option<i64>) -> Vec<Value> {
    let mut values = fields(settlement);
    values.extend(settlement.usage.amounts().map(Value::from));
    values.extend([cost.into(), settlement.first_ms.into()]);
    values
}

/// The amounts of a row that begins with the cost.
fn usage(row: &Row) -> Result<Usage, DatabaseError> {
    let mut amounts = [0; AMOUNTS];
    for (place, amount) in amounts.iter_mut().enumerate() {
        *amount = row.get(place + 1)?;
    }
    Ok(Usage::of(amounts))
}

/// The fields of an attempt, but for its amounts, its cost and the time of its first byte.
fn fields(settlement: &Settlement) -> Vec<Value> {
    let Settlement { admission, status, basis, tier, duration_ms, .. } = settlement;
    vec![
        (&admission.request).into(),
        admission.attempt.into(),
        admission.begun_ms.into(),
        (&admission.key).into(),
        (&admission.user).into(),
        (&admission.provider).into(),
        (&admission.model).into(),
        (&admission.asked).into(),
        admission.operation.as_str().into(),
        (*status).into(),
        basis.as_str().into(),
        tier.as_str().into(),
        (*duration_ms).into(),
    ]
}

/// No database has a larger number.
fn integer(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
