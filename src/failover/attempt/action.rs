//! What Envoy does next with an attempt's response.

use crate::names::headers;
use crate::reply::Reply;

/// Tells OpenAI's clients not to try again.
const SHOULD_RETRY: &str = "x-should-retry";

/// What the filter tells Envoy's router and the client in a response's headers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RetryHeaders {
    /// Send the request again, after these seconds where the provider names a wait.
    pub again: Option<Option<u32>>,
    /// The number of attempts so far; for the client.
    pub attempts: u32,
    /// Every target was tried: the client need not try again.
    pub is_hopeless: bool,
}

impl RetryHeaders {
    /// The headers, by name and value; `provider` is the name of the provider that was asked.
    pub fn headers(self, provider: Option<&str>) -> Vec<(&'static str, String)> {
        let mut all = vec![(headers::ATTEMPTS, self.attempts.to_string())];
        all.extend(provider.map(|name| (headers::PROVIDER, name.to_owned())));
        if let Some(wait_secs) = self.again {
            all.push((headers::RETRY, "1".to_owned()));
            all.extend(wait_secs.map(|secs| (headers::RETRY_WAIT_SECS, secs.to_string())));
        }
        if self.is_hopeless {
            all.push((SHOULD_RETRY, "false".to_owned()));
        }
        all
    }
}

/// What Envoy does next with a piece of a response.
#[derive(Debug, PartialEq, Eq)]
pub enum ResponseAction {
    Pass,
    /// Keep the piece, and wait for more.
    Hold,
    /// Add these headers, let go what was kept, and append this text, where there is one, at the response's end.
    Release(RetryHeaders, Option<String>),
    /// Let the piece pass, and append this text at the response's end.
    Append(String),
}

/// The gateway's answer in the provider's place; in the middle of a response, its end.
#[derive(Debug, PartialEq, Eq)]
pub struct AttemptReply {
    pub reply: Reply,
    /// The headers of the answer.
    pub headers: RetryHeaders,
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(all(target_family = "wasm", target_os = "unknown"))]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn every_response_tells_the_number_of_attempts() {
        let written = |headers: RetryHeaders, provider| {
            let all = headers.headers(provider).into_iter();
            all.map(|(name, value)| format!("{name}: {value}")).collect::<Vec<_>>()
        };
        assert_eq!(written(RetryHeaders::default(), None), ["x-gaud-attempts: 0"]);
        let again = RetryHeaders { again: Some(Some(3)), attempts: 1, is_hopeless: false };
        assert_eq!(
            written(again, Some("p")),
            ["x-gaud-attempts: 1", "x-gaud-provider: p", "x-gaud-retry: 1", "x-gaud-wait: 3"]
        );
        let last = RetryHeaders { again: None, attempts: 2, is_hopeless: true };
        assert_eq!(written(last, None), ["x-gaud-attempts: 2", "x-should-retry: false"]);
    }
}
