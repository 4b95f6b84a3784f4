//! What a provider does to an attempt.

use crate::kit::random::Random;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Fate {
    Good,
    /// Good, after a while.
    Slow,
    /// Good, with a while between the head and the body.
    SlowBody,
    Error500,
    /// A 429 without a `retry-after`.
    Limited,
    /// A 429 with a short `retry-after`.
    LimitedShortly,
    /// A 429 with a `retry-after` that is too long to wait for.
    LimitedForLong,
    /// The connection is reset before the response.
    Reset,
    /// A stream breaks off, by an end before its last chunk.
    Broken,
    /// A body breaks off, by a reset. The gateway still holds what has come of it: it is shorter than 4 KiB.
    HalfBody,
    /// A stream that ends in order, but without its last event.
    Unfinished,
    /// No response.
    Silent,
    /// No body after the head.
    SilentBody,
    /// The request is too long for the model.
    TooLong,
    /// The request is bad for whichever provider.
    Bad,
}

/// How many of a thousand attempts have each fate; the rest is good.
const WEIGHTS: [(Fate, usize); 13] = [
    (Fate::Slow, 20),
    (Fate::SlowBody, 20),
    (Fate::Error500, 60),
    (Fate::Limited, 25),
    (Fate::LimitedShortly, 15),
    (Fate::LimitedForLong, 15),
    (Fate::Reset, 40),
    (Fate::Broken, 30),
    (Fate::Unfinished, 10),
    (Fate::Silent, 5),
    (Fate::SilentBody, 5),
    (Fate::TooLong, 30),
    (Fate::Bad, 15),
];

/// What may come after an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// It was the last.
    Nothing,
    /// The next target.
    Target,
    /// The same provider once more, or the next target.
    Any,
}

impl Fate {
    pub(super) fn draw(seed: u64, id: u64, provider: usize, visit: usize, streams: bool) -> Self {
        let mut thrown = Random::of((seed, id, provider, visit)).below(1000);
        for (fate, weight) in WEIGHTS {
            match thrown.checked_sub(weight) {
                None if matches!(fate, Self::Broken | Self::Unfinished) && !streams => {
                    return Self::HalfBody;
                }
                None => return fate,
                Some(rest) => thrown = rest,
            }
        }
        Self::Good
    }

    pub(super) fn next(self) -> Next {
        match self {
            // Without a `retry-after` the next target comes first, but its breaker may be open.
            Self::Error500 | Self::Reset | Self::HalfBody => Next::Any,
            Self::LimitedShortly | Self::Limited => Next::Any,
            Self::LimitedForLong | Self::TooLong | Self::Silent | Self::SilentBody => Next::Target,
            Self::Good | Self::Slow | Self::SlowBody => Next::Nothing,
            Self::Broken | Self::Unfinished | Self::Bad => Next::Nothing,
        }
    }

    pub(super) fn is_good(self) -> bool {
        matches!(self, Self::Good | Self::Slow | Self::SlowBody)
    }

    /// The status of an error that the provider sends.
    pub(super) fn status(self) -> Option<u16> {
        match self {
            Self::Error500 => Some(500),
            Self::Limited | Self::LimitedShortly | Self::LimitedForLong => Some(429),
            Self::TooLong | Self::Bad => Some(400),
            _ => None,
        }
    }

    /// Whether its outcome, as the breaker hears it, is a failure of the provider's.
    pub(super) fn is_failure(self) -> bool {
        match self {
            Self::Error500 | Self::Reset | Self::Silent | Self::SilentBody => true,
            other => matches!(other, Self::Broken | Self::HalfBody | Self::Unfinished),
        }
    }

    pub(super) fn retry_after(self) -> Option<u32> {
        match self {
            Self::LimitedShortly => Some(1),
            Self::LimitedForLong => Some(600),
            _ => None,
        }
    }
}
