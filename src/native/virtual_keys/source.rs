//! LiteLLM's database: PostgreSQL, in sessions that cannot write.

use std::fmt::Display;
use std::time::Duration;

use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_postgres::{Client, SimpleQueryMessage};

use super::token::Token;
use crate::native::database::PostgresUrl;
use crate::native::database::postgres::connect;

/// How long LiteLLM's database may take to answer.
const LIMIT: Duration = Duration::from_secs(10);

const READ_ONLY: &str =
    "SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY; SET statement_timeout = '10s'";

/// Each key as JSON, so that columns of older and newer versions of LiteLLM may be missing. Keys of sessions of LiteLLM's own
/// pages are not here. What changes with each use of a key, and says nothing of what the key may do, is left out.
const ROWS: &str = r#"SELECT jsonb_strip_nulls((to_jsonb(v) - '{last_active,updated_at,settings_updated_at,total_spend,model_spend}'::text[])
        || jsonb_build_object(
            'expires_secs', floor(extract(epoch FROM v.expires))::bigint,
            'is_over', coalesce(v.budget_reset_at, b.budget_reset_at) <= now() AT TIME ZONE 'UTC',
            'team', (to_jsonb(t) - '{members,members_with_roles,admins,updated_at,model_spend}'::text[])
                || jsonb_build_object('is_over', t.budget_reset_at <= now() AT TIME ZONE 'UTC'),
            'user', (to_jsonb(u) - '{password,updated_at,model_spend}'::text[])
                || jsonb_build_object('is_over', u.budget_reset_at <= now() AT TIME ZONE 'UTC'),
            'budget', to_jsonb(b) - '{updated_at}'::text[],
            'member_budget_id', m.budget_id))::text AS key, v.token
    FROM "LiteLLM_VerificationToken" v
    LEFT JOIN "LiteLLM_TeamTable" t ON t.team_id = v.team_id
    LEFT JOIN "LiteLLM_UserTable" u ON v.team_id IS NULL AND u.user_id = v.user_id
    LEFT JOIN "LiteLLM_BudgetTable" b ON b.budget_id = v.budget_id
    LEFT JOIN "LiteLLM_TeamMembership" m ON m.team_id = v.team_id AND m.user_id = v.user_id
    WHERE v.team_id IS DISTINCT FROM 'litellm-dashboard'"#;

/// A connection.
pub(super) struct Source {
    url: PostgresUrl,
    client: Client,
    wire: JoinHandle<()>,
}

impl Source {
    /// # Errors
    /// The database cannot be reached; a sentence without the password.
    pub(super) async fn connect(url: &PostgresUrl) -> Result<Self, String> {
        let (client, wire) = connect(url).await.map_err(|error| error.to_string())?;
        let wire = tokio::spawn(async { drop(wire.await) });
        let source = Self { url: url.clone(), client, wire };
        source.ask(READ_ONLY).await?;
        Ok(source)
    }

    /// What differs once anything differs that is read.
    pub(super) async fn mark(&self) -> Result<String, String> {
        let sql =
            format!("SELECT md5(string_agg(md5(key), '' ORDER BY token)) FROM ({ROWS}) AS keys");
        Ok(self.ask(&sql).await?.into_iter().next().unwrap_or_default())
    }

    /// All keys, by hash.
    pub(super) async fn tokens(&self) -> Result<Vec<Token>, String> {
        let rows = self.ask(&format!("{ROWS} ORDER BY v.token")).await?;
        let read = |row: &String| {
            let odd = "a key has a column of another type than LiteLLM 1.106 writes";
            serde_json::from_str(row).map_err(|_| self.problem(odd))
        };
        rows.iter().map(read).collect()
    }

    /// The first column of all rows.
    async fn ask(&self, sql: &str) -> Result<Vec<String>, String> {
        let late =
            || self.problem(format!("it does not answer within {} seconds", LIMIT.as_secs()));
        let answer = timeout(LIMIT, self.client.simple_query(sql)).await.map_err(|_| late())?;
        let messages = answer.map_err(|error| {
            let missing = error.code().is_some_and(|code| code.code() == "42P01");
            let remedy = "it is not LiteLLM's; name the one that DATABASE_URL names for LiteLLM";
            let words = || {
                error
                    .as_db_error()
                    .map_or("the connection has ended", |own| own.message())
                    .to_owned()
            };
            self.problem(if missing { remedy.to_owned() } else { words() })
        })?;
        let first = |message| match message {
            SimpleQueryMessage::Row(row) => Some(row.get(0).unwrap_or_default().to_owned()),
            _ => None,
        };
        Ok(messages.into_iter().filter_map(first).collect())
    }

    fn problem(&self, problem: impl Display) -> String {
        format!("the database {}: {problem}", self.url)
    }
}

impl Drop for Source {
    fn drop(&mut self) {
        self.wire.abort();
    }
}
