//! Between the gateway and a provider: connections, streamed answers, and Envoy's replies where there is no answer.

mod connecting;
mod envoy_replies;
mod streaming;
