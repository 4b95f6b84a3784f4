//! What becomes of one attempt, as the provider acts it and as the caller should see it.

use crate::kit::refusal::{self, Refusal};
use crate::kit::upstream::pipe::Pump;
use crate::kit::upstream::{Answer, Gate};

/// What a provider does with an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// Answers.
    Good,
    /// A status without a body of note.
    Status(u16),
    /// A status with `retry-after`.
    Later(u16, &'static str),
    /// A status with this body.
    Says(u16, &'static str),
    /// Ends the connection.
    Breaks,
    /// Says nothing.
    Silent,
    /// Begins an answer and says nothing more.
    Begins,
}

/// What the caller gets where it is the last.
pub(super) enum Last {
    Answer(u16, String),
    Refusal(Refusal),
}

use Fault::{Begins, Breaks, Good, Later, Says, Silent, Status};

impl Fault {
    /// What the provider answers to attempt number `step`; the pump is to be held.
    pub(super) fn answer(self, step: usize, streamed: bool) -> (Answer, Option<Pump>) {
        let text = |status| Answer::new(status, self.kind(streamed), self.body(step, streamed));
        match self {
            Good => (text(200).header("x-of-provider", "kept"), None),
            Status(status) | Says(status, _) => (text(status), None),
            Later(status, secs) => (text(status).header("retry-after", secs), None),
            Breaks => (Answer::broken(), None),
            Silent => (Answer::completion().held_by(&Gate::closed()), None),
            Begins => {
                let (answer, pump) = Answer::piped(self.kind(streamed));
                (answer, Some(pump))
            }
        }
    }

    /// What the caller gets of it, where `provider` was asked.
    pub(super) fn last(self, provider: &str, step: usize, streamed: bool) -> Last {
        let answer = |status| Last::Answer(status, self.body(step, streamed));
        match self {
            Good => answer(200),
            Status(status) | Says(status, _) | Later(status, _) => answer(status),
            Breaks => Last::Refusal(refusal::provider_unreachable()),
            Silent => Last::Refusal(refusal::provider_timeout(provider)),
            Begins => Last::Refusal(refusal::no_first_token(provider)),
        }
    }

    /// How many seconds the same provider is to be left alone.
    pub(super) fn wait_secs(self) -> u64 {
        match self {
            Later(_, secs) => secs.parse().unwrap_or(0),
            _ => 0,
        }
    }

    fn kind(self, streamed: bool) -> &'static str {
        match self {
            Good | Begins if streamed => "text/event-stream",
            _ => "application/json",
        }
    }

    fn body(self, step: usize, streamed: bool) -> String {
        match (self, streamed) {
            (Good, true) => events(step),
            (Good, false) => format!(
                r#"{{"id":"{step}","model":"name-of-the-provider","choices":[{{"index":0,"finish_reason":"stop"}}]}}"#
            ),
            (Says(_, body), _) => body.to_owned(),
            _ => format!(
                r#"{{"error":{{"message":"attempt {step}","type":"t","param":null,"code":"c"}}}}"#
            ),
        }
    }
}

/// A whole stream, which ends as those of both APIs do.
pub(super) fn events(step: usize) -> String {
    format!(
        "data: {{\"id\":\"{step}\",\"model\":\"name-of-the-provider\",\"choices\":[{{\"index\":0,\"delta\":\
         {{\"content\":\"Hi\"}}}}]}}\n\nevent: message_stop\ndata: {{\"type\":\"message_stop\"}}\n\ndata: [DONE]\n\n"
    )
}
