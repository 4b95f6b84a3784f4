//! The paths below `/admin`.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::{SystemTime, UNIX_EPOCH};

use axum::extract::State;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG};
use axum::http::{HeaderMap, HeaderValue};
use axum::response::{IntoResponse, Json, Response};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};
use tokio::sync::{Mutex as AsyncMutex, mpsc, oneshot};

use super::auth::{Throttle, authorize};
use super::error::ApiError;
use super::keys::{Calibrated, Feed};
use super::settings::{Setting, view};
use super::store::Store;
use super::ui::Sessions;
use crate::native::database::Databases;
use crate::native::leases::Leaseholder;
use crate::native::ledger::{Day, Ledger};
use crate::native::lock::lock;
use crate::native::prices::SharedPrices;
use crate::native::refresh::Tokens;
use crate::native::settings::{ConfigText, Loaded, SetByEnvironment};
use crate::native::virtual_keys::SharedSource;
use crate::native::webhook::SharedWebhook;

const OPENAPI: &str = include_str!("openapi.json");

/// A wish that the file be read again, with the place of the answer.
pub type Change = oneshot::Sender<Apply>;

/// What has become of a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Apply {
    /// In effect, with this version.
    Version(u64),
    Refused(String),
}

/// How the running Envoy follows the file.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Following {
    /// The version that is in effect.
    pub version: u64,
    /// When it came into effect, in seconds since 1970.
    pub applied_secs: i64,
    /// Why the file as it is now is not in effect.
    pub refused: Option<String>,
    /// The last change that was refused, whether the file is in effect now or not.
    pub last_refusal: Option<RefusedChange>,
    /// The address of the gateway; `None` until Envoy serves.
    #[serde(rename = "address")]
    pub gateway: Option<SocketAddr>,
    /// The settings that wait for a restart.
    pub waits_for_restart: Vec<&'static str>,
}

/// A change that was refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RefusedChange {
    /// In seconds since 1970.
    pub at_secs: i64,
    pub reason: String,
}

/// The Envoy beside the control server.
pub struct Beside {
    pub changes: mpsc::Sender<Change>,
    /// The socket by which this server asks the gateway.
    pub gateway: PathBuf,
    /// The version.
    pub envoy: String,
}

/// What the control server knows and may do.
pub struct Control {
    pub store: Store,
    /// Where the ledger is, beside the store.
    pub(crate) databases: Databases,
    /// Where secrets that are typed in go.
    pub data: PathBuf,
    /// The configuration that is changed; `None` without a file.
    pub config: Option<ConfigText>,
    /// `None` for `gaud serve`.
    pub beside: Option<Beside>,
    pub following: Arc<Mutex<Following>>,
    pub throttle: Throttle,
    /// Who is logged in on the pages.
    pub sessions: Sessions,
    /// Tells the filter of changes of keys.
    pub feed: Feed,
    /// What this gateway may use of the budgets that several gateways share; `None` for a gateway alone, and for `gaud serve`.
    pub(crate) leases: Option<Arc<Leaseholder>>,
    /// What models cost.
    pub prices: SharedPrices,
    /// How long answers usually are.
    pub calibrated: Calibrated,
    /// Where alerts of budgets are told.
    pub alerts: SharedWebhook,
    /// Where LiteLLM's keys are.
    pub(crate) litellm: SharedSource,
    /// The access tokens that this process gets.
    pub tokens: Tokens,
    /// One change at a time.
    pub writer: AsyncMutex<()>,
}

pub(super) type Shared = State<Arc<Control>>;

/// A caller's answer: never kept by caches.
pub(super) fn answer(body: Value, etag: Option<&str>) -> Response {
    let mut response = Json(body).into_response();
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if let Some(etag) = etag.and_then(|etag| HeaderValue::from_str(etag).ok()) {
        response.headers_mut().insert(ETAG, etag);
    }
    response
}

/// Reads an object alone: serde would take an array for the fields in their order.
pub(super) fn from_object<T: DeserializeOwned>(bytes: &[u8]) -> serde_json::Result<T> {
    let fields: Map<String, Value> = serde_json::from_slice(bytes)?;
    serde_json::from_value(Value::Object(fields))
}

/// A document with one more field.
pub(super) fn with(mut document: Value, name: &str, value: impl Into<Value>) -> Value {
    if let Value::Object(fields) = &mut document {
        fields.insert(name.to_owned(), value.into());
    }
    document
}

pub(super) async fn settings(
    State(control): Shared,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    control.authorize(&headers).await?;
    let SettingsRead { etag, settings, .. } = control.read_settings()?;
    let path = control.config()?.path();
    Ok(answer(json!({"file": path, "settings": settings}), Some(&etag)))
}

/// The settings as they are in the file and in the environment.
pub(super) struct SettingsRead {
    pub(super) etag: String,
    pub(super) settings: Vec<Setting>,
}

/// The settings that variables have set, each with a value that may be shown.
fn from_environment(loaded: &Loaded) -> Vec<(SetByEnvironment, Option<String>)> {
    let value = |path: &str| {
        let (provider, field) = path.strip_prefix("providers.")?.rsplit_once('.')?;
        let own = loaded.file.providers.get(provider)?;
        match field {
            "url" => own.url.clone(),
            "discover_models" => own.discover_models.map(|value| value.to_string()),
            "timeout_secs" => own.timeout_secs.map(|value| value.to_string()),
            _ => None,
        }
    };
    let row = |own: &SetByEnvironment| (own.clone(), value(&own.path));
    loaded.set_by_environment.iter().map(row).collect()
}

/// The paths, as OpenAPI describes them. The document needs no key: it says nothing of this gateway.
pub(super) async fn openapi() -> Response {
    let document = OPENAPI.replace("VERSION", env!("CARGO_PKG_VERSION"));
    ([(CONTENT_TYPE, "application/json")], document).into_response()
}

impl Control {
    pub(super) async fn authorize(&self, headers: &HeaderMap) -> Result<String, ApiError> {
        authorize(headers, &self.store, &self.throttle).await
    }

    pub(super) fn read_settings(&self) -> Result<SettingsRead, ApiError> {
        let config = self.config()?;
        let text = config.read().map_err(|error| ApiError::failed(error.to_string()))?;
        let loaded = config.load(&text).map_err(|error| ApiError::invalid(error.to_string()))?;
        let table =
            text.parse().map_err(|error: toml::de::Error| ApiError::invalid(error.message()))?;
        let settings = view(&table, &from_environment(&loaded));
        Ok(SettingsRead { etag: config.etag(&text), settings })
    }

    pub(super) fn config(&self) -> Result<&ConfigText, ApiError> {
        let message = "There is no configuration file: start gaud run with --config, or with a gaud.toml in its folder.";
        self.config.as_ref().ok_or_else(|| ApiError::conflict("no_file", message))
    }

    pub(super) fn envoy(&self) -> Option<&str> {
        self.beside.as_ref().map(|beside| beside.envoy.as_str())
    }

    /// What was used, as far as the journal has been read.
    pub(super) fn ledger(&self) -> Result<Ledger, ApiError> {
        Ok(Ledger::open(&self.databases)?)
    }

    /// What is in effect now.
    pub(super) fn now(&self) -> Following {
        lock(&self.following).clone()
    }
}

/// The day in UTC.
pub(super) fn today() -> Day {
    Day::of_secs(now_secs())
}

/// Seconds since 1970.
pub fn now_secs() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}
