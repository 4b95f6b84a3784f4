//! Prices are found by their names, and costs are exact.

use super::*;
use crate::usage::{Operation, Tier, Usage};

fn prices(toml: &str) -> Prices {
    Prices::of(&toml::from_str::<File>(toml).unwrap()).unwrap()
}

fn cost(provider: &str, model: &str, usage: Usage, tier: Tier) -> i64 {
    let prices = prices("");
    let found = prices.find(provider, model).unwrap_or_else(|| panic!("{model} has no price"));
    found.price.cost_nanos(&usage, tier, Operation::Chat, 0)
}

const USAGE: Usage = Usage { input: 1_000, output: 100, ..Usage::NONE };

#[test]
fn a_price_is_found_by_provider_and_model_then_by_model() {
    let prices = prices(
        "[prices.gpt-4o]\ninput = 1\noutput = 2\n[prices.\"two/gpt-4o\"]\ninput = 0.15\noutput = 0\n",
    );
    for (provider, model, key, is_own) in [
        ("one", "gpt-4o", Some("gpt-4o"), true),
        ("two", "gpt-4o", Some("two/gpt-4o"), true),
        ("azure", "gpt-4o-mini", Some("azure/gpt-4o-mini"), false),
        ("other", "gpt-4o-mini", Some("gpt-4o-mini"), false),
        ("litellm", "openai/gpt-4o-mini", Some("gpt-4o-mini"), false),
        ("litellm", "anthropic/gpt-4o-mini", None, false),
        ("litellm", "no-such-model", None, false),
    ] {
        let found = prices.find(provider, model);
        let found = found.map(|found| (found.key.into_owned(), found.is_own));
        assert_eq!(found, key.map(|key| (key.to_owned(), is_own)), "{provider} {model}");
    }
    let found = prices.find("two", "gpt-4o").unwrap();
    // 1000 · $0.15, for a million.
    assert_eq!(found.price.cost_nanos(&USAGE, Tier::Standard, Operation::Chat, 0), 150_000);
}

#[test]
fn costs_are_exact() {
    let cached = Usage { cached: 900, ..USAGE };
    let written = Usage { cache_write: 500, cache_write_hour: 100, ..USAGE };
    let long = Usage { input: 200_001, ..USAGE };
    for (provider, model, usage, tier, nanos) in [
        ("openai", "gpt-4o", USAGE, Tier::Standard, 3_500_000),
        ("openai", "gpt-4o", cached, Tier::Standard, 250_000 + 1_125_000 + 1_000_000),
        ("openai", "gpt-4o", USAGE, Tier::Priority, 4_250_000 + 1_700_000),
        // No price for this tier: the standard's.
        ("openai", "gpt-4o", USAGE, Tier::Flex, 3_500_000),
        (
            "anthropic",
            "claude-sonnet-4-5",
            written,
            Tier::Standard,
            1_500_000 + 1_500_000 + 600_000 + 1_500_000,
        ),
        (
            "gemini",
            "gemini-2.5-pro",
            Usage { input: 200_000, ..USAGE },
            Tier::Standard,
            250_000_000 + 1_000_000,
        ),
        ("gemini", "gemini-2.5-pro", long, Tier::Standard, 500_002_500 + 1_500_000),
    ] {
        assert_eq!(
            cost(provider, model, usage, tier),
            nanos,
            "{provider} {model} {usage:?} {tier:?}"
        );
    }
}

#[test]
fn what_is_not_counted_in_tokens_has_its_price() {
    let prices = prices("");
    let of = |model: &str, usage: &Usage, operation, bytes| {
        prices.find("openai", model).unwrap().price.cost_nanos(
            usage,
            Tier::Standard,
            operation,
            bytes,
        )
    };
    let audio = Usage { audio_ms: 27_500, ..Usage::NONE };
    assert_eq!(of("whisper-1", &audio, Operation::Transcription, 0), 2_750_000);
    assert_eq!(of("tts-1", &Usage { input: 25, ..Usage::NONE }, Operation::Speech, 100), 1_500_000);
    let searched = Usage { searches: 2, ..Usage::NONE };
    let claude = prices.find("anthropic", "claude-sonnet-4-5").unwrap().price;
    assert_eq!(claude.cost_nanos(&searched, Tier::Standard, Operation::Messages, 0), 20_000_000);
}

#[test]
fn a_file_of_prices_takes_the_place_of_the_table() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("prices.json");
    let toml = format!("[usage]\nprice_file = \"{}\"\n", path.display());
    let file: File = toml::from_str(&toml).unwrap();
    let missing = Prices::of(&file).unwrap_err().to_string();
    assert_eq!(
        missing,
        format!(
            "usage.price_file: {} cannot be read: it is not there; name a file in the format of LiteLLM's model_prices_and_context_window.json",
            path.display()
        )
    );
    fs::write(&path, r#"{"sample_spec":{"input_cost_per_token":0.0,"max_tokens":"a text"},"m":{"input_cost_per_token":"3e-7","output_cost_per_token":1e-6,"litellm_provider":"x"}}"#).unwrap();
    let prices = Prices::of(&file).unwrap();
    assert!(prices.find("openai", "gpt-4o").is_none());
    let price = prices.find("x", "m").unwrap().price;
    assert_eq!(price.cost_nanos(&USAGE, Tier::Standard, Operation::Chat, 0), 400_000);
    fs::write(&path, "[]").unwrap();
    assert!(Prices::of(&file).unwrap_err().to_string().contains("is not in the format of"));
}
