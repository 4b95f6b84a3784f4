//! The check that the control server makes, without a file.

use std::path::Path;

use crate::native::settings::ConfigText;

pub(super) fn test_check(text: &str) -> Result<(), Vec<(String, String)>> {
    let variables = |name: &str| (name == "KEY").then(|| "sk-x".into());
    let config = ConfigText::of(Path::new("gaud.toml"), std::sync::Arc::new(variables));
    config.load(text).map(drop).map_err(|error| error.faults())
}
