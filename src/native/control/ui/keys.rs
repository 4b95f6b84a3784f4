//! Client keys: made, changed, blocked and revoked.

use axum::extract::{Path, State};
use axum::http::{StatusCode, Uri};
use serde::Serialize;

use super::error::PageResult;
use super::form::{Form, Posted};
use super::limits::{Account, TypedLimits, limits_change, words};
use super::model_limits;
use super::page::{Confirm, Problem, done, page, taken, with_status};
use super::visit::Admin;
use crate::limits::Limits;
use crate::native::control::api::{Control, Shared, now_secs};
use crate::native::control::error::ApiError;
use crate::native::control::issued_key::IssuedKey;
use crate::native::control::keys::{key_state, parse_duration};
use crate::native::control::store::{KeyChange, KeyFilter, KeyRow, ModelLimits, NewKey};
use crate::native::ledger::Group;

/// The keys of a page.
const LIMIT: usize = 100;

/// A key as pages show it.
#[derive(Serialize)]
struct Shown {
    id: String,
    name: String,
    user: String,
    models: Vec<String>,
    state: &'static str,
    created_secs: i64,
    created_by: String,
    expires_secs: Option<i64>,
    /// LiteLLM is the owner, and nobody changes the key here.
    is_litellms: bool,
    /// Each limit in a few words.
    limits: Vec<String>,
    /// The limits of each model that has some, in a few words.
    model_limits: Vec<String>,
}

/// What was typed into a form that was refused, and why.
#[derive(Default, Serialize)]
struct Typed {
    name: String,
    user: String,
    models: String,
    expires: String,
    #[serde(flatten)]
    limits: TypedLimits,
    model_limits: String,
    #[serde(flatten)]
    problem: Problem,
}

#[derive(Serialize)]
struct List {
    keys: Vec<Shown>,
    next: Option<String>,
    user: String,
    with_revoked: bool,
    users: Vec<String>,
    typed: Typed,
}

#[derive(Serialize)]
struct One {
    key: Shown,
    account: Account,
    users: Vec<String>,
    typed: Typed,
}

impl Shown {
    fn of(row: KeyRow) -> Self {
        let state = key_state(&row, now_secs());
        let (limits, model_limits) = (words(&row.limits), model_limits::told(&row.model_limits));
        let KeyRow { id, name, user, models, created_secs, created_by, expires_secs, .. } = row;
        let (user, is_litellms) = (user.unwrap_or_default(), row.is_litellms);
        Self {
            id,
            name,
            user,
            models,
            state,
            created_secs,
            created_by,
            expires_secs,
            is_litellms,
            limits,
            model_limits,
        }
    }
}

impl Typed {
    fn of(form: &Form, error: &ApiError) -> Self {
        let text = |name: &str| form.text(name).to_owned();
        Self {
            name: text("name"),
            user: text("user"),
            models: text("models"),
            expires: text("expires"),
            limits: TypedLimits::sent(form),
            model_limits: text(model_limits::FIELD),
            problem: Problem::of(error),
        }
    }

    fn kept(key: &KeyRow) -> Self {
        let KeyRow { name, user, models, limits, model_limits, .. } = key;
        Self {
            name: name.clone(),
            user: user.clone().unwrap_or_default(),
            models: models.join("\n"),
            limits: TypedLimits::of(limits),
            model_limits: model_limits::lines(model_limits),
            ..Self::default()
        }
    }

    /// An empty form has the limits that new keys have.
    fn fresh(limits: &Limits) -> Self {
        Self { limits: TypedLimits::of(limits), ..Self::default() }
    }
}

/// One model in each line, or with commas between them.
fn models(form: &Form) -> Vec<String> {
    let parts = form.text("models").split(['\n', ',']).map(str::trim);
    parts.filter(|model| !model.is_empty()).map(str::to_owned).collect()
}

/// When a key ends that lasts as long as the form says; `None` where the form says nothing.
fn expires_secs(form: &Form) -> Result<Option<i64>, ApiError> {
    let Some(text) = form.filled("expires") else { return Ok(None) };
    let wrong = |problem: String| ApiError::bad_request(format!("{problem}.")).about("expires");
    Ok(Some(now_secs().saturating_add(parse_duration(text).map_err(wrong)?)))
}

pub(super) async fn list(State(control): Shared, admin: Admin, uri: Uri) -> PageResult {
    let query = Form::parse(uri.query().unwrap_or_default());
    let typed = Typed::fresh(&control.default_limits().unwrap_or(Limits::NONE));
    listed(&control, &admin, &query, typed)
}

fn listed(control: &Control, admin: &Admin, query: &Form, typed: Typed) -> PageResult {
    let filter = KeyFilter {
        user: query.filled("user_is").map(str::to_owned),
        after: query.filled("after").map(str::to_owned),
        limit: LIMIT,
        with_revoked: query.text("revoked") == "true",
    };
    let rows = control.store.keys(&filter)?;
    let next = rows.last().filter(|_| rows.len() == LIMIT).map(|row| row.id.clone());
    let list = List {
        keys: rows.into_iter().map(Shown::of).collect(),
        next,
        user: filter.user.unwrap_or_default(),
        with_revoked: filter.with_revoked,
        users: users(control)?,
        typed,
    };
    page(control, admin, "keys.html", "Keys", &list)
}

