//! `/admin/users`: who owns keys.

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde::Deserialize;
use serde_json::{Value, json};

use super::super::api::{Control, answer, now_secs, with};
use super::super::error::ApiError;
use super::super::store::{KeyFilter, LimitsChange, UserChange, UserRow};
use super::api::{body, owner};
use super::limits::{WithLimits, nullable, with_limits};
use super::words::{check_name, check_user};
use crate::limits::Limits;

type Shared = State<Arc<Control>>;

pub(in super::super) fn routes() -> Router<Arc<Control>> {
    Router::new()
        .route("/admin/users", get(list).post(new))
        .route("/admin/users/{id}", get(show).patch(change).delete(remove))
}

fn document(row: &UserRow) -> Value {
    let UserRow { id, name, email, blocked, created_secs, limits, is_litellms, .. } = row;
    let document = json!({
        "id": id, "name": name, "email": email, "blocked": blocked, "created_secs": created_secs,
        "owner": owner(*is_litellms),
    });
    with_limits(document, limits)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct New {
    id: String,
    #[serde(default)]
    name: String,
    email: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Change {
    name: Option<String>,
    #[serde(deserialize_with = "nullable")]
    email: Option<Option<String>>,
    blocked: Option<bool>,
}

async fn new(
    State(control): Shared,
    headers: HeaderMap,
    bytes: Bytes,
) -> Result<Response, ApiError> {
    let caller = control.authorize(&headers).await?;
    let WithLimits { fields, limits } = body(&bytes)?;
    let New { id, name, email } = fields;
    let limits = control.checked_limits(&limits)?;
    let row = control.new_user(&caller, &id, &name, email.as_deref(), limits).await?;
    Ok((StatusCode::CREATED, answer(document(&row), None)).into_response())
}

async fn list(State(control): Shared, headers: HeaderMap) -> Result<Response, ApiError> {
    control.authorize(&headers).await?;
    let users: Vec<_> = control.store.users()?.iter().map(document).collect();
    Ok(answer(json!({"users": users}), None))
}

async fn show(
    State(control): Shared,
    headers: HeaderMap,
    Path(id): Path<String>,
) -> Result<Response, ApiError> {
    control.authorize(&headers).await?;
    let row = control.store.user(&id)?.ok_or_else(|| ApiError::unknown("user", &id))?;
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
    let Change { name, email, blocked } = fields;
    let limits = control.checked_limits(&limits)?;
    let change = UserChange { name, email, blocked, limits };
    let (row, applied) = control.alter_user(&caller, &id, &change).await?;
    Ok(answer(with(document(&row), "applied", applied), None))
}

async fn remove(
    State(control): Shared,
    headers: HeaderMap,
    Path(id): Path<String>,
) -> Result<Response, ApiError> {
    let caller = control.authorize(&headers).await?;
    let applied = control.remove_user(&caller, &id).await?;
    Ok(answer(json!({"id": id, "removed": true, "applied": applied}), None))
}

impl Control {
    pub(in super::super) fn add_user(
        &self,
        caller: &str,
        id: &str,
        name: &str,
        email: Option<&str>,
    ) -> Result<UserRow, ApiError> {
        let wrong = |problem: String| ApiError::bad_request(format!("This cannot be: {problem}."));
        check_user(id).map_err(|problem| wrong(problem).about("id"))?;
        check_name(name).map_err(|problem| wrong(problem).about("name"))?;
        check_name(email.unwrap_or_default()).map_err(|problem| wrong(problem).about("email"))?;
        if !self.store.add_user(id, name, email, now_secs())? {
            return Err(ApiError::conflict("user_exists", "There is a user with this id already."));
        }
        self.note(caller, "user.new", id)?;
        self.store.user(id)?.ok_or_else(|| ApiError::unknown("user", id))
    }

    /// Makes a user with limits.
    pub(in super::super) async fn new_user(
        &self,
        caller: &str,
        id: &str,
        name: &str,
        email: Option<&str>,
        limits: LimitsChange,
    ) -> Result<UserRow, ApiError> {
        let user = self.add_user(caller, id, name, email)?;
        if limits.of(Limits::NONE).is_none() {
            return Ok(user);
        }
        let change = UserChange { limits, ..UserChange::default() };
        Ok(self.alter_user(caller, id, &change).await?.0)
    }

    /// Changes a user. The last is whether the filter has taken what that means for the user's keys.
    pub(in super::super) async fn alter_user(
        &self,
        caller: &str,
        id: &str,
        change: &UserChange,
    ) -> Result<(UserRow, bool), ApiError> {
        let wrong = |problem: String| ApiError::bad_request(format!("This cannot be: {problem}."));
        let name = change.name.as_deref().unwrap_or_default();
        check_name(name).map_err(|problem| wrong(problem).about("name"))?;
        let unknown = || ApiError::unknown("user", id);
        self.check_owner_of_user(id)?;
        let number = self.store.change_user(id, change)?.ok_or_else(unknown)?;
        self.note(caller, "user.change", id)?;
        let applied = self.feed.spread(number).await;
        Ok((self.store.user(id)?.ok_or_else(unknown)?, applied))
    }

    /// # Errors
    /// LiteLLM owns the user, and its database is in the configuration.
    fn check_owner_of_user(&self, id: &str) -> Result<(), ApiError> {
        let is_litellms = self.store.user(id)?.is_some_and(|row| row.is_litellms);
        self.refuse_litellms("user", id, is_litellms)
    }

    /// # Errors
    /// LiteLLM owns a key of the user, and would open the key again.
    fn check_owners_of_keys(&self, user: &str) -> Result<(), ApiError> {
        let filter =
            KeyFilter { user: Some(user.to_owned()), limit: usize::MAX, ..KeyFilter::default() };
        let keys = self.store.keys(&filter)?;
        keys.iter().try_for_each(|row| self.refuse_litellms("key", &row.id, row.is_litellms))
    }

    /// Removes a user, and revokes the user's keys. Returns whether the filter has taken that.
    pub(in super::super) async fn remove_user(
        &self,
        caller: &str,
        id: &str,
    ) -> Result<bool, ApiError> {
        self.check_owner_of_user(id)?;
        self.check_owners_of_keys(id)?;
        let number = self.store.remove_user(id, now_secs())?;
        let number = number.ok_or_else(|| ApiError::unknown("user", id))?;
        self.note(caller, "user.remove", id)?;
        Ok(self.feed.spread(number).await)
    }
}
