//! What stands in shared data may be of another version, or junk: nothing panics over it, and what
//! is written is read again.
//!
//! An input is three records, each with a byte for its length before it, then steps: what is done,
//! and how far the clock goes before.

use std::sync::OnceLock;

use gaud::breaker::{Breaker, Outcome, Settings, Ticket, Verdict};
use gaud::gateway::{Discovery, Gateway, Provider, from_filter_json};
use gaud::health::check::{self, Health};
use gaud::health::page::Status;
use gaud::health::shared_breaker;
use gaud::host::store;
use gaud::models;
use gaud::models::discovery::{self, Fault};
use gaud::route::ProviderId;

use super::memory::Memory;
use store::Store;

const CONFIG: &[u8] = br#"{"providers":{"litellm":{"url":"http://l","models":["m"]}},
    "breaker":{"failures":2,"open_secs":1}}"#;

fn gateway() -> &'static Gateway {
    static GATEWAY: OnceLock<Gateway> = OnceLock::new();
    GATEWAY.get_or_init(|| from_filter_json(CONFIG, &|_| None).expect("a configuration"))
}

pub(crate) fn run(data: &[u8]) {
    let provider = &gateway().providers()[0];
    let discovery = provider.discovery.as_ref().expect("LiteLLM's");
    let memory = Memory::default();
    let mut rest = data;
    for key in [&provider.breaker_key, &discovery.key, &provider.health_key, &discovery.list_key] {
        let Some((length, behind)) = rest.split_first() else { return };
        let (record, behind) = behind.split_at(usize::from(*length).min(behind.len()));
        memory.set(key, record);
        rest = behind;
        check_breaker(record);
        check_list(record);
    }
    check_list(rest);
    let mut world =
        World { memory, id: gateway().ids().next().unwrap(), now_ms: 0, tickets: vec![] };
    for step in rest.chunks_exact(4).take(64) {
        world.step(provider, discovery, [step[0], step[1], step[2], step[3]]);
    }
}

/// A record that is read is written as it was read.
fn check_breaker(record: &[u8]) {
    let Some(breaker) = Breaker::from_bytes(record) else { return };
    assert_eq!(Breaker::from_bytes(&breaker.to_bytes()), Some(breaker));
}

fn check_list(record: &[u8]) {
    let list = models::from_bytes(record);
    assert_eq!(models::from_bytes(&models::to_bytes(&list)), list);
}

struct World {
    memory: Memory,
    id: ProviderId,
    now_ms: u64,
    tickets: Vec<Ticket>,
}

impl World {
    fn step(
        &mut self,
        provider: &Provider,
        discovery: &Discovery,
        [what, low, high, shift]: [u8; 4],
    ) {
        let by_ms = u64::from(u16::from_le_bytes([low, high])) << (shift % 48);
        self.now_ms = self.now_ms.wrapping_add(by_ms); // the clock may be set back
        self.memory.set_clock(self.now_ms);
        match what % 16 {
            0..=3 => self.admit(provider),
            4 => self.record(provider, Outcome::Success),
            5 => self.record(provider, Outcome::Failure),
            6 => self.record(provider, Outcome::Neutral),
            7 => shared_breaker::check_failed(&self.memory, self.id, provider),
            8 => shared_breaker::seed(&self.memory, provider),
            9 => self.claim(discovery),
            10 => discovery::refresh(&self.memory, discovery),
            11 => self.report(provider, discovery, Err(Fault::Status(u32::from(low)))),
            12 => self.report(provider, discovery, Ok(br#"[{"id":"m"},{"id":"n"}]"#)),
            13 => _ = check::claim(&self.memory, provider, self.now_ms),
            14 => check::report(&self.memory, provider, check::judge(Some(u32::from(low) * 4))),
            _ => check::report(&self.memory, provider, Health::Unknown),
        }
        self.check(provider, discovery);
    }

    fn admit(&mut self, provider: &Provider) {
        let settings: &Settings = provider.breaker.as_ref().expect("a breaker");
        let longest = settings.open_ms.max(1000);
        match shared_breaker::admit(&self.memory, self.id, provider) {
            Ok(ticket) => self.tickets.extend(ticket),
            Err(ms) => assert!((1..=longest).contains(&ms), "wait {ms} ms"),
        }
    }

    fn record(&mut self, provider: &Provider, outcome: Outcome) {
        let Some(ticket) = self.tickets.pop() else { return };
        let after = shared_breaker::record(&self.memory, self.id, provider, ticket, outcome);
        self.tickets.insert(0, after);
    }

    /// Who has claimed it once does not get it again at once.
    fn claim(&self, discovery: &Discovery) {
        if discovery::claim(&self.memory, discovery, self.now_ms) && self.now_ms < u64::MAX / 2 {
            assert!(!discovery::claim(&self.memory, discovery, self.now_ms));
        }
    }

    fn report(&self, provider: &Provider, own: &Discovery, answer: Result<&[u8], Fault>) {
        let is_good = answer.is_ok();
        let (was_good, _) = discovery::report(&self.memory, provider, own, self.now_ms, answer);
        assert_eq!(was_good, is_good);
        if is_good {
            let standing = discovery::peek(&self.memory, own);
            assert_eq!(standing.models(provider), if self.now_ms > 0 { 2 } else { 1 });
            assert_eq!(discovery::listed(&self.memory, provider).len(), 2);
        }
    }

    fn check(&self, provider: &Provider, discovery: &Discovery) {
        let breaker = shared_breaker::peek(&self.memory, provider);
        check_breaker(&breaker.to_bytes());
        let settings = provider.breaker.as_ref().expect("a breaker");
        let waits = breaker.retry_after_ms(self.now_ms, settings);
        let is_refused = matches!(breaker.admit(self.now_ms, settings).0, Verdict::Refused { .. });
        assert_eq!(waits > 0, is_refused);
        let standing = discovery::peek(&self.memory, discovery);
        standing.age_secs(self.now_ms);
        let status = serde_json::to_string(&Status::of(gateway(), &self.memory));
        assert!(status.is_ok_and(|text| serde_json::from_str::<serde_json::Value>(&text).is_ok()));
        assert!(self.memory.load(&discovery.key).is_some());
    }
}
