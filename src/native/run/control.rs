//! The control server beside Envoy: its data, its first key, and its socket.

use std::convert::Infallible;
use std::future::pending;
use std::io::{self, IsTerminal, Write};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::net::UnixListener;
use tokio::select;
use tokio::sync::mpsc;
use tokio::task::spawn_blocking;
use tokio::time::{interval, sleep, timeout};

use super::disk::Disk;
use super::failure::Failure;
use super::journal::Journal;
use super::{Args, note, variable};
use crate::native::control::{
    self, Beside, Calibrated, Change, Control, DataFolder, Feed, Following, IssuedKey, Sessions,
    Store, Throttle, now_secs, token,
};
use crate::native::database::{DatabaseError, Databases};
use crate::native::envoy::Envoy;
use crate::native::gateway_id::GatewayId;
use crate::native::leases::Leaseholder;
use crate::native::prices::SharedPrices;
use crate::native::private_file;
use crate::native::refresh::{Keeper, Tokens};
use crate::native::render::{ControlLink, Sockets, Source};
use crate::native::settings::ConfigText;
use crate::native::virtual_keys::{SharedSource, follow};
use crate::native::webhook::SharedWebhook;

/// The variable with the admin key for a start without a terminal.
pub(crate) const ADMIN_KEY: &str = "GAUD_ADMIN_KEY";

/// Where the first admin key is, when no terminal shows it; in the data folder.
const FIRST_KEY: &str = "admin-key";

/// Sockets in the folder of the run: the control server's, and the gateway's for the control server.
const SOCKET: &str = "control.sock";
const OWN_SOCKET: &str = "own.sock";

/// The socket on which the control server answers who runs the gateway, who needs no key.
const OWNER_SOCKET: &str = "owner.sock";

/// Why a metered gateway cannot do without.
pub(super) const NEEDED: &str = "usage.meter = \"all\" writes to the ledger in its data folder; start without --no-control, or set usage.meter = \"off\"";

/// Why refresh tokens cannot do without.
pub(super) const NEEDED_FOR_TOKENS: &str = "auth.refresh_token keeps its tokens in the data folder of the control server; start without --no-control";

/// A control server that is ready to serve.
pub(super) struct Ready {
    pub(super) link: ControlLink,
    pub(super) serving: Serving,
    pub(super) changes: Changes,
    pub(super) journal: Journal,
}

/// The control server's part in a start: a gateway is ready once its filter knows the keys.
#[derive(Clone)]
pub(super) struct Keys(Arc<Control>);

/// How often the leases of budgets are looked at, and how long they wait for a database that fails.
const TEND_INTERVAL: Duration = Duration::from_millis(100);
const TEND_PAUSE: Duration = Duration::from_secs(5);

/// How long a start waits for that.
const KEYS_LIMIT: Duration = Duration::from_secs(30);

impl Serving {
    pub(super) fn keys(&self) -> Keys {
        Keys(Arc::clone(&self.control))
    }

    pub(super) fn tokens(&self) -> Tokens {
        self.control.tokens.clone()
    }
}

impl Keys {
    /// Returns when the filter knows the keys, or after a while: without them the rest serves.
    pub(super) async fn known(&self) {
        let _ = timeout(KEYS_LIMIT, self.0.litellm.asked()).await;
        let Ok((_, number)) = self.0.store.feed() else { return };
        if timeout(KEYS_LIMIT, self.0.feed.taken(number)).await.is_err() {
            note(
                "warning: the filter has not asked for the keys of clients yet; requests with keys wait for that",
            );
        }
    }
}

/// What serves, and the folder that it uses.
pub(super) struct Serving {
    listener: UnixListener,
    owner: UnixListener,
    control: Arc<Control>,
    keeper: Keeper,
    _data: DataFolder,
}

/// The ends of the control server that the following of the file has.
pub(super) struct Changes {
    pub(super) wishes: mpsc::Receiver<Change>,
    pub(super) following: Arc<Mutex<Following>>,
    pub(super) prices: SharedPrices,
    pub(super) alerts: SharedWebhook,
    pub(super) litellm: SharedSource,
    pub(super) disk: Disk,
}

