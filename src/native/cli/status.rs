//! `gaud status`: the state of the providers as a table.

use std::collections::BTreeMap;
use std::error::Error;
use std::fmt::Write;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::time::Duration;

use serde::Deserialize;
use tokio::time::sleep;

use super::running::{self, RunningGateway};

/// How often `--watch` asks.
const WATCH_EVERY: Duration = Duration::from_secs(2);

/// Print how the providers of a running gateway are
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    #[command(flatten)]
    place: RunningGateway,
    /// Refresh the table until Ctrl-C
    #[arg(long)]
    watch: bool,
}

/// What `GET /health` answers.
#[derive(Deserialize)]
struct GatewayStatus {
    status: String,
    version: String,
    providers: BTreeMap<String, ProviderStatus>,
}

#[derive(Deserialize)]
struct ProviderStatus {
    breaker: String,
    consecutive_failures: u32,
    retry_after_secs: Option<u64>,
    health: String,
    models: usize,
}

/// Prints the table, once or again and again.
pub(crate) fn run(args: &Args) -> Result<ExitCode, Box<dyn Error>> {
    let address = args.place.find()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        if !args.watch {
            print!("{}", ask(address).await?);
            return Ok(ExitCode::SUCCESS);
        }
        loop {
            // A watched gateway may restart: the loop goes on.
            let shown = ask(address).await.unwrap_or_else(|problem| format!("{problem}\n"));
            // Clear the screen and move to its top (ECMA-48).
            print!("\x1b[2J\x1b[H{shown}");
            std::io::Write::flush(&mut std::io::stdout())?;
            sleep(WATCH_EVERY).await;
        }
    })
}

async fn ask(address: SocketAddr) -> Result<String, Box<dyn Error>> {
    let (_, text) = running::ask(address, "/health").await?;
    let health: GatewayStatus = serde_json::from_str(&text)
        .map_err(|_| format!("what answers on {address} is no Gaud gateway"))?;
    Ok(table(&health))
}

fn table(health: &GatewayStatus) -> String {
    let width = health.providers.keys().map(String::len).max().unwrap_or(0).max("PROVIDER".len());
    let mut table = format!("gaud {}: {}\n\n", health.version, health.status);
    let _ =
        writeln!(table, "{:width$}  BREAKER    FAILURES  AGAIN IN  HEALTH   MODELS", "PROVIDER");
    for (name, provider) in &health.providers {
        let ProviderStatus { breaker, consecutive_failures, retry_after_secs, health, models } =
            provider;
        let again = retry_after_secs.map_or_else(|| "-".to_owned(), |secs| format!("{secs} s"));
        let _ = writeln!(
            table,
            "{name:width$}  {breaker:9}  {consecutive_failures:8}  {again:>8}  {health:7}  {models:6}"
        );
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_shows_what_health_says() {
        let json = r#"{"status":"degraded","version":"1.2.3","providers":{
            "litellm":{"breaker":"open","consecutive_failures":3,"retry_after_secs":28,"health":"down","models":2},
            "a-longer-name":{"breaker":"closed","consecutive_failures":0,"health":"up","models":0}}}"#;
        let expected = "\
gaud 1.2.3: degraded

PROVIDER       BREAKER    FAILURES  AGAIN IN  HEALTH   MODELS
a-longer-name  closed            0         -  up            0
litellm        open              3      28 s  down          2
";
        assert_eq!(table(&serde_json::from_str(json).unwrap()), expected);
    }
}
