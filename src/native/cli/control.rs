//! The control server of a running gateway, as the verbs ask it.
//!
//! | there is | the verb asks |
//! |---|---|
//! | `GAUD_ADMIN_KEY` | `/admin` of the gateway, by TLS or loopback alone |
//! | a control server of this user, of the same gateway | its socket for its owner |
//! | neither | the gateway, as every client can |

use std::fs::{canonicalize, read_link, read_to_string};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use hyper::{Method, StatusCode};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use tokio::time::timeout;

use super::running::{RunningGateway, TIMEOUT};
use crate::config::Secret;
use crate::native::control::{DataFolder, OWNER_LINK};
use crate::native::http::{Server, ask_socket};
use crate::native::run::ADMIN_KEY;

/// A control server, and how it is asked.
pub(super) enum ControlServer {
    Keyed(Server, Secret),
    Owned(PathBuf),
}

/// Which gateway a control server belongs to.
#[derive(Deserialize)]
struct Identity {
    file: Option<PathBuf>,
    configuration: Place,
}

#[derive(Deserialize)]
struct Place {
    address: Option<SocketAddr>,
}

impl ControlServer {
    /// The control server of the gateway that is meant; `server` is `None` where the configuration cannot be loaded.
    pub(super) async fn find(place: &RunningGateway, server: Option<&Server>) -> Option<Self> {
        if let (Some(key), Some(server)) = (admin_key(), server.filter(|own| own.is_private())) {
            let keyed = Self::Keyed(server.clone(), key);
            match keyed.get(STATUS).await {
                Ok((StatusCode::OK, _)) => return Some(keyed),
                Ok((StatusCode::UNAUTHORIZED, _)) => {
                    super::tell(&format!("the gateway on {server} refuses the key in {ADMIN_KEY}"));
                }
                _ => {}
            }
        }
        // The command line names another gateway than that of the folder.
        if place.is_named() {
            return None;
        }
        let owned = Self::Owned(socket(place)?);
        let own: Identity = owned.ask(STATUS).await.ok()?;
        let file = place.file().and_then(|file| canonicalize(file).ok());
        let is_there = own
            .configuration
            .address
            .is_some_and(|address| server.is_some_and(|server| server.is_on(address)));
        (own.file == file || is_there).then_some(owned)
    }

    /// Where clients connect to the gateway.
    pub(super) async fn address(&self) -> Option<SocketAddr> {
        self.ask::<Identity>(STATUS).await.ok()?.configuration.address
    }

    /// Asks for a path, and reads the answer. The error is a sentence for the user.
    pub(super) async fn ask<T: DeserializeOwned>(&self, path: &str) -> Result<T, String> {
        match self.get(path).await? {
            (StatusCode::OK, text) => serde_json::from_str(&text).map_err(|error| {
                format!("the control server's answer to {path} is another: {error}")
            }),
            (status, _) => Err(format!("the control server answers {path} with {status}")),
        }
    }

    async fn get(&self, path: &str) -> Result<(StatusCode, String), String> {
        let answer = async {
            match self {
                Self::Keyed(server, key) => server.get_with(path, key).await,
                Self::Owned(socket) => ask_socket(socket, Method::GET, path).await,
            }
        };
        let silence = || format!("the control server does not answer within {TIMEOUT:?}");
        timeout(TIMEOUT, answer).await.map_err(|_| silence())?.map_err(|error| error.to_string())
    }
}

pub(super) const STATUS: &str = "/admin/status";
pub(super) const MODELS: &str = "/admin/models";

fn admin_key() -> Option<Secret> {
    let key = std::env::var(ADMIN_KEY).ok()?;
    (!key.trim().is_empty()).then(|| Secret::new(key.trim()))
}

/// The owner's socket, which the data folder links. The path of a link may be longer than that of a socket.
fn socket(place: &RunningGateway) -> Option<PathBuf> {
    let named = place.file().and_then(|file| named_data(&file));
    let data = DataFolder::place(named.as_deref(), &|name| std::env::var_os(name))?;
    read_link(data.join(OWNER_LINK)).ok()
}

/// `[control] data`, also of a file that is refused: then the state of the gateway matters most.
fn named_data(file: &Path) -> Option<String> {
    let table: toml::Table = read_to_string(file).ok()?.parse().ok()?;
    Some(table.get("control")?.get("data")?.as_str()?.to_owned())
}
