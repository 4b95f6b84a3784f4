//! Every interleaving of a provider and two of its models in one record: what one level may do to the other, and that
//! nothing is ever stuck. The rows of a single breaker's table are searched in `search`.

use std::collections::{BTreeSet, HashSet, VecDeque};

use gaud::breaker::{
    Ask, Breaker, BreakerState, ClientNumber, Evidence, Level, Levels, Outcome, Outcomes, Place,
    Reason, Settings, Slot, State, Tickets,
};
use gaud::room::Client;

use super::history::Broken;

/// Longer than every wait.
const LONG_MS: u64 = 1000;

const FAILED: Evidence = Evidence::ModelFailed(Reason::Status(500));
const HEADS: [Evidence; 7] = [
    Evidence::Answered,
    Evidence::Switched,
    FAILED,
    Evidence::Unreachable(Reason::Timeout),
    Evidence::Shortage,
    Evidence::NoCredential,
    Evidence::Nothing,
];
const ENDS: [Evidence; 3] = [Evidence::Answered, FAILED, Evidence::Nothing];

/// The models; the third request has none.
fn slots() -> [Option<Slot>; 3] {
    [Some(Slot::of("a")), Some(Slot::of("b")), None]
}

/// A whole request of the only client.
fn own() -> Ask {
    Ask { asker: ClientNumber::of(Client::V4([192, 0, 2, 1])), ..Ask::WHOLE }
}

/// A request that was let through.
#[derive(Debug, Clone, Copy)]
struct Request {
    slot: Option<Slot>,
    tickets: Tickets,
    streams: bool,
    at_ms: u64,
    /// What the provider's and the model's breaker had seen when it was admitted.
    saw: [bool; 2],
}

#[derive(Debug, Clone, Copy)]
enum Op {
    Ask(Option<Slot>),
    Hear(Request, Evidence),
    End(Request, Evidence),
    CheckFailed,
}

/// A worker between loading and swapping.
#[derive(Debug, Clone)]
struct Pending {
    op: Op,
    fresh: bool,
    at_ms: u64,
    new: Levels,
    tickets: Option<Tickets>,
}

#[derive(Debug, Clone)]
struct World {
    settings: Settings,
    now_ms: u64,
    levels: Levels,
    pending: Vec<Pending>,
    requests: Vec<Request>,
    /// What the last step did, if it did one of [`EVENTS`].
    events: BTreeSet<&'static str>,
}

#[derive(Debug, Clone, Copy)]
enum Step {
    Tick,
    Ask(usize),
    CheckFailed,
    Hear(usize, Evidence),
    Lose(usize),
    Swap(usize),
    GiveUp(usize),
}

/// What must have happened in some world.
const EVENTS: [&str; 7] = [
    "a failure opens the provider",
    "a model closes",
    "a model opens",
    "a model opens again",
    "models open the provider",
    "probes of both",
    "the provider closes",
];

fn kind(breaker: &Breaker) -> BreakerState {
    breaker.into()
}

impl World {
    fn new(settings: Settings) -> Self {
        Self {
            settings,
            now_ms: 1_000_000,
            levels: Levels::default(),
            pending: Vec::new(),
            requests: Vec::new(),
            events: BTreeSet::new(),
        }
    }

    fn take(&mut self, step: Step) -> Result<(), Broken> {
        self.events.clear();
        match step {
            Step::Tick => self.now_ms += 1,
            Step::Ask(place) => self.load(Op::Ask(slots()[place]))?,
            Step::CheckFailed => self.load(Op::CheckFailed)?,
            Step::Hear(place, evidence) => {
                let request = self.requests.swap_remove(place);
                let op = if request.streams { Op::End } else { Op::Hear };
                self.load(op(request, evidence))?;
            }
            Step::Lose(place) => drop(self.requests.swap_remove(place)),
            Step::Swap(place) => self.swap(place)?,
            Step::GiveUp(place) => {
                let Pending { op, .. } = self.pending.swap_remove(place);
                self.over(op, None, None);
            }
        }
        Ok(())
    }

