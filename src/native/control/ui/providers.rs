//! Providers and their models, as the running gateway sees them.

use std::collections::BTreeMap;

use axum::extract::State;
use axum::http::Uri;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::error::PageResult;
use super::form::Form;
use super::page::page;
use super::visit::Admin;
use crate::native::control::api::{Control, Shared};
use crate::native::control::now_secs;
use crate::native::control::state::{ask, health};
use crate::native::refresh::Shown;

/// The most models of a page.
const MODELS_MAX: usize = 500;

/// What the running gateway says of its providers.
#[derive(Default, Serialize)]
pub(super) struct Gateway {
    providers: Vec<Provider>,
    /// Why the gateway says nothing.
    problem: Option<String>,
}

/// A provider of `/health`.
#[derive(Deserialize, Serialize)]
struct Provider {
    #[serde(default)]
    name: String,
    breaker: String,
    consecutive_failures: u32,
    #[serde(default)]
    retry_after_secs: Option<u64>,
    health: String,
    #[serde(default)]
    credential: Option<String>,
    #[serde(default)]
    token: Option<Shown>,
    /// What is known of the token.
    #[serde(default)]
    token_words: Option<String>,
    #[serde(default)]
    failing_models: Vec<FailingModel>,
    models: usize,
    #[serde(default)]
    models_age_secs: Option<u64>,
    #[serde(default)]
    models_error: Option<String>,
    #[serde(default)]
    last_error: Option<String>,
    #[serde(default)]
    last_error_age_secs: Option<u64>,
    #[serde(default)]
    is_troubled: bool,
}

#[derive(Deserialize, Serialize)]
struct FailingModel {
    model: String,
    breaker: String,
    #[serde(default)]
    retry_after_secs: Option<u64>,
}

#[derive(Deserialize)]
struct Health {
    providers: BTreeMap<String, Provider>,
}

/// A model that clients can ask for.
#[derive(Serialize)]
struct Model {
    id: String,
    provider: String,
    context_window: Option<i64>,
}

#[derive(Serialize)]
struct Providers {
    gateway: Gateway,
    models: Vec<Model>,
    more_models: usize,
    find: String,
}

impl Gateway {
    pub(super) async fn ask(control: &Control) -> Self {
        let health = health(control).await.map_err(|error| error.message().to_owned());
        let read =
            |health| serde_json::from_value::<Health>(health).map_err(|error| error.to_string());
        match health.and_then(read) {
            Ok(health) => {
                let named = |(name, provider): (String, Provider)| {
                    let is_troubled = is_troubled(&provider);
                    let token = provider.token.as_ref();
                    let token_words = token.and_then(|token| token.words(now_secs()));
                    Provider { name, is_troubled, token_words, ..provider }
                };
                Self { providers: health.providers.into_iter().map(named).collect(), problem: None }
            }
            Err(problem) => Self { providers: Vec::new(), problem: Some(problem) },
        }
    }
}

pub(super) async fn show(State(control): Shared, admin: Admin, uri: Uri) -> PageResult {
    let find = Form::parse(uri.query().unwrap_or_default()).text("find").to_owned();
    let gateway = Gateway::ask(&control).await;
    let list = ask(&control, "/api/models").await.unwrap_or_default();
    let mut models = models(&list);
    models.retain(|model| model.id.contains(&find) || model.provider == find);
    let more_models = models.len().saturating_sub(MODELS_MAX);
    models.truncate(MODELS_MAX);
    let providers = Providers { gateway, models, more_models, find };
    page(&control, &admin, "providers.html", "Providers and models", &providers)
}

/// The models of a list in the form of `/api/models`.
fn models(list: &Value) -> Vec<Model> {
    let text = |row: &Value, name: &str| Some(row.get(name)?.as_str()?.to_owned());
    let model = |row: &Value| {
        let provider = text(row, "provider").unwrap_or_default();
        let context_window = row.get("contextWindow").and_then(Value::as_i64);
        Some(Model { id: text(row, "id")?, provider, context_window })
    };
    list.as_array().into_iter().flatten().filter_map(model).collect()
}

/// Whether a provider is not as it should be.
fn is_troubled(provider: &Provider) -> bool {
    let token = provider.token.as_ref();
    provider.breaker != "closed"
        || provider.health == "down"
        || provider.credential.is_some()
        || token.is_some_and(|token| token.is_troubled(now_secs()))
}
