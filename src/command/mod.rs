//! The native command: everything around the filter that needs a file, a socket or a process.

pub(crate) mod check;
pub(crate) mod envoy;
pub(crate) mod gateway;
pub(crate) mod http;
pub(crate) mod load;
pub(crate) mod models;
pub(crate) mod render;
pub(crate) mod route;
pub(crate) mod run;
pub(crate) mod status;
pub(crate) mod upstream;