    /// A worker loads the record and decides.
    fn load(&mut self, op: Op) -> Result<(), Broken> {
        let (levels, settings, now_ms) = (&self.levels, &self.settings, self.now_ms);
        let (tickets, new) = match &op {
            Op::Ask(slot) => match levels.admit(*slot, own(), now_ms, settings) {
                Ok((tickets, new)) => (Some(tickets), new),
                Err(refusal) => {
                    self.refused(*slot, refusal.level)?;
                    (None, None)
                }
            },
            Op::Hear(Request { tickets, .. }, evidence) => {
                (None, levels.record(tickets, evidence.at_head(tickets), now_ms, settings))
            }
            Op::End(Request { tickets, .. }, evidence) => {
                (None, levels.record(tickets, evidence.at_end(), now_ms, settings))
            }
            Op::CheckFailed => (None, levels.check_failed(now_ms, settings)),
        };
        match new {
            Some(new) => {
                self.pending.push(Pending { op, fresh: true, at_ms: now_ms, new, tickets });
            }
            None => self.over(op, tickets.map(|tickets| (tickets, now_ms)), None),
        }
        Ok(())
    }

    /// The breaker that refuses a request is not closed.
    fn refused(&self, slot: Option<Slot>, level: Level) -> Result<(), Broken> {
        let refuses = match level {
            Level::Provider => kind(self.levels.provider()),
            Level::Model(own) if Some(own) == slot => kind(&self.levels.model(own)),
            Level::Model(_) => return Err("another model's breaker refuses"),
        };
        (refuses != BreakerState::Closed).then_some(()).ok_or("a closed breaker refuses")
    }

    fn swap(&mut self, place: usize) -> Result<(), Broken> {
        let Pending { op, fresh, at_ms, new, tickets } = self.pending.swap_remove(place);
        if !fresh {
            return self.load(op);
        }
        if Levels::from_bytes(&new.to_bytes()).as_ref() != Some(&new) {
            return Err("the record reads as another one");
        }
        let old = std::mem::replace(&mut self.levels, new.clone());
        self.pending.iter_mut().for_each(|other| other.fresh = false);
        self.keeps_apart(&op, &old)?;
        self.opens_provider(&op, &old, at_ms)?;
        self.note_events(&op, &old, tickets);
        self.over(op, tickets.map(|tickets| (tickets, at_ms)), Some(new));
        Ok(())
    }

    /// An operation changes its own model alone, and only that level which its evidence is about.
    fn keeps_apart(&self, op: &Op, old: &Levels) -> Result<(), Broken> {
        let (slot, evidence) = match op {
            Op::Ask(slot) => (*slot, None),
            Op::Hear(request, evidence) | Op::End(request, evidence) => {
                (request.slot, Some(*evidence))
            }
            Op::CheckFailed => (None, Some(Evidence::Unreachable(Reason::Check))),
        };
        let new = &self.levels;
        for other in slots().into_iter().flatten().filter(|other| Some(*other) != slot) {
            if new.model(other) != old.model(other) {
                return Err("another model has changed");
            }
        }
        self.shuts_out_who_said_nothing(op, old)?;
        let has_model_changed = slot.is_some_and(|slot| new.model(slot) != old.model(slot));
        let failures = |levels: &Levels| match levels.provider().state() {
            State::Closed { failures } => failures,
            _ => 0,
        };
        match evidence {
            Some(Evidence::Unreachable(_)) => {
                let was_probe =
                    matches!(op, Op::Hear(request, _) if request.tickets.probes_model());
                match has_model_changed && !was_probe {
                    true => Err("the model has heard of the provider's failure"),
                    false => Ok(()),
                }
            }
            Some(Evidence::ModelFailed(_)) if failures(new) > failures(old) => {
                Err("the provider has heard of the model's failure")
            }
            _ => Ok(()),
        }
    }

    /// A probe that says nothing on both levels shuts its client out of the next place for a while, and no other probe does: a
    /// request that fails at one level may go on to another target.
    fn shuts_out_who_said_nothing(&self, op: &Op, old: &Levels) -> Result<(), Broken> {
        let Op::Hear(Request { slot, .. }, evidence) = op else { return Ok(()) };
        let says_nothing = evidence.outcome() == Outcome::Neutral;
        let slot = slot.unwrap_or_else(|| Slot::of("a"));
        let (old, new) = (old, &self.levels);
        for (old, new) in [(*old.provider(), *new.provider()), (old.model(slot), new.model(slot))] {
            let State::HalfOpen { place: Place::Reserved { asker, .. }, .. } = new.state() else {
                continue;
            };
            if old != new && says_nothing != (asker == own().asker) {
                return Err("the wrong client is shut out of the next place");
            }
        }
        Ok(())
    }

