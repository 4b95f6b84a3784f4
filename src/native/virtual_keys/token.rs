//! A row of LiteLLM's table of keys, with the rows that it refers to.

use serde::Deserialize;
use serde_json::{Map, Value};

/// A virtual key. Nothing shows the hash.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Token {
    /// The SHA-256 of the key, in hexadecimal digits.
    pub(super) token: String,
    pub(super) key_alias: Option<String>,
    pub(super) user_id: Option<String>,
    pub(super) team_id: Option<String>,
    pub(super) organization_id: Option<String>,
    pub(super) project_id: Option<String>,
    pub(super) agent_id: Option<String>,
    /// Seconds since 1970.
    pub(super) expires_secs: Option<i64>,
    pub(super) aliases: Value,
    pub(super) metadata: Value,
    pub(super) router_settings: Value,
    pub(super) permissions: Value,
    pub(super) allowed_routes: Vec<String>,
    pub(super) access_group_ids: Vec<String>,
    #[serde(flatten)]
    pub(super) own: Holder,
    /// Of a key that has a team.
    pub(super) team: Option<Holder>,
    /// Of a key without a team.
    pub(super) user: Option<Holder>,
    /// A budget that the key shares with others.
    pub(super) budget: Option<Holder>,
    /// The budget of the key's user within the team.
    pub(super) member_budget_id: Option<String>,
}

/// What LiteLLM says alike of keys, teams, users and shared budgets.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Holder {
    pub(super) team_alias: Option<String>,
    pub(super) user_alias: Option<String>,
    pub(super) user_email: Option<String>,
    pub(super) organization_id: Option<String>,
    pub(super) blocked: Option<bool>,
    pub(super) models: Vec<String>,
    pub(super) rpm_limit: Option<i64>,
    pub(super) tpm_limit: Option<i64>,
    pub(super) tpd_limit: Option<i64>,
    pub(super) max_parallel_requests: Option<i64>,
    /// In dollars.
    pub(super) max_budget: Option<f64>,
    pub(super) budget_duration: Option<String>,
    /// In dollars, since the window of the budget began.
    pub(super) spend: f64,
    /// The window is over, and LiteLLM has not set `spend` to 0 yet.
    pub(super) is_over: bool,
    pub(super) model_max_budget: Value,
    pub(super) budget_limits: Value,
    pub(super) policies: Vec<String>,
    /// Of a team or a user.
    pub(super) metadata: Value,
}

/// An object; LiteLLM writes some as texts.
pub(super) fn object(value: &Value) -> Map<String, Value> {
    match value {
        Value::Object(fields) => fields.clone(),
        Value::String(text) => serde_json::from_str(text).unwrap_or_default(),
        _ => Map::new(),
    }
}

/// Whether a value says nothing.
pub(super) fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => true,
        Value::Array(all) => all.is_empty(),
        Value::Object(fields) => fields.is_empty(),
        Value::String(text) => ["", "{}", "[]", "null"].contains(&text.as_str()),
        _ => false,
    }
}
