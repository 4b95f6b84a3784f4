//! The context window of a model whose provider does not tell: the window of the model's family, in the list that the
//! command has made of its table.

/// The context window of a model in tokens, by the name that the provider is sent, from a list of windows, each before the
/// families that have the window: `8192 gpt-4 128000 gpt-4-turbo gpt-4o`.
pub(crate) fn of(model: &str, list: &str) -> Option<u64> {
    names(model).find_map(|name| of_longest_family(name, list))
}

/// The names under which a model is looked up: Bedrock puts the region and the vendor before the name, as in
/// `us.anthropic.claude-3-…`.
pub(crate) fn names(model: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(model.rsplit('/').next(), |name| Some(name.split_once('.')?.1))
}

fn of_longest_family(name: &str, list: &str) -> Option<u64> {
    let (mut window, mut longest, mut found) = (0, 0, None);
    for word in list.split(' ') {
        if let Ok(tokens) = word.parse() {
            window = tokens;
        } else if word.len() > longest && belongs(name, word) {
            (longest, found) = (word.len(), Some(window));
        }
    }
    found
}

/// Whether a model is of a family. A later version is another family: gpt-4.5 does not belong to gpt-4, nor llama-3.12 to
/// llama-3.1.
pub(crate) fn belongs(name: &str, family: &str) -> bool {
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
        let list = "8192 gpt-4 128000 gpt-4-turbo gpt-4o llama-3.3 200000 claude-3";
        for (model, window) in [
            ("gpt-4o", Some(128_000)),
            ("gpt-4o-mini-2024-07-18", Some(128_000)),
            ("openrouter/openai/gpt-4o", Some(128_000)),
            ("gpt-4", Some(8_192)),
            ("gpt-4-turbo-preview", Some(128_000)),
            ("bedrock/us.anthropic.claude-3-5-sonnet-20241022-v2:0", Some(200_000)),
            ("meta-llama/Llama-3.3-70B-Instruct", Some(128_000)),
            ("gpt-4.5", None),
            ("gpt-45", None),
            ("my-gpt-4o", None),
            ("gpt-4o/", None),
            ("gpt-\u{e9}", None),
            ("128000", None),
            ("", None),
        ] {
            assert_eq!(of(model, list), window, "{model}");
            assert_eq!(of(model, ""), None, "{model}");
        }
    }
}
