//! `/admin/keys`.

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::super::api::{Control, answer, from_object, now_secs, with};
use super::super::error::ApiError;
use super::super::issued_key::IssuedKey;
use super::super::store::{Audit, KeyChange, KeyFilter, KeyRow, LimitsChange, ModelLimits, NewKey};
use super::limits::{
    LimitFields, ModelLimitFields, WithLimits, model_limits, model_limits_document, nullable,
    with_limits,
};
use super::query::value;
use super::words::{check_models, check_name};
use crate::config::KeysFile;
use crate::limits::Limits;
use crate::native::settings::Loaded;

/// The most keys of one answer.
const LIST_MAX: usize = 1000;

type Shared = State<Arc<Control>>;

/// Limits count what is metered.
const NEEDS_METER: &str =
    "Limits and budgets count what requests use: set usage.meter = \"all\" in gaud.toml first.";

pub(in super::super) fn routes() -> Router<Arc<Control>> {
    Router::new()
        .route("/admin/keys", get(list).post(new))
        .route("/admin/keys/{id}", get(show).patch(change).delete(revoke))
        .route("/admin/keys/{id}/block", post(block))
        .route("/admin/keys/{id}/unblock", post(unblock))
}

/// A key as answers show it.
pub(super) fn document(row: &KeyRow) -> Value {
    let document = json!({
        "id": row.id, "name": row.name, "user": row.user, "models": row.models, "state": state(row, now_secs()),
        "expires_secs": row.expires_secs, "blocked": row.blocked, "created_secs": row.created_secs,
        "created_by": row.created_by, "changed_secs": row.changed_secs, "revoked_secs": row.revoked_secs,
        "model_limits": model_limits_document(&row.model_limits), "owner": owner(row.is_litellms),
    });
    with_limits(document, &row.limits)
}

/// Who changes a key or a user, in a word.
pub fn owner(is_litellms: bool) -> &'static str {
    if is_litellms { "litellm" } else { "gaud" }
}

/// What a key is good for now, in a word.
pub fn state(row: &KeyRow, now_secs: i64) -> &'static str {
    match row {
        KeyRow { revoked_secs: Some(_), .. } => "revoked",
        KeyRow { blocked: true, .. } => "blocked",
        KeyRow { expires_secs: Some(end), .. } if now_secs >= *end => "expired",
        _ => "valid",
    }
}

