//! When an access token is asked for: the pure state machine.
//!
//! | phase | event | what follows |
//! |---|---|---|
//! | waiting | the wait is over, or the clock went back | asking: the refresh token goes to the issuer |
//! | asking | time passes | nothing: one question at a time |
//! | asking | a token | waiting for 80 % of the token's lifetime, counted from the question, and for 1 s at least |
//! | asking | a failure | waiting for 1 s, twice as long after each further failure, for 60 s at most |
//! | asking | the issuer refuses the refresh token | refused |
//! | refused | time passes | nothing, until there is another refresh token |
//!
//! In every phase the access token serves until its end. The issuer's clock has no say.

use crate::config::Secret;

use super::answer::{Grant, Problem};

/// How much of a lifetime passes before the next token is asked for, in percent.
const USE_PERCENT: u64 = 80;

/// The lifetime of a token whose issuer says none. Such a token serves until the next token.
const UNKNOWN_LIFETIME_MS: u64 = 3_600_000;

const WAIT_MIN_MS: u64 = 1000;
const RETRY_MAX_MS: u64 = 60_000;

/// A token that the issuer has given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Access {
    pub(super) token: Secret,
    /// When the question for it was sent, in milliseconds since 1970.
    pub(super) since_ms: u64,
    /// `None` where the issuer does not say it.
    pub(super) lifetime_ms: Option<u64>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Phase {
    Waiting { since_ms: u64, for_ms: u64 },
    Asking { since_ms: u64 },
    Refused,
}

/// A refresh token, and what was got for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Credential {
    pub(super) refresh: Secret,
    access: Option<Access>,
    phase: Phase,
    /// Since the last token.
    failures: u32,
    last: Option<(u64, Problem)>,
}

impl Access {
    pub(super) fn end_ms(&self) -> Option<u64> {
        Some(self.since_ms.saturating_add(self.lifetime_ms?))
    }

    fn serves(&self, now_ms: u64) -> bool {
        self.end_ms().is_none_or(|end| now_ms < end)
    }

    fn next(&self) -> Phase {
        let lifetime = self.lifetime_ms.unwrap_or(UNKNOWN_LIFETIME_MS);
        let for_ms = (lifetime / 100).saturating_mul(USE_PERCENT).max(WAIT_MIN_MS);
        Phase::Waiting { since_ms: self.since_ms, for_ms }
    }
}

impl Credential {
    /// Begins with a refresh token, and with the access token that is left of a run before.
    pub(super) fn begin(refresh: Secret, access: Option<Access>) -> Self {
        let at_once = Phase::Waiting { since_ms: 0, for_ms: 0 };
        let phase = access.as_ref().map_or(at_once, Access::next);
        Self { refresh, access, phase, failures: 0, last: None }
    }

    /// The refresh token, where it must go to the issuer now. The answer is for [`Self::answered`].
    pub(super) fn step(&mut self, now_ms: u64) -> Option<Secret> {
        let Phase::Waiting { since_ms, for_ms } = self.phase else { return None };
        // A clock that went back may be hours from the end of the wait.
        let is_over = now_ms.checked_sub(since_ms).is_none_or(|waited| waited >= for_ms);
        is_over.then(|| {
            self.phase = Phase::Asking { since_ms: now_ms };
            self.refresh.clone()
        })
    }

    /// The issuer has answered.
    pub(super) fn answered(&mut self, now_ms: u64, answer: Result<Grant, Problem>) {
        let Phase::Asking { since_ms } = self.phase else { return };
        match answer {
            Ok(Grant { access: token, lifetime_ms, refresh, .. }) => {
                let access = Access { token, since_ms, lifetime_ms };
                let refresh = refresh.unwrap_or_else(|| self.refresh.clone());
                *self = Self::begin(refresh, Some(access));
            }
            Err(problem) => {
                let wait = WAIT_MIN_MS.checked_shl(self.failures).unwrap_or(RETRY_MAX_MS);
                self.phase = match problem.is_final() {
                    true => Phase::Refused,
                    false => Phase::Waiting { since_ms: now_ms, for_ms: wait.min(RETRY_MAX_MS) },
                };
                self.failures = self.failures.saturating_add(1).min(RETRY_MAX_MS.ilog2());
                self.last = Some((now_ms, problem));
            }
        }
    }

    pub(super) fn is_asking(&self) -> bool {
        matches!(self.phase, Phase::Asking { .. })
    }

    /// What serves now.
    pub(super) fn access(&self, now_ms: u64) -> Option<&Access> {
        self.access.as_ref().filter(|access| access.serves(now_ms))
    }

    /// Since when the issuer gives no token, and why.
    pub(super) fn last(&self) -> Option<&(u64, Problem)> {
        self.last.as_ref()
    }

