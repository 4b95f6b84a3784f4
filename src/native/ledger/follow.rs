//! Follows Envoy's log, a file that Envoy appends to, and takes its records into the ledger.
//!
//! Envoy holds a lock on its file for as long as Envoy lives: the lock belongs to the open file, which Envoy inherits. So a
//! file whose lock is free gets no more lines. Its attempts without an end are lost then, and the file is removed.

use std::fs::{self, DirBuilder, File, OpenOptions, Permissions, TryLockError};
use std::io::{self, Read, Seek, SeekFrom};
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Acquire, Ordering::Release};
use std::sync::mpsc::Sender;
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::day::Day;
use super::intake::Batch;
use super::schema::Ledger;
use crate::native::database::{DatabaseError, Databases};
use crate::native::gateway_id::GatewayId;
use crate::native::prices::SharedPrices;
use crate::native::private_file;

/// The journals, in the data folder.
const FOLDER: &str = "journal";
const FOLDER_MODE: u32 = 0o700;
const END: &str = ".log";

/// The most that is read at once, and so the most that is taken in by one transaction.
const PIECE_BYTES: u64 = 1024 * 1024;

/// A longer line is not a record: the rest of the line is read as another line.
const LINE_BYTES_MAX: usize = 1024 * 1024;

/// How often the file is looked at.
const LOOK_INTERVAL: Duration = Duration::from_millis(20);

/// How often a ledger that takes nothing is tried again.
const RETRY_INTERVAL: Duration = Duration::from_secs(1);

/// How often a run that ends tries.
const TRIES_AT_END: u32 = 3;

/// How often old attempts are forgotten.
const FORGET_INTERVAL: Duration = Duration::from_secs(3600);

/// The space of a journal that is given back at a time.
#[cfg(target_os = "linux")]
const FREED_BYTES: u64 = 1024 * 1024;

/// The journals of a data folder.
#[derive(Debug, Clone)]
pub struct Folder {
    data: PathBuf,
    databases: Databases,
    /// The gateway whose journals these are, where several share the ledger.
    gateway: Option<GatewayId>,
    has_news: Arc<AtomicBool>,
}

/// What a follower needs besides the file.
pub struct Follower {
    name: String,
    path: PathBuf,
    file: File,
    ledger: Ledger,
    prices: SharedPrices,
    keep_days: u64,
    /// Read, and not yet a whole line.
    rest: Vec<u8>,
    /// Where the next line begins.
    offset: u64,
    /// Up to where the space was given back.
    #[cfg(target_os = "linux")]
    freed: u64,
    forgotten: SystemTime,
    has_news: Arc<AtomicBool>,
    /// Held until all that was there is taken in.
    behind: Option<Sender<()>>,
}

impl Folder {
    /// # Errors
    /// The folder takes nothing.
    pub(crate) fn open(
        data: &Path,
        databases: Databases,
        gateway: Option<GatewayId>,
    ) -> io::Result<Self> {
        let path = data.join(FOLDER);
        DirBuilder::new().recursive(true).mode(FOLDER_MODE).create(path)?;
        // What other runs have left may be taken in before anyone looks.
        let has_news = Arc::new(AtomicBool::new(true));
        Ok(Self { data: data.to_owned(), databases, gateway, has_news })
    }

    /// Set by each batch that the ledger has taken from this folder.
    pub(crate) fn has_news(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.has_news)
    }

    /// A new file, which is locked for as long as somebody has it open, and its path.
    ///
    /// # Errors
    /// The folder takes nothing.
    pub fn begin(&self) -> io::Result<(File, PathBuf)> {
        // Several gateways write their journals' names into one database.
        let mut builder = tempfile::Builder::new();
        let begun = format!("{}-", now_ns());
        builder.prefix(&begun).suffix(END).append(true);
        let permissions = Permissions::from_mode(private_file::MODE);
        let made = builder.permissions(permissions).tempfile_in(self.data.join(FOLDER))?;
        let (file, path) = made.keep().map_err(|error| error.error)?;
        file.lock()?;
        Ok((file, path))
    }

    /// The files that other runs have left, in the order in which they were begun.
    pub fn left(&self) -> Vec<PathBuf> {
        let entries = fs::read_dir(self.data.join(FOLDER)).into_iter().flatten().flatten();
        let is_journal = |path: &PathBuf| path.to_string_lossy().ends_with(END);
        let mut paths: Vec<_> = entries.map(|entry| entry.path()).filter(is_journal).collect();
        paths.sort();
        paths
    }

    /// Follows a file of this folder from where it was left.
    ///
    /// # Errors
    /// The file or the ledger cannot be opened.
    pub fn follow(
        &self,
        path: &Path,
        prices: SharedPrices,
        keep_days: u64,
    ) -> Result<Follower, DatabaseError> {
        let ledger = Ledger::open(&self.databases)?.of_gateway(self.gateway.clone());
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let offset = ledger.offset(&name)?;
        let open = || {
            let mut file = OpenOptions::new().read(true).write(true).open(path)?;
            file.seek(SeekFrom::Start(offset))?;
            Ok(file)
        };
        let file = open().map_err(|error| DatabaseError::Io { name: name.clone(), error })?;
        Ok(Follower {
            name,
            path: path.to_owned(),
            file,
            ledger,
            prices,
            keep_days,
            rest: Vec::new(),
            offset,
            #[cfg(target_os = "linux")]
            freed: 0,
            forgotten: UNIX_EPOCH,
            has_news: self.has_news(),
            behind: None,
        })
    }
}