/// The body of a request. An unknown field is refused: its sender would believe that it counts.
pub(super) fn body<T: DeserializeOwned>(bytes: &Bytes) -> Result<T, ApiError> {
    let bytes: &[u8] = if bytes.is_empty() { b"{}" } else { bytes };
    let wrong = |error: serde_json::Error| {
        ApiError::bad_request(format!("The body is not the JSON that this path takes: {error}."))
    };
    from_object(bytes).map_err(wrong)
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct New {
    name: String,
    user: Option<String>,
    models: Vec<String>,
    expires_secs: Option<i64>,
    valid_secs: Option<i64>,
    blocked: bool,
    model_limits: Option<ModelLimitFields>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Change {
    name: Option<String>,
    #[serde(deserialize_with = "nullable")]
    user: Option<Option<String>>,
    models: Option<Vec<String>>,
    #[serde(deserialize_with = "nullable")]
    expires_secs: Option<Option<i64>>,
    blocked: Option<bool>,
    #[serde(deserialize_with = "nullable")]
    model_limits: Option<Option<ModelLimitFields>>,
}

async fn new(
    State(control): Shared,
    headers: HeaderMap,
    bytes: Bytes,
) -> Result<Response, ApiError> {
    let caller = control.authorize(&headers).await?;
    let WithLimits { fields, limits } = body(&bytes)?;
    let New { name, user, models, expires_secs, valid_secs, blocked, model_limits } = fields;
    if expires_secs.is_some() && valid_secs.is_some() {
        let problem =
            "Either expires_secs says when the key ends, or valid_secs how long it lasts.";
        return Err(ApiError::bad_request(problem).about("valid_secs"));
    }
    let expires_secs = expires_secs.or(valid_secs.map(|secs| now_secs().saturating_add(secs)));
    let limits = control.checked_limits(&limits)?.of(control.default_limits()?);
    let model_limits = control.checked_model_limits(&model_limits.unwrap_or_default())?;
    let new = NewKey { name, user, models, expires_secs, blocked, limits, model_limits };
    let (key, row, applied) = control.issue(&caller, &new, None).await?;
    let document = with(with(document(&row), "key", key.expose()), "applied", applied);
    Ok((StatusCode::CREATED, answer(document, None)).into_response())
}

async fn list(State(control): Shared, headers: HeaderMap, uri: Uri) -> Result<Response, ApiError> {
    control.authorize(&headers).await?;
    let limit = match value(&uri, "limit") {
        None => None,
        Some(text) => Some(text.parse::<usize>().map_err(|_| {
            ApiError::bad_request(format!("limit is {text:?}; a whole number is wanted"))
        })?),
    };
    let limit = limit.unwrap_or(LIST_MAX).clamp(1, LIST_MAX);
    let filter = KeyFilter {
        user: value(&uri, "user"),
        after: value(&uri, "after"),
        limit,
        with_revoked: value(&uri, "revoked").as_deref() == Some("true"),
    };
    let rows = control.store.keys(&filter)?;
    // The next page begins after this id.
    let next = rows.last().filter(|_| rows.len() == limit).map(|row| &row.id);
    let keys: Vec<_> = rows.iter().map(document).collect();
    Ok(answer(json!({"keys": keys, "next": next}), None))
}

async fn show(
    State(control): Shared,
    headers: HeaderMap,
    Path(id): Path<String>,
) -> Result<Response, ApiError> {
    control.authorize(&headers).await?;
    let row = control.store.key(&id)?.ok_or_else(|| ApiError::unknown("key", &id))?;
    Ok(answer(document(&row), None))
}

async fn change(
    State(control): Shared,
    headers: HeaderMap,
    Path(id): Path<String>,
    bytes: Bytes,
) -> Result<Response, ApiError> {
    let caller = control.authorize(&headers).await?;
    let WithLimits { fields, limits } = body(&bytes)?;
    let Change { name, user, models, expires_secs, blocked, model_limits } = fields;
    let limits = control.checked_limits(&limits)?;
    let model_limits = model_limits.map(Option::unwrap_or_default);
    let model_limits = model_limits.map(|own| control.checked_model_limits(&own)).transpose()?;
    let change = KeyChange { name, user, models, expires_secs, blocked, limits, model_limits };
    let (row, applied) = control.alter(&caller, "key.change", &id, &change).await?;
    Ok(changed(&row, applied))
}

async fn revoke(
    State(control): Shared,
    headers: HeaderMap,
    Path(id): Path<String>,
) -> Result<Response, ApiError> {
    let caller = control.authorize(&headers).await?;
    let (row, applied) = control.revoke(&caller, &id).await?;
    Ok(changed(&row, applied))
}

async fn block(
    State(control): Shared,
    headers: HeaderMap,
    Path(id): Path<String>,
) -> Result<Response, ApiError> {
    let caller = control.authorize(&headers).await?;
    let (row, applied) = control.set_blocked(&caller, &id, true).await?;
    Ok(changed(&row, applied))
}

async fn unblock(
    State(control): Shared,
    headers: HeaderMap,
    Path(id): Path<String>,
) -> Result<Response, ApiError> {
    let caller = control.authorize(&headers).await?;
    let (row, applied) = control.set_blocked(&caller, &id, false).await?;
    Ok(changed(&row, applied))
}

fn changed(row: &KeyRow, applied: bool) -> Response {
    answer(with(document(row), "applied", applied), None)
}

impl Control {
    /// Makes a key, `own` where the caller has made one. The last is whether the filter has taken it.
    pub(in super::super) async fn issue(
        &self,
        caller: &str,
        new: &NewKey,
        own: Option<IssuedKey>,
    ) -> Result<(IssuedKey, KeyRow, bool), ApiError> {
        self.check_key(Some(&new.name), new.user.as_deref(), Some(&new.models))?;
        let key = match own {
            Some(key) => key,
            None => IssuedKey::client().map_err(|error| ApiError::failed(error.to_string()))?,
        };
        if self.store.key(key.id())?.is_some() {
            return Err(ApiError::bad_request("There is a key with this id already.").about("key"));
        }
        let number = self.store.add_key(key.id(), &key.hash(), new, caller, now_secs())?;
        self.note(caller, "key.new", key.id())?;
        let applied = self.feed.spread(number).await;
        let row = self.store.key(key.id())?.ok_or_else(|| ApiError::unknown("key", key.id()))?;
        Ok((key, row, applied))
    }

    /// Changes a key. The last is whether the filter has taken the change.
    pub(in super::super) async fn alter(
        &self,
        caller: &str,
        action: &str,
        id: &str,
        change: &KeyChange,
    ) -> Result<(KeyRow, bool), ApiError> {
        let user = change.user.as_ref().and_then(Option::as_deref);
        self.check_key(change.name.as_deref(), user, change.models.as_deref())?;
        self.check_owner(id)?;
        let number = self.store.change_key(id, change, now_secs())?;
        self.spread(caller, action, id, number).await
    }

    /// Blocks a key, or opens the key again. The last is whether the filter has taken the change.
    pub(in super::super) async fn set_blocked(
        &self,
        caller: &str,
        id: &str,
        is_blocked: bool,
    ) -> Result<(KeyRow, bool), ApiError> {
        let action = if is_blocked { "key.block" } else { "key.unblock" };
        let change = KeyChange { blocked: Some(is_blocked), ..KeyChange::default() };
        self.alter(caller, action, id, &change).await
    }

    /// Revokes a key for ever. The last is whether the filter has taken the change.
    pub(in super::super) async fn revoke(
        &self,
        caller: &str,
        id: &str,
    ) -> Result<(KeyRow, bool), ApiError> {
        self.check_owner(id)?;
        let number = self.store.revoke_key(id, now_secs())?;
        self.spread(caller, "key.revoke", id, number).await
    }

    /// # Errors
    /// LiteLLM owns the key, and its database is in the configuration.
    pub(in super::super) fn check_owner(&self, id: &str) -> Result<(), ApiError> {
        let is_litellms = self.store.key(id)?.is_some_and(|row| row.is_litellms);
        self.refuse_litellms("key", id, is_litellms)
    }

    /// # Errors
    /// LiteLLM owns the key or the user, and its database is in the configuration.
    pub(super) fn refuse_litellms(
        &self,
        what: &str,
        id: &str,
        is_litellms: bool,
    ) -> Result<(), ApiError> {
        match is_litellms && self.litellm.is_followed() {
            true => Err(ApiError::litellms(what, id)),
            false => Ok(()),
        }
    }

    async fn spread(
        &self,
        caller: &str,
        action: &str,
        id: &str,
        number: Option<u64>,
    ) -> Result<(KeyRow, bool), ApiError> {
        let unknown = || ApiError::unknown("key", id);
        let number = number.ok_or_else(unknown)?;
        self.note(caller, action, id)?;
        let applied = self.feed.spread(number).await;
        Ok((self.store.key(id)?.ok_or_else(unknown)?, applied))
    }

    /// The change that fields of limits mean.
    ///
    /// # Errors
    /// A field is wrong, or counts what is not metered.
    pub(in super::super) fn checked_limits(
        &self,
        fields: &LimitFields,
    ) -> Result<LimitsChange, ApiError> {
        let wrong = |(name, problem): (&'static str, String)| {
            ApiError::bad_request(format!("This cannot be: {problem}.")).about(name)
        };
        let change = fields.change().map_err(wrong)?;
        self.check_metered(&change)?;
        Ok(change)
    }

    /// The limits that fields for models mean.
    ///
    /// # Errors
    /// A field is wrong, or counts what is not metered.
    pub(in super::super) fn checked_model_limits(
        &self,
        fields: &ModelLimitFields,
    ) -> Result<ModelLimits, ApiError> {
        let wrong = |problem: String| {
            ApiError::bad_request(format!("This cannot be: {problem}.")).about("model_limits")
        };
        let limits = model_limits(fields).map_err(wrong)?;
        for own in limits.values() {
            self.check_metered(&LimitsChange::from(*own))?;
        }
        Ok(limits)
    }

    /// # Errors
    /// Limits are set, and the gateway does not meter what they count.
    pub(in super::super) fn check_metered(&self, change: &LimitsChange) -> Result<(), ApiError> {
        let sets = !change.of(Limits::NONE).is_none();
        match sets && !self.loaded().is_none_or(|loaded| loaded.gateway.records) {
            true => Err(ApiError::bad_request(NEEDS_METER).about("usage.meter")),
            false => Ok(()),
        }
    }

    /// The limits of new keys.
    pub(in super::super) fn default_limits(&self) -> Result<Limits, ApiError> {
        let loaded = self.loaded();
        let keys = loaded.as_ref().and_then(|loaded| loaded.file.keys.as_ref());
        let limits = keys.map_or(Ok(Limits::NONE), KeysFile::default_limits);
        limits.map_err(|error| ApiError::invalid(error.to_string()))
    }

    /// The configuration as the file has it now; `None` without a file, or with one that is refused.
    pub(in super::super) fn loaded(&self) -> Option<Loaded> {
        let config = self.config.as_ref()?;
        config.load(&config.read().ok()?).ok()
    }

    fn check_key(
        &self,
        name: Option<&str>,
        user: Option<&str>,
        models: Option<&[String]>,
    ) -> Result<(), ApiError> {
        let wrong = |problem: String| ApiError::bad_request(format!("This cannot be: {problem}."));
        name.map_or(Ok(()), check_name).map_err(|problem| wrong(problem).about("name"))?;
        models.map_or(Ok(()), check_models).map_err(|problem| wrong(problem).about("models"))?;
        match user.map(|id| self.store.user(id)).transpose()? {
            Some(None) => {
                let problem = "There is no such user; POST /admin/users makes users.";
                Err(ApiError::bad_request(problem).about("user"))
            }
            _ => Ok(()),
        }
    }

    /// An entry of the audit about a change that was made.
    pub(in super::super) fn note(
        &self,
        caller: &str,
        action: &str,
        subject: &str,
    ) -> Result<(), ApiError> {
        let at_secs = now_secs();
        let entry = Audit { at_secs, key_id: caller, action, subject, outcome: "applied" };
        Ok(self.store.audit(&entry)?)
    }
}
