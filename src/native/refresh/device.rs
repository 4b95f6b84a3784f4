//! How often `gaud login` asks whether a person has let the gateway in (RFC 8628, section 3.5): the pure state machine.
//!
//! | the issuer answers | what follows |
//! |---|---|
//! | `authorization_pending` | the next question after the interval |
//! | `slow_down` | the interval grows by 5 s |
//! | nothing, or status 500 and above | the interval doubles, to 60 s at most |
//! | tokens | the end |
//! | `access_denied`, `expired_token`, another error | the end, without tokens |
//!
//! The end of the code's lifetime is the end too, by the clock of this machine.

use std::fmt;

use super::answer::{DeviceCode, Grant, Problem};

const SLOW_DOWN_MS: u64 = 5000;
const INTERVAL_MAX_MS: u64 = 60_000;

/// The questions for one code.
#[derive(Debug)]
pub(super) struct Device {
    interval_ms: u64,
    next_ms: u64,
    end_ms: u64,
}

/// What is to be done.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Step {
    Ask,
    /// For this many milliseconds.
    Wait(u64),
    /// The code has ended.
    Over,
}

/// Why a login has ended without tokens.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum End {
    Denied,
    Expired,
    Problem(Problem),
}

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Denied => f.write_str("the issuer says that access was denied"),
            Self::Expired => f.write_str("the code has ended; run `gaud login` again"),
            Self::Problem(problem) => problem.fmt(f),
        }
    }
}

impl Device {
    pub(super) fn begin(code: &DeviceCode, now_ms: u64) -> Self {
        let interval_ms = code.interval_ms;
        Self { interval_ms, next_ms: now_ms + interval_ms, end_ms: now_ms + code.lifetime_ms }
    }

    pub(super) fn step(&self, now_ms: u64) -> Step {
        match self.next_ms.checked_sub(now_ms) {
            _ if now_ms >= self.end_ms => Step::Over,
            None | Some(0) => Step::Ask,
            Some(wait_ms) => Step::Wait(wait_ms.min(self.end_ms - now_ms)),
        }
    }

    /// The issuer has answered. `None`: the questions go on.
    pub(super) fn answered(
        &mut self,
        now_ms: u64,
        answer: Result<Grant, Problem>,
    ) -> Option<Result<Grant, End>> {
        let problem = match answer {
            Ok(grant) => return Some(Ok(grant)),
            Err(problem) => problem,
        };
        match &problem {
            Problem::Refused(code) => match code.as_str() {
                "authorization_pending" => {}
                "slow_down" => self.interval_ms += SLOW_DOWN_MS,
                "access_denied" => return Some(Err(End::Denied)),
                "expired_token" => return Some(Err(End::Expired)),
                _ => return Some(Err(End::Problem(problem))),
            },
            Problem::Silent(_) | Problem::Status(500..) => {
                let most_ms = INTERVAL_MAX_MS.max(self.interval_ms);
                self.interval_ms = self.interval_ms.saturating_mul(2).min(most_ms);
            }
            Problem::Status(_) | Problem::Without(_) => return Some(Err(End::Problem(problem))),
        }
        self.next_ms = now_ms + self.interval_ms;
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Secret;

    fn begun() -> Device {
        let code = DeviceCode {
            device: Secret::new("d"),
            user: "U".to_owned(),
            url: "https://i".to_owned(),
            complete_url: None,
            lifetime_ms: 100_000,
            interval_ms: 5000,
        };
        Device::begin(&code, 0)
    }

    fn refused(code: &str) -> Result<Grant, Problem> {
        Err(Problem::Refused(code.to_owned()))
    }

    #[test]
    fn the_questions_are_as_far_apart_as_the_issuer_says() {
        let mut own = begun();
        let mut asked = Vec::new();
        let answers = [
            refused("authorization_pending"),
            refused("slow_down"),
            refused("authorization_pending"),
            Err(Problem::Status(503)),
            Err(Problem::Silent("late".to_owned())),
        ];
        let mut answers = answers.into_iter();
        let mut now = 0;
        loop {
            match own.step(now) {
                Step::Wait(ms) => now += ms,
                Step::Over => break,
                Step::Ask => {
                    asked.push(now / 1000);
                    let answer = answers.next().unwrap_or_else(|| refused("authorization_pending"));
                    assert_eq!(own.answered(now, answer), None);
                }
            }
        }
        // Every 5 s, then every 10, 20 and 40.
        assert_eq!(asked, [5, 10, 20, 30, 50, 90]);
        assert_eq!(now, 100_000, "the code has ended");
    }

    #[test]
    fn an_error_that_stays_is_the_end() {
        for (answer, said) in [
            (refused("access_denied"), "the issuer says that access was denied"),
            (refused("expired_token"), "the code has ended; run `gaud login` again"),
            (refused("invalid_scope"), "the issuer answers invalid_scope"),
            (Err(Problem::Status(404)), "the issuer answers with status 404"),
            (Err(Problem::Without("access token")), "the issuer's answer has no access token"),
        ] {
            let end = begun().answered(5000, answer).unwrap().unwrap_err();
            assert_eq!(end.to_string(), said);
        }
    }
}
