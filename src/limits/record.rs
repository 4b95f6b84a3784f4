//! A counter, and a bucket alone, as bytes in shared data.
//!
//! ```text
//! a counter:
//! version u8 | requests, tokens: level u64, at_ms u64, per_minute u64 | newest, older: minute u64, places u32, nanos u64
//! | window u8 | start_secs u64 | spent_nanos u64 | last: number u32, minute u64
//! a bucket:
//! version u8 | level u64, at_ms u64, per_minute u64
//! ```

use super::bucket::Bucket;
use super::counter::{Counter, Last};
use super::lease::{Lease, Leases};
use super::window::{Period, Window};
use crate::record::{Reader, Writer};

const VERSION: u8 = 1;

const BYTES: usize = 118;
const BUCKET_BYTES: usize = 25;

impl Bucket {
    /// As it is stored.
    pub fn to_bytes(self) -> Vec<u8> {
        self.write(Writer::of_version(VERSION, BUCKET_BYTES)).finish()
    }

    /// As it was stored. No bytes, and bytes of another version, are a full bucket.
    pub fn from_bytes(bytes: Option<&[u8]>) -> Self {
        Reader::of_version(bytes, VERSION).and_then(|mut own| bucket(&mut own)).unwrap_or_default()
    }

    fn write(self, writer: Writer) -> Writer {
        writer.u64(self.level.cast_unsigned()).u64(self.at_ms).u64(self.per_minute)
    }
}

impl Counter {
    /// As it is stored.
    pub fn to_bytes(&self) -> Vec<u8> {
        let Self { requests, tokens, leases, period, spent_nanos, last } = self;
        let writer = Writer::of_version(VERSION, BYTES);
        let writer = tokens.write(requests.write(writer));
        let leases = [&leases.newest, &leases.older].into_iter();
        let writer = leases.fold(writer, |writer, lease| {
            writer.u64(lease.minute).u32(lease.places).u64(lease.nanos)
        });
        let writer = writer.u8(period.window.code()).u64(period.start_secs).u64(*spent_nanos);
        writer.u32(last.number).u64(last.minute).finish()
    }

    /// As it was stored. No bytes, and bytes of another version, are a counter that has counted nothing.
    pub fn from_bytes(bytes: Option<&[u8]>) -> Self {
        read(bytes).unwrap_or_default()
    }
}

fn read(bytes: Option<&[u8]>) -> Option<Counter> {
    let reader = &mut Reader::of_version(bytes, VERSION)?;
    Some(Counter {
        requests: bucket(reader)?,
        tokens: bucket(reader)?,
        leases: Leases { newest: lease(reader)?, older: lease(reader)? },
        period: Period { window: Window::of_code(reader.u8()?)?, start_secs: reader.u64()? },
        spent_nanos: reader.u64()?,
        last: Last { number: reader.u32()?, minute: reader.u64()? },
    })
}

fn bucket(reader: &mut Reader<'_>) -> Option<Bucket> {
    let level = reader.u64()?.cast_signed();
    Some(Bucket { level, at_ms: reader.u64()?, per_minute: reader.u64()? })
}

fn lease(reader: &mut Reader<'_>) -> Option<Lease> {
    Some(Lease { minute: reader.u64()?, places: reader.u32()?, nanos: reader.u64()? })
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(all(target_family = "wasm", target_os = "unknown"))]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn a_counter_is_read_as_it_was_written() {
        let counter = Counter {
            requests: Bucket { level: -5, at_ms: 1, per_minute: 2 },
            tokens: Bucket { level: i64::MAX, at_ms: 3, per_minute: 4 },
            leases: Leases {
                newest: Lease { minute: 5, places: 6, nanos: 7 },
                older: Lease { minute: 8, places: 9, nanos: 10 },
            },
            period: Window::Week.at(1_795_968_000),
            spent_nanos: 11,
            last: Last { number: 12, minute: 13 },
        };
        let bytes = counter.to_bytes();
        assert_eq!(bytes.len(), BYTES);
        assert_eq!(Counter::from_bytes(Some(&bytes)), counter);
        for other in [None, Some(&bytes[..BYTES - 1]), Some(&b"\x02"[..])] {
            assert_eq!(Counter::from_bytes(other), Counter::default());
        }
    }

    #[test]
    fn a_bucket_is_read_as_it_was_written() {
        let bucket = Bucket { level: -5, at_ms: 1, per_minute: 2 };
        let bytes = bucket.to_bytes();
        assert_eq!(bytes.len(), BUCKET_BYTES);
        assert_eq!(Bucket::from_bytes(Some(&bytes)), bucket);
        for other in [None, Some(&bytes[..BUCKET_BYTES - 1]), Some(&b"\x02"[..])] {
            assert_eq!(Bucket::from_bytes(other), Bucket::default());
        }
    }
}
