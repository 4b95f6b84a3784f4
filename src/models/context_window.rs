//! The context window of a model whose provider does not tell: the window of the model's family.

/// A family's name and its context window in tokens. The comment of each row is the key in `LiteLLM`'s
/// `model_prices_and_context_window.json` whose `max_input_tokens` is the window; a test compares the two.
#[rustfmt::skip]
const FAMILIES: [(&str, u64); 41] = [
    ("gpt-3.5-turbo", 16_385), // gpt-3.5-turbo
    ("gpt-3.5-turbo-instruct", 8_192), // gpt-3.5-turbo-instruct
    ("gpt-4", 8_192), // gpt-4
    ("gpt-4-0125-preview", 128_000), // azure/gpt-4-0125-preview
    ("gpt-4-1106-preview", 128_000), // gpt-4-1106-preview
    ("gpt-4-turbo", 128_000), // gpt-4-turbo
    ("gpt-4o", 128_000), // gpt-4o
    ("gpt-4.1", 1_047_576), // gpt-4.1
    ("gpt-5", 272_000), // gpt-5
    ("gpt-5-chat", 128_000), // gpt-5-chat
    ("gpt-5.1", 272_000), // gpt-5.1
    ("gpt-5.1-chat", 128_000), // gpt-5.1-chat-latest
    ("gpt-5.2", 272_000), // gpt-5.2
    ("gpt-5.2-chat", 128_000), // gpt-5.2-chat-latest
    ("gpt-oss", 131_072), // groq/openai/gpt-oss-120b
    ("o1", 200_000), // o1
    ("o1-mini", 128_000), // azure/o1-mini
    ("o3", 200_000), // o3
    ("o4-mini", 200_000), // o4-mini
    ("claude-3", 200_000), // vertex_ai/claude-3-sonnet
    ("claude-haiku-4", 200_000), // claude-haiku-4-5
    ("claude-sonnet-4", 200_000), // claude-sonnet-4-5
    ("claude-sonnet-4-6", 1_000_000), // claude-sonnet-4-6
    ("claude-opus-4", 200_000), // claude-opus-4-5
    ("claude-opus-4-6", 1_000_000), // claude-opus-4-6
    ("claude-opus-4-7", 1_000_000), // claude-opus-4-7
    ("claude-opus-4-8", 1_000_000), // claude-opus-4-8
    ("gemini-2.5", 1_048_576), // gemini-2.5-pro
    ("llama-3.1", 128_000), // oci/meta.llama-3.1-70b-instruct
    ("llama-3.3", 128_000), // azure_ai/Llama-3.3-70B-Instruct
    ("mixtral-8x7b", 32_768), // deepinfra/mistralai/Mixtral-8x7B-Instruct-v0.1
    ("mixtral-8x22b", 65_536), // vercel_ai_gateway/mistral/mixtral-8x22b-instruct
    ("codestral", 128_000), // mistral/codestral-2508
    ("deepseek-chat", 131_072), // deepseek-chat
    ("deepseek-reasoner", 131_072), // deepseek-reasoner
    ("qwen2.5", 32_768), // deepinfra/Qwen/Qwen2.5-72B-Instruct
    ("grok-3", 131_072), // vercel_ai_gateway/xai/grok-3
    ("command-r", 128_000), // command-r-08-2024
    ("nova-pro", 300_000), // amazon.nova-pro-v1:0
    ("nova-lite", 300_000), // amazon.nova-lite-v1:0
    ("nova-micro", 128_000), // amazon.nova-micro-v1:0
];

/// The context window of a model, by the name that the provider is sent.
pub(super) fn of(model: &str) -> Option<u64> {
    let mut name = model.rsplit('/').next()?;
    loop {
        let families = FAMILIES.iter().filter(|(family, _)| belongs(name, family));
        if let Some((_, window)) = families.max_by_key(|(family, _)| family.len()) {
            return Some(*window);
        }
        // Bedrock puts the region and the vendor before the name: us.anthropic.claude-3-…
        (_, name) = name.split_once('.')?;
    }
}

/// A later version is another family: gpt-4.5 does not belong to gpt-4, nor llama-3.12 to llama-3.1.
fn belongs(name: &str, family: &str) -> bool {
    let Some((start, rest)) = name.split_at_checked(family.len()) else { return false };
    let goes_on = |next: char| next.is_ascii_alphanumeric() || next == '.';
    start.eq_ignore_ascii_case(family) && !rest.starts_with(goes_on)
}

#[cfg(test)]
mod tests {
    use super::of;
    #[cfg(all(target_family = "wasm", target_os = "unknown"))]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn the_longest_family_that_begins_the_bare_name_counts() {
        for (model, window) in [
            ("gpt-4o", Some(128_000)),
            ("gpt-4o-mini-2024-07-18", Some(128_000)),
            ("openai/gpt-4o", Some(128_000)),
            ("openrouter/openai/gpt-4.1-nano", Some(1_047_576)),
            ("gpt-4", Some(8_192)),
            ("gpt-4-turbo-preview", Some(128_000)),
            ("bedrock/us.anthropic.claude-3-5-sonnet-20241022-v2:0", Some(200_000)),
            ("claude-opus-4-1", Some(200_000)),
            ("claude-opus-4-6@default", Some(1_000_000)),
            ("meta-llama/Llama-3.3-70B-Instruct", Some(128_000)),
            ("qwen2.5:7b", Some(32_768)),
            ("gpt-4.5", None),
            ("gpt-45", None),
            ("my-gpt-4o", None),
            ("gpt-4o/", None),
            ("gpt-\u{e9}", None),
            ("", None),
        ] {
            assert_eq!(of(model), window, "{model}");
        }
    }
}
