//! What a request takes of the limits of the gateway, of its key and of the key's user, from its admission to its end.
//!
//! | the request | is settled by |
//! |---|---|
//! | goes straight to its provider | what its meter has read |
//! | goes over the hop | its attempts, each with what its meter has read; the rest is given back at the end |
//! | was refused before it left | nothing: all is given back |
//! | is lost with its VM | the reservation, when its lease ends |
//!
//! Where nothing is metered, a request is settled by what was reserved.

use super::Session;
use super::bounds::Bounds;
use super::{Phase, Scanner};
use crate::config::Estimate;
use crate::document::Document;
use crate::gateway::{Provider, Turn};
use crate::host::Host;
use crate::host::metrics::Metric;
use crate::keys::{
    AllTerms, Asked, Charges, Grant, Owner, Refused, Share, first_that_fits, prices,
};
use crate::limits::{Demand, Fill, Limits, Refusal, Terms, View};
use crate::models::date;
use crate::pricing::Price;
use crate::reply::{Code, LimitKind, OverLimit, Reject, Whose};
use crate::request::endpoint::Shape;
use crate::request::escape::without_query;
use crate::request::model::ModelName;
use crate::route::Draw;
use crate::usage::reader::BYTES_PER_TOKEN;
use crate::usage::{AnswerStart, Meter, Operation};

/// What a body of unknown length counts as, until more bytes have come.
const UNKNOWN_BYTES: u64 = 1024 * 1024;

/// The most tokens of an answer of a model whose maximum is not known.
const OUTPUT_TOKENS_MAX: u64 = 128 * 1024;

/// The service counts within the minutes of its clock.
const MINUTE_SECS: u64 = 60;

/// How paths end that cost nothing.
const FREE_ENDS: [&str; 7] = [
    "/count_tokens",
    "/count-tokens",
    ":countTokens",
    "/input_tokens",
    "/moderations",
    "/tokenize",
    "/detokenize",
];

/// A request whose key or user is limited.
#[derive(Debug)]
pub(super) struct Limited {
    /// What counts for the model, once the model is known.
    asked: Asked,
    /// What the key may use of some models.
    models: Vec<(String, Terms)>,
    /// The method changes nothing and asks no model.
    is_free_method: bool,
    bounds: Document<Bounds>,
    demand: Demand,
    /// `None` before the admission, and after the request is settled.
    grant: Option<Grant>,
    /// What is left after the decision, and when that was; `None` before it.
    view: Option<(View, u64)>,
    has_left: bool,
}

impl Limited {
    pub(super) fn new(terms: AllTerms, method: &[u8]) -> Box<Self> {
        let AllTerms { key, user, models } = terms;
        Box::new(Self {
            asked: Asked { key, user, model: None },
            models,
            is_free_method: [&b"GET"[..], b"HEAD", b"OPTIONS", b"DELETE"].contains(&method),
            bounds: Document::default(),
            demand: Demand::default(),
            grant: None,
            view: None,
            has_left: false,
        })
    }

    /// Which windows the attempts count in.
    pub(super) fn charges(&self) -> Charges {
        self.grant.as_ref().map(Grant::charges).unwrap_or_default()
    }

    /// The request has left for a provider, or for the hop.
    pub(super) fn leave(&mut self) {
        self.has_left = true;
    }

    /// Whether the key itself has a budget.
    pub(super) fn has_key_budget(&self) -> bool {
        self.asked.key.limits.budget.is_some()
    }

    fn has_budget(&self) -> bool {
        self.asked.has_budget()
    }
}

impl Session {
    /// Reads a piece of the body for what it says of the answer's length.
    pub(super) fn read_bounds(&mut self, bytes: &[u8]) {
        if let Some(limited) = &mut self.limited
            && limited.view.is_none()
            && let Phase::Held(Scanner::Json(_)) = &self.phase
        {
            limited.bounds.feed(bytes);
        }
    }

    /// Asks the counters of the gateway, of the key and of its user for the request.
    ///
    /// # Errors
    /// A limit has no room, or under a budget the model has no price.
    pub(super) fn admit(
        &mut self,
        host: &dyn Host,
        model: Option<&ModelName>,
    ) -> Result<(), Reject> {
        if self.gateway.limits.limits.is_some() {
            self.admit_to_gateway(host)?;
        }
        if self.limited.is_some() { self.admit_limited(host, model) } else { Ok(()) }
    }