    /// Models open the provider when enough of them are open at once, and only when a closed one opens.
    fn opens_provider(&self, op: &Op, old: &Levels, at_ms: u64) -> Result<(), Broken> {
        let new = &self.levels;
        let opens = |slot: Slot| {
            kind(&old.model(slot)) == BreakerState::Closed
                && kind(&new.model(slot)) == BreakerState::Open
        };
        let has_opened = slots().into_iter().flatten().any(opens);
        let is_open = |slot: &Slot| match new.model(*slot).state() {
            State::Open { until_ms } => until_ms > at_ms,
            _ => false,
        };
        let open = slots().into_iter().flatten().filter(is_open).count();
        let is_enough = has_opened && open >= self.settings.models as usize;
        let from_closed = kind(old.provider()) == BreakerState::Closed;
        let is_now_open = kind(new.provider()) == BreakerState::Open;
        let is_failure = match op {
            Op::Hear(_, Evidence::Unreachable(_)) | Op::CheckFailed => true,
            Op::Ask(_) | Op::Hear(..) | Op::End(..) => false,
        };
        match (is_enough && from_closed, from_closed && is_now_open) {
            (true, false) => Err("enough models are open, and the provider is not"),
            (false, true) if !is_failure => Err("too few models have opened the provider"),
            _ => Ok(()),
        }
    }

    fn note_events(&mut self, op: &Op, old: &Levels, tickets: Option<Tickets>) {
        use BreakerState::{Closed, HalfOpen, Open};
        let new = &self.levels;
        let failed = matches!(op, Op::CheckFailed | Op::Hear(_, Evidence::Unreachable(_)));
        match (kind(old.provider()), kind(new.provider())) {
            (Closed, Open) if failed => _ = self.events.insert("a failure opens the provider"),
            (Closed, Open) => _ = self.events.insert("models open the provider"),
            (HalfOpen, Closed) => _ = self.events.insert("the provider closes"),
            _ => {}
        }
        for slot in slots().into_iter().flatten() {
            match (kind(&old.model(slot)), kind(&new.model(slot))) {
                (Closed, Open) => _ = self.events.insert("a model opens"),
                (HalfOpen, Open) => _ = self.events.insert("a model opens again"),
                (HalfOpen, Closed) => _ = self.events.insert("a model closes"),
                _ => {}
            }
        }
        if tickets.is_some_and(|tickets| tickets.probes_provider() && tickets.probes_model()) {
            self.events.insert("probes of both");
        }
    }

    /// A change has ended: the request goes on, or is over.
    fn over(&mut self, op: Op, admitted: Option<(Tickets, u64)>, new: Option<Levels>) {
        match (op, admitted) {
            (Op::Ask(slot), Some((tickets, at_ms))) => {
                let saw = |breaker: &Breaker| match breaker.state() {
                    State::Closed { failures } => failures > 0,
                    _ => false,
                };
                let model = slot.is_some_and(|slot| saw(&self.levels.model(slot)));
                let saw = [saw(self.levels.provider()), model];
                self.requests.push(Request { slot, tickets, streams: false, at_ms, saw });
            }
            (Op::Hear(request, Evidence::Answered), _) => {
                let after = |new: Levels| new.tickets_after(request.tickets);
                let tickets = new.map_or(request.tickets, after);
                self.requests.push(Request { streams: true, tickets, ..request });
            }
            _ => {}
        }
    }

    /// What must hold of a world at any time.
    fn holds(&self) -> Result<(), Broken> {
        self.healthy_requests_change_nothing()?;
        self.has_one_probe()?;
        self.comes_back()
    }

    fn healthy_requests_change_nothing(&self) -> Result<(), Broken> {
        let is_healthy = |breaker: &Breaker| kind(breaker) == BreakerState::Closed;
        let bytes = self.levels.to_bytes();
        for slot in slots() {
            let model = slot.is_none_or(|slot| is_healthy(&self.levels.model(slot)));
            let is_closed = model && is_healthy(self.levels.provider());
            let seen = Levels::admit_closed(Some(&bytes), slot).map(|(tickets, _)| tickets);
            let admitted = self.levels.admit(slot, own(), self.now_ms, &self.settings);
            match admitted {
                Ok((tickets, None)) if is_closed && seen == Some(tickets) => {}
                _ if is_closed => return Err("a healthy request is not let through as it is"),
                _ if seen.is_some() => return Err("a request is let through unseen"),
                _ => {}
            }
        }
        Ok(())
    }

