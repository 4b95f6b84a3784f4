//! `gaud ui`: where the pages are.

use std::env::var_os;
use std::error::Error;
use std::io::{self, IsTerminal};
use std::process::{Command, ExitCode, Stdio};

use super::control::ControlServer;
use super::running::RunningGateway;
use crate::native::settings::{Loaded, PAGES, reachable};

/// Print the address of the gateway's pages, and open them where there is a browser
///
/// A browser is opened by xdg-open, where this is a terminal of a desktop.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    #[command(flatten)]
    place: RunningGateway,
}

const OPENER: &str = "xdg-open";

/// The variables by which a desktop says that it is there.
const DESKTOPS: [&str; 2] = ["DISPLAY", "WAYLAND_DISPLAY"];

pub(crate) fn run(args: &Args) -> Result<ExitCode, Box<dyn Error>> {
    let loaded = args.place.load()?;
    let server = server(&args.place, loaded.as_ref())?;
    let address = address_of(loaded.as_ref(), &server)?;
    println!("{address}");
    let is_desktop = DESKTOPS.iter().any(|name| var_os(name).is_some_and(|own| !own.is_empty()));
    if is_desktop && io::stdout().is_terminal() {
        open(&address);
    }
    Ok(ExitCode::SUCCESS)
}

/// The address and the port of the gateway.
fn server(place: &RunningGateway, loaded: Option<&Loaded>) -> Result<String, Box<dyn Error>> {
    let server = place.server(loaded);
    let leaves_port = !place.is_named() && loaded.is_some_and(|own| own.listen.port() == 0);
    if !leaves_port {
        return Ok(server.to_string());
    }
    // The system chooses the port, so that the running gateway alone knows the port.
    let asked = async { ControlServer::find(place, Some(&server)).await?.address().await };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let address = runtime.block_on(asked).ok_or(
        "listen has the port 0, and no gateway of this user runs that could tell its port; start `gaud run`, or give --address",
    )?;
    Ok(reachable(address).to_string())
}

fn address_of(loaded: Option<&Loaded>, server: &str) -> Result<String, String> {
    let path = loaded.map_or(Some(PAGES), Loaded::pages).ok_or(
        "there are no pages: ui.path is \"\"; take the setting out of the file, or set another path",
    )?;
    let scheme = if loaded.is_some_and(|own| own.tls.is_some()) { "https" } else { "http" };
    Ok(format!("{scheme}://{server}{path}"))
}

/// The browser outlives this command. Without one the address is there.
fn open(address: &str) {
    let mut command = Command::new(OPENER);
    command.arg(address).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    drop(command.spawn());
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::native::settings::LISTEN;

    #[test]
    fn without_a_configuration_the_pages_are_where_they_are_by_default() {
        let address = address_of(None, &LISTEN.to_string());
        assert_eq!(address.as_deref(), Ok("http://127.0.0.1:8400/ui"));
    }
}
