//! `gaud upstream`: serves the stand-in.

use std::io::{self, Write};
use std::net::SocketAddr;
use std::process::ExitCode;

use tokio::net::TcpListener;

use crate::native::os_error::words;
use crate::native::standin::serve;

/// Serve a small stand-in for OpenAI and Anthropic, for the first minute without any key
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// Where to listen; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:4000")]
    listen: SocketAddr,
}

/// Serves until the process is ended.
pub(crate) fn run(args: &Args) -> io::Result<ExitCode> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let listener = TcpListener::bind(args.listen).await.map_err(|error| {
            let words = match error.kind() {
                io::ErrorKind::AddrInUse => "another program listens there".to_owned(),
                _ => words(&error),
            };
            let problem = format!(
                "cannot listen on {}: {words}; choose another address with --listen",
                args.listen
            );
            io::Error::new(error.kind(), problem)
        })?;
        writeln!(io::stdout(), "http://{}", listener.local_addr()?)?;
        match serve(listener).await? {}
    })
}
