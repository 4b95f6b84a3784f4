//! What one model costs, by LiteLLM's names of prices: what an attempt has cost, and what a request can cost at most.
//!
//! 1. The input is text, cached, written to the cache, audio and images; each part has its price, and without one the input's.
//! 2. The output is text, reasoning, audio and images; the same.
//! 3. Above a threshold, all tokens of the attempt have the prices above the threshold.
//! 4. A tier of the provider has its own prices; without one the standard's.
//! 5. A price of 0 is a price.

use std::collections::{BTreeMap, BTreeSet};

use crate::usage::{Operation, Tier, Usage};

const INPUT: &str = "input_cost_per_token";
const OUTPUT: &str = "output_cost_per_token";
const CACHED: &str = "cache_read_input_token_cost";
const CACHE_WRITE: &str = "cache_creation_input_token_cost";
const CACHE_WRITE_HOUR: &str = "cache_creation_input_token_cost_above_1hr";

/// A provider whose threshold itself has the higher price.
const INCLUSIVE: &str = "xai";

/// Femto-dollars in a nano-dollar.
const FEMTO: u128 = 1_000_000;

/// Prices by LiteLLM's names, in femto-dollars for each.
pub type Rates = BTreeMap<String, u64>;

/// The prices of a model.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Price {
    /// `litellm_provider`.
    pub provider: String,
    pub rates: Rates,
    /// `tiered_pricing`: prices by the input's tokens, each with its last token.
    pub by_input: Vec<(u64, Rates)>,
    /// The most tokens of an answer; `None` where that is not known.
    pub output_max: Option<u64>,
    /// The tokens of a long answer, as answers were; `None` where too few were seen.
    pub output_usual: Option<u64>,
}

/// The prices that apply to one attempt.
struct Applied {
    input: u64,
    output: u64,
    cached: u64,
    cache_write: u64,
    cache_write_hour: u64,
    reasoning: u64,
}

impl Applied {
    /// The rates by their names; a part without a rate costs what the whole costs.
    fn of(rate: impl Fn(&str) -> Option<u64>, output: u64, reasoning: u64) -> Self {
        let input = rate(INPUT).unwrap_or_default();
        let cache_write = rate(CACHE_WRITE).unwrap_or(input);
        Self {
            input,
            output,
            cached: rate(CACHED).unwrap_or(input),
            cache_write,
            cache_write_hour: rate(CACHE_WRITE_HOUR).unwrap_or(cache_write),
            reasoning,
        }
    }
}

impl Price {
    /// Whether there is anything to count with.
    pub fn is_known(&self) -> bool {
        !self.rates.is_empty() || !self.by_input.is_empty()
    }

    /// All prices by their names, in femto-dollars for each.
    pub fn rates(&self) -> impl Iterator<Item = (&str, u64)> {
        self.rates.iter().map(|(name, femto)| (name.as_str(), *femto))
    }

    /// What an attempt has cost, in nano-dollars.
    pub fn cost_nanos(
        &self,
        usage: &Usage,
        tier: Tier,
        operation: Operation,
        request_bytes: u64,
    ) -> i64 {
        let tokens = self.tokens(usage, tier);
        let femto = tokens.saturating_add(self.others(usage, operation, request_bytes));
        i64::try_from(nanos(femto)).unwrap_or(i64::MAX)
    }

    /// The most that a request can cost, in nano-dollars: its `bytes` have `input` tokens, each of `answers` has `output`
    /// tokens, and each token has the highest of all prices, whatever the tier and the threshold.
    pub fn most_nanos(&self, bytes: u64, input: u64, output: u64, answers: u64) -> u64 {
        let highest = |names: &[&str]| self.highest(names);
        let per_input = highest(&[
            "input_cost_per_token",
            "cache_",
            "input_cost_per_audio",
            "input_cost_per_image_t",
        ]);
        let per_token = highest(&[
            "output_cost_per_token",
            "output_cost_per_reasoning",
            "output_cost_per_audio",
            "output_cost_per_image_t",
        ]);
        let second = highest(&["output_cost_per_second", "input_cost_per_second"]);
        let search = highest(&["input_cost_per_query", SEARCH]);
        let femto = sum(&[
            (input, per_input),
            (bytes, highest(&["input_cost_per_character"])),
            // No audio has fewer bytes in a second.
            (bytes.div_ceil(AUDIO_BYTES_MIN), second),
            (output.saturating_mul(answers), per_token),
            (answers, highest(&["output_cost_per_image"])),
            (1, search),
        ]);
        u64::try_from(nanos(femto)).unwrap_or(u64::MAX)
    }

    fn highest(&self, names: &[&str]) -> u64 {
        let all = self.by_input.iter().flat_map(|(_, rates)| rates).chain(&self.rates);
        let own = all.filter(|(name, _)| names.iter().any(|own| name.starts_with(own)));
        own.map(|(_, rate)| *rate).max().unwrap_or_default()
    }

    fn tokens(&self, usage: &Usage, tier: Tier) -> u128 {
        let suffix = suffix(tier);
        let applied = self.applied(usage.input, suffix);
        let Applied { input, output, cached, cache_write, cache_write_hour, reasoning } = applied;
        let own = |name: &str, otherwise: u64| self.rate(name, suffix).unwrap_or(otherwise);
        let fixed = |name: &str| self.rates.get(name).copied().unwrap_or(output);
        let parts_in = [usage.cached, usage.cache_write, usage.audio_in, usage.image_in];
        let parts_out = [usage.reasoning, usage.audio_out, usage.image_out];
        sum(&[
            (left(usage.input, &parts_in), input),
            (usage.cached, cached),
            (usage.cache_write.saturating_sub(usage.cache_write_hour), cache_write),
            (usage.cache_write_hour, cache_write_hour),
            (usage.audio_in, own("input_cost_per_audio_token", input)),
            (usage.image_in, own("input_cost_per_image_token", input)),
            (left(usage.output, &parts_out), output),
            (usage.reasoning, reasoning),
            (usage.audio_out, fixed("output_cost_per_audio_token")),
            (usage.image_out, fixed("output_cost_per_image_token")),
        ])
    }

