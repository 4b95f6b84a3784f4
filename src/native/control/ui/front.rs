//! The page that a browser gets on the gateway's root. It shows nothing that needs a login.

use serde::Serialize;

use super::error::PageResult;
use super::page::public;
use super::visit::Visit;

#[derive(Serialize)]
struct Front {
    origin: String,
    version: &'static str,
}

pub(super) async fn show(visit: Visit) -> PageResult {
    let front = Front { origin: visit.origin(), version: env!("CARGO_PKG_VERSION") };
    public(&visit, "front.html", "An LLM gateway", &front)
}
