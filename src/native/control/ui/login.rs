//! Login by admin key, and logout.

use std::sync::Arc;
use std::time::Instant;

use axum::extract::{Request, State};
use axum::http::header::SET_COOKIE;
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use super::cookie;
use super::error::{PageError, PageResult};
use super::form::{self, Form, Posted, TOKEN};
use super::page::{public, with_status};
use super::visit::Visit;
use crate::config::Secret;
use crate::keys::KeyHash;
use crate::native::control::api::{Control, Shared};
use crate::native::control::auth::check;
use crate::native::control::error::ApiError;
use crate::native::control::issued_key;

#[derive(Serialize)]
struct Login<'a> {
    form_token: String,
    next: &'a str,
    problem: Option<&'a str>,
}

/// The pages that a login may lead to.
const PAGES: [&str; 6] = ["settings", "providers", "keys", "users", "usage", "requests"];

const WRONG_KEY: &str = "This is not an admin key, or the key is revoked. An admin key begins with sk-prx-adm; `gaud admin key new` makes one.";
const STALE: &str = "The form was of another session. Try again.";

pub(super) async fn show(visit: Visit, uri: Uri) -> PageResult {
    let query = Form::parse(uri.query().unwrap_or_default());
    shown(&visit, query.text("next"), None)
}

/// The form, with a token of this browser's.
fn shown(visit: &Visit, next: &str, problem: Option<&str>) -> PageResult {
    let token = match &visit.token {
        Some(token) => token.clone(),
        None => new_token()?,
    };
    let login = Login { form_token: cookie::form_token(&token), next: page_of(next), problem };
    let mut page = public(visit, "login.html", "Log in", &login)?;
    give(&mut page, visit, &token);
    Ok(page)
}

pub(super) async fn begin(
    State(control): Shared,
    visit: Visit,
    request: Request,
) -> Result<Response, Response> {
    let form = form::read(request, &control).await?;
    opened(&control, &visit, &form).await.map_err(IntoResponse::into_response)
}

async fn opened(control: &Arc<Control>, visit: &Visit, form: &Form) -> PageResult {
    let next = form.text("next");
    let is_own = |token| cookie::is_form_token(form.text(TOKEN), token);
    if !visit.token.as_ref().is_some_and(is_own) {
        return with_status(StatusCode::FORBIDDEN, shown(visit, next, Some(STALE)));
    }
    let key = form.text("key");
    let id = match check(Some(key), &control.store, &control.throttle).await {
        Ok(id) => id,
        Err(error) if error.status() == StatusCode::UNAUTHORIZED => {
            return with_status(error.status(), shown(visit, next, Some(WRONG_KEY)));
        }
        Err(error) => return Err(error.into()),
    };
    let token = new_token()?;
    control.sessions.begin(&token, KeyHash::of(key), Instant::now());
    control.note(&id, "login", "pages")?;
    let mut response = visit.redirect(&format!("/{}", page_of(next)));
    give(&mut response, visit, &token);
    Ok(response)
}

pub(super) async fn end(State(control): Shared, posted: Posted) -> Response {
    let visit = &posted.admin.visit;
    control.sessions.end(posted.admin.token());
    let mut response = visit.redirect("/login");
    if let Some(cleared) = cookie::clear(&visit.base, visit.is_https) {
        response.headers_mut().insert(SET_COOKIE, cleared);
    }
    response
}

fn page_of(next: &str) -> &'static str {
    PAGES.into_iter().find(|page| *page == next).unwrap_or_default()
}

fn new_token() -> Result<Secret, PageError> {
    Ok(issued_key::token().map_err(|error| ApiError::failed(error.to_string()))?)
}

fn give(response: &mut Response, visit: &Visit, token: &Secret) {
    if let Some(cookie) = cookie::set(token, &visit.base, visit.is_https) {
        response.headers_mut().insert(SET_COOKIE, cookie);
    }
}
