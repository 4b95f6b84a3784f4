//! A page as a whole: what all pages have, and what one has.

use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use super::cookie::form_token;
use super::error::{PageError, PageResult};
use super::files;
use super::template::{Given, render};
use super::visit::{Admin, Visit};
use crate::native::control::api::{Control, Following};
use crate::native::control::error::ApiError;

/// What all pages have.
#[derive(Serialize)]
struct Layout<'a> {
    title: &'a str,
    base: &'a str,
    /// Of the files that pages load.
    files: String,
    admin: Option<Caller<'a>>,
}

/// What pages that need a login have besides.
#[derive(Serialize)]
struct Caller<'a> {
    id: &'a str,
    form_token: String,
    /// What has come of what the browser has sent before.
    word: Option<String>,
    following: Following,
}

/// A page for everybody.
pub(super) fn public<P: Serialize>(
    visit: &Visit,
    template: &str,
    title: &str,
    page: &P,
) -> PageResult {
    let layout = Layout { title, base: &visit.base, files: version(), admin: None };
    html(template, &Given { layout: &layout, page })
}

/// A page for who is logged in.
pub(super) fn page<P: Serialize>(
    control: &Control,
    admin: &Admin,
    template: &str,
    title: &str,
    page: &P,
) -> PageResult {
    let caller = Caller {
        id: &admin.id,
        form_token: form_token(admin.token()),
        word: control.sessions.take_word(admin.token()),
        following: control.now(),
    };
    let layout = Layout { title, base: &admin.visit.base, files: version(), admin: Some(caller) };
    html(template, &Given { layout: &layout, page })
}

/// Sends the browser on to a page that tells what was done.
pub(super) fn done(control: &Control, admin: &Admin, to: &str, word: String) -> Response {
    control.sessions.leave_word(admin.token(), word);
    admin.visit.redirect(to)
}

/// What is asked before a change that nobody can undo.
#[derive(Serialize)]
pub(super) struct Confirm<'a> {
    pub(super) what: String,
    pub(super) consequence: &'static str,
    pub(super) button: &'static str,
    pub(super) to: String,
    pub(super) back: &'a str,
}

/// What is wrong with a form that was sent, and the field that the problem is about.
#[derive(Default, Serialize)]
pub(super) struct Problem {
    problem: Option<String>,
    field: Option<String>,
}

impl Problem {
    pub(super) fn of(error: &ApiError) -> Self {
        let field = error.param().map(str::to_owned);
        Self { problem: Some(error.message().to_owned()), field }
    }
}

/// Whether the gateway has taken a change of a key, in words.
pub(super) fn taken(is_taken: bool) -> &'static str {
    match is_taken {
        true => "The gateway has taken the change.",
        false => {
            "The change is saved; the gateway has not said within a second that it has taken the change."
        }
    }
}

pub(super) fn error_page(visit: &Visit, error: &ApiError) -> Response {
    #[derive(Serialize)]
    struct Shown<'a> {
        status: u16,
        message: &'a str,
    }
    let shown = Shown { status: error.status().as_u16(), message: error.message() };
    match public(visit, "error.html", "Error", &shown) {
        Ok(page) => (error.status(), page).into_response(),
        Err(PageError(error)) => (error.status(), error.message().to_owned()).into_response(),
    }
}

fn html<L: Serialize, P: Serialize>(template: &str, given: &Given<'_, L, P>) -> PageResult {
    let text = render(template, given).map_err(ApiError::failed)?;
    Ok(([(CONTENT_TYPE, "text/html; charset=utf-8")], text).into_response())
}

/// The same page with another status.
pub(super) fn with_status(status: StatusCode, page: PageResult) -> PageResult {
    Ok((status, page?).into_response())
}

fn version() -> String {
    format!("{:08x}", files::version() & 0xffff_ffff)
}
