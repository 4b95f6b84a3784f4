//! Meters one attempt: a record when the request leaves, and a record before the client gets the last bytes.

use super::extra_event::ExtraEvent;
use super::reader::{AnswerUsage, Outcome, is_stream};
use super::record::{Admission, Record, Settlement};

/// Where records are written.
pub trait Journal {
    /// Writes a line, before the callback under way ends.
    fn write(&self, line: &str);

    /// Shows an attempt that leaves, where spans or the access log do.
    fn show(&self, _admission: &Admission) {}

    /// Counts an attempt that is over, and shows it.
    fn tally(&self, _settlement: &Settlement, _outcome: &Outcome, _is_stream: bool) {}
}

/// How an answer begins.
#[derive(Debug, Clone, Copy, Default)]
pub struct AnswerStart<'a> {
    pub status: u32,
    pub content_type: &'a [u8],
    pub encoding: &'a [u8],
    pub content_length: Option<u64>,
    /// The answer has no body.
    pub end: bool,
}

impl AnswerStart<'_> {
    /// Whether the answer can be held until its end: a short document.
    pub fn is_short_document(&self) -> bool {
        let is_short = |length| length <= HELD_BYTES_MAX as u64;
        !self.end
            && (200..300).contains(&self.status)
            && self.encoding.is_empty()
            && self.content_type.starts_with(b"application/json")
            && self.content_length.is_none_or(is_short)
    }
}

/// The most bytes of an answer that wait for the answer's cost.
pub const HELD_BYTES_MAX: usize = 256 * 1024;

/// An attempt that is metered.
#[derive(Debug)]
pub struct Meter {
    admission: Admission,
    answer: Option<Answer>,
    is_settled: bool,
    /// What was settled.
    used: Option<Outcome>,
    extra: Extra,
}

/// The event with the usage that the client has not asked for.
#[derive(Debug)]
enum Extra {
    /// None comes.
    No,
    /// The request has asked for one.
    Asked,
    /// The answer may have one.
    Removing(Box<ExtraEvent>),
}

/// The answer of a provider.
#[derive(Debug)]
struct Answer {
    status: u32,
    reader: AnswerUsage,
    is_stream: bool,
    /// How many bytes of the body are missing, where its length is known.
    missing: Option<u64>,
    first_ms: Option<u64>,
}

impl Meter {
    /// The request leaves for its provider. `has_asked` says that the gateway, and not the client, asks for a stream's usage.
    pub fn begin(journal: &dyn Journal, admission: Admission, has_asked: bool) -> Self {
        journal.show(&admission);
        journal.write(&Record::Begun(admission.clone()).to_line());
        let extra = if has_asked { Extra::Asked } else { Extra::No };
        Self { admission, answer: None, is_settled: false, used: None, extra }
    }

    /// The attempt, and what it has used; `None` before that is settled.
    pub fn used(&self) -> Option<(&Admission, Outcome)> {
        Some((&self.admission, self.used?))
    }

    /// So many bytes of the request have come.
    pub fn request_passed(&mut self, bytes: u64) {
        self.admission.request_bytes = self.admission.request_bytes.max(bytes);
    }

    /// The answer begins.
    pub fn respond(&mut self, journal: &dyn Journal, now_ms: u64, start: &AnswerStart<'_>) {
        let answer = Answer {
            status: start.status,
            reader: AnswerUsage::new(start.content_type, start.encoding),
            is_stream: is_stream(start.content_type),
            missing: start.content_length,
            first_ms: None,
        };
        let is_failure = !(200..300).contains(&start.status);
        if let Extra::Asked = self.extra
            && !is_failure
            && answer.reader.is_plain_events()
        {
            self.extra = Extra::Removing(Box::default());
        }
        self.answer = Some(answer);
        if is_failure {
            self.settle(journal, now_ms, Outcome::FAILED);
        } else if start.end {
            self.settle_read(journal, now_ms, true);
        }
    }

    /// Whether further bytes of the answer can say more, or may have to stay out.
    pub fn reads(&self) -> bool {
        self.answer.is_some() && (!self.is_settled || self.removes())
    }

    /// Whether the client may get fewer bytes than the provider sends.
    pub fn removes(&self) -> bool {
        matches!(self.extra, Extra::Removing(_))
    }

    /// Bytes of the answer, which the client gets after this call; others in their place, where there are some.
    pub fn feed(
        &mut self,
        journal: &dyn Journal,
        now_ms: u64,
        bytes: &[u8],
        end: bool,
    ) -> Option<Vec<u8>> {
        self.read(journal, now_ms, bytes, end);
        match &mut self.extra {
            Extra::Removing(extra) => extra.feed(bytes, end),
            Extra::No | Extra::Asked => None,
        }
    }

    fn read(&mut self, journal: &dyn Journal, now_ms: u64, bytes: &[u8], end: bool) {
        let begun_ms = self.admission.begun_ms;
        let Some(answer) = self.answer.as_mut().filter(|_| !self.is_settled) else { return };
        if !bytes.is_empty() {
            answer.first_ms.get_or_insert_with(|| now_ms.saturating_sub(begun_ms));
        }
        answer.reader.feed(bytes);
        let missing = answer.missing.map(|missing| missing.saturating_sub(bytes.len() as u64));
        answer.missing = missing;
        if end || missing == Some(0) || answer.reader.has_ended() {
            self.settle_read(journal, now_ms, true);
        }
    }

    /// The attempt gave nothing that is paid for.
    pub fn fail(&mut self, journal: &dyn Journal, now_ms: u64) {
        self.settle(journal, now_ms, Outcome::FAILED);
    }

    /// The stream is over, however it ended.
    pub fn end(&mut self, journal: &dyn Journal, now_ms: u64) {
        self.settle_read(journal, now_ms, false);
    }

    fn settle_read(&mut self, journal: &dyn Journal, now_ms: u64, is_whole: bool) {
        if self.is_settled {
            return;
        }
        let (operation, bytes) = (self.admission.operation, self.admission.request_bytes);
        let outcome = match &mut self.answer {
            Some(answer) => answer.reader.outcome(operation, bytes, is_whole),
            // Nobody has waited for the answer: the provider may have read the request.
            None => AnswerUsage::new(b"", b"").outcome(operation, bytes, false),
        };
        self.settle(journal, now_ms, outcome);
    }

    fn settle(&mut self, journal: &dyn Journal, now_ms: u64, outcome: Outcome) {
        if std::mem::replace(&mut self.is_settled, true) {
            return;
        }
        self.used = Some(outcome);
        let Outcome { basis, usage, tier, .. } = outcome;
        let settlement = Settlement {
            status: self.answer.as_ref().map_or(0, |answer| answer.status),
            first_ms: self.answer.as_ref().and_then(|answer| answer.first_ms),
            duration_ms: now_ms.saturating_sub(self.admission.begun_ms),
            admission: self.admission.clone(),
            basis,
            tier,
            usage,
        };
        let is_stream = self.answer.as_ref().is_some_and(|answer| answer.is_stream);
        journal.tally(&settlement, &outcome, is_stream);
        journal.write(&Record::Ended(settlement).to_line());
    }
}
