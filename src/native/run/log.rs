//! Envoy's log: held back while Envoy starts, shown as it comes while Envoy serves.
//!
//! When a start fails, the lines that say why go into the error instead, without the rest.

use std::borrow::Cow;
use std::io::{self, BufRead, BufReader, PipeReader, Write};
use std::sync::atomic::{AtomicBool, Ordering::Release};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};

use crate::names::clusters::VM_ID;
use crate::native::ledger::Follower;
use crate::native::lock::lock;

/// The most lines that are held, and the most that an error shows.
const HELD_MAX: usize = 200;
const SHOWN_MAX: usize = 10;

/// Envoy writes the filter's lines as `[time][level][wasm] [source] wasm log NAME ROOT_ID VM_ID: LINE`: a person needs the time, the
/// level and the line.
fn readable(line: &str) -> Cow<'_, str> {
    let of_filter = || {
        let (head, rest) = line.split_once("] wasm log ")?;
        let (names, text) = rest.split_once(": ")?;
        let (level, _) = head.split_once("[wasm")?;
        names
            .split(' ')
            .all(|name| name.starts_with(VM_ID))
            .then(|| format!("{level} gaud: {text}"))
    };
    of_filter().map_or(Cow::Borrowed(line), Cow::Owned)
}

/// Writes a line to standard error. A failure is ignored: the gateway serves also without a reader of its log.
pub(super) fn tell(line: &str) {
    let _ = writeln!(io::stderr(), "{line}");
}

/// The most letters of a reason that are kept.
const REASON_MAX: usize = 400;

/// Why Envoy has refused documents, since the last were forgotten.
#[derive(Debug, Clone, Default)]
pub(super) struct Rejections(Arc<Mutex<Vec<String>>>);

impl Rejections {
    pub(super) fn forget(&self) {
        lock(&self.0).clear();
    }

    pub(super) fn all(&self) -> Vec<String> {
        lock(&self.0).clone()
    }

    /// Reads lines as `[…][warning][config] Filesystem config update rejected: REASON`. Other lines about documents may
    /// show what is in a document.
    fn note(&self, line: &str) {
        let Some((_, reason)) = line.split_once("update rejected: ") else { return };
        let mut all = lock(&self.0);
        if all.len() < SHOWN_MAX {
            all.push(reason.chars().take(REASON_MAX).collect());
        }
    }
}

/// Reads Envoy's log to its end, on a thread of its own.
#[derive(Debug)]
pub(super) struct Log {
    held: Arc<Mutex<Held>>,
    pub(super) rejections: Rejections,
    reader: JoinHandle<()>,
    /// Envoy has ended.
    ended: Arc<AtomicBool>,
}

/// The lines that are held back; `None` while lines are shown at once.
type Held = Option<Vec<String>>;

impl Log {
    pub(super) fn of(pipe: PipeReader) -> Self {
        let held = Arc::new(Mutex::new(Some(Vec::new())));
        let lines = BufReader::new(pipe).split(b'\n').map_while(Result::ok);
        let shared = Arc::clone(&held);
        let rejections = Rejections::default();
        let noted = rejections.clone();
        let reader = thread::spawn(move || {
            for line in lines {
                let line = String::from_utf8_lossy(&line).into_owned();
                noted.note(&line);
                take(&mut lock(&shared), line);
            }
        });
        Self { held, rejections, reader, ended: Arc::default() }
    }

    /// Where Envoy's log is a file: the records of usage in it are taken in, and not shown.
    pub(super) fn following(follower: Follower) -> Self {
        let held = Arc::new(Mutex::new(Some(Vec::new())));
        let ended = Arc::new(AtomicBool::new(false));
        let (shared, seen) = (Arc::clone(&held), Arc::clone(&ended));
        let rejections = Rejections::default();
        let noted = rejections.clone();
        let reader = thread::spawn(move || {
            follower.run(&seen, |line| {
                noted.note(&line);
                take(&mut lock(&shared), line);
            });
        });
        Self { held, rejections, reader, ended }
    }

