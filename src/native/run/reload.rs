//! A configuration that changes while the gateway runs.

use std::future::pending;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use tokio::select;
use tokio::sync::mpsc::Receiver;
use tokio::time::{MissedTickBehavior, interval, sleep};

use super::control::{Changes, NEEDED, NEEDED_FOR_TOKENS};
use super::disk::room_changed;
use super::failure::Failure;
use super::folder::{PrivateFolder, unwritable};
use super::log::Rejections;
use super::process::admin_socket;
use super::signals::Reread;
use super::{Args, note, read, vacant};
use crate::config::Metered;
use crate::native::control::{Apply, Change, RefusedChange, now_secs};
use crate::native::envoy::{Envoy, EnvoyVersion};
use crate::native::live::{Applied, Live, Snapshot, Watch};
use crate::native::lock::lock;
use crate::native::os_error::words;
use crate::native::prices::Prices;
use crate::native::refresh::Tokens;
use crate::native::render::live::Documents;
use crate::native::render::{ControlLink, Error, Source, secret_files};
use crate::native::settings::{Env, Loaded, Started};

/// How often the files are looked at. A change is in effect after two looks and the time that Envoy takes.
const LOOK_INTERVAL: Duration = Duration::from_millis(100);

/// Renders for the Envoy that runs.
pub(super) struct Renderer<'a> {
    env: Env<'a>,
    version: EnvoyVersion,
    /// The filter's file.
    wasm: PathBuf,
    folder: PathBuf,
    /// The socket of Envoy's admin interface.
    pub(super) admin: PathBuf,
    /// The way to the control server, where there is one.
    control: Option<ControlLink>,
    /// The access tokens that are got beside; none without a control server.
    tokens: Tokens,
}

impl<'a> Renderer<'a> {
    pub(super) fn of(
        source: &Source,
        envoy: &Envoy,
        folder: &PrivateFolder,
        control: Option<&ControlLink>,
        tokens: Tokens,
        env: Env<'a>,
    ) -> Result<Self, Failure> {
        Ok(Self {
            env,
            version: envoy.version,
            wasm: source.module.file_in(folder.path()).map_err(unwritable)?,
            folder: folder.path().to_owned(),
            admin: admin_socket(folder)?,
            control: control.cloned(),
            tokens,
        })
    }

    pub(super) fn documents(&self, source: &Source) -> Result<Documents, Error> {
        let mut documents = source.live(
            self.version,
            &self.wasm,
            &self.folder,
            &self.admin,
            self.control.as_ref(),
            self.env,
        )?;
        documents.secrets = secret_files(&source.loaded, &self.tokens.access(), self.env);
        Ok(documents)
    }
}

/// The configuration that serves, and the way to the next.
pub(super) struct Reload<'a> {
    args: &'a Args,
    pub(super) renderer: Renderer<'a>,
    pub(super) live: Live,
    rejections: Rejections,
    started: Started,
    /// The configuration that serves.
    pub(super) serving: Loaded,
    watch: Watch,
    /// Why the last change was refused.
    refused: Option<String>,
    /// The last change that was refused, wherever it came from.
    last_refusal: Option<RefusedChange>,
    /// The settings that wait for a restart, as far as they were told.
    waits: Vec<&'static str>,
    /// Where the gateway listens; `None` until Envoy serves.
    address: Option<SocketAddr>,
    changes: Option<Changes>,
}

/// Why the file is looked at.
enum Reason {
    File,
    /// A signal asks for that.
    Asked,
    Wish(Change),
    /// The journal's disk has become full, or has room again.
    Disk,
    /// There is another access token, or a token has ended.
    Token,
}

/// How often a configuration that was refused is tried again: a file that it names may be there by then.
const RETRY_INTERVAL: Duration = Duration::from_secs(2);

impl<'a> Reload<'a> {
    /// `live` serves `loaded`.
    pub(super) fn of(
        args: &'a Args,
        renderer: Renderer<'a>,
        live: Live,
        rejections: Rejections,
        loaded: Loaded,
        changes: Option<Changes>,
    ) -> Self {
        let this = Self {
            args,
            renderer,
            live,
            rejections,
            started: Started::of(&loaded),
            serving: loaded,
            watch: Watch::default(),
            refused: None,
            last_refusal: None,
            waits: Vec::new(),
            address: None,
            changes,
        };
        this.publish();
        this
    }

    /// Envoy serves on this address.
    pub(super) fn serves_on(&mut self, address: SocketAddr) {
        self.address = Some(address);
        self.publish();
    }

    /// Returns after each change that was tried.
    pub(super) async fn next(&mut self, reread: &mut Reread) {
        let reason = self.reason(reread).await;
        if let Reason::Token = reason {
            return self.give_tokens();
        }
        let asked = matches!(reason, Reason::Asked);
        let outcome = match self.change().await {
            Ok(applied) => {
                // The news of the disk is told already.
                let is_told = matches!(reason, Reason::Disk);
                self.tell(if is_told { Applied::Nothing } else { applied }, asked);
                Apply::Version(self.live.version())
            }
            Err(problem) => {
                let problem = problem.to_string();
                self.note_refusal(&problem);
                // Who has wished for the change hears of its refusal.
                if !matches!(reason, Reason::Wish(_)) {
                    self.tell_refusal(problem.clone(), asked);
                }
                Apply::Refused(problem)
            }
        };
        self.publish();
        if let Reason::Wish(reply) = reason {
            // The wish may have ended meanwhile.
            _ = reply.send(outcome);
        }
    }

