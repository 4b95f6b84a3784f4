//! The leases in the database.
//!
//! | table | a row |
//! |---|---|
//! | `gateways` | a gateway, until when it lives, and whether it has ended and its journal is read |
//! | `leases` | what a gateway is granted of the budget of a key or a user |
//! | `lease_spent` | what a gateway has spent in a window, as its journal says |

use super::rule::{Lease, Rest};
use crate::limits::{Budget, Period, Window};
use crate::native::database::{Connection, DatabaseError, Row, Value, values};
use crate::native::gateway_id::GatewayId;
use crate::native::ledger::{Day, Group, Ledger};

/// How long a gateway lives that does not say again that it lives.
const LIFE_SECS: i64 = 60;

/// The leases of one gateway.
pub(crate) struct Leases {
    ledger: Ledger,
    gateway: GatewayId,
}

/// Whose budget: a key's or a user's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Owner<'a> {
    pub(crate) scope: Group,
    pub(crate) id: &'a str,
}

impl Leases {
    pub(crate) fn of(ledger: Ledger, gateway: GatewayId) -> Self {
        Self { ledger, gateway }
    }

    /// The gateway begins. What it held when it ended, and gave back then, is not its own any more.
    pub(crate) fn begin(&self, now_secs: i64) -> Result<(), DatabaseError> {
        self.connection().transaction(|transaction| {
            let own = values![self.gateway.as_str()];
            let sql = "DELETE FROM leases WHERE gateway = ?1
                AND EXISTS (SELECT 1 FROM gateways WHERE gateway = ?1 AND is_read = 1)";
            transaction.execute(sql, own)?;
            self.live(transaction, now_secs)
        })
    }

    /// The gateway lives.
    pub(crate) fn renew(&self, now_secs: i64) -> Result<(), DatabaseError> {
        self.live(self.connection(), now_secs)
    }

    fn live(&self, connection: &Connection, now_secs: i64) -> Result<(), DatabaseError> {
        let sql = "INSERT INTO gateways (gateway, until_secs, is_read) VALUES (?1, ?2, 0)
            ON CONFLICT (gateway) DO UPDATE SET until_secs = ?2, is_read = 0";
        let until_secs = now_secs.saturating_add(LIFE_SECS);
        connection.execute(sql, values![self.gateway.as_str(), until_secs]).map(drop)
    }

    /// The gateway has ended and its journal is read: what it holds is for the others. Returns whose budgets these are.
    pub(crate) fn end(&self) -> Result<Vec<(Group, String)>, DatabaseError> {
        self.connection().transaction(|transaction| {
            let own = values![self.gateway.as_str()];
            let sql = "UPDATE gateways SET until_secs = 0, is_read = 1 WHERE gateway = ?1";
            transaction.execute(sql, own)?;
            let sql = "SELECT scope, owner FROM leases WHERE gateway = ?1";
            transaction.query(sql, own)?.iter().map(named).collect()
        })
    }

    /// The keys and users that are to get more, because of what they have spent.
    pub(crate) fn low(&self, now_secs: u64) -> Result<Vec<(Group, String)>, DatabaseError> {
        let sql = "SELECT leases.scope, leases.owner FROM leases JOIN lease_spent ON leases.gateway = lease_spent.gateway
                AND leases.scope = lease_spent.scope AND leases.owner = lease_spent.owner
                AND leases.budget_window = lease_spent.budget_window
            WHERE leases.gateway = ?1 AND lease_spent.period IN (?2, ?3, ?4, ?5)
                AND lease_spent.spent_nanos >= leases.low_nanos AND leases.used_up <> lease_spent.period";
        self.connection().query(sql, &self.periods(now_secs))?.iter().map(named).collect()
    }

    /// The keys and users of whose budgets this gateway holds something, while nothing is left for another gateway.
    pub(crate) fn wanted(&self, now_secs: u64) -> Result<Vec<(Group, String)>, DatabaseError> {
        let sql = "SELECT own.scope, own.owner FROM leases AS own
            LEFT JOIN lease_spent ON own.gateway = lease_spent.gateway AND own.scope = lease_spent.scope
                AND own.owner = lease_spent.owner AND own.budget_window = lease_spent.budget_window
                AND lease_spent.period IN (?2, ?3, ?4, ?5)
            WHERE own.gateway = ?1 AND own.before_nanos = 0
                AND own.granted_nanos > coalesce(lease_spent.spent_nanos, 0)
                AND EXISTS (SELECT 1 FROM leases AS other WHERE other.scope = own.scope AND other.owner = own.owner
                    AND other.budget_window = own.budget_window AND other.gateway <> ?1
                    AND other.used_up IN (?2, ?3, ?4, ?5))";
        self.connection().query(sql, &self.periods(now_secs))?.iter().map(named).collect()
    }

