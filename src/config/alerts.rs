//! Where the command tells that a budget is nearly used up.

use serde::{Deserialize, Serialize};

use super::secret::SecretSource;

/// The alerts of budgets.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AlertsFile {
    /// The webhook: an address, or `os.environ/NAME`. Such addresses are secrets.
    pub url: SecretSource,
}

impl AlertsFile {
    /// The path of the webhook's address.
    pub const URL: &str = "alerts.url";
}
