//! All errors of a configuration at once.
//!
//! The parsers and compilers stop at the first error. So the configuration is compiled again without the setting that was
//! wrong, until nothing is wrong. What is only wrong because that setting is missing now is not reported.

use toml::{Table, Value};

use super::{ELSEWHERE, Env, is_variable, words};
use crate::config::{ConfigError, File};

/// The most errors that are reported.
const ERRORS_MAX: usize = 64;

/// Takes the place of a URL that is wrong.
const GOOD_URL: &str = "https://placeholder.invalid";

/// The settings without which every other setting keeps its meaning.
const INDEPENDENT: [&str; 33] = [
    "admin_listen",
    "body_limit_bytes",
    "backoff_ms",
    "ca_file",
    "cert",
    "client_ca",
    "client_share_percent",
    "cluster",
    "data",
    "discover_interval_secs",
    "discover_models",
    "drain_secs",
    "enabled",
    "first_token_secs",
    "health_interval_secs",
    "health_path",
    "held_limit_bytes",
    "http2",
    "idle_connection_secs",
    "idle_secs",
    "kept_limit_bytes",
    "key",
    "listen",
    "lists_limit_bytes",
    "max",
    "memory_limit_bytes",
    "model_secs",
    "open_to_network",
    "retry_after_max_secs",
    "stale_after_secs",
    "timeout_secs",
    "url",
    "workers",
];

/// Compiles what `table` says, with the variables of `env`.
pub(super) fn compile<T>(
    table: Table,
    env: Env<'_>,
    compile: &dyn Fn(File, Env<'_>) -> Result<T, ConfigError>,
) -> Result<T, Vec<ConfigError>> {
    let mut draft = Draft::of(table);
    loop {
        let hidden = &draft.hidden;
        let env = |name: &str| env(name).filter(|_| !hidden.iter().any(|one| one == name));
        let file = draft.file();
        // What the parser finds does not depend on other settings.
        let is_parsed = file.is_ok();
        match file.and_then(|file| compile(file, &env)) {
            Ok(compiled) if draft.errors.is_empty() => return Ok(compiled),
            Ok(_) => return Err(draft.errors),
            Err(error) => {
                let path = error.path.clone();
                draft.report(error, is_parsed);
                if !draft.mend(&path) || draft.tries >= ERRORS_MAX {
                    return Err(draft.errors);
                }
            }
        }
    }
}

/// A configuration without what was wrong so far.
struct Draft {
    table: Table,
    /// The place in the file of each chain that is left.
    chains: Vec<usize>,
    /// The variables that were wrong.
    hidden: Vec<String>,
    errors: Vec<ConfigError>,
    /// Where something was wrong, reported or not.
    paths: Vec<String>,
    tries: usize,
}

impl Draft {
    fn of(table: Table) -> Self {
        let chains = table.get("fallbacks").and_then(Value::as_array).map_or(0, Vec::len);
        let chains = (0..chains).collect();
        Self { table, chains, hidden: Vec::new(), errors: Vec::new(), paths: Vec::new(), tries: 0 }
    }

    fn file(&self) -> Result<File, ConfigError> {
        let words = |error: &toml::de::Error| error.message().to_owned();
        File::deserialize_from(self.table.clone(), words).map_err(|error| {
            ConfigError::new(&*error.path, words::plain(&error.path, &error.problem))
        })
    }

    /// Keeps an error that is not the consequence of another, with its place in the file.
    fn report(&mut self, mut error: ConfigError, is_parsed: bool) {
        if let Some((index, rest)) = chain(&error.path)
            && let Some(place) = self.chains.get(index)
        {
            error.path = format!("fallbacks[{place}]{rest}");
        }
        let path = error.path.clone();
        let is_consequence = self
            .paths
            .iter()
            .any(|earlier| is_above(&path, earlier) || (is_parsed && depends(&path, earlier)));
        self.paths.push(path);
        if !is_consequence {
            self.errors.push(error);
        }
    }

    /// Takes out what is at `path`, or puts something good in its place; whether that changed anything.
    fn mend(&mut self, path: &str) -> bool {
        self.tries = self.tries.saturating_add(1);
        if is_variable(path) {
            self.hidden.push(path.to_owned());
            return true;
        }
        if let Some((provider, field)) = self.provider(path)
            && replace(provider, field)
        {
            return true;
        }
        match chain(path) {
            Some((index, rest)) => self.mend_chain(index, rest.trim_start_matches('.')),
            None => remove(&mut self.table, path),
        }
    }

    /// Takes a setting out of a chain, or the chain.
    fn mend_chain(&mut self, index: usize, rest: &str) -> bool {
        let chains = self.table.get_mut("fallbacks").and_then(Value::as_array_mut);
        let Some(chains) = chains.filter(|chains| index < chains.len()) else { return false };
        if let Some(Value::Table(chain)) = chains.get_mut(index)
            && remove(chain, rest)
        {
            return true;
        }
        chains.remove(index);
        self.chains.remove(index);
        true
    }

    /// The table of the provider that a path is in, and the field.
    fn provider<'p>(&mut self, path: &'p str) -> Option<(&mut Table, &'p str)> {
        let path = path.strip_prefix("providers.")?;
        let providers = self.table.get_mut("providers")?.as_table_mut()?;
        let name = longest(providers, path)?;
        let field = path.get(name.len()..)?.trim_start_matches('.');
        Some((providers.get_mut(&name)?.as_table_mut()?, field))
    }
}

