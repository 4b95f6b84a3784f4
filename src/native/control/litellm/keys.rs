//! `/key/…`.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, Uri};
use axum::response::Response;
use serde_json::{Value, json};

use super::super::api::{Control, answer, with};
use super::super::error::ApiError;
use super::super::issued_key::IssuedKey;
use super::super::keys::query_value;
use super::super::store::{KeyChange, KeyFilter, KeyRow, ModelLimits, NewKey};
use super::fields::{Fields, limits_document, model_limits_document};
use super::page::Page;
use crate::keys::{KeyHash, id_of};
use crate::limits::Limits;
use crate::models::date;
use crate::native::ledger::Group;

type Shared = State<Arc<Control>>;

/// A page of a list, unless the caller says otherwise.
const PAGE_KEYS: usize = 10;

/// A key as LiteLLM describes one.
fn document(row: &KeyRow) -> Value {
    let time = |secs: i64| date::format(u64::try_from(secs).unwrap_or_default());
    let mut document = json!({
        "token": row.hash.to_hex(), "token_id": row.hash.to_hex(), "key_name": key_name(row), "key_alias": alias(row),
        "models": row.models, "user_id": row.user, "expires": row.expires_secs.map(time), "blocked": row.blocked,
        "created_at": time(row.created_secs), "created_by": row.created_by, "updated_at": time(row.changed_secs),
    });
    if let Value::Object(fields) = &mut document {
        fields.extend(limits_document(&row.limits));
        fields.extend(model_limits_document(&row.model_limits));
    }
    document
}

/// The public part of a key.
fn key_name(row: &KeyRow) -> String {
    format!("sk-prx-{}-...", row.id)
}

fn alias(row: &KeyRow) -> Option<&str> {
    Some(row.name.as_str()).filter(|name| !name.is_empty())
}

/// A key that was made now, with the key itself.
pub(super) fn made(key: &IssuedKey, row: &KeyRow, applied: bool) -> Value {
    with(with(document(row), "key", key.expose()), "applied", applied)
}

impl Fields {
    /// The fields of a new key, and the key where the caller has made one.
    pub(super) fn take_key(&mut self) -> Result<(NewKey, Option<IssuedKey>), ApiError> {
        let own = self.take::<String>("key")?.map(|text| {
            IssuedKey::parse_client(&text).ok_or_else(|| {
                let problem = "A key of your own is sk-prx-, 12 letters and digits, a hyphen, and 32 letters and digits.";
                ApiError::bad_request(problem).about("key")
            })
        });
        let new = NewKey {
            name: self.take("key_alias")?.unwrap_or_default(),
            user: self.take("user_id")?,
            models: self.take("models")?.unwrap_or_default(),
            expires_secs: self.take_end()?,
            blocked: self.take("blocked")?.unwrap_or_default(),
            limits: Limits::NONE,
            model_limits: ModelLimits::new(),
        };
        Ok((new, own.transpose()?))
    }
}

pub(super) async fn generate(
    State(control): Shared,
    headers: HeaderMap,
    bytes: Bytes,
) -> Result<Response, ApiError> {
    let caller = control.authorize(&headers).await?;
    let mut fields = Fields::of(&bytes)?;
    let (new, own) = fields.take_key()?;
    let limits = fields.take_limits()?;
    let model_limits = fields.take_model_limits()?.unwrap_or_default();
    fields.end()?;
    let limits = control.checked_limits(&limits)?.of(control.default_limits()?);
    let model_limits = control.checked_model_limits(&model_limits)?;
    let new = NewKey { limits, model_limits, ..new };
    control.need_user(&caller, new.user.as_deref())?;
    let (key, row, applied) = control.issue(&caller, &new, own).await?;
    Ok(answer(made(&key, &row, applied), None))
}

pub(super) async fn info(
    State(control): Shared,
    headers: HeaderMap,
    uri: Uri,
) -> Result<Response, ApiError> {
    control.authorize(&headers).await?;
    let missing = || ApiError::bad_request("The query names no 'key'.").about("key");
    let row = control.named(&query_value(&uri, "key").ok_or_else(missing)?)?;
    let info = control.key_document(&row)?;
    Ok(answer(json!({"key": row.hash.to_hex(), "info": info}), None))
}

