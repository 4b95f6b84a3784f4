//! How a record is written: one line of visible ASCII, which begins with a word and a version, and ends with a checksum.
//!
//! ```text
//! gaud.journal.1 A REQUEST ATTEMPT BEGUN_MS KEY USER PROVIDER MODEL ASKED OPERATION REQUEST_BYTES #CHECKSUM
//! gaud.journal.1 S … the same … STATUS BASIS TIER DURATION_MS FIRST_MS AMOUNT{13} #CHECKSUM
//! ```
//!
//! A text is escaped as in a URL, and `-` where it is empty. The line begins the message that Envoy logs for the filter. No
//! other message of the filter begins so, and what a client has sent is never at the beginning of a message; so a client
//! cannot write a record.

use std::fmt::Write;

use super::amounts::{AMOUNTS, Usage};
use super::operation::Operation;
use super::record::{Admission, Basis, Record, Settlement, Tier};
use crate::request::escape::{escaped, unescaped};

/// What every record begins with: the word, and the version.
pub const MAGIC: &str = "gaud.journal.1 ";

/// Envoy's component for filters: one of the groups in brackets with which a line begins.
const COMPONENT: &str = "wasm";

/// What Envoy writes before every message of a filter: the names of the plugin follow, and a colon.
const OF_A_FILTER: &str = "wasm log ";

/// The digits of a checksum.
const DIGITS: usize = 16;

const BEGUN: &str = "A";
const ENDED: &str = "S";
const NOTHING: &str = "-";
const CHECKSUM: &str = " #";

/// A line of a log, as far as the journal is concerned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Line {
    Record(Box<Record>),
    /// Something else.
    Foreign,
    /// A record that was cut off, or changed, or is of another version.
    Broken,
}

impl Line {
    /// Reads a line of Envoy's log, with whatever the log puts before it.
    pub fn read(line: &str) -> Self {
        let Some(message) = message_of_a_filter(line) else { return Self::Foreign };
        match message.strip_prefix(MAGIC) {
            Some(_) => parse(message).map_or(Self::Broken, |record| Self::Record(Box::new(record))),
            None if message.starts_with("gaud.journal.") => Self::Broken,
            None => Self::Foreign,
        }
    }
}

/// What a filter says in a line: after the groups in brackets, of which one is the component, and after the plugin's names.
fn message_of_a_filter(line: &str) -> Option<&str> {
    let (_, mut groups) = line.split_once('[')?;
    let mut is_of_a_filter = false;
    let rest = loop {
        let (group, rest) = groups.split_once(']')?;
        is_of_a_filter |= group == COMPONENT;
        let rest = rest.trim_start_matches(' ');
        match rest.strip_prefix('[') {
            Some(next) => groups = next,
            None => break rest,
        }
    };
    let (_, message) = rest.strip_prefix(OF_A_FILTER)?.split_once(": ")?;
    is_of_a_filter.then_some(message)
}

impl Record {
    /// Reads a line that was written so.
    pub fn parse(line: &str) -> Option<Self> {
        parse(line)
    }

    /// The line.
    pub fn to_line(&self) -> String {
        let mut line = String::with_capacity(256);
        line.push_str(MAGIC);
        match self {
            Self::Begun(admission) => {
                line.push_str(BEGUN);
                write_admission(&mut line, admission);
            }
            Self::Ended(settlement) => {
                line.push_str(ENDED);
                write_admission(&mut line, &settlement.admission);
                write_end(&mut line, settlement);
            }
        }
        let checksum = checksum(&line);
        let _ = write!(line, "{CHECKSUM}{checksum:016x}");
        line
    }
}

fn write_admission(line: &mut String, admission: &Admission) {
    let Admission {
        request,
        attempt,
        begun_ms,
        key,
        user,
        provider,
        model,
        asked,
        operation,
        request_bytes,
    } = admission;
    text(line, request);
    let _ = write!(line, " {attempt} {begun_ms}");
    [key, user, provider, model, asked].into_iter().for_each(|field| text(line, field));
    let _ = write!(line, " {} {request_bytes}", operation.as_str());
}

fn write_end(line: &mut String, settlement: &Settlement) {
    let Settlement { status, basis, tier, usage, duration_ms, first_ms, admission: _ } = settlement;
    let _ = write!(line, " {status} {} {} {duration_ms} ", basis.as_str(), tier.as_str());
    match first_ms {
        Some(first_ms) => _ = write!(line, "{first_ms}"),
        None => line.push_str(NOTHING),
    }
    for amount in usage.amounts() {
        let _ = write!(line, " {amount}");
    }
}

fn text(line: &mut String, text: &str) {
    line.push(' ');
    match text {
        "" => line.push_str(NOTHING),
        NOTHING => line.push_str("%2D"),
        text => line.push_str(&escaped(text, true)),
    }
}

/// Reads a whole line, from the word to the checksum.
fn parse(line: &str) -> Option<Record> {
    let (said, found) = line.split_once(CHECKSUM)?;
    // What ships a log may write more after a line.
    if u64::from_str_radix(found.get(..DIGITS)?, 16).ok()? != checksum(said) {
        return None;
    }
    let mut fields = said.strip_prefix(MAGIC)?.split(' ');
    let kind = fields.next()?;
    let admission = read_admission(&mut fields)?;
    let record = match kind {
        BEGUN => Record::Begun(admission),
        ENDED => Record::Ended(read_end(admission, &mut fields)?),
        _ => return None,
    };
    fields.next().is_none().then_some(record)
}

fn read_admission<'a>(fields: &mut impl Iterator<Item = &'a str>) -> Option<Admission> {
    Some(Admission {
        request: read_text(fields.next()?)?,
        attempt: fields.next()?.parse().ok()?,
        begun_ms: fields.next()?.parse().ok()?,
        key: read_text(fields.next()?)?,
        user: read_text(fields.next()?)?,
        provider: read_text(fields.next()?)?,
        model: read_text(fields.next()?)?,
        asked: read_text(fields.next()?)?,
        operation: Operation::parse(fields.next()?)?,
        request_bytes: fields.next()?.parse().ok()?,
    })
}

fn read_end<'a>(
    admission: Admission,
    fields: &mut impl Iterator<Item = &'a str>,
) -> Option<Settlement> {
    let status = fields.next()?.parse().ok()?;
    let basis = Basis::parse(fields.next()?)?;
    let tier = Tier::parse(fields.next()?)?;
    let duration_ms = fields.next()?.parse().ok()?;
    let first_ms = match fields.next()? {
        NOTHING => None,
        first_ms => Some(first_ms.parse().ok()?),
    };
    let mut amounts = [0; AMOUNTS];
    for amount in &mut amounts {
        *amount = fields.next()?.parse().ok()?;
    }
    let usage = Usage::of(amounts);
    Some(Settlement { admission, status, basis, tier, usage, duration_ms, first_ms })
}

fn read_text(field: &str) -> Option<String> {
    match field {
        NOTHING => Some(String::new()),
        field => String::from_utf8(unescaped(field)).ok(),
    }
}

/// FNV-1a, 64 bits.
fn checksum(text: &str) -> u64 {
    const BASIS: u64 = 0xcbf2_9ce4_8422_2325;
    const PRIME: u64 = 0x0000_0100_0000_01b3;
    text.bytes().fold(BASIS, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(PRIME))
}