    #[cold]
    #[inline(never)]
    fn admit_to_gateway(&mut self, host: &dyn Host) -> Result<(), Reject> {
        let Some(limits) = self.gateway.limits.limits else { return Ok(()) };
        let asked = Share::of_gateway(host, limits);
        let refused = |refused: Refused| {
            let own = over_limit(refused.refusal, Whose::Gateway, limits, host.now_ms());
            Reject::OverLimit(own)
        };
        self.share = asked.map_err(refused)?;
        Ok(())
    }

    #[cold]
    #[inline(never)]
    fn admit_limited(&mut self, host: &dyn Host, model: Option<&ModelName>) -> Result<(), Reject> {
        if let (Some(limited), Some(model)) = (&mut self.limited, model) {
            let own = first_that_fits(&limited.models, &self.gateway, model.as_str());
            limited.asked.model = own.cloned();
        }
        let demand = self.demand(host, model)?;
        let (Some(limited), Some(key)) = (&mut self.limited, &self.key) else { return Ok(()) };
        let now_ms = host.now_ms();
        limited.demand = demand;
        match Grant::ask(host, key, &limited.asked, demand) {
            Ok(mut grant) => {
                if self.gateway.limits.is_shared {
                    grant.share(host, &limited.asked);
                }
                limited.view = Some((grant.view, now_ms));
                limited.grant = Some(grant);
                Ok(())
            }
            Err(refused) => {
                limited.view = Some((refused.view, now_ms));
                let whose = match refused.owner {
                    Owner::Key => Whose::Key,
                    Owner::Model => Whose::Model,
                    Owner::User => Whose::User,
                };
                let limits = limited.asked.terms(refused.owner).limits;
                let budget_status = self.gateway.limits.budget_status;
                let own = over_limit(refused.refusal, whose, limits, now_ms);
                Err(Reject::OverLimit(OverLimit { budget_status, ..own }))
            }
        }
    }

    /// The most that the request can use, or what such requests use as a rule.
    fn demand(&self, host: &dyn Host, model: Option<&ModelName>) -> Result<Demand, Reject> {
        let Some(limited) = &self.limited else { return Ok(Demand::default()) };
        let path = without_query(self.path.as_str());
        let operation = self.operation().filter(|_| !self.is_tunnel);
        let bytes = self.demanded_bytes();
        let bounds = limited.bounds.facts();
        let has_output = operation.is_some_and(|own| !own.is_without_output());
        // Bedrock ignores a bound outside `inferenceConfig`, and `/invoke` has a form for each model.
        let is_bedrock = path.starts_with("/model/");
        let named = if is_bedrock { bounds.inference_max() } else { bounds.output_max() };
        let output = named.filter(|_| has_output);
        let tokens = bytes
            .div_ceil(BYTES_PER_TOKEN)
            .saturating_add(output.unwrap_or_default().saturating_mul(bounds.answers()));
        let tokens = if operation.is_some() { tokens } else { 0 };
        let mut demand = Demand { tokens, nanos: 0 };
        if !limited.has_budget() {
            return Ok(demand);
        }
        let (Some(_), Some(model)) = (operation, model) else {
            let is_free = limited.is_free_method && !self.is_tunnel
                || FREE_ENDS.iter().any(|end| path.ends_with(end));
            return if is_free { Ok(demand) } else { Err(Reject::NotCounted) };
        };
        let is_image = operation == Some(Operation::Images);
        // The dearest of all that may serve the model, in whatever order they are asked.
        let in_order = Draw::by(0);
        let turns = self.gateway.targets_in_turn(model, self.path.as_str(), &in_order);
        for Turn { target, .. } in turns.into_iter().flatten() {
            let Some(provider) = self.gateway.provider(target.provider) else { continue };
            let price = price(host, provider, target.model)?;
            let most = output.or(price.output_max).unwrap_or(OUTPUT_TOKENS_MAX);
            let most = if has_output || is_image { most } else { 0 };
            let (input, most) = match self.gateway.limits.estimate {
                Estimate::Most => (bytes, most),
                Estimate::Calibrated => {
                    let usual = price.output_usual.unwrap_or(most);
                    (bytes.div_ceil(BYTES_PER_TOKEN), most.min(usual))
                }
            };
            let nanos = price.most_nanos(bytes, input, most, bounds.answers());
            demand.nanos = demand.nanos.max(nanos);
        }
        Ok(demand)
    }

