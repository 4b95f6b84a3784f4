//! The database of the ledger.
//!
//! | table | a row |
//! |---|---|
//! | `attempts` | an attempt that is over; kept for some days |
//! | `days` | what a key has used in a day of a provider's model; kept for ever |
//! | `asked` | what a key has spent in a day on a model, as clients ask for the model; kept for ever |
//! | `durations` | how many answers of a day took how long; kept for ever |
//! | `open` | an attempt that is not over |
//! | `journals` | a file of the journal, and how far it is read |
//! | `gateways`, `leases`, `lease_spent` | what each of several gateways may use of a budget, and has used |

use crate::native::database::{Connection, DatabaseError, Databases, Schema};
use crate::native::gateway_id::GatewayId;
use crate::usage::Usage;

/// The file of SQLite, in the data folder.
const FILE: &str = "ledger.db";

/// The ledger, opened by one owner.
pub struct Ledger {
    pub(super) connection: Connection,
    /// The gateway whose journals are taken in, where several share the ledger.
    pub(super) gateway: Option<GatewayId>,
}

impl Ledger {
    /// # Errors
    /// The database cannot be opened, or its schema is newer than this program.
    pub(crate) fn open(databases: &Databases) -> Result<Self, DatabaseError> {
        Ok(Self { connection: databases.open(&schema())?, gateway: None })
    }

    /// The same for the journals of a gateway.
    pub(crate) fn of_gateway(self, gateway: Option<GatewayId>) -> Self {
        Self { gateway, ..self }
    }

    pub(crate) fn connection(&self) -> &Connection {
        &self.connection
    }
}

/// The tables of the ledger. A step that has shipped never changes.
pub(crate) fn schema() -> Schema {
    let later = [SECOND, THIRD, FOURTH, FIFTH, SIXTH].map(Into::into);
    Schema { file: FILE, steps: [first().into()].into_iter().chain(later).collect() }
}

/// What keys and users have spent is asked for one by one.
const SECOND: &str = "CREATE INDEX IF NOT EXISTS days_by_key ON days (key, cost_nanos);
    CREATE INDEX IF NOT EXISTS days_by_user ON days (\"user\", cost_nanos);";

/// What each gateway may use of a budget, and has used.
const THIRD: &str =
    "CREATE TABLE gateways (gateway TEXT PRIMARY KEY, until_secs INTEGER NOT NULL, is_read INTEGER NOT NULL) STRICT, WITHOUT ROWID;
    CREATE TABLE leases (
        gateway TEXT NOT NULL, scope TEXT NOT NULL, owner TEXT NOT NULL, budget_window TEXT NOT NULL,
        granted_nanos INTEGER NOT NULL, low_nanos INTEGER NOT NULL, used_up TEXT NOT NULL,
        PRIMARY KEY (scope, owner, budget_window, gateway)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX leases_of_gateway ON leases (gateway);
    CREATE TABLE lease_spent (
        gateway TEXT NOT NULL, scope TEXT NOT NULL, owner TEXT NOT NULL, budget_window TEXT NOT NULL,
        period TEXT NOT NULL, spent_nanos INTEGER NOT NULL, ends_secs INTEGER NOT NULL,
        PRIMARY KEY (scope, owner, budget_window, gateway, period)
    ) STRICT, WITHOUT ROWID;";

/// The limits of a key for some models count by the names that clients ask for.
const FOURTH: &str = "CREATE TABLE asked (
        day TEXT NOT NULL, key TEXT NOT NULL, asked TEXT NOT NULL, cost_nanos INTEGER NOT NULL,
        PRIMARY KEY (key, day, asked)
    ) STRICT, WITHOUT ROWID;";

/// How long answers took. What was taken in before has no rows here.
const FIFTH: &str = "CREATE TABLE durations (
        day TEXT NOT NULL, bucket INTEGER NOT NULL, answers INTEGER NOT NULL, PRIMARY KEY (day, bucket)
    ) STRICT, WITHOUT ROWID;";

/// A lease can become smaller.
const SIXTH: &str = "ALTER TABLE leases ADD COLUMN before_nanos INTEGER NOT NULL DEFAULT 0;";

fn first() -> String {
    let amounts = Usage::NAMES.map(|name| format!("{name} INTEGER NOT NULL")).join(", ");
    let who =
        "key TEXT NOT NULL, \"user\" TEXT NOT NULL, provider TEXT NOT NULL, model TEXT NOT NULL";
    format!(
        "CREATE TABLE attempts (
            request TEXT NOT NULL, attempt INTEGER NOT NULL, begun_ms INTEGER NOT NULL, {who},
            asked TEXT NOT NULL, operation TEXT NOT NULL, status INTEGER NOT NULL, basis TEXT NOT NULL,
            tier TEXT NOT NULL, duration_ms INTEGER NOT NULL, first_ms INTEGER, {amounts},
            cost_nanos INTEGER, PRIMARY KEY (request, attempt)
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX attempts_by_time ON attempts (begun_ms);
        CREATE TABLE days (
            day TEXT NOT NULL, {who}, attempts INTEGER NOT NULL, failed INTEGER NOT NULL,
            guessed INTEGER NOT NULL, unpriced INTEGER NOT NULL, {amounts}, cost_nanos INTEGER NOT NULL,
            PRIMARY KEY (day, key, \"user\", provider, model)
        ) STRICT, WITHOUT ROWID;
        CREATE TABLE open (
            request TEXT NOT NULL, attempt INTEGER NOT NULL, journal TEXT NOT NULL, record TEXT NOT NULL,
            PRIMARY KEY (request, attempt)
        ) STRICT, WITHOUT ROWID;
        CREATE TABLE journals (name TEXT PRIMARY KEY, \"offset\" INTEGER NOT NULL) STRICT, WITHOUT ROWID;"
    )
}