/// What a look at the file has brought.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    Taken,
    /// Nothing new.
    Quiet,
    /// The ledger takes nothing.
    Kept,
}

impl Follower {
    /// Drops this once all that is in the file now is taken in.
    #[must_use]
    pub fn telling(self, behind: Sender<()>) -> Self {
        Self { behind: Some(behind), ..self }
    }

    /// Follows the file until its Envoy is gone; `other` gets each line that is not a record. `ended` says that Envoy is gone for
    /// whoever knows; else the lock says so.
    pub fn run(mut self, ended: &AtomicBool, mut other: impl FnMut(String)) {
        loop {
            // Asked before the file is read: what came before the end is read after.
            let is_over = ended.load(Acquire) || self.is_free();
            loop {
                match self.step(ended, &mut other) {
                    Step::Taken => {}
                    Step::Quiet => break,
                    // The next run goes on where the ledger is.
                    Step::Kept => return,
                }
            }
            if is_over {
                return self.close(ended, &mut other);
            }
            self.behind = None;
            self.forget(&mut other);
            thread::sleep(LOOK_INTERVAL);
        }
    }

    /// Whether nobody appends to the file any more.
    fn is_free(&self) -> bool {
        match self.file.try_lock() {
            Ok(()) => true,
            Err(TryLockError::WouldBlock | TryLockError::Error(_)) => false,
        }
    }

    /// Reads a piece, and takes its lines in.
    fn step(&mut self, ended: &AtomicBool, other: &mut impl FnMut(String)) -> Step {
        let before = self.rest.len();
        // What was read before an error is in `rest`. A look that finds nothing takes no memory.
        let _ = (&self.file).take(PIECE_BYTES).read_to_end(&mut self.rest);
        if self.rest.len() == before {
            return Step::Quiet;
        }
        let whole = match self.rest.iter().rposition(|byte| *byte == b'\n') {
            Some(last) => last + 1,
            None if self.rest.len() > LINE_BYTES_MAX => self.rest.len(),
            None => return Step::Taken,
        };
        let tail = self.rest.split_off(whole);
        let lines = std::mem::replace(&mut self.rest, tail);
        let mut batch = Batch::default();
        for line in String::from_utf8_lossy(&lines).lines() {
            if !batch.take(line) {
                other(line.to_owned());
            }
        }
        self.offset += whole as u64;
        if !self.take(&batch, ended, other) {
            return Step::Kept;
        }
        self.free();
        Step::Taken
    }

    /// Takes a batch in, however long that takes: its lines stay in the file until then. Whether the ledger has taken it; a run
    /// that ends waits for a while.
    fn take(&mut self, batch: &Batch, ended: &AtomicBool, other: &mut impl FnMut(String)) -> bool {
        if batch.broken > 0 {
            other(format!("gaud: {} broken records of usage were skipped", batch.broken));
        }
        let since = self.since();
        let mut tries = 0;
        let prices = self.prices.now();
        while let Err(error) = self.ledger.take(batch, &self.name, self.offset, since, &prices) {
            if tries == 0 {
                other(format!(
                    "gaud: usage waits in {} until the ledger takes it: {error}",
                    self.path.display()
                ));
            }
            tries += 1;
            if ended.load(Acquire) && tries >= TRIES_AT_END {
                return false;
            }
            thread::sleep(RETRY_INTERVAL);
        }
        self.has_news.store(true, Release);
        true
    }

    fn since(&self) -> Day {
        Day::of_ms(now_ns() / 1_000_000).before(self.keep_days)
    }

    fn forget(&mut self, other: &mut impl FnMut(String)) {
        if self.forgotten.elapsed().is_ok_and(|elapsed| elapsed > FORGET_INTERVAL) {
            self.forgotten = SystemTime::now();
            if let Err(error) = self.ledger.forget(self.since()) {
                other(format!("gaud: old usage is kept: {error}"));
            }
        }
    }

    /// Envoy is gone.
    fn close(mut self, ended: &AtomicBool, other: &mut impl FnMut(String)) {
        let torn = std::mem::take(&mut self.rest);
        if !torn.is_empty() {
            let line = String::from_utf8_lossy(&torn).into_owned();
            let mut batch = Batch::default();
            if !batch.take(&line) {
                other(line);
            }
            self.offset += torn.len() as u64;
            if !self.take(&batch, ended, other) {
                return;
            }
        }
        match self.ledger.close(&self.name, self.since(), &self.prices.now()) {
            Ok(0) => {}
            Ok(lost) => other(format!(
                "gaud: {lost} requests had no end when Envoy ended: the ledger has estimates, marked as lost"
            )),
            Err(error) => return other(format!("gaud: {} stays: {error}", self.path.display())),
        }
        if let Err(error) = fs::remove_file(&self.path) {
            other(format!("gaud: {} stays: {error}", self.path.display()));
        }
    }

    /// Gives the space of what is taken in back to the disk. Envoy appends where the file ends, and not where a reader is.
    #[cfg(target_os = "linux")]
    fn free(&mut self) {
        use rustix::fs::{FallocateFlags, fallocate};
        let length = self.offset.saturating_sub(self.freed);
        if length >= FREED_BYTES {
            let flags = FallocateFlags::PUNCH_HOLE | FallocateFlags::KEEP_SIZE;
            // A disk that cannot do so keeps the space until Envoy ends.
            let _ = fallocate(&self.file, flags, self.freed, length);
            self.freed = self.offset;
        }
    }

    #[cfg(not(target_os = "linux"))]
    fn free(&mut self) {}
}

fn now_ns() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}
