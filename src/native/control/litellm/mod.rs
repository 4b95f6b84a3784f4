//! LiteLLM's paths for keys, users and what they spend, with LiteLLM's field names, for callers with an admin key of Gaud's. Envoy sends every
//! other caller to LiteLLM as before.
//!
//! A field that Gaud does not support is refused by its name: its sender would believe that the field counts.

mod budget;
mod fields;
mod keys;
mod page;
mod spend;
mod users;

use std::sync::Arc;

use axum::Router;
use axum::routing::{get, post};

use super::api::Control;
pub(crate) use budget::{ModelBudget, budget_window};
pub(crate) use keys::hash_of_hex;

pub(super) fn routes() -> Router<Arc<Control>> {
    Router::new()
        .route("/key/generate", post(keys::generate))
        .route("/key/info", get(keys::info))
        .route("/key/list", get(keys::list))
        .route("/key/update", post(keys::update))
        .route("/key/delete", post(keys::delete))
        .route("/key/block", post(keys::block))
        .route("/key/unblock", post(keys::unblock))
        .route("/key/regenerate", post(keys::regenerate))
        .route("/key/{key}/regenerate", post(keys::regenerate_of))
        .route("/user/new", post(users::new))
        .route("/user/info", get(users::info))
        .route("/user/list", get(users::list))
        .route("/user/update", post(users::update))
        .route("/user/delete", post(users::delete))
        .route("/spend/logs", get(spend::logs))
}
