//! `gaud status`: the state of the providers as a table.

use std::collections::BTreeMap;
use std::error::Error;
use std::fmt::Write;
use std::process::ExitCode;
use std::time::Duration;

use serde::Deserialize;
use tokio::time::sleep;

use super::configuration::Configuration;
use super::control::{ControlServer, STATUS};
use super::running::{self, RunningGateway};
use crate::native::control::now_secs;
use crate::native::http::Server;
use crate::native::refresh::Shown;

/// How often `--watch` asks.
const WATCH_EVERY: Duration = Duration::from_secs(2);

/// Print how the providers of a running gateway are, and which configuration is in effect
///
/// The configuration is shown where GAUD_ADMIN_KEY is set, or where this user runs the gateway.
///
/// BREAKER: closed (requests go to the provider), open (they do not, for AGAIN IN), half-open (one request tries whether the
/// provider is well again). FAILURES: failures in a row that the breaker has seen. HEALTH: what active checks of health_path
/// say; unknown without one. MODELS: how many models are known. REQUESTS: attempts since Envoy's start, from its metrics; - where
/// they cannot be read. Below a provider, the models there that fail.
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
    /// What the control server knows of its token.
    token: Option<Shown>,
    #[serde(default)]
    failing_models: Vec<Model>,
    models: usize,
    models_error: Option<String>,
    last_error: Option<String>,
    last_error_age_secs: Option<u64>,
}

/// What `GET /admin/status` answers.
#[derive(Deserialize)]
struct ControlStatus {
    configuration: Configuration,
    status: String,
    version: String,
    providers: BTreeMap<String, ProviderStatus>,
}

/// How many attempts each provider has had; empty where Envoy's metrics cannot be read.
type Requests = BTreeMap<String, u64>;

#[derive(Deserialize)]
struct Model {
    model: String,
    breaker: String,
    consecutive_failures: u32,
    retry_after_secs: Option<u64>,
}

/// Prints the table, once or again and again.
pub(crate) fn run(args: &Args) -> Result<ExitCode, Box<dyn Error>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        if !args.watch {
            print!("{}", ask(&args.place).await?);
            return Ok(ExitCode::SUCCESS);
        }
        loop {
            // A watched gateway may restart: the loop goes on.
            let shown = ask(&args.place).await.unwrap_or_else(|problem| format!("{problem}\n"));
            // Clear the screen and move to its top (ECMA-48).
            print!("\x1b[2J\x1b[H{shown}");
            std::io::Write::flush(&mut std::io::stdout())?;
            sleep(WATCH_EVERY).await;
        }
    })
}

async fn ask(place: &RunningGateway) -> Result<String, Box<dyn Error>> {
    let found = place.find();
    let server = found.as_ref().ok().map(|(gateway, _)| gateway);
    let control = ControlServer::find(place, server).await;
    let (health, configuration) = match (control, &found) {
        (Some(control), _) => control.ask::<ControlStatus>(STATUS).await?.parts(),
        (None, Ok((gateway, _))) => (healthy(gateway).await?, None),
        (None, Err(error)) => return Err(error.to_string().into()),
    };
    let counters = match &found {
        Ok((_, Some(admin))) => running::ask(admin, "/stats?filter=gaud_requests_total").await.ok(),
        _ => None,
    };
    let requests = requests(&counters.map(|(_, text)| text).unwrap_or_default());
    let configuration = configuration.map(|own| own.lines(now_secs())).unwrap_or_default();
    Ok(table(&health, &configuration, &requests, now_secs()))
}

/// What every client can ask.
async fn healthy(gateway: &Server) -> Result<GatewayStatus, String> {
    let (_, text) = running::ask(gateway, "/health").await?;
    serde_json::from_str(&text)
        .map_err(|_| format!("another program than Gaud answers on {gateway}"))
}

impl ControlStatus {
    fn parts(self) -> (GatewayStatus, Option<Configuration>) {
        let Self { configuration, status, version, providers } = self;
        (GatewayStatus { status, version, providers }, Some(configuration))
    }
}

