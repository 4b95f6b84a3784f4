//! The schema of the database, step by step.

/// What brings the schema from one number to the next. A row that has shipped never changes.
pub(super) const MIGRATIONS: [&str; 5] = [
    "
    CREATE TABLE admin_keys (
        id TEXT PRIMARY KEY,
        hash TEXT NOT NULL UNIQUE,
        name TEXT NOT NULL,
        created_secs INTEGER NOT NULL,
        revoked_secs INTEGER
    ) STRICT;
    CREATE TABLE audit (
        number INTEGER PRIMARY KEY,
        at_secs INTEGER NOT NULL,
        key_id TEXT NOT NULL,
        action TEXT NOT NULL,
        subject TEXT NOT NULL,
        outcome TEXT NOT NULL
    ) STRICT;
",
    // `number` of a key is that of its last change; the feed has the number of the last change of all. The names of models
    // are a JSON array.
    "
    CREATE TABLE users (
        id TEXT PRIMARY KEY,
        name TEXT NOT NULL,
        email TEXT,
        blocked INTEGER NOT NULL DEFAULT 0,
        created_secs INTEGER NOT NULL
    ) STRICT;
    CREATE TABLE keys (
        id TEXT PRIMARY KEY,
        hash BLOB NOT NULL UNIQUE,
        name TEXT NOT NULL,
        user_id TEXT REFERENCES users (id),
        models TEXT NOT NULL,
        expires_secs INTEGER,
        blocked INTEGER NOT NULL DEFAULT 0,
        created_secs INTEGER NOT NULL,
        created_by TEXT NOT NULL,
        changed_secs INTEGER NOT NULL,
        revoked_secs INTEGER,
        number INTEGER NOT NULL UNIQUE
    ) STRICT;
    CREATE INDEX keys_of_user ON keys (user_id);
    CREATE TABLE feed (
        one INTEGER PRIMARY KEY CHECK (one = 1),
        database INTEGER NOT NULL,
        number INTEGER NOT NULL
    ) STRICT;
    INSERT INTO feed VALUES (1, random(), 0);
",
    // Absent means unlimited.
    "
    ALTER TABLE keys ADD COLUMN rpm INTEGER;
    ALTER TABLE keys ADD COLUMN tpm INTEGER;
    ALTER TABLE keys ADD COLUMN max_parallel_requests INTEGER;
    ALTER TABLE keys ADD COLUMN budget_nanos INTEGER;
    ALTER TABLE keys ADD COLUMN budget_window TEXT;
    ALTER TABLE keys ADD COLUMN budget_strict INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE users ADD COLUMN rpm INTEGER;
    ALTER TABLE users ADD COLUMN tpm INTEGER;
    ALTER TABLE users ADD COLUMN max_parallel_requests INTEGER;
    ALTER TABLE users ADD COLUMN budget_nanos INTEGER;
    ALTER TABLE users ADD COLUMN budget_window TEXT;
    ALTER TABLE users ADD COLUMN budget_strict INTEGER NOT NULL DEFAULT 0;
",
    // The limits of some models are a JSON object. What was told of budgets: `told_secs` is absent while the webhook has not taken the alert,
    // which is sent again from `next_secs` on.
    "
    ALTER TABLE keys ADD COLUMN model_limits TEXT NOT NULL DEFAULT '{}';
    CREATE TABLE alerts (
        owner TEXT NOT NULL,
        id TEXT NOT NULL,
        budget_window TEXT NOT NULL,
        window_secs INTEGER NOT NULL,
        budget_nanos INTEGER NOT NULL,
        percent INTEGER NOT NULL,
        spent_nanos INTEGER NOT NULL,
        reached_secs INTEGER NOT NULL,
        next_secs INTEGER NOT NULL DEFAULT 0,
        tries INTEGER NOT NULL DEFAULT 0,
        told_secs INTEGER,
        PRIMARY KEY (owner, id, budget_window, window_secs, budget_nanos, percent)
    ) STRICT, WITHOUT ROWID;
",
    // `litellms` is 1 while LiteLLM is the owner. What was spent there, and when that was seen to change.
    "
    ALTER TABLE keys ADD COLUMN litellms INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE keys ADD COLUMN carried_nanos INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE keys ADD COLUMN carried_secs INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE users ADD COLUMN litellms INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE users ADD COLUMN carried_nanos INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE users ADD COLUMN carried_secs INTEGER NOT NULL DEFAULT 0;
",
];
