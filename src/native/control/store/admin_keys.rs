//! The table of admin keys.

use super::Store;
use crate::keys::KeyHash;
use crate::native::database::{DatabaseError, Row, values};

/// An admin key, without the key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AdminKeyRow {
    pub id: String,
    pub name: String,
    /// Seconds since 1970.
    pub created_secs: i64,
    pub revoked_secs: Option<i64>,
}

impl Store {
    pub fn add_admin_key(
        &self,
        id: &str,
        hash: &KeyHash,
        name: &str,
        now_secs: i64,
    ) -> Result<(), DatabaseError> {
        let sql = "INSERT INTO admin_keys (id, hash, name, created_secs) VALUES (?1, ?2, ?3, ?4)
            ON CONFLICT (hash) DO UPDATE SET revoked_secs = NULL";
        self.connection().execute(sql, values![id, hash.to_hex(), name, now_secs])?;
        Ok(())
    }

    /// The id of the key with this hash, unless the key is revoked.
    pub fn admin_key(&self, hash: &KeyHash) -> Result<Option<String>, DatabaseError> {
        let sql = "SELECT id FROM admin_keys WHERE hash = ?1 AND revoked_secs IS NULL";
        let row = self.connection().first(sql, values![hash.to_hex()])?;
        row.map(|row| row.get(0)).transpose()
    }

    /// All keys, the oldest first.
    pub fn admin_keys(&self) -> Result<Vec<AdminKeyRow>, DatabaseError> {
        let sql =
            "SELECT id, name, created_secs, revoked_secs FROM admin_keys ORDER BY created_secs, id";
        let row = |row: &Row| {
            let (id, name) = (row.get(0)?, row.get(1)?);
            Ok(AdminKeyRow { id, name, created_secs: row.get(2)?, revoked_secs: row.get(3)? })
        };
        self.connection().query(sql, &[])?.iter().map(row).collect()
    }

    /// Whether there was such a key, not revoked.
    pub fn revoke_admin_key(&self, id: &str, now_secs: i64) -> Result<bool, DatabaseError> {
        let sql = "UPDATE admin_keys SET revoked_secs = ?2 WHERE id = ?1 AND revoked_secs IS NULL";
        Ok(self.connection().execute(sql, values![id, now_secs])? > 0)
    }
}
