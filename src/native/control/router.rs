//! Which path leads to what.

use std::future::{IntoFuture, pending};
use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::Response;
use axum::routing::get;
use tokio::net::{TcpListener, UnixListener};
use tokio::select;

use super::api::{Control, Shared, openapi, settings};
use super::change::set;
use super::error::ApiError;
use super::keys::{changes, key_routes, user_routes};
use super::litellm;
use super::state;
use super::ui;
use super::whole::read_whole;
use crate::names::keys::FEED_PATH;
use crate::native::database::PostgresUrl;
use crate::native::database::postgres::listen;

/// Serves on a socket that Envoy alone connects to, and on a socket of the owner's.
///
/// # Errors
/// A socket fails.
pub async fn serve(
    listener: UnixListener,
    owner: UnixListener,
    control: Arc<Control>,
) -> std::io::Result<()> {
    let own = state::router().with_state(Arc::clone(&control)).into_make_service();
    select! {
        served = axum::serve(listener, router(control)).into_future() => served,
        served = axum::serve(owner, own).into_future() => served,
    }
}

/// Serves Envoys elsewhere, and callers with an admin key.
///
/// # Errors
/// The listener fails.
pub async fn serve_alone(listener: TcpListener, control: Arc<Control>) -> std::io::Result<()> {
    let router = router(Arc::clone(&control)).merge(
        Router::new()
            .route("/healthz", get(|| async { "ok" }))
            .route("/readyz", get(ready))
            .with_state(control),
    );
    axum::serve(listener, router).await
}

/// Whether the database answers.
async fn ready(State(control): Shared) -> Result<&'static str, ApiError> {
    control.store.feed()?;
    Ok("ready")
}

/// Hears of the changes that others make, where the database tells of them.
pub(crate) async fn hear(url: Option<PostgresUrl>, control: &Control) {
    match url {
        Some(url) => listen(url, || control.feed.look()).await,
        None => pending().await,
    }
}

/// Lets callers with an admin key through.
async fn keyed(State(control): Shared, request: Request, next: Next) -> Result<Response, ApiError> {
    control.authorize(request.headers()).await?;
    Ok(next.run(request).await)
}

fn router(control: Arc<Control>) -> Router {
    Router::new()
        .route("/admin/settings", get(settings).put(set))
        .merge(state::router().layer(from_fn_with_state(Arc::clone(&control), keyed)))
        .route("/admin/openapi.json", get(openapi))
        .route(FEED_PATH, get(changes))
        .merge(key_routes())
        .merge(user_routes())
        .merge(litellm::routes())
        .merge(ui::routes())
        .method_not_allowed_fallback(|| async { ApiError::wrong_method() })
        .fallback(|| async { ApiError::not_found() })
        .layer(from_fn(read_whole))
        .with_state(control)
}