    /// Whether the tickets still count for the provider, and for the model.
    fn counts(&self, request: &Request) -> [bool; 2] {
        let after = |provider, model| {
            let outcomes = Outcomes { provider, model };
            self.levels.record(&request.tickets, outcomes, self.now_ms, &self.settings)
        };
        let provider = after(Outcome::Failure, Outcome::Neutral);
        let provider = provider.is_some_and(|new| new.provider() != self.levels.provider());
        let model = request.slot.is_some_and(|slot| {
            let new = after(Outcome::Neutral, Outcome::Failure);
            new.is_some_and(|new| new.model(slot) != self.levels.model(slot))
        });
        [provider, model]
    }

    fn has_place(&self, request: &Request) -> bool {
        !request.streams && self.now_ms < request.at_ms + self.settings.probe_ms
    }

    /// Two requests never have the place of a breaker at once.
    fn has_one_probe(&self) -> Result<(), Broken> {
        let out: Vec<_> = self.requests.iter().filter(|one| self.has_place(one)).collect();
        let of_provider =
            out.iter().filter(|one| one.tickets.probes_provider() && self.counts(one)[0]);
        let of_model = |slot: Option<Slot>| {
            let own = out.iter().filter(move |one| one.slot == slot);
            own.filter(|one| one.tickets.probes_model() && self.counts(one)[1]).count()
        };
        let is_good = of_provider.count() < 2 && slots().into_iter().all(|slot| of_model(slot) < 2);
        is_good.then_some(()).ok_or("two probes are out at once")
    }

    /// After every deadline, good requests for each model close all.
    fn comes_back(&self) -> Result<(), Broken> {
        let now_ms = self.now_ms + LONG_MS;
        let mut levels = self.levels.clone();
        for slot in slots().into_iter().take(2).cycle().take(2 * self.settings.successes as usize) {
            let admitted = levels.admit(slot, own(), now_ms, &self.settings);
            let Ok((tickets, new)) = admitted else { return Err("a place never comes back") };
            levels = new.unwrap_or(levels);
            let outcomes = Evidence::Answered.at_head(&tickets);
            levels = levels.record(&tickets, outcomes, now_ms, &self.settings).unwrap_or(levels);
        }
        let is_closed = kind(levels.provider()) == BreakerState::Closed
            && levels.models().all(|(_, breaker)| kind(breaker) == BreakerState::Closed);
        is_closed.then_some(()).ok_or("good requests do not close all")
    }

    /// The same for worlds that nothing which can still happen tells apart: times count from now, epochs and numbers of
    /// probes only by whether a ticket still counts, and requests and workers have no order.
    fn key(&self) -> Vec<u8> {
        let mut requests: Vec<_> = self.requests.iter().map(|one| self.request_key(one)).collect();
        let mut pending: Vec<_> = self.pending.iter().map(|one| self.pending_key(one)).collect();
        requests.sort_unstable();
        pending.sort_unstable();
        let mut key = self.record_key(&self.levels);
        key.push(requests.len() as u8);
        key.extend(requests.concat());
        key.extend(pending.concat());
        key
    }

    fn record_key(&self, levels: &Levels) -> Vec<u8> {
        let time = |time_ms: u64| (time_ms.saturating_sub(self.now_ms)) as u8;
        let breaker = |breaker: &Breaker| match breaker.state() {
            State::Closed { failures } => [0, failures as u8, 0],
            State::Open { until_ms } => [1, 0, time(until_ms)],
            State::HalfOpen { successes, place, .. } => match place {
                Place::Free => [2, successes as u8, 0],
                Place::Reserved { until_ms, asker: ClientNumber::UNKNOWN } => {
                    [3, successes as u8, time(until_ms)]
                }
                Place::Reserved { until_ms, .. } => [5, successes as u8, time(until_ms)],
                Place::Taken { until_ms, .. } => [4, successes as u8, time(until_ms)],
            },
        };
        let models = slots().into_iter().flatten().map(|slot| breaker(&levels.model(slot)));
        [breaker(levels.provider())].into_iter().chain(models).flatten().collect()
    }

    fn request_key(&self, request: &Request) -> Vec<u8> {
        let counts = self.counts(request);
        if counts == [false, false] {
            // Whatever it says comes too late, on both levels.
            return vec![9, 0, 0, 0];
        }
        let place = slots().iter().position(|slot| *slot == request.slot).unwrap_or_default();
        let tickets = &request.tickets;
        let probes = [tickets.probes_provider(), tickets.probes_model()];
        let flags = (0..2).flat_map(|level| {
            [counts[level], counts[level] && request.saw[level], counts[level] && probes[level]]
        });
        let flags = flags.fold(0, |bits, flag| bits << 1 | u8::from(flag));
        let is_probe = counts[0] && probes[0] || counts[1] && probes[1];
        let left_ms = (request.at_ms + self.settings.probe_ms).saturating_sub(self.now_ms);
        let has_place = is_probe && !request.streams;
        vec![place as u8, u8::from(request.streams), flags, u8::from(has_place) * left_ms as u8]
    }

