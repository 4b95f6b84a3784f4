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
    credential: Option<String>,
    #[serde(default)]
    failing_models: Vec<Model>,
    models: usize,
}

#[derive(Deserialize)]
struct Model {
    model: String,
    breaker: String,
    consecutive_failures: u32,
    retry_after_secs: Option<u64>,
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
    let models = |provider: &ProviderStatus| provider.failing_models.iter().map(Model::width).max();
    let names = health.providers.keys().map(String::len);
    let widths = names.chain(health.providers.values().filter_map(models));
    let width = widths.max().unwrap_or(0).max("PROVIDER".len());
    let mut table = format!("gaud {}: {}\n\n", health.version, health.status);
    let _ =
        writeln!(table, "{:width$}  BREAKER    FAILURES  AGAIN IN  HEALTH   MODELS", "PROVIDER");
    for (name, provider) in &health.providers {
        let ProviderStatus {
            breaker, consecutive_failures, retry_after_secs, health, models, ..
        } = provider;
        let again = again(*retry_after_secs);
        let _ = writeln!(
            table,
            "{name:width$}  {breaker:9}  {consecutive_failures:8}  {again:>8}  {health:7}  {models:6}"
        );
        for model in &provider.failing_models {
            model.write(&mut table, width);
        }
    }
    for (name, provider) in &health.providers {
        if let Some(credential) = &provider.credential {
            let _ = writeln!(
                table,
                "\n{name}: the gateway's credential is {credential}; check providers.{name}.api_key \
                 and auth"
            );
        }
    }
    table
}

/// The indent of a model in the table.
const INDENT: &str = "  ";

impl Model {
    fn width(&self) -> usize {
        INDENT.len().saturating_add(self.model.chars().count())
    }

    /// Models have no checks and no models.
    fn write(&self, table: &mut String, width: usize) {
        let Self { model, breaker, consecutive_failures, retry_after_secs } = self;
        let (name, again) = (format!("{INDENT}{model}"), again(*retry_after_secs));
        let _ = writeln!(table, "{name:width$}  {breaker:9}  {consecutive_failures:8}  {again:>8}");
    }
}

fn again(retry_after_secs: Option<u64>) -> String {
    retry_after_secs.map_or_else(|| "-".to_owned(), |secs| format!("{secs} s"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_shows_what_health_says() {
        let json = r#"{"status":"degraded","version":"1.2.3","providers":{
            "litellm":{"breaker":"open","consecutive_failures":3,"retry_after_secs":28,"health":"down","models":2},
            "a-longer-name":{"breaker":"closed","consecutive_failures":0,"health":"up","models":0,
                "credential":"refused","failing_models":[
                {"model":"gpt-4o","breaker":"open","consecutive_failures":3,"retry_after_secs":9},
                {"model":"other","breaker":"closed","consecutive_failures":1}]}}}"#;
        let expected = "\
gaud 1.2.3: degraded

PROVIDER       BREAKER    FAILURES  AGAIN IN  HEALTH   MODELS
a-longer-name  closed            0         -  up            0
  gpt-4o       open              3       9 s
  other        closed            1         -
litellm        open              3      28 s  down          2

a-longer-name: the gateway's credential is refused; check providers.a-longer-name.api_key and auth
";
        assert_eq!(table(&serde_json::from_str(json).unwrap()), expected);
    }
}