    /// The length of the body, as far as it is known.
    fn demanded_bytes(&self) -> u64 {
        let come = self.scanner().map_or(0, Scanner::offset);
        let unknown = || if self.is_whole { come } else { come.max(UNKNOWN_BYTES) };
        self.content_length.unwrap_or_else(unknown)
    }

    /// Settles the request once its meter has the usage.
    pub(super) fn settle_used(&mut self, host: &dyn Host) {
        let Some(limited) = &mut self.limited else { return };
        let Some((admission, outcome)) = self.meter.as_ref().and_then(Meter::used) else { return };
        let has_budget = limited.has_budget();
        let Some(grant) = limited.grant.take() else { return };
        let nanos = if has_budget { prices::cost_nanos(host, admission, outcome) } else { 0 };
        grant.settle(host, nanos, outcome.usage.tokens());
    }

    /// Settles a request that no meter of the session has read.
    pub(super) fn settle_rest(&mut self, host: &dyn Host) {
        self.share.take().into_iter().for_each(|share| share.end(host));
        let Some(limited) = &mut self.limited else { return };
        let Some(grant) = limited.grant.take() else { return };
        match (limited.has_left, self.gateway.meters) {
            (false, _) => grant.undo(host),
            (true, true) => grant.settle(host, 0, 0),
            (true, false) => {
                let nanos = grant.reserved_nanos();
                grant.settle(host, nanos, limited.demand.tokens);
            }
        }
    }

    /// Envoy's rate limit filter has refused the request, by this answer: the request has not left. After how many seconds the
    /// client may try again.
    #[cold]
    #[inline(never)]
    pub fn held_back(&mut self, host: &dyn Host, status: u32) -> u64 {
        self.share.take().into_iter().for_each(|share| share.undo(host));
        if let Some(limited) = &mut self.limited {
            (limited.has_left, limited.view) = (false, None);
        }
        self.settle_rest(host);
        self.answer_begins(host, &AnswerStart { status, end: true, ..AnswerStart::default() });
        self.meter = None;
        if let Some(admission) = self.admission.take() {
            admission.give_up(host, &self.gateway);
        }
        let is_over = status == Code::RateLimitExceeded.status();
        let code = if is_over { Code::RateLimitExceeded } else { Code::LimitsUnavailable };
        host.count(Metric::Refused(code));
        MINUTE_SECS.saturating_sub(host.now_ms() / 1000 % MINUTE_SECS)
    }

    /// A request that lives for long says so.
    pub fn renew_limits(&mut self, host: &dyn Host) {
        self.admission.iter_mut().for_each(|admission| admission.renew(host));
        self.share.iter_mut().for_each(|share| share.renew(host));
        if let Some(grant) = self.limited.as_mut().and_then(|limited| limited.grant.as_mut()) {
            grant.renew(host);
        }
    }

    /// What the client is told of its limits: headers with values, and headers of the provider's that are taken out.
    pub fn limit_headers(&self) -> Vec<(&'static str, Option<String>)> {
        let view = self.limited.as_ref().and_then(|limited| limited.view);
        match view {
            Some((view, now_ms)) if view != View::default() => headers(view, self.shape, now_ms),
            _ => Vec::new(),
        }
    }
}

fn price(host: &dyn Host, provider: &Provider, model: &str) -> Result<Price, Reject> {
    prices::find(host, &provider.name, model).ok_or_else(|| Reject::NotPriced {
        provider: provider.name.clone(),
        model: model.to_owned(),
    })
}

/// What the client is told of a refusal.
fn over_limit(refusal: Option<Refusal>, whose: Whose, limits: Limits, now_ms: u64) -> OverLimit {
    let Limits { rpm, tpm, max_parallel_requests, .. } = limits;
    let secs = |wait_ms: Option<u64>| wait_ms.map(|ms| ms.div_ceil(1000).max(1));
    let (kind, retry_after_secs) = match refusal {
        None => (LimitKind::Contended, Some(1)),
        Some(Refusal::Budget { ends_secs }) => {
            let left = |end: u64| end.saturating_mul(1000).saturating_sub(now_ms);
            (LimitKind::Budget, secs(ends_secs.map(left)))
        }
        Some(Refusal::Requests { wait_ms }) => {
            (LimitKind::Requests(rpm.unwrap_or_default()), secs(wait_ms))
        }
        Some(Refusal::Tokens { wait_ms }) => {
            (LimitKind::Tokens(tpm.unwrap_or_default()), secs(wait_ms))
        }
        Some(Refusal::Parallel) => {
            let most = max_parallel_requests.unwrap_or_default();
            (LimitKind::Parallel(most), (most > 0).then_some(1))
        }
    };
    OverLimit { whose, kind, retry_after_secs, budget_status: 0 }
}

