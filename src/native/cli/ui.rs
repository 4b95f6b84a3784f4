//! `gaud ui`: where the pages are.

use std::env::var_os;
use std::error::Error;
use std::io::{self, IsTerminal};
use std::process::{Command, ExitCode, Stdio};

use super::running::RunningGateway;
use crate::native::settings::{Loaded, PAGES};

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
    let address = args.place.server(loaded.as_ref()).to_string();
    let address = address_of(loaded.as_ref(), &address)?;
    println!("{address}");
    let is_desktop = DESKTOPS.iter().any(|name| var_os(name).is_some_and(|own| !own.is_empty()));
    if is_desktop && io::stdout().is_terminal() {
        open(&address);
    }
    Ok(ExitCode::SUCCESS)
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
