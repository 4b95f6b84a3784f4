//! What is allowed, and what a request asks for.

use super::window::{Period, Window};
use crate::record::{Reader, Writer};

/// What a key, a user or a provider may use. An absent limit allows all, a limit of 0 nothing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Limits {
    /// Requests a minute.
    pub rpm: Option<u64>,
    /// Tokens a minute.
    pub tpm: Option<u64>,
    /// Requests at the same time.
    pub max_parallel_requests: Option<u32>,
    pub budget: Option<Budget>,
}

/// How much money a window allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Budget {
    /// In nano-dollars.
    pub nanos: u64,
    pub window: Window,
    /// A request that might cost more than is left is refused, and no last request is let through.
    pub is_strict: bool,
}

/// What is allowed, and what is known of it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Terms {
    pub limits: Limits,
    /// Where there is a budget: what the ledger knew when the control server said so.
    pub known: Option<Known>,
}

/// The most that a request can use.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Demand {
    /// Tokens, as an estimate.
    pub tokens: u64,
    /// Nano-dollars.
    pub nanos: u64,
}

/// What the ledger knows of a budget's window.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Known {
    pub period: Period,
    /// In nano-dollars.
    pub spent_nanos: u64,
}

const HAS_RPM: u8 = 1;
const HAS_TPM: u8 = 2;
const HAS_PARALLEL: u8 = 4;
const HAS_BUDGET: u8 = 8;
const IS_STRICT: u8 = 16;

impl Limits {
    pub const NONE: Self = Self { rpm: None, tpm: None, max_parallel_requests: None, budget: None };

    /// Whether anything is limited.
    pub fn is_none(&self) -> bool {
        *self == Self::NONE
    }

    /// Whether the usage of requests counts.
    pub fn need_usage(&self) -> bool {
        self.tpm.is_some() || self.budget.is_some()
    }

    /// The bytes after `writer`: flags, and the fields that the flags name.
    pub fn write(&self, writer: Writer) -> Writer {
        let flag = |is_set: bool, flag: u8| if is_set { flag } else { 0 };
        let flags = flag(self.rpm.is_some(), HAS_RPM)
            | flag(self.tpm.is_some(), HAS_TPM)
            | flag(self.max_parallel_requests.is_some(), HAS_PARALLEL)
            | flag(self.budget.is_some(), HAS_BUDGET)
            | flag(self.budget.is_some_and(|budget| budget.is_strict), IS_STRICT);
        let writer = writer.u8(flags);
        let writer = self.rpm.into_iter().chain(self.tpm).fold(writer, Writer::u64);
        let writer = self.max_parallel_requests.into_iter().fold(writer, Writer::u32);
        let budget = |writer: Writer, own: Budget| writer.u64(own.nanos).u8(own.window.code());
        self.budget.into_iter().fold(writer, budget)
    }

    /// `None` for bytes that are not limits.
    pub fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let flags = reader.u8()?;
        if flags & !(HAS_RPM | HAS_TPM | HAS_PARALLEL | HAS_BUDGET | IS_STRICT) != 0 {
            return None;
        }
        let mut number = |flag| Some(if flags & flag != 0 { Some(reader.u64()?) } else { None });
        let (rpm, tpm) = (number(HAS_RPM)?, number(HAS_TPM)?);
        let max_parallel_requests =
            if flags & HAS_PARALLEL != 0 { Some(reader.u32()?) } else { None };
        let budget = match flags & HAS_BUDGET {
            0 => None,
            _ => Some(Budget {
                nanos: reader.u64()?,
                window: Window::of_code(reader.u8()?)?,
                is_strict: flags & IS_STRICT != 0,
            }),
        };
        Some(Self { rpm, tpm, max_parallel_requests, budget })
    }
}

impl Terms {
    /// The bytes after `writer`.
    pub fn write(&self, writer: Writer) -> Writer {
        let writer = self.limits.write(writer).u8(u8::from(self.known.is_some()));
        self.known.iter().fold(writer, |writer, known| known.write(writer))
    }

    /// `None` for bytes that are no terms.
    pub fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let limits = Limits::read(reader)?;
        let known = if reader.u8()? != 0 { Some(Known::read(reader)?) } else { None };
        Some(Self { limits, known })
    }
}

impl Known {
    /// The bytes after `writer`.
    pub fn write(&self, writer: Writer) -> Writer {
        writer.u8(self.period.window.code()).u64(self.period.start_secs).u64(self.spent_nanos)
    }

    /// `None` for bytes that are not what is known.
    pub fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let period = Period { window: Window::of_code(reader.u8()?)?, start_secs: reader.u64()? };
        Some(Self { period, spent_nanos: reader.u64()? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(all(target_family = "wasm", target_os = "unknown"))]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn limits_are_read_as_they_were_written_and_no_part_of_them_is() {
        let budget = Some(Budget { nanos: 5, window: Window::Week, is_strict: true });
        let all =
            Limits { rpm: Some(0), tpm: Some(u64::MAX), max_parallel_requests: Some(7), budget };
        let lax = budget.map(|budget| Budget { is_strict: false, ..budget });
        let some = [
            Limits::NONE,
            all,
            Limits { rpm: None, ..all },
            Limits { tpm: None, max_parallel_requests: None, ..all },
            Limits { budget: None, ..all },
            Limits { budget: lax, ..Limits::NONE },
        ];
        for limits in some {
            let bytes = limits.write(Writer::default()).finish();
            assert_eq!(Limits::read(&mut Reader::new(&bytes)), Some(limits));
            for length in 0..bytes.len() {
                assert_eq!(Limits::read(&mut Reader::new(&bytes[..length])), None, "{length}");
            }
        }
        assert_eq!(Limits::read(&mut Reader::new(&[32])), None, "a flag that is not known");
        assert!(Limits::NONE.is_none() && !all.is_none());
        assert!(all.need_usage() && !Limits { tpm: None, budget: None, ..all }.need_usage());
    }

    #[test]
    fn what_is_known_is_read_as_it_was_written() {
        let known = Known { period: Window::Month.at(1_795_968_000), spent_nanos: 9 };
        let bytes = known.write(Writer::default()).finish();
        assert_eq!(Known::read(&mut Reader::new(&bytes)), Some(known));
        assert_eq!(Known::read(&mut Reader::new(&bytes[1..])), None);
        for known in [None, Some(known)] {
            let terms = Terms { limits: Limits { rpm: Some(5), ..Limits::NONE }, known };
            let bytes = terms.write(Writer::default()).finish();
            assert_eq!(Terms::read(&mut Reader::new(&bytes)), Some(terms));
        }
    }
}