    /// The keys and users whose leases have become smaller, and count as they were.
    pub(crate) fn lowered(&self) -> Result<Vec<(Group, String)>, DatabaseError> {
        let sql = "SELECT scope, owner FROM leases WHERE gateway = ?1 AND before_nanos > 0";
        self.connection().query(sql, values![self.gateway.as_str()])?.iter().map(named).collect()
    }

    /// The filter goes by the smaller lease: from now on the lease counts as it is.
    pub(crate) fn has_taken(&self, scope: Group, id: &str) -> Result<(), DatabaseError> {
        let sql =
            "UPDATE leases SET before_nanos = 0 WHERE gateway = ?1 AND scope = ?2 AND owner = ?3";
        let values = values![self.gateway.as_str(), scope.as_str(), id];
        self.connection().execute(sql, values).map(drop)
    }

    /// The lease of this gateway, extended where it is low, and lowered where it is large and `is_wanted`.
    pub(crate) fn lease(
        &self,
        owner: Owner<'_>,
        budget: Budget,
        is_wanted: bool,
        now_secs: u64,
    ) -> Result<Lease, DatabaseError> {
        let period = budget.window.at(now_secs);
        let own = self.own(self.connection(), owner, period)?;
        if !own.is_low() && !is_wanted {
            return Ok(own);
        }
        self.connection().transaction(|transaction| {
            let own = self.own(transaction, owner, period)?;
            let rest = self.rest(transaction, owner, budget, now_secs)?;
            let changed = if own.is_low() { rest.extend(own) } else { rest.lower(own) };
            let lease = changed.unwrap_or(own);
            let is_used_up = own.is_low() && changed.is_none();
            let used_up = if is_used_up { period.to_text() } else { String::new() };
            let sql = "INSERT INTO leases (gateway, scope, owner, budget_window, granted_nanos, low_nanos, before_nanos, used_up)
                VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT (gateway, scope, owner, budget_window)
                DO UPDATE SET granted_nanos = ?5, low_nanos = ?6, before_nanos = ?7, used_up = ?8";
            let mut values = self.place(owner, period);
            let Lease { granted_nanos, low_nanos, before_nanos, .. } = lease;
            values.extend([granted_nanos.into(), low_nanos.into(), before_nanos.into()]);
            values.push(used_up.into());
            transaction.execute(sql, &values)?;
            Ok(lease)
        })
    }

    fn own(
        &self,
        connection: &Connection,
        owner: Owner<'_>,
        period: Period,
    ) -> Result<Lease, DatabaseError> {
        let mut place = self.place(owner, period);
        let sql = "SELECT granted_nanos, low_nanos, before_nanos FROM leases
            WHERE gateway = ?1 AND scope = ?2 AND owner = ?3 AND budget_window = ?4";
        let lease = connection.first(sql, &place)?;
        place.push(period.to_text().into());
        let sql = "SELECT spent_nanos FROM lease_spent
            WHERE gateway = ?1 AND scope = ?2 AND owner = ?3 AND budget_window = ?4 AND period = ?5";
        let spent = connection.first(sql, &place)?;
        let number = |row: &Option<Row>, place: usize| {
            row.as_ref().map_or(Ok(0), |row| row.get::<i64>(place)).map(positive)
        };
        Ok(Lease {
            granted_nanos: number(&lease, 0)?,
            spent_nanos: number(&spent, 0)?,
            low_nanos: number(&lease, 1)?,
            before_nanos: number(&lease, 2)?,
        })
    }