fn users(control: &Control) -> Result<Vec<String>, ApiError> {
    Ok(control.store.users()?.into_iter().map(|user| user.id).collect())
}

pub(super) async fn make(State(control): Shared, posted: Posted) -> PageResult {
    #[derive(Serialize)]
    struct Made<'a> {
        key: Shown,
        secret: &'a str,
        taken: &'static str,
        origin: String,
    }
    let Posted { admin, form } = posted;
    match made(&control, &admin, &form).await {
        Ok((secret, row, is_taken)) => {
            let made = Made {
                key: Shown::of(row),
                secret: secret.expose(),
                taken: taken(is_taken),
                origin: admin.visit.origin(),
            };
            page(&control, &admin, "made.html", "A new key", &made)
        }
        Err(error) => {
            let typed = Typed::of(&form, &error);
            with_status(error.status(), listed(&control, &admin, &Form::default(), typed))
        }
    }
}

async fn made(
    control: &Control,
    admin: &Admin,
    form: &Form,
) -> Result<(IssuedKey, KeyRow, bool), ApiError> {
    let new = NewKey {
        name: form.text("name").to_owned(),
        user: form.filled("user").map(str::to_owned),
        models: models(form),
        expires_secs: expires_secs(form)?,
        blocked: false,
        limits: limits_change(control, form)?.of(control.default_limits()?),
        model_limits: model_limits::sent(control, form, &ModelLimits::new())?.unwrap_or_default(),
    };
    control.issue(&admin.id, &new, None).await
}

pub(super) async fn show(
    State(control): Shared,
    admin: Admin,
    Path(id): Path<String>,
) -> PageResult {
    let key = known(&control, &id)?;
    let typed = Typed::kept(&key);
    shown(&control, &admin, key, typed)
}

fn known(control: &Control, id: &str) -> Result<KeyRow, ApiError> {
    control.store.key(id)?.ok_or_else(|| ApiError::unknown("key", id))
}

fn shown(control: &Control, admin: &Admin, key: KeyRow, typed: Typed) -> PageResult {
    let title = format!("Key {}", key.id);
    let account = Account::of(control, (Group::Key, &key.id), &key.limits, key.carried);
    let one = One { key: Shown::of(key), account, users: users(control)?, typed };
    page(control, admin, "key.html", &title, &one)
}

pub(super) async fn change(
    State(control): Shared,
    Path(id): Path<String>,
    posted: Posted,
) -> PageResult {
    let Posted { admin, form } = posted;
    match changed(&control, &admin, &id, &form).await {
        Ok(is_taken) => {
            let word = format!("Key {id} is changed. {}", taken(is_taken));
            Ok(done(&control, &admin, &format!("/keys/{id}"), word))
        }
        Err(error) if error.status() == StatusCode::NOT_FOUND => Err(error.into()),
        Err(error) => {
            let typed = Typed::of(&form, &error);
            with_status(error.status(), shown(&control, &admin, known(&control, &id)?, typed))
        }
    }
}

async fn changed(
    control: &Control,
    admin: &Admin,
    id: &str,
    form: &Form,
) -> Result<bool, ApiError> {
    let expires = match form.text("end") {
        "never" => Some(None),
        _ => expires_secs(form)?.map(Some),
    };
    let kept = known(control, id)?.model_limits;
    let change = KeyChange {
        name: Some(form.text("name").to_owned()),
        user: Some(form.filled("user").map(str::to_owned)),
        models: Some(models(form)),
        expires_secs: expires,
        limits: limits_change(control, form)?,
        model_limits: model_limits::sent(control, form, &kept)?,
        ..KeyChange::default()
    };
    Ok(control.alter(&admin.id, "key.change", id, &change).await?.1)
}

/// Asks before a key is gone for good.
pub(super) async fn confirm(
    State(control): Shared,
    admin: Admin,
    Path((id, action)): Path<(String, String)>,
) -> PageResult {
    if action != "revoke" {
        return Err(ApiError::no_page().into());
    }
    let KeyRow { id, name, .. } = known(&control, &id)?;
    let confirm = Confirm {
        what: format!(
            "Revoke the key {id}{}?",
            if name.is_empty() { name } else { format!(" ({name})") }
        ),
        consequence: "Nobody can undo that: requests with this key are refused within a second.",
        button: "Revoke the key",
        to: format!("/keys/{id}/revoke"),
        back: "/keys",
    };
    page(&control, &admin, "confirm.html", "Revoke a key", &confirm)
}

pub(super) async fn act(
    State(control): Shared,
    Path((id, action)): Path<(String, String)>,
    posted: Posted,
) -> PageResult {
    let admin = posted.admin;
    let (word, (_, is_taken)) = match action.as_str() {
        "block" => ("blocked", control.set_blocked(&admin.id, &id, true).await?),
        "unblock" => ("open again", control.set_blocked(&admin.id, &id, false).await?),
        "revoke" => ("revoked", control.revoke(&admin.id, &id).await?),
        _ => return Err(ApiError::no_page().into()),
    };
    Ok(done(&control, &admin, "/keys", format!("Key {id} is {word}. {}", taken(is_taken))))
}