    /// The start went well: shows what was held, and holds nothing more.
    pub(super) fn show(&self) {
        // Under the lock, so that the lines stay in their order.
        let mut held = lock(&self.held);
        held.take().unwrap_or_default().iter().for_each(|line| tell(&readable(line)));
    }

    /// From here on nothing is shown: Envoy's lines about its own end tell the user nothing.
    pub(super) fn hide(&self) {
        lock(&self.held).get_or_insert_default();
    }

    /// Envoy has ended: waits for its last line, and returns what was held of the reason.
    pub(super) fn finish(self) -> Vec<String> {
        // A pipe ends with Envoy, and the thread with the pipe; a file does not.
        self.ended.store(true, Release);
        let _ = self.reader.join();
        reason(lock(&self.held).take().unwrap_or_default())
    }
}

fn take(held: &mut Held, line: String) {
    match held {
        Some(lines) if lines.len() < HELD_MAX => lines.push(line),
        // What matters comes last: a start that says so much keeps its end.
        Some(lines) => {
            lines.remove(0);
            lines.push(line);
        }
        None => tell(&readable(&line)),
    }
}

/// The last lines above warnings, or the last lines where all are.
pub(super) fn reason(mut lines: Vec<String>) -> Vec<String> {
    let warning = |line: &String| line.contains("[warning]") || line.trim().is_empty();
    if !lines.iter().all(warning) {
        lines.retain(|line| !warning(line));
    }
    lines.split_off(lines.len().saturating_sub(SHOWN_MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(lines: &[&str]) -> Vec<String> {
        lines.iter().map(|&line| line.to_owned()).collect()
    }

    #[test]
    fn a_line_of_the_filter_has_one_prefix() {
        for (written, shown) in [
            (
                "[2026-11-30 15:45:40.465][30357][warning][wasm] [source/extensions/common/wasm/context.cc:1154] wasm log gaud \
                 gaud gaud: provider p: breaker open for 30 s: status 500",
                "[2026-11-30 15:45:40.465][30357][warning] gaud: provider p: breaker open for 30 s: status 500",
            ),
            (
                "[1][info][wasm] wasm log gaud_attempt gaud: provider p: x",
                "[1][info] gaud: provider p: x",
            ),
            (
                "[1][info][wasm] wasm log other gaud: provider p: x",
                "[1][info][wasm] wasm log other gaud: provider p: x",
            ),
            (
                "[1][info][main] all clusters initialized",
                "[1][info][main] all clusters initialized",
            ),
            ("[1][info][main] x: [wasm] wasm log", "[1][info][main] x: [wasm] wasm log"),
        ] {
            assert_eq!(readable(written), shown);
        }
    }

    #[test]
    fn the_reason_is_what_is_no_warning() {
        let log = lines(&["[warning] deprecated", "[critical] bad route", "", "bad route"]);
        assert_eq!(reason(log), lines(&["[critical] bad route", "bad route"]));
    }

    #[test]
    fn warnings_are_better_than_nothing() {
        let log = lines(&["[warning] one", "[warning] two"]);
        assert_eq!(reason(log.clone()), log);
        assert_eq!(reason(Vec::new()), Vec::<String>::new());
    }

    #[test]
    fn the_reasons_of_refusals_are_kept_until_they_are_forgotten() {
        let rejections = Rejections::default();
        rejections.note(
            "[2026-11-29 13:09:43.565][warning][config] Filesystem config update rejected: no key",
        );
        rejections.note("[2026-11-29 13:09:43.565][warning][config] unable to update file: secret");
        assert_eq!(rejections.all(), ["no key"]);
        rejections.forget();
        assert_eq!(rejections.all(), Vec::<String>::new());
    }

    #[test]
    fn a_long_start_keeps_its_end() {
        let mut held = Some(Vec::new());
        (0..=HELD_MAX).for_each(|number| take(&mut held, number.to_string()));
        let held = held.unwrap();
        assert_eq!((held.len(), held[0].as_str()), (HELD_MAX, "1"));
        assert_eq!(reason(held).first().unwrap(), "191");
    }
}
