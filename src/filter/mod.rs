//! The glue between Envoy and the core: the only place that names `proxy_wasm`.
//!
//! It translates and decides nothing: callbacks in, a [`crate::session::Session`]'s steps out.

mod host;
mod root;
mod stream;

proxy_wasm::main! {{
    proxy_wasm::set_log_level(proxy_wasm::types::LogLevel::Info);
    proxy_wasm::set_root_context(|_| Box::new(root::Root::default()));
}}