    /// Returns when there is a reason to look at the file.
    async fn reason(&mut self, reread: &mut Reread) -> Reason {
        let (is_metered, min_free_bytes) = self.room();
        let (wishes, disk) = match &mut self.changes {
            Some(changes) => (Some(&mut changes.wishes), Some(&mut changes.disk)),
            None => (None, None),
        };
        let reason = select! {
            () = changed(&mut self.watch, &self.serving) => Reason::File,
            () = retried(self.refused.is_some()) => Reason::File,
            () = reread.asked() => Reason::Asked,
            change = wished(wishes) => Reason::Wish(change),
            () = room_changed(disk, is_metered, min_free_bytes) => Reason::Disk,
            () = self.renderer.tokens.changed() => Reason::Token,
        };
        if let (Reason::Disk, Some(changes)) = (&reason, &self.changes) {
            note(&changes.disk.news());
        }
        reason
    }

    /// Gives Envoy the access tokens as they are now. Whatever has become of the file meanwhile: a token must not wait for that.
    fn give_tokens(&mut self) {
        let secrets =
            secret_files(&self.serving, &self.renderer.tokens.access(), self.renderer.env);
        if let Err(error) = self.live.give(secrets) {
            note(&format!("an access token cannot be given to Envoy: {}", words(&error)));
            self.renderer.tokens.again();
        }
    }

    /// Whether usage is recorded, and the space that its disk must have.
    fn room(&self) -> (bool, Option<u64>) {
        let usage = self.serving.file.usage.as_ref();
        (self.serving.gateway.records, usage.and_then(|usage| usage.min_free_bytes))
    }

    /// Tells the control server what is in effect.
    fn publish(&self) {
        let Some(changes) = &self.changes else { return };
        let mut following = lock(&changes.following);
        if following.version != self.live.version() {
            following.applied_secs = now_secs();
        }
        following.version = self.live.version();
        following.gateway = self.address;
        following.refused.clone_from(&self.refused);
        following.last_refusal.clone_from(&self.last_refusal);
        following.waits_for_restart.clone_from(&self.waits);
    }

    async fn change(&mut self) -> Result<Applied, Failure> {
        let mut source = read(self.args, self.renderer.env)?;
        let is_full = self.changes.as_ref().is_some_and(|changes| changes.disk.is_full());
        if let Some(usage) = source
            .loaded
            .file
            .usage
            .as_mut()
            .filter(|usage| is_full && usage.for_filter().is_some())
        {
            usage.meter = Some(Metered::Stopped);
        }
        if self.renderer.control.is_none() {
            source.refuse_keys()?;
        }
        if source.loaded.listen != self.serving.listen {
            vacant("listen", source.loaded.listen, &source.loaded)?;
        }
        if source.loaded.gateway.records && self.changes.is_none() {
            return Err(Failure::Control(NEEDED.to_owned()));
        }
        if self.changes.is_none() && source.loaded.refreshes().next().is_some() {
            return Err(Failure::Control(NEEDED_FOR_TOKENS.to_owned()));
        }
        let prices = Prices::of(&source.loaded.file);
        let prices = prices.map_err(|problem| Failure::Control(problem.to_string()))?;
        let documents = self.renderer.documents(&source)?;
        self.rejections.forget();
        let applied = self.live.apply(documents.resources, documents.secrets).await;
        let applied = applied.map_err(|refusal| Failure::Kept(refusal, self.rejections.all()))?;
        // A port that the system has chosen is known from the start alone.
        if source.loaded.listen.port() != 0 {
            self.address = Some(source.loaded.listen);
        }
        if let Some(changes) = &self.changes {
            changes.prices.set(prices);
            changes.alerts.set(source.loaded.webhook.clone());
            changes.litellm.set(source.loaded.litellm_keys.clone());
        }
        self.serving = source.loaded;
        self.renderer.tokens.want(&self.serving);
        Ok(applied)
    }

    fn tell(&mut self, applied: Applied, asked: bool) {
        self.refused = None;
        let source = self.serving.source();
        match applied {
            Applied::Version(version) => {
                self.serving
                    .warnings
                    .iter()
                    .for_each(|warning| note(&format!("warning: {warning}")));
                note(&format!("{source} has changed: version {version} is in effect"));
            }
            Applied::Nothing if asked => note(&format!("{source} has nothing new")),
            Applied::Nothing => {}
        }
        let waits = self.serving.needs_restart(&self.started);
        if waits != self.waits && !waits.is_empty() {
            note(&format!("{source}: {} waits for a restart of gaud run", waits.join(", ")));
        }
        self.waits = waits;
    }

    /// Keeps the time of a change that is tried again and refused for the same reason.
    fn note_refusal(&mut self, problem: &str) {
        if self.last_refusal.as_ref().is_none_or(|last| last.reason != problem) {
            let reason = problem.to_owned();
            self.last_refusal = Some(RefusedChange { at_secs: now_secs(), reason });
        }
    }

    /// A configuration that is tried again and refused for the same reason is not news.
    fn tell_refusal(&mut self, problem: String, asked: bool) {
        if asked || self.refused.as_ref() != Some(&problem) {
            let source = self.serving.source();
            note(&format!(
                "{source} has changed, and is refused; the configuration before stays in effect:\n{problem}"
            ));
        }
        self.refused = Some(problem);
    }
}

/// Returns when a file of the configuration has changed.
async fn changed(watch: &mut Watch, serving: &Loaded) {
    let mut looks = interval(LOOK_INTERVAL);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        looks.tick().await;
        if watch.has_changed(Snapshot::of(serving.files())) {
            return;
        }
    }
}

async fn wished(wishes: Option<&mut Receiver<Change>>) -> Change {
    match wishes {
        // The other end is there for as long as the control server is.
        Some(wishes) => match wishes.recv().await {
            Some(change) => change,
            None => pending().await,
        },
        None => pending().await,
    }
}

async fn retried(wanted: bool) {
    if wanted { sleep(RETRY_INTERVAL).await } else { pending().await }
}
