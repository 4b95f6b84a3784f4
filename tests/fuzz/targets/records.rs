//! Records in shared data may be of another version, or junk: nothing panics over them, and what
//! is written is read again.
//!
//! An input is three records, each with a byte for its length before it, then steps: what is done,
//! and how far the clock goes before.

use std::sync::OnceLock;

use gaud::breaker::{Arrival, Ask, Evidence, Levels, Reason, Settings};
use gaud::gateway::{Discovery, Gateway, Provider, from_filter_json};
use gaud::health::asking::Asking;
use gaud::health::check::{self, Health};
use gaud::health::page::Status;
use gaud::health::shared_breaker::{self, Admitted, Watched};
use gaud::host::memory::Memory;
use gaud::host::store;
use gaud::models;
use gaud::models::discovery::{self, Fault};
use gaud::room::Client;
use gaud::route::ProviderId;

use store::Store;

const CONFIG: &[u8] = br#"{"providers":{"litellm":{"url":"http://l","models":["m"]}},
    "breaker":{"failures":2,"open_secs":1}}"#;

const EVIDENCE: [Evidence; 4] = [
    Evidence::Answered,
    Evidence::Switched,
    Evidence::Unreachable(Reason::Timeout),
    Evidence::Nothing,
];

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
        let Some((length, after)) = rest.split_first() else { return };
        let (record, after) = after.split_at(usize::from(*length).min(after.len()));
        memory.set(key, record);
        rest = after;
        check_breaker(record);
        check_list(record);
    }
    check_list(rest);
    let mut world =
        World { memory, id: gateway().ids().next().unwrap(), now_ms: 0, admitted: vec![] };
    for step in rest.chunks_exact(4).take(64) {
        world.step(provider, discovery, [step[0], step[1], step[2], step[3]]);
    }
}

/// A record that is read is written as it was read.
fn check_breaker(record: &[u8]) {
    let Some(levels) = Levels::from_bytes(record) else { return };
    assert_eq!(levels.to_bytes(), record);
}

fn check_list(record: &[u8]) {
    let list = models::from_bytes(record);
    assert_eq!(models::from_bytes(&models::to_bytes(&list)), list);
}

struct World {
    memory: Memory,
    id: ProviderId,
    now_ms: u64,
    admitted: Vec<Admitted>,
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
        let client = match shift >> 6 {
            0 => Client::Unknown,
            number => Client::V4([192, 0, 2, number]),
        };
        self.memory.turn_to(0, client);
        match what % 16 {
            0 => self.admit(provider, None, Arrival::Whole),
            1 => self.admit(provider, Some(low), Arrival::Whole),
            2 => self.admit(provider, Some(low), Arrival::Unfinished),
            3 => self.admit(provider, Some(low), Arrival::Tunnel),
            4 => self.record(EVIDENCE[usize::from(low) % EVIDENCE.len()]),
            5 => self.record(Evidence::ModelFailed(Reason::Status(500))),
            6 => self.finish(low),
            7 => self.watched().check_failed(&self.memory),
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

    fn watched(&self) -> Watched<'static> {
        Watched::of(gateway(), self.id).expect("a provider")
    }

    fn admit(&mut self, provider: &Provider, model: Option<u8>, arrival: Arrival) {
        let settings: &Settings = provider.breaker.as_ref().expect("a breaker");
        let longest = settings.open_ms.max(1000);
        let model = model.map(|number| number.to_string());
        let asking = Asking::Directly(arrival);
        match self.watched().admit(&self.memory, model.as_deref(), asking) {
            Ok(admitted) => self.admitted.extend(admitted),
            Err(refusal) => {
                let ms = refusal.retry_after_ms;
                assert!((1..=longest).contains(&ms), "wait {ms} ms");
            }
        }
    }

    fn record(&mut self, evidence: Evidence) {
        let Some(Admitted { tickets, refuses_credential }) = self.admitted.pop() else { return };
        let outcomes = evidence.at_head(&tickets);
        let tickets = self.watched().record(&self.memory, tickets, outcomes, evidence.reason());
        self.admitted.insert(0, Admitted { tickets, refuses_credential });
    }

    /// The body comes, or the answer's status says something about the credential.
    fn finish(&mut self, number: u8) {
        let Some(admitted) = self.admitted.last().copied() else { return };
        match number % 2 {
            0 => self.watched().body_came(&self.memory, admitted.tickets),
            _ => {
                self.watched().credential_answered(&self.memory, admitted, 200 + u32::from(number))
            }
        }
    }

    /// Who has claimed it once does not get it again at once.
    fn claim(&self, discovery: &Discovery) {
        if discovery::claim(&self.memory, discovery, self.now_ms) && self.now_ms < u64::MAX / 2 {
            assert!(!discovery::claim(&self.memory, discovery, self.now_ms));
        }
    }

    fn report(&self, provider: &Provider, discovery: &Discovery, answer: Result<&[u8], Fault>) {
        let is_good = answer.is_ok();
        let (was_good, _) =
            discovery::report(&self.memory, provider, discovery, self.now_ms, answer);
        assert_eq!(was_good, is_good);
        if is_good {
            let standing = discovery::peek(&self.memory, discovery);
            assert_eq!(standing.models(provider), if self.now_ms > 0 { 2 } else { 1 });
            assert_eq!(discovery::listed(&self.memory, provider).len(), 2);
        }
    }

    fn check(&self, provider: &Provider, discovery: &Discovery) {
        let levels = shared_breaker::peek(&self.memory, provider);
        check_breaker(&levels.to_bytes());
        let settings = provider.breaker.as_ref().expect("a breaker");
        let waits = levels.provider().retry_after_ms(self.now_ms, settings);
        let is_refused = levels.admit(None, Ask::WHOLE, self.now_ms, settings).is_err();
        assert_eq!(waits > 0, is_refused);
        let standing = discovery::peek(&self.memory, discovery);
        standing.age_secs(self.now_ms);
        let status = serde_json::to_string(&Status::of(gateway(), &self.memory));
        assert!(status.is_ok_and(|text| serde_json::from_str::<serde_json::Value>(&text).is_ok()));
        assert!(self.memory.load(&discovery.key).is_some());
    }
}
