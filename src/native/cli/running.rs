//! A running gateway: its address and its answers.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use hyper::StatusCode;
use serde::Deserialize;
use tokio::time::timeout;

use crate::native::http::Server;
use crate::native::render;
use crate::native::settings::{self, ConfigOption, Loaded, reachable};

/// The longest wait for an answer that is only a remark.
const SHORT_TIMEOUT: Duration = Duration::from_secs(1);

/// The longest wait for an answer.
pub(super) const TIMEOUT: Duration = Duration::from_secs(5);

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
    /// Whether the command line names an address.
    pub(crate) fn is_named(&self) -> bool {
        self.address.is_some()
    }

    /// The file of the configuration.
    pub(crate) fn file(&self) -> Option<PathBuf> {
        self.config.file()
    }

    /// The configuration; `None` without a configuration.
    pub(crate) fn load(&self) -> Result<Option<Loaded>, settings::Error> {
        match self.config.load() {
            Ok(loaded) => Ok(Some(loaded)),
            Err(settings::Error::Nothing) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The gateway, and Envoy's metrics. Where the command line names an address, the configuration only says whether that
    /// is reached by TLS.
    pub(crate) fn find(&self) -> Result<(Server, Option<Server>), settings::Error> {
        if self.address.is_some() {
            return Ok((self.server(self.load().ok().flatten().as_ref()), None));
        }
        let loaded = self.load()?;
        let admin = loaded.as_ref().map_or(settings::ADMIN_LISTEN, |loaded| loaded.admin_listen);
        Ok((self.server(loaded.as_ref()), Some(Server::of(reachable(admin), None))))
    }

    /// The gateway; on the default address without a configuration.
    pub(crate) fn server(&self, loaded: Option<&Loaded>) -> Server {
        let listen = || loaded.map_or(settings::LISTEN, |loaded| loaded.listen);
        server(self.address.unwrap_or_else(|| reachable(listen())), loaded)
    }
}

/// What listens on `address`, as the configuration says it is reached.
pub(crate) fn server(address: SocketAddr, loaded: Option<&Loaded>) -> Server {
    let tls = loaded.and_then(|loaded| loaded.tls.as_ref());
    Server::of(address, tls.and_then(|tls| tls.own.clone()))
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
pub(crate) async fn remarks(server: &Server, loaded: Option<&Loaded>) -> Vec<String> {
    let Ok(Ok((_, text))) = timeout(SHORT_TIMEOUT, server.get("/health")).await else {
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
            "the gateway on {server} has another configuration than {source} now: gaud run applies a changed file within a second unless it refuses \
             the file, and another Envoy needs what gaud render prints now"
        )
    });
    let refused = health.providers.into_iter().filter_map(|(name, models)| {
        Some(format!("{name} was asked for its models: {}", models.models_error?))
    });
    differs.into_iter().chain(refused).collect()
}

/// Asks the gateway for a path. The error is a sentence for the user.
pub(crate) async fn ask(server: &Server, path: &str) -> Result<(StatusCode, String), String> {
    let answer = timeout(TIMEOUT, server.get(path)).await;
    answer
        .map_err(|_| format!("the gateway on {server} does not answer within {TIMEOUT:?}"))?
        .map_err(|problem| format!("no gateway answers on {server} ({problem})"))
}
