//! Which provider gets a request, and by which path.

pub(crate) mod by_model;
mod endpoints;
mod paths;
