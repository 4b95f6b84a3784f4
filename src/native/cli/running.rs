//! A running gateway: its address and its answers.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use hyper::StatusCode;
use tokio::time::timeout;

use crate::native::http::get;
use crate::native::settings::{self, ConfigOption, Loaded};

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

    /// The gateway's address. The configuration is not read when the command line names an address.
    pub(crate) fn find(&self) -> Result<SocketAddr, settings::Error> {
        match self.address {
            Some(address) => Ok(address),
            None => Ok(self.address(self.load()?.as_ref())),
        }
    }

    /// The gateway's address; the default without a configuration.
    pub(crate) fn address(&self, loaded: Option<&Loaded>) -> SocketAddr {
        if let Some(address) = self.address {
            return address;
        }
        let mut address = loaded.map_or(settings::LISTEN, |loaded| loaded.listen);
        if address.ip().is_unspecified() {
            address.set_ip(Ipv4Addr::LOCALHOST.into());
        }
        address
    }
}

/// Asks the gateway for a path. The error is a sentence for the user.
pub(crate) async fn ask(address: SocketAddr, path: &str) -> Result<(StatusCode, String), String> {
    let answer = timeout(TIMEOUT, get(address, path)).await;
    answer
        .map_err(|_| format!("the gateway on {address} does not answer within {TIMEOUT:?}"))?
        .map_err(|problem| format!("no gateway answers on {address} ({problem})"))
}