    fn rest(
        &self,
        transaction: &Connection,
        owner: Owner<'_>,
        budget: Budget,
        now_secs: u64,
    ) -> Result<Rest, DatabaseError> {
        let period = budget.window.at(now_secs);
        let now = i64::try_from(now_secs).unwrap_or(i64::MAX);
        let sql = "SELECT count(*) FROM gateways WHERE until_secs > ?1";
        let gateways = positive(transaction.one(sql, values![now])?.get(0)?);
        // A lease that is spent beyond what was granted holds nothing.
        let sql = "SELECT CASE WHEN leases.granted_nanos > leases.before_nanos THEN leases.granted_nanos ELSE leases.before_nanos END,
                coalesce(lease_spent.spent_nanos, 0) FROM leases
            JOIN gateways ON gateways.gateway = leases.gateway AND (gateways.is_read = 0 OR gateways.until_secs > ?6)
            LEFT JOIN lease_spent ON leases.gateway = lease_spent.gateway AND leases.scope = lease_spent.scope
                AND leases.owner = lease_spent.owner AND leases.budget_window = lease_spent.budget_window
                AND lease_spent.period = ?5
            WHERE leases.gateway <> ?1 AND leases.scope = ?2 AND leases.owner = ?3 AND leases.budget_window = ?4";
        let mut values = self.place(owner, period);
        values.extend([period.to_text().into(), now.into()]);
        let mut held_nanos: u64 = 0;
        for row in transaction.query(sql, &values)? {
            let held = row.get::<i64>(0)?.saturating_sub(row.get::<i64>(1)?);
            held_nanos = held_nanos.saturating_add(positive(held));
        }
        let first = Day::of_ms(period.start_secs.saturating_mul(1000));
        let spent = spent_since(transaction, owner, first)?;
        Ok(Rest { budget_nanos: budget.nanos, spent_nanos: positive(spent), held_nanos, gateways })
    }

    fn place(&self, owner: Owner<'_>, period: Period) -> Vec<Value> {
        let window = period.window.as_str();
        vec![
            self.gateway.as_str().into(),
            owner.scope.as_str().into(),
            owner.id.into(),
            window.into(),
        ]
    }

    /// This gateway, and the windows of now.
    fn periods(&self, now_secs: u64) -> Vec<Value> {
        let windows = Window::ALL.map(|window| Value::from(window.at(now_secs).to_text()));
        [Value::from(self.gateway.as_str())].into_iter().chain(windows).collect()
    }

    fn connection(&self) -> &Connection {
        self.ledger.connection()
    }
}

fn spent_since(
    transaction: &Connection,
    owner: Owner<'_>,
    first: Day,
) -> Result<i64, DatabaseError> {
    let column = owner.scope.column();
    let sql =
        format!("SELECT coalesce(sum(cost_nanos), 0) FROM days WHERE {column} = ?1 AND day >= ?2");
    transaction.one(&sql, values![owner.id, first.to_string()])?.get(0)
}

fn named(row: &Row) -> Result<(Group, String), DatabaseError> {
    let scope: String = row.get(0)?;
    let scope = if scope == Group::User.as_str() { Group::User } else { Group::Key };
    Ok((scope, row.get(1)?))
}

