//! `gaud serve`: the control server alone, for Envoys that something else runs.
//!
//! Any number of these processes may share one PostgreSQL: each tells the filters that ask it what any has changed.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::select;
use tokio::time::sleep;

use super::control::{
    Calibrated, Control, DataFolder, Feed, Following, Sessions, Store, Throttle, hear, now_secs,
    serve_alone, watch_budgets,
};
use super::database::Databases;
use super::ledger::{Day, Ledger};
use super::prices::{Prices, SharedPrices};
use super::refresh::Tokens;
use super::run::{Failure, first_key, note, runtime, signals};
use super::settings::{ConfigOption, ConfigText, Loaded};
use super::virtual_keys::{SharedSource, follow};
use super::webhook::SharedWebhook;

/// Serve the control server without an Envoy: for a mesh, or for gateways on several machines
#[derive(clap::Args, Debug)]
pub struct Args {
    #[command(flatten)]
    config: ConfigOption,
    /// The address, in the place of `control.listen`
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<SocketAddr>,
}

/// How often old attempts are forgotten.
const FORGET_INTERVAL: Duration = Duration::from_secs(3600);

/// Serves until a signal asks to stop.
///
/// # Errors
/// The configuration, the database or the address is wrong.
pub fn run(args: &Args) -> Result<ExitCode, Failure> {
    runtime()?.block_on(async {
        let (mut stop, _) = signals::listen()?;
        let loaded = args.config.load().map_err(|error| failed(&error))?;
        let (control, _folder) = control(&loaded)?;
        let address = args.listen.unwrap_or(loaded.control.listen);
        let listener = TcpListener::bind(address).await.map_err(|error| {
            failed(&format!("{address} cannot be had: {error}; set control.listen"))
        })?;
        note(&format!("the control server is ready on http://{}", listener.local_addr()?));
        let url = loaded.control.database.clone();
        let watch = watch_budgets(Arc::clone(&control), |line: String| note(&line));
        select! {
            served = serve_alone(listener, Arc::clone(&control)) => served?,
            () = hear(url, &control) => {}
            () = forget(&control.databases, loaded.keep_days()) => {}
            never = watch => match never {},
            never = follow(Arc::clone(&control), |line| note(&line)) => match never {},
            () = stop.asked() => {}
        }
        Ok(ExitCode::SUCCESS)
    })
}

/// What serves, and the lock on its folder, where it has one.
fn control(loaded: &Loaded) -> Result<(Arc<Control>, Option<DataFolder>), Failure> {
    let Some(token) = loaded.control.token.clone() else {
        return Err(Failure::Serve(
            "control.token is not set, and filters elsewhere have no other way to show who they are; write token = \
             \"os.environ/GAUD_FEED_TOKEN\" below [control], and give that variable to gaud serve and to each Envoy"
                .to_owned(),
        ));
    };
    let named = loaded.file.control.as_ref().and_then(|own| own.data.as_deref());
    let folder = match loaded.control.database {
        Some(_) => None,
        None => Some(
            DataFolder::open(named, &|name| std::env::var_os(name))
                .map_err(|error| failed(&error))?,
        ),
    };
    let path = folder.as_ref().map_or_else(PathBuf::new, |folder| folder.path().to_owned());
    let databases = Databases::of(loaded.control.database.as_ref(), &path);
    let store = Store::open(&databases).map_err(|error| failed(&error))?;
    first_key(&store, folder.as_ref().map(DataFolder::path)).map_err(|failure| match failure {
        Failure::Control(problem) => Failure::Serve(problem),
        failure => failure,
    })?;
    let prices = Prices::of(&loaded.file).map_err(|error| failed(&error))?;
    let has_news = databases.postgres().is_some();
    let config = loaded.path.as_deref();
    let control = Control {
        store,
        databases,
        data: path,
        config: config.map(|path| ConfigText::of(path, Arc::new(|name| std::env::var_os(name)))),
        beside: None,
        following: Arc::new(Mutex::new(Following::default())),
        throttle: Throttle::default(),
        sessions: Sessions::default(),
        feed: Feed::of_many(token, has_news),
        leases: None,
        prices: SharedPrices::new(prices),
        calibrated: Calibrated::default(),
        alerts: SharedWebhook::new(loaded.webhook.clone()),
        litellm: SharedSource::new(loaded.litellm_keys.clone()),
        tokens: Tokens::default(),
        writer: tokio::sync::Mutex::default(),
    };
    Ok((Arc::new(control), folder))
}

/// Forgets attempts that are older than the ledger keeps them. Never returns.
async fn forget(databases: &Databases, keep_days: u64) {
    loop {
        let since = Day::of_secs(now_secs()).before(keep_days);
        let forgotten = Ledger::open(databases).and_then(|mut ledger| ledger.forget(since));
        if let Err(error) = forgotten {
            note(&format!("old usage is kept: {error}"));
        }
        sleep(FORGET_INTERVAL).await;
    }
}

fn failed(problem: &dyn std::fmt::Display) -> Failure {
    Failure::Serve(problem.to_string())
}