    fn pending_key(&self, pending: &Pending) -> Vec<u8> {
        let mut key = match &pending.op {
            Op::Ask(slot) => {
                let place = slots().iter().position(|other| other == slot).unwrap_or_default();
                vec![10, place as u8]
            }
            Op::CheckFailed => vec![11],
            Op::Hear(request, evidence) | Op::End(request, evidence) => {
                let place = HEADS.iter().position(|other| other == evidence).unwrap_or_default();
                let mut key = vec![12, place as u8];
                key.extend(self.request_key(request));
                key
            }
        };
        // What is stale is decided anew.
        if pending.fresh {
            key.push((self.now_ms - pending.at_ms).min(9) as u8);
            key.extend(self.record_key(&pending.new));
        }
        key
    }
}

/// How large a world may become.
#[derive(Debug, Clone, Copy)]
struct Bounds {
    workers: usize,
    requests: usize,
    /// How many of [`slots`] are asked for.
    slots: usize,
    /// Whether a request may be lost, and a change given up.
    may_lose: bool,
}

impl Bounds {
    fn steps(self, world: &World) -> Vec<Step> {
        let mut steps = vec![Step::Tick];
        let asks = world.pending.iter().filter(|one| !matches!(one.op, Op::CheckFailed)).count();
        if world.pending.len() < self.workers {
            steps.push(Step::CheckFailed);
            if world.requests.len() + asks < self.requests {
                steps.extend((0..self.slots).map(Step::Ask));
            }
            for (place, request) in world.requests.iter().enumerate() {
                let evidence = if request.streams { &ENDS[..] } else { &HEADS[..] };
                // A request without a model blames none.
                let evidence =
                    evidence.iter().filter(|one| request.slot.is_some() || **one != FAILED);
                steps.extend(evidence.map(|evidence| Step::Hear(place, *evidence)));
            }
        }
        steps.extend((0..world.pending.len()).map(Step::Swap));
        if self.may_lose {
            steps.extend((0..world.requests.len()).map(Step::Lose));
            steps.extend((0..world.pending.len()).map(Step::GiveUp));
        }
        steps
    }
}

#[track_caller]
fn search(settings: Settings, bounds: Bounds) -> BTreeSet<&'static str> {
    let first = World::new(settings);
    let (mut keys, mut events) = (HashSet::from([first.key()]), BTreeSet::new());
    let mut queue = VecDeque::from([first]);
    let mut steps = 0;
    while let Some(world) = queue.pop_front() {
        for step in bounds.steps(&world) {
            let mut next = world.clone();
            steps += 1;
            if let Err(broken) = next.take(step) {
                panic!("{broken}: {step:?} in {world:?}");
            }
            events.extend(next.events.iter());
            if !keys.insert(next.key()) {
                continue;
            }
            if let Err(broken) = next.holds() {
                panic!("{broken}: {step:?} in {world:?}, which leads to {next:?}");
            }
            queue.push_back(next);
        }
    }
    println!("{settings:?}, {bounds:?}: {} worlds, {steps} steps", keys.len());
    events
}

const SMALL: Settings = Settings {
    failures: 1,
    open_ms: 1,
    successes: 1,
    probe_ms: 1,
    body_ms: 1,
    others_ms: 1,
    models: 2,
};

#[test]
fn two_workers_keep_the_levels_apart() {
    let events = search(SMALL, Bounds { workers: 2, requests: 2, slots: 2, may_lose: false });
    assert!(events.iter().eq(&EVENTS), "{events:?}");
}

#[test]
fn failures_and_successes_in_a_row_keep_the_levels_apart() {
    let settings = Settings { failures: 2, successes: 2, ..SMALL };
    let events = search(settings, Bounds { workers: 1, requests: 1, slots: 3, may_lose: true });
    assert!(events.iter().eq(&EVENTS), "{events:?}");
}

#[test]
fn one_model_may_be_enough_to_open_the_provider() {
    let settings = Settings { models: 1, ..SMALL };
    let events = search(settings, Bounds { workers: 1, requests: 2, slots: 3, may_lose: true });
    assert!(events.contains("models open the provider"), "{events:?}");
}