    /// What is not counted in tokens.
    fn others(&self, usage: &Usage, operation: Operation, request_bytes: u64) -> u128 {
        let rate = |name: &str| self.rates.get(name).copied();
        let second = rate("output_cost_per_second").or(rate("input_cost_per_second"));
        let search = rate("input_cost_per_query").or(rate(SEARCH)).unwrap_or_default();
        let has_tokens = usage.output > 0;
        let images = if has_tokens { 0 } else { usage.images };
        // The text to speak is nearly all of the request.
        let letters = if operation == Operation::Speech { request_bytes } else { 0 };
        sum(&[
            (images, rate("output_cost_per_image").unwrap_or_default()),
            (usage.searches, search),
            (letters, rate("input_cost_per_character").unwrap_or_default()),
        ])
        .saturating_add(sum(&[(usage.audio_ms, second.unwrap_or_default())]) / 1000)
    }

    fn applied(&self, input_tokens: u64, suffix: &str) -> Applied {
        let of_input = self.by_input.iter().find(|(last, _)| input_tokens <= *last);
        match of_input.or(self.by_input.last()).filter(|_| input_tokens > 0) {
            Some((_, rates)) if rates.contains_key(INPUT) => self.applied_by_input(rates),
            _ => self.applied_by_threshold(input_tokens, suffix),
        }
    }

    fn applied_by_input(&self, rates: &Rates) -> Applied {
        let rate = |name: &str| rates.get(name).copied();
        let output = rate(OUTPUT).or(self.rates.get(OUTPUT).copied()).unwrap_or_default();
        let reasoning = rate(REASONING).or(rate(OUTPUT)).unwrap_or(output);
        Applied::of(rate, output, reasoning)
    }

    fn applied_by_threshold(&self, input_tokens: u64, suffix: &str) -> Applied {
        let rate = |name: &str| self.rate_above(name, input_tokens, suffix);
        // Models that answer with images alone have no other price for output.
        let of_images = self.rates.get("output_cost_per_image_token").copied();
        let output = rate(OUTPUT).filter(|rate| *rate > 0).or(of_images).unwrap_or_default();
        Applied::of(rate, output, self.reasoning(output, suffix))
    }

    fn reasoning(&self, output: u64, suffix: &str) -> u64 {
        let of = |name: &str| self.rates.get(&format!("{name}{suffix}")).copied();
        let has_own_output = !suffix.is_empty() && of(OUTPUT).is_some();
        let standard = self.rates.get(REASONING).copied().filter(|_| !has_own_output);
        of(REASONING).or(standard).unwrap_or(output)
    }

    /// A price of the tier, else the standard's.
    fn rate(&self, name: &str, suffix: &str) -> Option<u64> {
        let own = self.rates.get(&format!("{name}{suffix}"));
        own.or_else(|| self.rates.get(name)).copied()
    }

    /// The same above the highest threshold that the input passes.
    fn rate_above(&self, name: &str, input_tokens: u64, suffix: &str) -> Option<u64> {
        let passes = |threshold: u64| match self.provider == INCLUSIVE {
            true => input_tokens >= threshold,
            false => input_tokens > threshold,
        };
        let passed =
            self.thresholds(suffix).into_iter().filter(|(threshold, _)| passes(*threshold));
        passed.fold(self.rate(name, suffix), |rate, (_, text)| {
            self.rate(&format!("{name}_above_{text}_tokens"), suffix).or(rate)
        })
    }

    /// The thresholds of the standard's prices and of the tier's: in tokens, and as they are written.
    fn thresholds(&self, suffix: &str) -> BTreeSet<(u64, String)> {
        let threshold = |name: &String| {
            let (base, rest) = name.rsplit_once("_above_")?;
            let (text, tier) = rest.split_once("_tokens")?;
            let counts = [INPUT, OUTPUT, CACHED, CACHE_WRITE].contains(&base)
                && (tier.is_empty() || tier == suffix);
            let tokens = match text.strip_suffix('k') {
                Some(thousands) => thousands.parse::<u64>().ok()?.checked_mul(1000)?,
                None => text.parse().ok()?,
            };
            counts.then(|| (tokens, text.to_owned()))
        };
        self.rates.keys().filter_map(threshold).collect()
    }
}

/// Bytes of a second of audio, at the lowest rates that are in use.
const AUDIO_BYTES_MIN: u64 = 500;

/// Nano-dollars, rounded.
fn nanos(femto: u128) -> u128 {
    femto.saturating_add(FEMTO / 2) / FEMTO
}

const REASONING: &str = "output_cost_per_reasoning_token";

/// A search by the model, of the usual size; this program's name.
pub const SEARCH: &str = "search_context_cost_per_query";

fn suffix(tier: Tier) -> &'static str {
    match tier {
        Tier::Standard => "",
        Tier::Priority => "_priority",
        Tier::Flex => "_flex",
        Tier::Batch => "_batches",
    }
}

/// What is left of a whole without its parts.
fn left(whole: u64, parts: &[u64]) -> u64 {
    parts.iter().fold(whole, |left, part| left.saturating_sub(*part))
}

fn sum(terms: &[(u64, u64)]) -> u128 {
    let term = |(count, rate): &(u64, u64)| u128::from(*count).saturating_mul(u128::from(*rate));
    terms.iter().map(term).fold(0, u128::saturating_add)
}
