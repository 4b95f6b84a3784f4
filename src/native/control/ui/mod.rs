//! The pages, for people with an admin key and a browser.
//!
//! ```text
//! browser ──> Envoy: [ui] path becomes /ui, and a header ([`PAGES`](crate::names::headers::PAGES)) says what it was
//!               └─> dress ── visit ── session? ─┬─ none ──> login ── admin key ──> session
//!                                               ├─ GET ──> a page
//!                                               └─ POST ── form token? ──> the same functions that /admin calls ──> a page
//! ```
//!
//! | type | what it proves |
//! |---|---|
//! | [`Visit`](visit::Visit) | nothing: a browser has asked |
//! | [`Admin`](visit::Admin) | the session is alive, and its admin key is not revoked |
//! | [`Posted`](form::Posted) | the same, and the form comes from a page of this session |
//!
//! Pages are made here and need no script. The one script copies what the page shows already.

mod chart;
mod cookie;
mod dress;
mod error;
mod field;
mod files;
mod form;
mod front;
mod keys;
mod limits;
mod login;
mod model_limits;
mod overview;
mod page;
mod providers;
mod requests;
mod section;
mod session;
mod settings;
mod template;
mod time;
mod usage;
mod users;
mod visit;

use std::sync::Arc;

use axum::Router;
use axum::middleware::from_fn;
use axum::routing::{get, post};

use super::api::Control;
use super::error::ApiError;
pub use session::Sessions;

pub(super) fn routes() -> Router<Arc<Control>> {
    Router::new()
        .route("/", get(front::show))
        .route("/ui", get(overview::show))
        .route("/ui/", get(overview::show))
        .route("/ui/login", get(login::show).post(login::begin))
        .route("/ui/logout", post(login::end))
        .route("/ui/settings", get(settings::show).post(settings::save))
        .route("/ui/providers", get(providers::show))
        .route("/ui/keys", get(keys::list).post(keys::make))
        .route("/ui/keys/{id}", get(keys::show).post(keys::change))
        .route("/ui/keys/{id}/{action}", get(keys::confirm).post(keys::act))
        .route("/ui/users", get(users::list).post(users::make))
        .route("/ui/users/{id}", get(users::show).post(users::change))
        .route("/ui/users/{id}/{action}", get(users::confirm).post(users::act))
        .route("/ui/usage", get(usage::show))
        .route("/ui/usage.csv", get(usage::csv))
        .route("/ui/requests", get(requests::show))
        .route("/ui/style.css", get(files::style))
        .route("/ui/page.js", get(files::script))
        .route("/ui/icon.svg", get(files::icon))
        .route("/ui/{*rest}", get(nothing))
        .layer(from_fn(dress::dress))
}

async fn nothing() -> error::PageError {
    ApiError::no_page().into()
}
