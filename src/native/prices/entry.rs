//! An entry of LiteLLM's file as a price.

use std::collections::BTreeMap;

use serde_json::value::RawValue;

use super::decimal::femto_dollars;
use crate::pricing::{Price, Rates, SEARCH};

/// Reads an entry of LiteLLM's file.
pub(super) fn read(entry: &RawValue) -> Option<Price> {
    let fields: BTreeMap<String, &RawValue> = serde_json::from_str(entry.get()).ok()?;
    let text = |name: &str| {
        let value = fields.get(name)?;
        serde_json::from_str::<String>(value.get()).ok()
    };
    let mut rates = rates(&fields);
    if let Some(search) = fields.get("search_context_cost_per_query") {
        let sizes: BTreeMap<String, &RawValue> =
            serde_json::from_str(search.get()).unwrap_or_default();
        let usual = sizes.get("search_context_size_medium").and_then(|value| femto(value));
        rates.extend(usual.map(|femto| (SEARCH.to_owned(), femto)));
    }
    let output_max = fields.get("max_output_tokens").or_else(|| fields.get("max_tokens"));
    Some(Price {
        provider: text("litellm_provider").unwrap_or_default(),
        rates,
        by_input: fields.get("tiered_pricing").map(|tiers| by_input(tiers)).unwrap_or_default(),
        output_usual: None,
        output_max: output_max.and_then(|value| value.get().trim_matches('"').parse().ok()),
    })
}

/// The price with these rates, in dollars.
pub(super) fn of_dollars(rates: &[(&str, Option<String>)]) -> Price {
    let rate = |(name, text): &(&str, Option<String>)| {
        Some(((*name).to_owned(), femto_dollars(text.as_deref()?)?))
    };
    Price { rates: rates.iter().filter_map(rate).collect(), ..Price::default() }
}

/// The prices among some fields.
fn rates(fields: &BTreeMap<String, &RawValue>) -> Rates {
    let is_price = |name: &str| name.contains("cost") && name != SEARCH;
    let fields = fields.iter().filter(|(name, _)| is_price(name));
    fields.filter_map(|(name, value)| Some((name.clone(), femto(value)?))).collect()
}

/// A number, or a number in quotes.
fn femto(value: &RawValue) -> Option<u64> {
    femto_dollars(value.get().trim_matches('"'))
}

fn by_input(tiers: &RawValue) -> Vec<(u64, Rates)> {
    let tiers: Vec<BTreeMap<String, &RawValue>> =
        serde_json::from_str(tiers.get()).unwrap_or_default();
    let tier = |fields: &BTreeMap<String, &RawValue>| {
        let range: [f64; 2] = serde_json::from_str(fields.get("range")?.get()).ok()?;
        // Numbers of tokens: whole, if some are written with an exponent.
        Some((range[1].max(0.0) as u64, rates(fields)))
    };
    let mut all: Vec<_> = tiers.iter().filter_map(tier).collect();
    all.sort_by_key(|(last, _)| *last);
    all
}
