//! What the control server says of the gateway. It only reads: the owner of the gateway asks it without a key, on a socket of
//! their own.

use std::fs::canonicalize;
use std::sync::Arc;

use axum::Router;
use axum::extract::{RawQuery, State};
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde_json::{Value, json};

use super::api::{Control, Shared, answer, now_secs};
use super::error::ApiError;
use crate::native::http::ask_socket_as;

pub(super) fn router() -> Router<Arc<Control>> {
    Router::new()
        .route("/admin/status", get(status))
        .route("/admin/providers", get(providers))
        .route("/admin/models", get(models))
        .route("/admin/usage", get(usage))
        .route("/admin/metrics", get(metrics))
}

async fn status(State(control): Shared) -> Result<Response, ApiError> {
    let health = match control.beside {
        Some(_) => health(&control).await?,
        None => Value::Null,
    };
    let path = control.config.as_ref().map(|config| config.path());
    let body = json!({
        "version": env!("CARGO_PKG_VERSION"),
        "envoy": control.envoy(),
        "file": path.map(|path| canonicalize(path).unwrap_or_else(|_| path.to_owned())),
        "configuration": control.now(),
        "status": health.get("status"),
        "providers": health.get("providers"),
    });
    Ok(answer(body, None))
}

async fn providers(State(control): Shared) -> Result<Response, ApiError> {
    Ok(answer(json!({"providers": health(&control).await?.get("providers")}), None))
}

/// What the gateway says of its providers, with what this process knows of their tokens.
pub(super) async fn health(control: &Control) -> Result<Value, ApiError> {
    let mut health = ask(control, "/health").await?;
    for (provider, token) in control.tokens.shown() {
        let providers = health.get_mut("providers");
        let own = providers.and_then(|all| all.get_mut(&provider)).and_then(Value::as_object_mut);
        if let Some(own) = own {
            own.insert("token".to_owned(), json!(token));
        }
    }
    Ok(health)
}

async fn models(State(control): Shared) -> Result<Response, ApiError> {
    Ok(answer(json!({"models": ask(&control, "/api/models").await?}), None))
}

async fn usage(State(control): Shared, RawQuery(query): RawQuery) -> Result<Response, ApiError> {
    let query = query.as_deref().unwrap_or_default();
    Ok(answer(super::usage::report(&control, query, now_secs())?, None))
}

async fn metrics(State(control): Shared) -> Result<Response, ApiError> {
    let text = super::metrics::metrics(&control.ledger()?, now_secs())?;
    Ok(([(CONTENT_TYPE, super::metrics::CONTENT_TYPE)], text).into_response())
}

/// Asks the gateway.
pub(super) async fn ask(control: &Control, path: &str) -> Result<Value, ApiError> {
    let wrong = |problem: String| {
        ApiError::unreachable_gateway(format!("The gateway does not answer: {problem}."))
    };
    let Some(beside) = &control.beside else {
        let problem = "gaud serve has none beside it; ask the gateways themselves for /health";
        return Err(wrong(problem.to_owned()));
    };
    let own = control.feed.authorization();
    let answer = ask_socket_as(&beside.gateway, path, &own).await;
    let (_, text) = answer.map_err(|error| wrong(error.to_string()))?;
    serde_json::from_str(&text).map_err(|error| wrong(error.to_string()))
}