fn positive(number: i64) -> u64 {
    u64::try_from(number).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;
    use crate::native::database::{Databases, testing};
    use crate::native::ledger;

    const NOON: u64 = 1_795_953_600;

    fn gateway(databases: &Databases, name: &str) -> Leases {
        let leases = Leases::of(Ledger::open(databases).unwrap(), GatewayId::named(name));
        leases.begin(NOON.cast_signed()).unwrap();
        leases
    }

    #[test]
    fn gateways_hold_parts_of_a_budget_until_they_end() {
        testing::on_both(|databases| {
            let owner = Owner { scope: Group::Key, id: "k0" };
            // 25 attempts of the key `k0` and of `k1` cost 3.5 million each, but for every third.
            let budget = Budget { nanos: 100_000_000, window: Window::Day, is_strict: false };
            let (one, two) = (gateway(databases, "one"), gateway(databases, "two"));
            let first = one.lease(owner, budget, false, NOON).unwrap();
            assert_eq!(first.granted_nanos, 25_000_000, "a quarter of all");
            assert_eq!(
                one.lease(owner, budget, false, NOON).unwrap(),
                first,
                "as long as it is not low"
            );
            assert_eq!(two.lease(owner, budget, false, NOON).unwrap().granted_nanos, 18_750_000);
            assert!(one.low(NOON).unwrap().is_empty());
            let mut ledger =
                Ledger::open(databases).unwrap().of_gateway(Some(GatewayId::named("one")));
            ledger::fill(&mut ledger, 25);
            assert_eq!(one.low(NOON).unwrap(), [(Group::Key, "k0".to_owned())]);
            assert!(two.low(NOON).unwrap().is_empty());
            let spent = 8 * 3_500_000;
            let second = one.lease(owner, budget, false, NOON).unwrap();
            let left = 100_000_000 - spent - 18_750_000;
            assert_eq!((second.spent_nanos, second.granted_nanos), (spent, spent + left / 4));
            // A gateway that is silent keeps its part; one that ends gives its part back.
            let later = NOON + 7200;
            one.renew(later.cast_signed()).unwrap();
            let budget = Budget { nanos: 60_000_000, ..budget };
            let rest =
                |leases: &Leases| leases.rest(leases.connection(), owner, budget, later).unwrap();
            assert_eq!((rest(&one).held_nanos, rest(&one).gateways), (18_750_000, 1));
            assert_eq!(two.end().unwrap(), [(Group::Key, "k0".to_owned())]);
            assert_eq!(rest(&one).held_nanos, 0);
            two.begin(later.cast_signed()).unwrap();
            assert_eq!(rest(&one).held_nanos, 0, "it begins with nothing");
            assert_eq!(rest(&two).held_nanos, left / 4);
        });
    }

    #[test]
    #[ignore = "measures, with `make simulate`"]
    fn what_a_lease_takes_among_a_thousand_gateways() {
        const GATEWAYS: u32 = 1000;
        let databases = testing::postgres();
        let owner = Owner { scope: Group::Key, id: "k0" };
        let budget = Budget { nanos: 1_000_000_000, window: Window::Day, is_strict: false };
        let mut own = gateway(&databases, "0");
        let mut each_us = |work: &dyn Fn(&Leases)| {
            let begun = Instant::now();
            for name in 0..GATEWAYS {
                own.gateway = GatewayId::named(&name.to_string());
                work(&own);
            }
            (begun.elapsed() / GATEWAYS).as_micros()
        };
        let now_secs = NOON.cast_signed();
        let begin_us = each_us(&|own| own.begin(now_secs).unwrap());
        let lease_us = each_us(&|own| {
            let lease = own.lease(owner, budget, false, NOON).unwrap();
            assert_eq!(lease.granted_nanos, budget.nanos / 2 / u64::from(GATEWAYS));
        });
        let low_us = each_us(&|own| assert!(own.low(NOON).unwrap().is_empty()));
        println!(
            "to begin: {begin_us} us; a lease: {lease_us} us; a look for low leases: {low_us} us"
        );
    }

    #[test]
    fn a_gateway_that_was_alone_gives_back_what_it_holds_in_a_new_window() {
        testing::on_both(|databases| {
            let owner = Owner { scope: Group::Key, id: "k0" };
            let key = (Group::Key, "k0".to_owned());
            let budget = Budget { nanos: 100_000_000, window: Window::Day, is_strict: false };
            let one = gateway(databases, "one");
            one.lease(owner, budget, false, NOON).unwrap();
            let mut ledger =
                Ledger::open(databases).unwrap().of_gateway(Some(GatewayId::named("one")));
            ledger::fill(&mut ledger, 60);
            let alone = one.lease(owner, budget, false, NOON).unwrap();
            assert_eq!(alone.granted_nanos, 85_000_000);
            let tomorrow = NOON + 86_400;
            one.renew(tomorrow.cast_signed()).unwrap();
            let two = gateway(databases, "two");
            two.renew(tomorrow.cast_signed()).unwrap();
            let lease =
                |own: &Leases, is_wanted| own.lease(owner, budget, is_wanted, tomorrow).unwrap();
            assert_eq!(lease(&two, false).granted_nanos, 3_750_000, "a quarter of what is left");
            assert!(one.wanted(tomorrow).unwrap().is_empty(), "something is left");
            let three = gateway(databases, "three");
            three.renew(tomorrow.cast_signed()).unwrap();
            let small = Budget { nanos: 10_000_000, ..budget };
            assert_eq!(three.lease(owner, small, false, tomorrow).unwrap().granted_nanos, 0);
            assert_eq!(one.wanted(tomorrow).unwrap(), std::slice::from_ref(&key));
            let lower = lease(&one, true);
            assert_eq!((lower.granted_nanos, lower.before_nanos), (16_041_666, 85_000_000));
            let held = |own: &Leases| {
                own.rest(own.connection(), owner, budget, tomorrow).unwrap().held_nanos
            };
            assert_eq!(held(&two), 85_000_000, "the filter may still spend it");
            assert!(one.wanted(tomorrow).unwrap().is_empty());
            assert_eq!(one.lowered().unwrap(), [key]);
            one.has_taken(Group::Key, "k0").unwrap();
            assert!(one.lowered().unwrap().is_empty());
            assert_eq!(held(&two), 16_041_666);
        });
    }

    #[test]
    fn a_new_window_begins_with_the_lease_of_the_last() {
        testing::on_both(|databases| {
            let owner = Owner { scope: Group::User, id: "ann" };
            let budget = Budget { nanos: 1000, window: Window::Day, is_strict: true };
            let one = gateway(databases, "one");
            assert_eq!(one.lease(owner, budget, false, NOON).unwrap().granted_nanos, 500);
            let tomorrow = one.lease(owner, budget, false, NOON + 86_400).unwrap();
            assert_eq!((tomorrow.granted_nanos, tomorrow.spent_nanos), (500, 0));
        });
    }
}