/// The names of the headers, for requests and for tokens: limit, remaining, reset.
const OPENAI: [[&str; 3]; 2] = [
    ["x-ratelimit-limit-requests", "x-ratelimit-remaining-requests", "x-ratelimit-reset-requests"],
    ["x-ratelimit-limit-tokens", "x-ratelimit-remaining-tokens", "x-ratelimit-reset-tokens"],
];
const ANTHROPIC: [[&str; 3]; 2] = [
    [
        "anthropic-ratelimit-requests-limit",
        "anthropic-ratelimit-requests-remaining",
        "anthropic-ratelimit-requests-reset",
    ],
    [
        "anthropic-ratelimit-tokens-limit",
        "anthropic-ratelimit-tokens-remaining",
        "anthropic-ratelimit-tokens-reset",
    ],
];

fn headers(view: View, shape: Shape, now_ms: u64) -> Vec<(&'static str, Option<String>)> {
    let is_anthropic = shape == Shape::Anthropic;
    let names = if is_anthropic { ANTHROPIC } else { OPENAI };
    let mut all = Vec::with_capacity(6);
    for ([limit, remaining, reset], fill) in names.into_iter().zip([view.requests, view.tokens]) {
        let time = |fill: Fill| {
            let ms = fill.reset_ms?;
            Some(match is_anthropic {
                true => date::format(now_ms.saturating_add(ms).div_ceil(1000)),
                false => duration(ms),
            })
        };
        all.push((limit, fill.map(|fill| fill.limit.to_string())));
        all.push((remaining, fill.map(|fill| fill.remaining.to_string())));
        all.push((reset, fill.and_then(time)));
    }
    all
}

/// A length of time as OpenAI writes it: `6m0s`, `1.5s`, `12ms`.
fn duration(ms: u64) -> String {
    let (minutes, rest) = (ms / 60_000, ms % 60_000);
    let (secs, fraction) = (rest / 1000, rest % 1000);
    let secs = match format!("{secs}.{fraction:03}").trim_end_matches('0').trim_end_matches('.') {
        "" => "0".to_owned(),
        text => text.to_owned(),
    };
    match (minutes, ms) {
        (0, 0..1000) => format!("{ms}ms"),
        (0, _) => format!("{secs}s"),
        _ => format!("{minutes}m{secs}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(all(target_family = "wasm", target_os = "unknown"))]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn times_are_written_as_openai_writes_them() {
        for (ms, text) in [
            (0, "0ms"),
            (12, "12ms"),
            (1_000, "1s"),
            (1_500, "1.5s"),
            (30_000, "30s"),
            (59_999, "59.999s"),
            (60_000, "1m0s"),
            (361_250, "6m1.25s"),
        ] {
            assert_eq!(duration(ms), text);
        }
    }

    #[test]
    fn each_shape_has_its_headers() {
        let fill = Fill { limit: 10, remaining: 9, reset_ms: Some(6_000) };
        let view = View { requests: Some(fill), tokens: None };
        let written = |shape| {
            let all = headers(view, shape, 1_795_968_000_000).into_iter();
            all.map(|(name, value)| format!("{name}: {}", value.as_deref().unwrap_or("-")))
                .collect::<Vec<_>>()
        };
        assert_eq!(
            written(Shape::OpenAi),
            [
                "x-ratelimit-limit-requests: 10",
                "x-ratelimit-remaining-requests: 9",
                "x-ratelimit-reset-requests: 6s",
                "x-ratelimit-limit-tokens: -",
                "x-ratelimit-remaining-tokens: -",
                "x-ratelimit-reset-tokens: -",
            ]
        );
        assert_eq!(
            written(Shape::Anthropic)[..3],
            [
                "anthropic-ratelimit-requests-limit: 10",
                "anthropic-ratelimit-requests-remaining: 9",
                "anthropic-ratelimit-requests-reset: 2026-11-29T16:00:06Z",
            ]
        );
    }
}