/// Sums what Envoy counts, in lines as `wasmcustom.gaud_requests_total.provider.NAME.outcome.success: 3`.
fn requests(counters: &str) -> Requests {
    let mut requests = Requests::new();
    for line in counters.lines() {
        let Some((_, counter)) = line.split_once("gaud_requests_total.provider.") else { continue };
        let Some((provider, outcome)) = counter.rsplit_once(".outcome.") else { continue };
        let count = outcome.rsplit_once(": ").and_then(|(_, count)| count.parse::<u64>().ok());
        let sum = requests.entry(provider.to_owned()).or_default();
        *sum = sum.saturating_add(count.unwrap_or_default());
    }
    requests
}

fn table(
    health: &GatewayStatus,
    configuration: &str,
    requests: &Requests,
    now_secs: i64,
) -> String {
    let models = |provider: &ProviderStatus| provider.failing_models.iter().map(Model::width).max();
    let names = health.providers.keys().map(String::len);
    let widths = names.chain(health.providers.values().filter_map(models));
    let width = widths.max().unwrap_or(0).max("PROVIDER".len());
    let mut table = format!("gaud {}: {}\n{configuration}\n", health.version, health.status);
    let _ = writeln!(
        table,
        "{:width$}  BREAKER    FAILURES  AGAIN IN  HEALTH   MODELS  REQUESTS",
        "PROVIDER"
    );
    for (name, provider) in &health.providers {
        let ProviderStatus {
            breaker, consecutive_failures, retry_after_secs, health, models, ..
        } = provider;
        let again = again(*retry_after_secs);
        let count = requests.get(name).map_or_else(|| "-".to_owned(), u64::to_string);
        let _ = writeln!(
            table,
            "{name:width$}  {breaker:9}  {consecutive_failures:8}  {again:>8}  {health:7}  {models:6}  {count:>8}"
        );
        for model in &provider.failing_models {
            model.write(&mut table, width);
        }
    }
    let notes: Vec<_> =
        health.providers.iter().flat_map(|(name, own)| own.notes(name, now_secs)).collect();
    if !notes.is_empty() {
        let _ = writeln!(table, "\n{}", notes.join("\n"));
    }
    table
}

impl ProviderStatus {
    /// What the columns cannot say, in lines.
    fn notes(&self, name: &str, now_secs: i64) -> Vec<String> {
        let credential = self.credential.as_ref().map(|credential| {
            format!("{name}: the gateway's credential is {credential}; check providers.{name}.api_key and auth")
        });
        let token = self.token.as_ref().and_then(|token| token.words(now_secs));
        let token = token.map(|words| format!("{name}: token: {words}"));
        let models = self.models_error.as_ref();
        let models = models.map(|error| format!("{name}: asked for its models: {error}"));
        let last = self.last_error.as_ref().map(|error| {
            let age = self.last_error_age_secs.unwrap_or_default();
            format!("{name}: last error, {age} s ago: {error}")
        });
        credential.into_iter().chain(token).chain(models).chain(last).collect()
    }
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
            "litellm":{"breaker":"open","consecutive_failures":3,"retry_after_secs":28,"health":"down","models":2,
                "models_error":"no answer; check that it runs, and its url","last_error":"status 502",
                "last_error_age_secs":12},
            "a-longer-name":{"breaker":"closed","consecutive_failures":0,"health":"up","models":0,
                "credential":"refused","token":{"kind":"refresh_token","valid_until_secs":1060},"failing_models":[
                {"model":"gpt-4o","breaker":"open","consecutive_failures":3,"retry_after_secs":9},
                {"model":"other","breaker":"closed","consecutive_failures":1}]}}}"#;
        let expected = "\
gaud 1.2.3: degraded

PROVIDER       BREAKER    FAILURES  AGAIN IN  HEALTH   MODELS  REQUESTS
a-longer-name  closed            0         -  up            0         -
  gpt-4o       open              3       9 s
  other        closed            1         -
litellm        open              3      28 s  down          2        10

a-longer-name: the gateway's credential is refused; check providers.a-longer-name.api_key and auth
a-longer-name: token: valid for 60 s
litellm: asked for its models: no answer; check that it runs, and its url
litellm: last error, 12 s ago: status 502
";
        let counters = "\
wasmcustom.gaud_requests_total.provider.litellm.outcome.failure: 3
wasmcustom.gaud_requests_total.provider.litellm.outcome.success: 7
wasmcustom.gaud_retried_total.provider.litellm: 9
";
        let health = serde_json::from_str(json).unwrap();
        assert_eq!(table(&health, "", &requests(counters), 1000), expected);
    }
}
