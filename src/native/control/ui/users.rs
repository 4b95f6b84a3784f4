//! Users: who owns keys.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde::Serialize;

use super::error::PageResult;
use super::form::{Form, Posted};
use super::limits::{Account, TypedLimits, limits_change, words};
use super::page::{Confirm, Problem, done, page, taken, with_status};
use super::visit::Admin;
use crate::native::control::api::{Control, Shared};
use crate::native::control::error::ApiError;
use crate::native::control::store::{UserChange, UserRow};
use crate::native::http::encoded;
use crate::native::ledger::Group;

/// A user as pages show one.
#[derive(Serialize)]
struct Shown {
    id: String,
    name: String,
    email: String,
    blocked: bool,
    created_secs: i64,
    /// LiteLLM is the owner, and nobody changes the user here.
    is_litellms: bool,
    /// Each limit in a few words.
    limits: Vec<String>,
}

/// What was typed into a form that was refused, and why.
#[derive(Default, Serialize)]
struct Typed {
    id: String,
    name: String,
    email: String,
    #[serde(flatten)]
    limits: TypedLimits,
    #[serde(flatten)]
    problem: Problem,
}

#[derive(Serialize)]
struct List {
    users: Vec<Shown>,
    typed: Typed,
}

#[derive(Serialize)]
struct One {
    user: Shown,
    account: Account,
    typed: Typed,
}

impl Shown {
    fn of(row: UserRow) -> Self {
        let UserRow { id, name, email, blocked, created_secs, limits, is_litellms, .. } = row;
        let (email, limits) = (email.unwrap_or_default(), words(&limits));
        Self { id, name, email, blocked, created_secs, is_litellms, limits }
    }
}

impl Typed {
    fn of(form: &Form, error: &ApiError) -> Self {
        let text = |name: &str| form.text(name).to_owned();
        Self {
            id: text("id"),
            name: text("name"),
            email: text("email"),
            limits: TypedLimits::sent(form),
            problem: Problem::of(error),
        }
    }
}

pub(super) async fn list(State(control): Shared, admin: Admin) -> PageResult {
    listed(&control, &admin, Typed::default())
}

fn listed(control: &Control, admin: &Admin, typed: Typed) -> PageResult {
    let users = control.store.users()?.into_iter().map(Shown::of).collect();
    page(control, admin, "users.html", "Users", &List { users, typed })
}

pub(super) async fn make(State(control): Shared, posted: Posted) -> PageResult {
    let Posted { admin, form } = posted;
    match made(&control, &admin, &form).await {
        Ok(user) => Ok(done(&control, &admin, "/users", format!("The user {} is made.", user.id))),
        Err(error) => {
            let typed = Typed::of(&form, &error);
            with_status(error.status(), listed(&control, &admin, typed))
        }
    }
}

async fn made(control: &Control, admin: &Admin, form: &Form) -> Result<UserRow, ApiError> {
    let (id, name) = (form.text("id"), form.text("name"));
    control.new_user(&admin.id, id, name, form.filled("email"), limits_change(control, form)?).await
}

pub(super) async fn show(
    State(control): Shared,
    admin: Admin,
    Path(id): Path<String>,
) -> PageResult {
    let user = known(&control, &id)?;
    let typed = Typed {
        name: user.name.clone(),
        email: user.email.clone().unwrap_or_default(),
        limits: TypedLimits::of(&user.limits),
        ..Typed::default()
    };
    shown(&control, &admin, user, typed)
}

fn known(control: &Control, id: &str) -> Result<UserRow, ApiError> {
    control.store.user(id)?.ok_or_else(|| ApiError::unknown("user", id))
}

fn shown(control: &Control, admin: &Admin, user: UserRow, typed: Typed) -> PageResult {
    let title = format!("User {}", user.id);
    let account = Account::of(control, (Group::User, &user.id), &user.limits, user.carried);
    page(control, admin, "user.html", &title, &One { user: Shown::of(user), account, typed })
}

pub(super) async fn change(
    State(control): Shared,
    Path(id): Path<String>,
    posted: Posted,
) -> PageResult {
    let Posted { admin, form } = posted;
    match changed(&control, &admin, &id, &form).await {
        Ok(_) => Ok(done(&control, &admin, "/users", format!("The user {id} is changed."))),
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
    let change = UserChange {
        name: Some(form.text("name").to_owned()),
        email: Some(form.filled("email").map(str::to_owned)),
        limits: limits_change(control, form)?,
        ..UserChange::default()
    };
    Ok(control.alter_user(&admin.id, id, &change).await?.1)
}

/// Asks before a user and the user's keys are gone for good.
pub(super) async fn confirm(
    State(control): Shared,
    admin: Admin,
    Path((id, action)): Path<(String, String)>,
) -> PageResult {
    if action != "remove" {
        return Err(ApiError::no_page().into());
    }
    let UserRow { id, .. } = known(&control, &id)?;
    let confirm = Confirm {
        what: format!("Remove the user {id}?"),
        consequence: "Nobody can undo that: all keys of the user are revoked. Their usage stays.",
        button: "Remove the user",
        to: format!("/users/{}/remove", encoded(&id)),
        back: "/users",
    };
    page(&control, &admin, "confirm.html", "Remove a user", &confirm)
}

pub(super) async fn act(
    State(control): Shared,
    Path((id, action)): Path<(String, String)>,
    posted: Posted,
) -> PageResult {
    let admin = posted.admin;
    let blocked = |blocked| UserChange { blocked: Some(blocked), ..UserChange::default() };
    let (word, is_taken) = match action.as_str() {
        "block" => ("blocked", control.alter_user(&admin.id, &id, &blocked(true)).await?.1),
        "unblock" => ("open again", control.alter_user(&admin.id, &id, &blocked(false)).await?.1),
        "remove" => ("removed", control.remove_user(&admin.id, &id).await?),
        _ => return Err(ApiError::no_page().into()),
    };
    Ok(done(&control, &admin, "/users", format!("The user {id} is {word}. {}", taken(is_taken))))
}
