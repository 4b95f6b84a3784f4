//! Requests that mean harm: nothing malformed reaches a provider, nothing leaks, the filter never
//! traps, and the next client is served.
//!
//! ```text
//! listed_heads, listed_bodies ──> requests that are written out, each with its answer
//! attacks ──> case <── framing, headers, bodies, paths      random requests by the thousand,
//!        └──> http2 <── frames                               byte by byte and frame by frame
//! ```

mod attacks;
mod bodies;
mod case;
mod frames;
mod framing;
mod headers;
mod http2;
mod listed_bodies;
mod listed_heads;
mod paths;

use crate::kit::client::{CLIENTS, Request};
use crate::kit::harness::Gateway;

/// Fails unless the gateway serves its providers `one` and `two`, and the filter has not trapped.
#[track_caller]
fn still_serves(gateway: &Gateway, after: &str) {
    for model in ["one:m", "two:m"] {
        let request = Request::chat(format!(r#"{{"model":"{model}"}}"#));
        for client in CLIENTS {
            let response = client.send(gateway, &request);
            assert_eq!(response.status, 200, "after {after}: {}", response.text());
        }
    }
    gateway.assert_no_trap();
}

/// Whether a body is a JSON object. Half a surrogate pair is one of JSON's strings, so values are
/// not decoded.
fn is_object(body: &[u8]) -> bool {
    let begins = body.trim_ascii_start().starts_with(b"{");
    let parses = serde_json::from_slice::<serde::de::IgnoredAny>(body).is_ok();
    begins && parses && std::str::from_utf8(body).is_ok()
}
