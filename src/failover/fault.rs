//! Whose fault an error is that arrives inside a 200: by its code, its type or its status, and by its text.
//!
//! | the error says | fault |
//! |---|---|
//! | a code from 500, or a word for it: overloaded, unavailable, internal, timeout | the provider's |
//! | that the quota is spent: `insufficient_quota` | none: until the account is paid, the provider answers nothing |
//! | 429, or a word for it: rate limit, quota, exhausted | none: the client has asked too often |
//! | that the request is too long for the model | the context's length |
//! | any other code from 400, or a word for it: invalid, authentication, permission, not found, policy | the client's |
//! | nothing that is known | the provider's: it did not answer |

use memchr::memmem;

use super::document::Facts;
use super::too_long;

/// Whose fault an error inside a 200 is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The provider has failed, as with a 5xx.
    Provider,
    /// The client asks too often, as with a 429.
    Limit,
    /// The account has no money left.
    Quota,
    /// The request is too long for the model.
    TooLong,
    /// The request is wrong, as with any other 4xx.
    Client,
}

/// OpenAI's word for a quota that is spent.
const SPENT: &[u8] = b"insufficient_quota";

/// Whether the body of a refusal says that the quota is spent.
pub fn is_quota(body: &[u8]) -> bool {
    memmem::find(body, SPENT).is_some()
}

/// Parts of the words of OpenAI, Anthropic, Gemini and LiteLLM, in lower case; the first that fits counts.
const WORDS: [(&[u8], Fault); 22] = [
    (b"rate_limit", Fault::Limit),
    (b"ratelimit", Fault::Limit),
    (b"resource_exhausted", Fault::Limit),
    (b"quota", Fault::Limit),
    (b"overloaded", Fault::Provider),
    (b"unavailable", Fault::Provider),
    (b"internal", Fault::Provider),
    (b"server_error", Fault::Provider),
    (b"api_error", Fault::Provider),
    (b"timeout", Fault::Provider),
    (b"deadline", Fault::Provider),
    (b"invalid", Fault::Client),
    (b"authentication", Fault::Client),
    (b"unauthenticated", Fault::Client),
    (b"permission", Fault::Client),
    (b"not_found", Fault::Client),
    (b"too_large", Fault::Client),
    (b"billing", Fault::Client),
    (b"precondition", Fault::Client),
    (b"policy", Fault::Client),
    (b"content_filter", Fault::Client),
    (b"bad_request", Fault::Client),
];

impl Fault {
    /// By what the error's document says of itself; `text` is the document, as far as it was kept.
    pub fn of(facts: &Facts, text: &[u8]) -> Self {
        let said = [&facts.code, &facts.error_kind, &facts.status];
        let fault = said.iter().find_map(|word| Self::of_word(word.as_bytes()));
        match fault {
            Some(Self::Client) | None if too_long::is_context_length(text) => Self::TooLong,
            Some(Self::Limit) if is_quota(text) => Self::Quota,
            Some(fault) => fault,
            None => Self::Provider,
        }
    }

    fn of_word(word: &[u8]) -> Option<Self> {
        let code = std::str::from_utf8(word).ok().and_then(|word| word.parse::<u32>().ok());
        match code {
            Some(429) => return Some(Self::Limit),
            Some(408 | 425 | 500..600) => return Some(Self::Provider),
            Some(400..500) => return Some(Self::Client),
            Some(_) => return None,
            None => {}
        }
        let word = word.to_ascii_lowercase();
        WORDS.iter().find(|(part, _)| memmem::find(&word, part).is_some()).map(|(_, fault)| *fault)
    }
}

#[cfg(test)]
mod tests {
    use super::super::document::Document;
    use super::*;
    #[cfg(all(target_family = "wasm", target_os = "unknown"))]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn an_errors_words_say_whose_fault_it_is() {
        use Fault::{Client, Limit, Provider, Quota, TooLong};
        for (error, expected) in [
            (r#"{"type":"overloaded_error"}"#, Provider),
            (r#"{"type":"api_error"}"#, Provider),
            (r#"{"type":"server_error","code":null}"#, Provider),
            (r#"{"code":503,"status":"UNAVAILABLE"}"#, Provider),
            (r#"{"code":"500","type":"None"}"#, Provider),
            (r#"{"status":"INTERNAL"}"#, Provider),
            (r#"{"message":"nobody knows"}"#, Provider),
            (r#"{"code":"1234","type":"overloaded_error"}"#, Provider),
            (r#"{"type":"rate_limit_error"}"#, Limit),
            (r#"{"type":"insufficient_quota","code":"insufficient_quota"}"#, Quota),
            (r#"{"code":429,"message":"OpenAI said insufficient_quota"}"#, Quota),
            (r#"{"type":"quota_exceeded"}"#, Limit),
            (r#"{"code":429,"status":"RESOURCE_EXHAUSTED"}"#, Limit),
            (r#"{"type":"invalid_request_error"}"#, Client),
            (r#"{"type":"invalid_request_error","code":"content_policy_violation"}"#, Client),
            (r#"{"code":400,"status":"INVALID_ARGUMENT"}"#, Client),
            (r#"{"type":"authentication_error"}"#, Client),
            (r#"{"type":"not_found_error"}"#, Client),
            (r#"{"type":"invalid_request_error","message":"prompt is too long: 9"}"#, TooLong),
            (r#"{"code":"context_length_exceeded"}"#, TooLong),
            (r#"{"code":"content_filter","message":"maximum context length"}"#, Client),
        ] {
            let text = format!(r#"{{"error":{error}}}"#);
            let mut document = Document::default();
            document.feed(text.as_bytes());
            assert_eq!(Fault::of(document.facts(), text.as_bytes()), expected, "{error}");
        }
    }
}
