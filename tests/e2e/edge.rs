//! Where the gateway meets clients and providers: what Envoy itself is told to let through, to refuse and to bound.

mod browsers;
mod families;
mod forwarded;
mod idle;
mod labels;
mod limits;
mod memory;
mod returning;
mod sites;
mod tls;
