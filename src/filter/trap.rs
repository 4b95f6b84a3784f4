//! In a build for tests alone (`--features trap`): a request with the header `x-trap` takes down the
//! VM, as a fault in the filter would.

use super::abi::{self, Map};

/// Traps if the request says so.
pub(super) fn if_asked() {
    if !abi::header(Map::RequestHeaders, "x-trap").is_empty() {
        std::process::abort();
    }
}
