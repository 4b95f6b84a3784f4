//! URLs that a variable has: `url = "os.environ/NAME"`.

use super::{Env, Secrets, is_name, missing};
use crate::config::{ConfigError, File, SecretSource};

/// In the place of a URL that is not known here.
const ELSEWHERE: &str = "https://placeholder.invalid";

/// Puts the URLs in their places; the variables that are not set and need not be.
pub(super) fn resolve(
    file: &mut File,
    env: Env<'_>,
    secrets: Secrets,
) -> Result<Vec<String>, ConfigError> {
    let mut unset: Vec<String> = Vec::new();
    for (provider, own) in &mut file.providers {
        let Some(url) = &mut own.url else { continue };
        let SecretSource::Environment(name) = SecretSource::parse(url) else { continue };
        let error =
            |problem: String| Err(ConfigError::new(format!("providers.{provider}.url"), problem));
        if !is_name(&name) {
            return error(
                "names no variable: after \"os.environ/\" write a name of letters, digits and '_'"
                    .to_owned(),
            );
        }
        if secrets != Secrets::Elsewhere && !missing::is_unset(&name, env) {
            let Some(value) = env(&name).and_then(|value| value.into_string().ok()) else {
                return error(format!(
                    "the environment variable {name} is not UTF-8; write a URL into it"
                ));
            };
            *url = value;
            continue;
        }
        if secrets == Secrets::Here {
            return error(format!(
                "the environment variable {name} is not set; set it where gaud starts, as in: export {name}=https://..."
            ));
        }
        ELSEWHERE.clone_into(url);
        if secrets == Secrets::IfSet && !unset.contains(&name) {
            unset.push(name);
        }
    }
    Ok(unset)
}
