//! What is written as it should be, and cannot work: each is refused with what to write.

use std::path::Path;

use crate::config::{ConfigError, File, Lookup, ProviderFile, SecretSource};

use super::Secrets;
use crate::native::os_error::words;

/// The paths that clients append to a base URL.
const ENDPOINTS: [&str; 7] = [
    "/chat/completions",
    "/completions",
    "/responses",
    "/embeddings",
    "/messages",
    "/models",
    "/generateContent",
];

/// Looks at what a person tends to get wrong; `lookup` reads secrets.
pub(super) fn review(file: &File, secrets: Secrets, lookup: Lookup<'_>) -> Result<(), ConfigError> {
    for (name, provider) in file.providers.iter() {
        let at = |field: &str, problem| {
            Err(ConfigError::new(format!("providers.{name}.{field}"), problem))
        };
        if let Some(problem) = provider.url.as_deref().and_then(url_problem) {
            return at("url", problem);
        }
        if provider.idle_connection_secs.is_some() && provider.url.is_none() {
            return at(
                "idle_connection_secs",
                "belongs to the cluster that Envoy has already".to_owned(),
            );
        }
        if let Some(secs @ (0 | 3601..)) = provider.idle_connection_secs {
            return at("idle_connection_secs", format!("is {secs}; write 1 to 3600"));
        }
        if let Some(problem) = key_problem(provider, lookup) {
            return at("api_key", problem);
        }
        if let (Some(path), true) = (&provider.ca_file, secrets != Secrets::Elsewhere)
            && let Err(error) = std::fs::File::open(Path::new(path))
        {
            return at(
                "ca_file",
                format!("cannot be read ({}); name a file of certificates in PEM", words(&error)),
            );
        }
    }
    review_keys(file)?;
    review_pages(file)?;
    review_usage(file)
}

fn review_pages(file: &File) -> Result<(), ConfigError> {
    let path = file.ui.as_ref().and_then(|ui| ui.path.as_deref()).unwrap_or_default();
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_.~".contains(c);
    let is_segment =
        |segment: &str| !matches!(segment, "" | "." | "..") && segment.chars().all(is_plain);
    let mut segments = path.strip_prefix('/').unwrap_or_default().split('/');
    if !path.is_empty() && !segments.clone().all(is_segment) {
        let problem = "is not a path of letters, digits, '-', '_', '.' and '~'; write it as \"/ui\", or \"\" for no pages";
        return Err(ConfigError::new("ui.path", problem));
    }
    match segments.next() {
        Some(first) if TAKEN.contains(&first) => {
            let problem =
                format!("begins with /{first}, where the gateway has other paths; write another");
            Err(ConfigError::new("ui.path", problem))
        }
        _ => Ok(()),
    }
}

/// How the gateway's own paths begin, which the pages must leave free.
const TAKEN: [&str; 13] = [
    "admin", "api", "health", "healthz", "readyz", "internal", "key", "user", "openai", "v1",
    "v1alpha", "v1beta", "v2",
];

/// Limits count what is metered.
fn review_keys(file: &File) -> Result<(), ConfigError> {
    let Some(keys) = &file.keys else { return Ok(()) };
    match keys.default_limits()?.is_none() || file.records() {
        true => Ok(()),
        false => Err(ConfigError::new(
            "keys.defaults",
            "limits and budgets count what requests use; set usage.meter = \"all\"",
        )),
    }
}

/// How many days the ledger may keep each attempt.
const KEEP_DAYS_MAX: u64 = 3650;

fn review_usage(file: &File) -> Result<(), ConfigError> {
    let keep_days = file.usage.as_ref().and_then(|usage| usage.keep_days);
    if let Some(days) = keep_days {
        ConfigError::unless_within("usage.keep_days", days.into(), 1, KEEP_DAYS_MAX)?;
    }
    for (model, price) in file.prices.iter() {
        let rates = [
            ("input", Some(price.input)),
            ("output", Some(price.output)),
            ("cached", price.cached),
            ("cache_write", price.cache_write),
        ];
        let is_wrong = |rate: f64| !(0.0..=PRICE_MAX).contains(&rate);
        if let Some((name, Some(rate))) =
            rates.into_iter().find(|(_, rate)| rate.is_some_and(is_wrong))
        {
            let problem =
                format!("is {rate}; write dollars for a million tokens, 0 to {PRICE_MAX}");
            return Err(ConfigError::new(format!("prices.{model}.{name}"), problem));
        }
    }
    Ok(())
}

/// More than any model costs.
const PRICE_MAX: f64 = 1e6;

fn url_problem(url: &str) -> Option<String> {
    let url = url.trim_end_matches('/');
    if let Some(base) = ENDPOINTS
        .iter()
        .find_map(|endpoint| url.strip_suffix(endpoint))
        .filter(|base| base.contains("://"))
    {
        return Some(format!("ends in an endpoint, which clients add; write \"{base}\""));
    }
    let base = url.strip_suffix("/v1/v1")?;
    Some(format!("has /v1 twice; write \"{base}/v1\""))
}

fn key_problem(provider: &ProviderFile, lookup: Lookup<'_>) -> Option<String> {
    let Some(SecretSource::Environment(name)) = &provider.api_key else { return None };
    let key = lookup(name)?;
    let scheme = key.get(..7).filter(|start| start.eq_ignore_ascii_case("bearer "));
    scheme.map(|_| "begins with \"Bearer\", which the gateway adds; write the key alone".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(json: &str) -> Option<String> {
        let file = File::from_json(json.as_bytes()).unwrap();
        let lookup = |name: &str| (name == "BAD").then(|| "bearer sk-x".to_owned());
        review(&file, Secrets::Here, &lookup).err().map(|error| error.to_string())
    }

    #[test]
    fn a_url_ends_before_the_endpoint() {
        for (url, remedy) in [
            ("https://a/v1/chat/completions", "https://a/v1"),
            ("https://a/v1/chat/completions/", "https://a/v1"),
            ("https://a/v1/messages", "https://a/v1"),
            ("https://a/v1/models", "https://a/v1"),
        ] {
            let json = format!(r#"{{"providers":{{"p":{{"url":"{url}"}}}}}}"#);
            let said = format!(
                "providers.p.url: ends in an endpoint, which clients add; write \"{remedy}\""
            );
            assert_eq!(problem(&json), Some(said));
        }
        let twice = r#"{"providers":{"p":{"url":"http://a/x/v1/v1/"}}}"#;
        let said = "providers.p.url: has /v1 twice; write \"http://a/x/v1\"".to_owned();
        assert_eq!(problem(twice), Some(said));
        for url in ["http://a", "http://a/v1", "http://models", "http://a/v1/v1beta"] {
            let json = format!(r#"{{"providers":{{"p":{{"url":"{url}"}}}}}}"#);
            assert_eq!(problem(&json), None, "{url}");
        }
    }

    #[test]
    fn a_key_is_written_without_its_scheme() {
        let json = r#"{"providers":{"p":{"url":"http://a","api_key":"os.environ/BAD"}}}"#;
        let said = "providers.p.api_key: begins with \"Bearer\", which the gateway adds; write the key alone";
        assert_eq!(problem(json).as_deref(), Some(said));
        assert_eq!(problem(&json.replace("BAD", "GOOD")), None);
    }

    #[test]
    fn a_file_of_authorities_is_there() {
        let json = r#"{"providers":{"p":{"url":"https://a","ca_file":"/not/there.pem"}}}"#;
        let said = "providers.p.ca_file: cannot be read (it is not there); name a file of \
                    certificates in PEM";
        assert_eq!(problem(json).as_deref(), Some(said));
    }
}
