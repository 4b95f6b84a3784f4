//! What Envoy itself lets through, refuses and bounds, for clients and for providers.

mod browsers;
mod families;
mod forwarded;
mod idle;
mod labels;
mod limits;
mod memory;
mod response_headers;
mod sites;
mod tls;
