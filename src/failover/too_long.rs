//! Whether a provider's error says that the request is too long for the model.

use memchr::memmem;

/// How providers say that a request is too long: OpenAI's code, LiteLLM's exception, the messages of Anthropic, of vLLM and
/// OpenAI, and of Gemini.
const TOO_LONG: [&[u8]; 5] = [
    b"context_length_exceeded",
    b"ContextWindowExceeded",
    b"prompt is too long",
    b"maximum context length",
    b"exceeds the maximum number of tokens",
];

/// How providers say that they refuse the content: no other provider may be asked then.
const REFUSED: [&[u8]; 3] =
    [b"content_policy_violation", b"content_filter", b"ContentPolicyViolation"];

/// Whether an error's body says that the context is too long.
pub fn is_context_length(body: &[u8]) -> bool {
    let says = |words: &&[u8]| memmem::find(body, words).is_some();
    TOO_LONG.iter().any(says) && !REFUSED.iter().any(says)
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(all(target_family = "wasm", target_os = "unknown"))]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn knows_errors_about_the_context() {
        for (body, expected) in [
            (r#"{"error":{"code":"context_length_exceeded"}}"#, true),
            (r#"{"error":{"message":"prompt is too long: 9 tokens > 8"}}"#, true),
            (r#"{"error":{"code":"content_filter"}}"#, false),
            (r#"{"error":{"code":"content_filter","message":"maximum context length"}}"#, false),
            (r#"{"error":{"code":"invalid_model"}}"#, false),
            ("", false),
        ] {
            assert_eq!(is_context_length(body.as_bytes()), expected, "{body}");
        }
    }
}
