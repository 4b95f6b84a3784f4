//! What each of several gateways has spent, for the rule of [`crate::native::leases`].

use super::day::Day;
use super::report::Group;
use crate::limits::Window;
use crate::native::database::{Connection, DatabaseError};
use crate::native::gateway_id::GatewayId;

/// Adds to what a gateway has spent for a key or a user on a day, in each window that the day is in.
pub(super) fn spend(
    transaction: &Connection,
    gateway: &GatewayId,
    spent: impl Iterator<Item = (Group, String, Day, i64)>,
) -> Result<(), DatabaseError> {
    let sql = "INSERT INTO lease_spent (gateway, scope, owner, budget_window, period, spent_nanos, ends_secs)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT (gateway, scope, owner, budget_window, period)
        DO UPDATE SET spent_nanos = lease_spent.spent_nanos + ?6";
    let rows = spent.flat_map(|(scope, owner, day, nanos)| {
        Window::ALL.map(|window| {
            let period = window.at(day.begins_ms() / 1000);
            let ends_secs = period.end_secs().unwrap_or(u64::MAX);
            vec![
                gateway.as_str().into(),
                scope.as_str().into(),
                owner.as_str().into(),
                window.as_str().into(),
                period.to_text().into(),
                nanos.into(),
                ends_secs.into(),
            ]
        })
    });
    transaction.execute_each(sql, rows.collect()).map(drop)
}