/// Puts a good value in the place of one that other settings depend on.
fn replace(provider: &mut Table, field: &str) -> bool {
    let is_nowhere = !provider.contains_key("url") && !provider.contains_key("cluster");
    let (field, good) = match field {
        "url" => ("url", GOOD_URL),
        "" if is_nowhere => ("url", GOOD_URL),
        "api_key" => ("api_key", ELSEWHERE),
        _ => return false,
    };
    let good = Value::from(good);
    provider.insert(field.to_owned(), good.clone()).is_none_or(|old| old != good)
}

/// Removes what is at `path`, or the last part of the path that is there.
fn remove(table: &mut Table, path: &str) -> bool {
    let Some(key) = longest(table, path) else { return false };
    let rest = path.get(key.len()..).unwrap_or_default();
    let is_gone = match table.get_mut(&key) {
        Some(Value::Table(inner)) => remove(inner, rest.trim_start_matches('.')),
        _ => false,
    };
    is_gone || table.remove(&key).is_some()
}

/// The index of the chain that a path is in, and the rest of the path.
fn chain(path: &str) -> Option<(usize, &str)> {
    let (index, rest) = path.strip_prefix("fallbacks[")?.split_once(']')?;
    Some((index.parse().ok()?, rest))
}

/// The longest key that begins `path`: keys may have dots in them.
fn longest(table: &Table, path: &str) -> Option<String> {
    let begins = |key: &&String| {
        path.strip_prefix(key.as_str())
            .is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
    };
    table.keys().filter(begins).max_by_key(|key| key.len()).cloned()
}

/// Whether `path` is `earlier`, or a table that `earlier` is in.
fn is_above(path: &str, earlier: &str) -> bool {
    let rest = earlier.strip_prefix(path);
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
}

/// Whether what is wrong at `path` may come of what was wrong at `earlier`: a route needs its provider.
fn depends(path: &str, earlier: &str) -> bool {
    let is_route = path == "providers"
        || path.starts_with("aliases.")
        || path.contains(".to[")
        || path.starts_with("models[");
    let last = earlier.rsplit('.').next().unwrap_or(earlier);
    let is_independent =
        INDEPENDENT.contains(&last) || is_variable(earlier) || earlier.starts_with("fallbacks[");
    is_route && !is_independent
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_independent_settings_are_settings() {
        let tables = [
            r#"{"?":1}"#,
            r#"{"breaker":{"?":1}}"#,
            r#"{"retries":{"?":1}}"#,
            r#"{"control":{"?":1}}"#,
            r#"{"tls":{"?":1}}"#,
            r#"{"keys":{"?":1}}"#,
            r#"{"usage":{"?":1}}"#,
            r#"{"prices":{"m":{"?":1}}}"#,
            r#"{"providers":{"p":{"?":1}}}"#,
        ];
        let known: String =
            tables.map(|json| File::from_json(json.as_bytes()).unwrap_err().problem).concat();
        for setting in INDEPENDENT {
            assert!(known.contains(&format!("`{setting}`")), "{setting}");
        }
    }
}