    /// Whether this is the first failure in a row.
    pub(super) fn has_just_failed(&self) -> bool {
        self.failures == 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR_MS: u64 = 3_600_000;

    fn grant(
        token: &str,
        lifetime_ms: Option<u64>,
        refresh: Option<&str>,
    ) -> Result<Grant, Problem> {
        let refresh = refresh.map(Secret::new);
        Ok(Grant { access: Secret::new(token), lifetime_ms, refresh, scopes: None })
    }

    fn refused(code: &str) -> Result<Grant, Problem> {
        Err(Problem::Refused(code.to_owned()))
    }

    fn token(credential: &Credential, now_ms: u64) -> Option<&str> {
        credential.access(now_ms).map(|own| own.token.expose())
    }

    #[test]
    fn a_token_is_asked_for_at_once_and_again_at_80_percent_of_its_lifetime() {
        let mut own = Credential::begin(Secret::new("r1"), None);
        assert_eq!(own.step(1000), Some(Secret::new("r1")));
        assert_eq!(own.step(2000), None, "one question at a time");
        own.answered(6000, grant("a1", Some(HOUR_MS), Some("r2")));
        assert_eq!(token(&own, 6000), Some("a1"));
        let at_80 = 1000 + HOUR_MS / 5 * 4;
        assert_eq!(own.step(at_80 - 1), None);
        assert_eq!(own.step(at_80), Some(Secret::new("r2")), "the issuer has rotated it");
        own.answered(at_80, grant("a2", None, None));
        assert_eq!((token(&own, u64::MAX), own.refresh.expose()), (Some("a2"), "r2"));
    }

    #[test]
    fn a_token_serves_until_its_end_while_the_issuer_fails() {
        let mut own = Credential::begin(Secret::new("r"), None);
        own.step(0);
        own.answered(0, grant("a", Some(100_000), None));
        let mut asked = Vec::new();
        for now in (0..400_000).step_by(500) {
            if own.step(now).is_some() {
                asked.push(now / 1000);
                own.answered(now, Err(Problem::Status(500)));
            }
            assert_eq!(token(&own, now).is_some(), now < 100_000, "{now}");
        }
        assert_eq!(asked, [80, 81, 83, 87, 95, 111, 143, 203, 263, 323, 383]);
        assert_eq!(own.last(), Some(&(383_000, Problem::Status(500))));
    }

    #[test]
    fn a_refused_refresh_token_is_not_sent_again() {
        let mut own = Credential::begin(Secret::new("r"), None);
        own.step(0);
        own.answered(0, refused("invalid_grant"));
        assert_eq!(own.step(u64::MAX), None);
        let mut own = Credential::begin(Secret::new("r"), None);
        own.step(0);
        own.answered(0, refused("invalid_scope"));
        assert_eq!(own.step(1000), Some(Secret::new("r")));
    }

    #[test]
    fn a_clock_that_went_back_leads_to_a_question() {
        let access =
            Access { token: Secret::new("a"), since_ms: HOUR_MS, lifetime_ms: Some(HOUR_MS) };
        let mut own = Credential::begin(Secret::new("r"), Some(access));
        assert_eq!(own.step(HOUR_MS), None);
        assert_eq!(own.step(HOUR_MS - 1), Some(Secret::new("r")));
        assert_eq!(token(&own, HOUR_MS - 1), Some("a"));
    }

    /// What may happen to a credential.
    #[derive(Clone, Copy, Debug)]
    enum Event {
        Pass(u64),
        Back(u64),
        Token(Option<u64>),
        Fail,
        Refuse,
    }

    /// Every order of six events.
    #[test]
    fn whatever_happens_one_question_is_open_and_no_token_serves_longer_than_it_lives() {
        let events = [
            Event::Pass(500),
            Event::Pass(9000),
            Event::Back(3000),
            Event::Token(Some(10_000)),
            Event::Token(None),
            Event::Fail,
            Event::Refuse,
        ];
        let mut orders = 0;
        let mut path = [0_usize; 6];
        loop {
            walk(path.map(|at| events[at]));
            orders += 1;
            let Some(at) = path.iter().rposition(|at| at + 1 < events.len()) else { break };
            path[at] += 1;
            path[at + 1..].fill(0);
        }
        assert_eq!(orders, 7_usize.pow(6));
    }

    fn walk(events: [Event; 6]) {
        let mut own = Credential::begin(Secret::new("0"), None);
        let (mut now, mut open, mut given, mut is_refused) = (100_000, false, 0_u64, false);
        let (mut asked, mut ends) = (0, Some(0));
        for event in events {
            match event {
                Event::Pass(ms) => now += ms,
                Event::Back(ms) => now -= ms,
                Event::Token(lifetime_ms) => {
                    let before = own.clone();
                    let next = (given + 1).to_string();
                    own.answered(now, grant(&next, lifetime_ms, Some(&next)));
                    assert_eq!(open, own != before, "{events:?}: nothing was asked");
                    if open {
                        given += 1;
                        ends = lifetime_ms.map(|ms| asked + ms);
                        open = false;
                    }
                }
                Event::Fail | Event::Refuse => {
                    let is_final = matches!(event, Event::Refuse);
                    let code = if is_final { "invalid_grant" } else { "slow_down" };
                    own.answered(now, refused(code));
                    is_refused |= open && is_final;
                    open = false;
                }
            }
            if let Some(sent) = own.step(now) {
                assert!(!open && !is_refused, "{events:?}");
                assert_eq!(sent.expose(), given.to_string(), "{events:?}: the last refresh token");
                (open, asked) = (true, now);
            }
            assert_eq!(own.is_asking(), open, "{events:?}");
            if let Some(token) = token(&own, now) {
                assert_eq!(token, given.to_string(), "{events:?}: the last token");
                assert!(ends.is_none_or(|end| now < end), "{events:?}");
            }
        }
    }
}
