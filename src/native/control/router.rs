//! Which path leads to what.

use std::sync::Arc;

use axum::Router;
use axum::routing::get;
use tokio::net::UnixListener;

use super::api::{Control, models, openapi, providers, set, settings, status};
use super::error::ApiError;
use super::keys::{changes, key_routes, user_routes};
use super::litellm;
use crate::names::keys::FEED_PATH;

/// Serves on a socket that Envoy alone connects to.
///
/// # Errors
/// The socket fails.
pub async fn serve(listener: UnixListener, control: Arc<Control>) -> std::io::Result<()> {
    axum::serve(listener, router(control)).await
}

fn router(control: Arc<Control>) -> Router {
    Router::new()
        .route("/admin/settings", get(settings).put(set))
        .route("/admin/status", get(status))
        .route("/admin/providers", get(providers))
        .route("/admin/models", get(models))
        .route("/admin/openapi.json", get(openapi))
        .route(FEED_PATH, get(changes))
        .merge(key_routes())
        .merge(user_routes())
        .merge(litellm::routes())
        .method_not_allowed_fallback(|| async { ApiError::wrong_method() })
        .fallback(|| async { ApiError::not_found() })
        .with_state(control)
}
