//! `/user/…`.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, Uri};
use axum::response::Response;
use serde_json::{Value, json};

use super::super::api::{Control, answer, with};
use super::super::error::ApiError;
use super::super::issued_key::IssuedKey;
use super::super::keys::query_value;
use super::super::store::{KeyFilter, UserChange, UserRow};
use super::fields::{Fields, limits_document};
use super::keys::made;
use super::page::Page;
use crate::native::ledger::Group;

type Shared = State<Arc<Control>>;

/// A page of a list, unless the caller says otherwise.
const PAGE_USERS: usize = 25;

fn document(row: &UserRow) -> Value {
    let name = Some(row.name.as_str()).filter(|name| !name.is_empty());
    let mut document = json!({
        "user_id": row.id, "user_alias": name, "user_email": row.email, "blocked": row.blocked,
    });
    merge(&mut document, Value::Object(limits_document(&row.limits)));
    document
}

impl Control {
    /// A user with what the user has spent.
    fn user_document(&self, row: &UserRow) -> Result<Value, ApiError> {
        self.with_spend(document(row), Group::User, &row.id)
    }
}

/// Makes a user and, unless `auto_create_key` is false, a key of the user.
pub(super) async fn new(
    State(control): Shared,
    headers: HeaderMap,
    bytes: Bytes,
) -> Result<Response, ApiError> {
    let caller = control.authorize(&headers).await?;
    let mut fields = Fields::of(&bytes)?;
    let id = match fields.take::<String>("user_id")? {
        Some(id) => id,
        None => random_id()?,
    };
    let alias: Option<String> = fields.take("user_alias")?;
    let email: Option<String> = fields.take("user_email")?;
    let with_key = fields.take("auto_create_key")?.unwrap_or(true);
    let (mut key, own) = fields.take_key()?;
    // As for LiteLLM: they are the user's, and the new key has the defaults.
    let limits = control.checked_limits(&fields.take_limits()?)?;
    fields.end()?;
    key.limits = control.default_limits()?;
    let alias = alias.unwrap_or_default();
    let row = control.new_user(&caller, &id, &alias, email.as_deref(), limits).await?;
    let mut body = document(&row);
    if with_key {
        key.user = Some(row.id);
        let (key, row, applied) = control.issue(&caller, &key, own).await?;
        merge(&mut body, made(&key, &row, applied));
    }
    Ok(answer(body, None))
}

fn random_id() -> Result<String, ApiError> {
    let key = IssuedKey::client().map_err(|error| ApiError::failed(error.to_string()))?;
    Ok(format!("user-{}", key.id()))
}

fn merge(body: &mut Value, more: Value) {
    if let (Value::Object(body), Value::Object(more)) = (body, more) {
        body.extend(more);
    }
}

pub(super) async fn info(
    State(control): Shared,
    headers: HeaderMap,
    uri: Uri,
) -> Result<Response, ApiError> {
    control.authorize(&headers).await?;
    let missing = || ApiError::bad_request("The query names no 'user_id'.").about("user_id");
    let id = query_value(&uri, "user_id").ok_or_else(missing)?;
    let row = control.store.user(&id)?.ok_or_else(|| ApiError::unknown("user", &id))?;
    let filter = KeyFilter { user: Some(id), limit: usize::MAX, ..KeyFilter::default() };
    let keys = control.store.keys(&filter)?;
    let keys: Vec<_> =
        keys.iter().map(|row| control.key_document(row)).collect::<Result<_, _>>()?;
    let user = control.user_document(&row)?;
    let body = json!({"user_id": row.id, "user_info": user, "keys": keys, "teams": []});
    Ok(answer(body, None))
}

pub(super) async fn list(
    State(control): Shared,
    headers: HeaderMap,
    uri: Uri,
) -> Result<Response, ApiError> {
    control.authorize(&headers).await?;
    let page = Page::asked(&uri, "page_size", PAGE_USERS);
    let rows = control.store.users()?;
    let users = page.of(&rows).map(|row| control.user_document(row));
    let users: Vec<_> = users.collect::<Result<_, _>>()?;
    let body = json!({
        "users": users, "total": rows.len(), "page": page.number, "page_size": page.size,
        "total_pages": page.count(&rows),
    });
    Ok(answer(body, None))
}

pub(super) async fn update(
    State(control): Shared,
    headers: HeaderMap,
    bytes: Bytes,
) -> Result<Response, ApiError> {
    let caller = control.authorize(&headers).await?;
    let mut fields = Fields::of(&bytes)?;
    let id: String = fields.need("user_id")?;
    let change = UserChange {
        name: fields.take("user_alias")?,
        email: fields.take("user_email")?.map(Some),
        blocked: fields.take("blocked")?,
        limits: control.checked_limits(&fields.take_limits()?)?,
    };
    fields.end()?;
    let (row, applied) = control.alter_user(&caller, &id, &change).await?;
    Ok(answer(with(document(&row), "applied", applied), None))
}

/// Answers with the number of users that are gone, as LiteLLM does.
pub(super) async fn delete(
    State(control): Shared,
    headers: HeaderMap,
    bytes: Bytes,
) -> Result<Response, ApiError> {
    let caller = control.authorize(&headers).await?;
    let mut fields = Fields::of(&bytes)?;
    let ids: Vec<String> = fields.need("user_ids")?;
    fields.end()?;
    for id in &ids {
        // All or none: a user that is not there changes nothing.
        control.store.user(id)?.ok_or_else(|| ApiError::unknown("user", id))?;
    }
    for id in &ids {
        control.remove_user(&caller, id).await?;
    }
    Ok(answer(json!(ids.len()), None))
}
