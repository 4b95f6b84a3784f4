//! `gaud status --help`: the legend of the table.

use super::{gaud, text};

/// The columns, as `tests/command/status.rs` finds them in the table.
const COLUMNS: [&str; 6] = ["BREAKER", "FAILURES", "AGAIN IN", "HEALTH", "MODELS", "REQUESTS"];

#[test]
fn the_help_of_status_explains_each_column_and_each_state() {
    let output = gaud(None, &[], &["status", "--help"]);
    let words: Vec<_> = text(&output.stdout).split_whitespace().collect();
    let help = words.join(" ");
    let legend = "BREAKER: closed (requests go to the provider), open (they do not, for AGAIN IN), half-open (one request \
                  tries whether the provider is well again). FAILURES: failures in a row that the breaker has seen. HEALTH: \
                  what active checks of health_path say; unknown without one. MODELS: how many models are known. REQUESTS: \
                  attempts since Envoy's start, from its metrics; - where they cannot be read. Below a provider, the models \
                  there that fail.";
    assert!(help.contains(legend), "{help}");
    for column in COLUMNS {
        assert!(legend.contains(column), "{column}");
    }
}