pub(super) async fn list(
    State(control): Shared,
    headers: HeaderMap,
    uri: Uri,
) -> Result<Response, ApiError> {
    control.authorize(&headers).await?;
    let page = Page::asked(&uri, "size", PAGE_KEYS);
    let filter =
        KeyFilter { user: query_value(&uri, "user_id"), limit: usize::MAX, ..KeyFilter::default() };
    let alias = query_value(&uri, "key_alias");
    let mut rows = control.store.keys(&filter)?;
    rows.retain(|row| alias.as_ref().is_none_or(|alias| row.name == *alias));
    let whole = query_value(&uri, "return_full_object").as_deref() == Some("true");
    let shown = |row: &KeyRow| match whole {
        true => control.key_document(row),
        false => Ok(json!(row.hash.to_hex())),
    };
    let keys: Vec<_> = page.of(&rows).map(shown).collect::<Result<_, _>>()?;
    let body = json!({
        "keys": keys, "total_count": rows.len(), "current_page": page.number, "total_pages": page.count(&rows),
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
    let row = control.named(&fields.need::<String>("key")?)?;
    let change = KeyChange {
        name: fields.take("key_alias")?,
        user: fields.take("user_id")?.map(Some),
        models: fields.take("models")?,
        expires_secs: fields.take_end()?.map(Some),
        blocked: fields.take("blocked")?,
        limits: control.checked_limits(&fields.take_limits()?)?,
        model_limits: fields
            .take_model_limits()?
            .map(|own| control.checked_model_limits(&own))
            .transpose()?,
    };
    fields.end()?;
    control.need_user(&caller, change.user.as_ref().and_then(Option::as_deref))?;
    let (row, applied) = control.alter(&caller, "key.change", &row.id, &change).await?;
    Ok(changed(&row, applied))
}

pub(super) async fn delete(
    State(control): Shared,
    headers: HeaderMap,
    bytes: Bytes,
) -> Result<Response, ApiError> {
    let caller = control.authorize(&headers).await?;
    let mut fields = Fields::of(&bytes)?;
    let keys: Vec<String> = fields.need("keys")?;
    fields.end()?;
    // All or none: a key that is not there changes nothing.
    let rows = keys.iter().map(|key| control.named(key)).collect::<Result<Vec<_>, _>>()?;
    let mut is_applied = true;
    for row in rows {
        is_applied &= control.revoke(&caller, &row.id).await?.1;
    }
    Ok(answer(json!({"deleted_keys": keys, "applied": is_applied}), None))
}

pub(super) async fn block(
    State(control): Shared,
    headers: HeaderMap,
    bytes: Bytes,
) -> Result<Response, ApiError> {
    set_blocked(&control, &headers, &bytes, true).await
}

pub(super) async fn unblock(
    State(control): Shared,
    headers: HeaderMap,
    bytes: Bytes,
) -> Result<Response, ApiError> {
    set_blocked(&control, &headers, &bytes, false).await
}

async fn set_blocked(
    control: &Control,
    headers: &HeaderMap,
    bytes: &Bytes,
    blocked: bool,
) -> Result<Response, ApiError> {
    let caller = control.authorize(headers).await?;
    let mut fields = Fields::of(bytes)?;
    let row = control.named(&fields.need::<String>("key")?)?;
    fields.end()?;
    let (row, applied) = control.set_blocked(&caller, &row.id, blocked).await?;
    Ok(changed(&row, applied))
}

pub(super) async fn regenerate(
    State(control): Shared,
    headers: HeaderMap,
    bytes: Bytes,
) -> Result<Response, ApiError> {
    let caller = control.authorize(&headers).await?;
    let mut fields = Fields::of(&bytes)?;
    let key: String = fields.need("key")?;
    control.regenerate(&caller, &key, fields).await
}

pub(super) async fn regenerate_of(
    State(control): Shared,
    headers: HeaderMap,
    Path(key): Path<String>,
    bytes: Bytes,
) -> Result<Response, ApiError> {
    let caller = control.authorize(&headers).await?;
    control.regenerate(&caller, &key, Fields::of(&bytes)?).await
}

fn changed(row: &KeyRow, applied: bool) -> Response {
    answer(with(document(row), "applied", applied), None)
}

impl Control {
    /// A key with what it has spent.
    pub(super) fn key_document(&self, row: &KeyRow) -> Result<Value, ApiError> {
        self.with_spend(document(row), Group::Key, &row.id)
    }

    /// The key that a caller names by the key itself, by its hash, or by its public id.
    pub(super) fn named(&self, name: &str) -> Result<KeyRow, ApiError> {
        let found = match (id_of(name), hash_of_hex(name)) {
            (Some(_), _) => self.store.key_by_hash(&KeyHash::of(name))?,
            (None, Some(hash)) => self.store.key_by_hash(&hash)?,
            (None, None) => self.store.key(name)?,
        };
        // The name may be a key, which no error shows.
        found.filter(|row| row.revoked_secs.is_none()).ok_or_else(|| ApiError::unknown("key", "…"))
    }

    /// LiteLLM takes any user's id, so the user is made where there is none.
    pub(super) fn need_user(&self, caller: &str, id: Option<&str>) -> Result<(), ApiError> {
        match id {
            Some(id) if self.store.user(id)?.is_none() => {
                self.add_user(caller, id, "", None).map(drop)
            }
            _ => Ok(()),
        }
    }

    /// Makes a key in the place of another, which is revoked.
    async fn regenerate(
        &self,
        caller: &str,
        name: &str,
        fields: Fields,
    ) -> Result<Response, ApiError> {
        fields.end()?;
        let row = self.named(name)?;
        self.check_owner(&row.id)?;
        let KeyRow { id, name, user, models, expires_secs, blocked, .. } = row;
        let (limits, model_limits) = (row.limits, row.model_limits);
        let new = NewKey { name, user, models, expires_secs, blocked, limits, model_limits };
        let (key, row, is_made) = self.issue(caller, &new, None).await?;
        let (_, is_revoked) = self.revoke(caller, &id).await?;
        Ok(answer(made(&key, &row, is_made && is_revoked), None))
    }
}

/// The hash that 64 hexadecimal digits write.
pub(crate) fn hash_of_hex(text: &str) -> Option<KeyHash> {
    let digits = text.as_bytes().chunks_exact(2);
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
    let bytes: Vec<u8> = digits.map(byte).collect::<Option<_>>()?;
    Some(KeyHash::from_bytes(bytes.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_is_64_hexadecimal_digits() {
        let own = KeyHash::of("k");
        assert_eq!(hash_of_hex(&own.to_hex()), Some(own));
        for other in ["", "abcdefghijkl", &"ab".repeat(31), &"zz".repeat(32)] {
            assert_eq!(hash_of_hex(other), None, "{other}");
        }
    }
}
