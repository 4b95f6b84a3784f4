//! Where the gateway meets clients and providers: what Envoy itself is told to let through, to refuse and to bound.

mod returning;
