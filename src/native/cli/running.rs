//! A running gateway: its address and its answers.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use hyper::StatusCode;
use serde::Deserialize;
use tokio::time::timeout;

use crate::native::http::get;
use crate::native::render;
use crate::native::settings::{self, ConfigOption, Loaded, reachable};

/// The longest wait for an answer that is only a remark.
const SHORT_TIMEOUT: Duration = Duration::from_secs(1);

/// The longest wait for an answer.
const TIMEOUT: Duration = Duration::from_secs(5);

/// Where the gateway is.
#[derive(clap::Args, Debug)]
pub(crate) struct RunningGateway {
    /// The gateway's address; default: `listen` of the configuration
    #[arg(long, value_name = "ADDRESS")]
    address: Option<SocketAddr>,
    #[command(flatten)]
    config: ConfigOption,
}

impl RunningGateway {
    /// The configuration; `None` without a configuration.
    pub(crate) fn load(&self) -> Result<Option<Loaded>, settings::Error> {
        match self.config.load() {
            Ok(loaded) => Ok(Some(loaded)),
            Err(settings::Error::Nothing) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The gateway's address, and that of Envoy's metrics. The configuration is not read when the command line names an
    /// address.
    pub(crate) fn find(&self) -> Result<(SocketAddr, Option<SocketAddr>), settings::Error> {
        if let Some(address) = self.address {
            return Ok((address, None));
        }
        let loaded = self.load()?;
        let admin = loaded.as_ref().map_or(settings::ADMIN_LISTEN, |loaded| loaded.admin_listen);
        Ok((self.address(loaded.as_ref()), Some(reachable(admin))))
    }

    /// The gateway's address; the default without a configuration.
    pub(crate) fn address(&self, loaded: Option<&Loaded>) -> SocketAddr {
        let listen = || loaded.map_or(settings::LISTEN, |loaded| loaded.listen);
        self.address.unwrap_or_else(|| reachable(listen()))
    }
}

/// What `GET /health` says of the gateway and of each provider's models.
#[derive(Deserialize)]
struct Health {
    version: String,
    configuration: String,
    #[serde(default)]
    providers: BTreeMap<String, Models>,
}

#[derive(Deserialize)]
struct Models {
    models_error: Option<String>,
}

/// What a user should know of the running gateway before they believe what the configuration says, in lines.
pub(crate) async fn remarks(address: SocketAddr, loaded: Option<&Loaded>) -> Vec<String> {
    let Ok(Ok((_, text))) = timeout(SHORT_TIMEOUT, get(address, "/health")).await else {
        return Vec::new();
    };
    let Ok(health) = serde_json::from_str::<Health>(&text) else { return Vec::new() };
    let differs = loaded.filter(|loaded| {
        let is_same = render::fingerprints(loaded).contains(&health.configuration);
        // Another version may write the same configuration in another way.
        !is_same && health.version == env!("CARGO_PKG_VERSION")
    });
    let differs = differs.map(|loaded| {
        let source = loaded.source();
        format!(
            "the gateway on {address} has another configuration than {source} now: gaud run applies a changed file within a second unless it refuses \
             the file, and another Envoy needs what gaud render prints now"
        )
    });
    let refused = health.providers.into_iter().filter_map(|(name, models)| {
        Some(format!("{name} was asked for its models: {}", models.models_error?))
    });
    differs.into_iter().chain(refused).collect()
}

/// Asks the gateway for a path. The error is a sentence for the user.
pub(crate) async fn ask(address: SocketAddr, path: &str) -> Result<(StatusCode, String), String> {
    let answer = timeout(TIMEOUT, get(address, path)).await;
    answer
        .map_err(|_| format!("the gateway on {address} does not answer within {TIMEOUT:?}"))?
        .map_err(|problem| format!("no gateway answers on {address} ({problem})"))
}
