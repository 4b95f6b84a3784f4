//! The version of the Envoy under test, and all that tests have to know of it.

use super::envoy::find_envoy;
use std::process::Command;
use std::sync::OnceLock;

/// What Envoy says it is, as `1.36.4`.
pub(crate) fn envoy_version() -> &'static str {
    static VERSION: OnceLock<String> = OnceLock::new();
    VERSION.get_or_init(|| {
        let output = Command::new(find_envoy()).arg("--version").output().expect("Envoy runs");
        let said = String::from_utf8_lossy(&output.stdout);
        let version = said.split_once("version: ").and_then(|(_, build)| build.split('/').nth(1));
        version.expect("a version").to_owned()
    })
}

/// Whether who speaks this protocol with Envoy can tell a message that broke off from a whole one.
///
/// Envoy 1.36 resets streams of HTTP/2 with `NO_ERROR`, which the library of these tests takes for
/// an end.
pub(crate) fn a_break_shows(is_http2: bool) -> bool {
    !is_http2 || !envoy_version().starts_with("1.36.")
}

/// Whether Envoy tells a certificate for another name from one that does not verify.
pub(crate) fn a_wrong_name_shows() -> bool {
    !envoy_version().starts_with("1.36.")
}

/// Whether Envoy says that a connection was not opened in time, and not only that none was opened.
pub(crate) fn a_late_connection_shows() -> bool {
    !envoy_version().starts_with("1.36.")
}

/// Whether Envoy formats the names and the attributes of spans.
pub(crate) fn spans_say_more() -> bool {
    !envoy_version().starts_with("1.36.")
}