/// `None` where none is wanted, or where its data have no place: a gateway needs no control server.
pub(super) fn start(
    args: &Args,
    source: &Source,
    envoy: &Envoy,
    folder: &Path,
) -> Result<Option<Ready>, Failure> {
    let is_metered = source.loaded.gateway.records;
    let has_tokens = source.loaded.refreshes().next().is_some();
    if args.no_control && !is_metered && !has_tokens {
        source.refuse_keys()?;
        return Ok(None);
    }
    if args.no_control {
        let needed = if is_metered { NEEDED } else { NEEDED_FOR_TOKENS };
        return Err(Failure::Control(needed.to_owned()));
    }
    let settings = source.loaded.file.control.as_ref();
    let named = settings.and_then(|own| own.data.as_deref());
    let data = match DataFolder::open(named, &variable) {
        Ok(data) => data,
        Err(problem) if settings.is_some() || is_metered || has_tokens => {
            return Err(Failure::Control(problem.to_string()));
        }
        Err(problem) => {
            note(&format!("no control server: {problem}"));
            source.refuse_keys()?;
            return Ok(None);
        }
    };
    let databases = Databases::of(source.loaded.control.database.as_ref(), data.path());
    let failed = |error: DatabaseError| Failure::Control(error.to_string());
    let gateway = databases.postgres().map(|_| GatewayId::of(data.path())).transpose()?;
    let mut journal =
        Journal::open(data.path(), databases.clone(), gateway.clone(), &source.loaded)?;
    journal.recover();
    let begin = |id| Leaseholder::begin(&databases, id, journal.has_news(), now_secs());
    let leases = gateway.map(begin).transpose().map_err(failed)?.map(Arc::new);
    journal.leases = leases.clone();
    let store = Store::open(&databases).map_err(failed)?;
    first_key(&store, Some(data.path()))?;
    let has_news = databases.postgres().is_some();
    let (sender, wishes) = mpsc::channel(1);
    let following = Arc::new(Mutex::new(Following::default()));
    let sockets = Sockets { control: folder.join(SOCKET), own: folder.join(OWN_SOCKET) };
    let config = source.loaded.path.as_deref();
    let alerts = SharedWebhook::new(source.loaded.webhook.clone());
    let litellm = SharedSource::new(source.loaded.litellm_keys.clone());
    let keeper = Keeper::open(data.path(), &source.loaded, &variable);
    let token = token().map_err(|error| Failure::Control(error.to_string()))?;
    let control = Arc::new(Control {
        store,
        databases,
        data: data.path().to_owned(),
        config: config.map(|path| ConfigText::of(path, Arc::new(variable))),
        beside: Some(Beside {
            changes: sender,
            gateway: sockets.own.clone(),
            envoy: envoy.version.to_string(),
        }),
        following: Arc::clone(&following),
        throttle: Throttle::default(),
        sessions: Sessions::default(),
        feed: Feed::of_one(token.clone(), has_news),
        leases,
        prices: journal.prices.clone(),
        calibrated: Calibrated::default(),
        alerts: alerts.clone(),
        litellm: litellm.clone(),
        tokens: keeper.tokens(),
        writer: tokio::sync::Mutex::default(),
    });
    let disk = Disk::of(data.path().to_owned());
    let owner = folder.join(OWNER_SOCKET);
    data.link_owner(&owner)?;
    let listener = UnixListener::bind(&sockets.control)?;
    let owner = UnixListener::bind(owner)?;
    let serving = Serving { listener, owner, control, keeper, _data: data };
    Ok(Some(Ready {
        link: ControlLink { sockets, token },
        serving,
        changes: Changes {
            wishes,
            following,
            prices: journal.prices.clone(),
            alerts,
            litellm,
            disk,
        },
        journal,
    }))
}

pub(super) async fn attend(serving: Option<Serving>) -> Result<Infallible, Failure> {
    let Some(Serving { listener, owner, control, keeper, _data }) = serving else {
        return pending().await;
    };
    let watch = control::watch_budgets(Arc::clone(&control), |line| note(&line));
    let url = control.databases.postgres().cloned();
    select! {
        served = control::serve(listener, owner, Arc::clone(&control)) => served?,
        () = control::hear(url, &control) => {}
        never = watch => match never {},
        never = follow(Arc::clone(&control), |line| note(&line)) => match never {},
        never = keeper.keep(|line: String| note(&line)) => match never {},
        () = tend(Arc::clone(&control)) => {}
    }
    pending().await
}

/// Tends the leases of this gateway. Never returns.
async fn tend(control: Arc<Control>) {
    let Some(leases) = control.leases.clone() else { return pending().await };
    let (mut ticks, mut is_away) = (interval(TEND_INTERVAL), false);
    loop {
        ticks.tick().await;
        let (own, control) = (Arc::clone(&leases), Arc::clone(&control));
        let tended =
            spawn_blocking(move || own.tend(now_secs(), |number| control.feed.has_taken(number)));
        let Ok(Err(error)) = tended.await else {
            is_away = false;
            continue;
        };
        if !is_away {
            note(&format!("this gateway gets no more of budgets than it has: {error}"));
        }
        is_away = true;
        sleep(TEND_PAUSE).await;
    }
}

/// The key that the environment names; else, at the first start, a new key, which is shown once.
pub(crate) fn first_key(store: &Store, data: Option<&Path>) -> Result<(), Failure> {
    let failed = |problem: &dyn std::fmt::Display| Failure::Control(problem.to_string());
    let add = |key: &IssuedKey, name: &str| {
        store.add_admin_key(key.id(), &key.hash(), name, now_secs()).map_err(|error| failed(&error))
    };
    if let Some(text) = variable(ADMIN_KEY).filter(|text| !text.is_empty()) {
        let text = text.to_str().unwrap_or_default().trim().to_owned();
        let key = IssuedKey::parse_admin(&text)
            .map_err(|problem| failed(&format!("{ADMIN_KEY} {problem}")))?;
        return add(&key, ADMIN_KEY);
    }
    if !store.admin_keys().map_err(|error| failed(&error))?.is_empty() {
        return Ok(());
    }
    let is_shown = io::stderr().is_terminal();
    if data.is_none() && !is_shown {
        note(&format!(
            "there is no admin key: set {ADMIN_KEY}, or make one by `gaud admin key new`"
        ));
        return Ok(());
    }
    let key = IssuedKey::admin().map_err(|error| failed(&error))?;
    add(&key, "first")?;
    let Some(data) = data.filter(|_| !is_shown) else {
        note(&format!(
            "the admin key of /admin and of the pages, shown this once: {}",
            key.expose()
        ));
        return Ok(());
    };
    let path = data.join(FIRST_KEY);
    writeln!(private_file::create(&path)?, "{}", key.expose())?;
    note(&format!(
        "the admin key of /admin and of the pages is in {}: read it, and remove the file",
        path.display()
    ));
    Ok(())
}
