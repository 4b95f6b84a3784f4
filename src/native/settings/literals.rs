//! Texts that look like something else: a variable of a shell, or of another program.

use crate::config::{AlertsFile, AuthFile, ConfigError, File, Secret, SecretSource};

/// Refuses keys and headers that nothing would replace by the secret that they were meant to name.
pub(super) fn check(file: &File) -> Result<(), ConfigError> {
    let webhook = file.alerts.as_ref().and_then(|alerts| written_problem(&alerts.url));
    if let Some(problem) = webhook {
        return Err(ConfigError::new(AlertsFile::URL, problem));
    }
    for (name, provider) in &file.providers {
        let at =
            |field: &str, problem| ConfigError::new(format!("providers.{name}.{field}"), problem);
        if let Some(problem) = provider.api_key.as_ref().and_then(key_problem) {
            return Err(at("api_key", problem));
        }
        let token = provider.auth.as_ref().and_then(AuthFile::token);
        for (field, source) in token.iter().flat_map(|token| token.secrets()) {
            if let Some(problem) = key_problem(source) {
                return Err(at(&format!("auth.{field}"), problem));
            }
        }
        // A password may have a `$` in it.
        let shell = |url: &str| ["${", "$(", "://$"].into_iter().any(|sign| url.contains(sign));
        if provider.url.as_deref().is_some_and(|url| url.starts_with('$') || shell(url)) {
            let problem = "has a shell variable in it, and nothing in this file is replaced; write the address itself";
            return Err(at("url", problem.to_owned()));
        }
        for (header, value) in &provider.headers {
            if let Some(problem) = written_problem(&SecretSource::parse(value)) {
                return Err(at(&format!("headers.{}", header.escape_default()), problem));
            }
        }
    }
    Ok(())
}

fn key_problem(key: &SecretSource) -> Option<String> {
    match key {
        SecretSource::Literal(key) if key.expose().is_empty() => {
            Some("is empty; write \"os.environ/NAME\", or leave api_key out".to_owned())
        }
        SecretSource::Literal(key) if !is_header(key.expose()) => Some(
            "has spaces at an end, a line break or a letter that is not ASCII, which no header can carry; write the key \
             alone"
                .to_owned(),
        ),
        key => written_problem(key),
    }
}

/// RFC 9110, section 5.5.
pub(super) fn is_header(text: &str) -> bool {
    text.trim() == text && text.bytes().all(|byte| (0x20..0x7f).contains(&byte))
}

fn written_problem(source: &SecretSource) -> Option<String> {
    match source {
        SecretSource::Environment(name) if !super::is_name(name) => Some(
            "names no variable: after \"os.environ/\" write a name of letters, digits and '_'"
                .to_owned(),
        ),
        SecretSource::Environment(_) => None,
        SecretSource::File(path) if path.is_empty() => {
            Some("names no file: write a path after \"file:\"".to_owned())
        }
        SecretSource::File(_) => None,
        SecretSource::Literal(text) => {
            let (what, name) = meant(text)?;
            Some(format!(
                "looks like {what}, and nothing in this file is replaced; write \"os.environ/{name}\""
            ))
        }
    }
}

/// What a text looks like, and the variable that it was meant to name.
fn meant(text: &Secret) -> Option<(&'static str, String)> {
    let text = text.expose().trim();
    let inner = |start: &str, end: &str| text.strip_prefix(start)?.strip_suffix(end);
    let shell = inner("${", "}").or_else(|| inner("$(", ")")).or_else(|| text.strip_prefix('$'));
    if let Some(shell) = shell {
        let name = shell.split(':').next().unwrap_or(shell);
        return Some(("a shell variable", named(name)));
    }
    if let Some(name) = inner("{{", "}}").or_else(|| inner("%", "%")) {
        return Some(("a variable of a template", named(name)));
    }
    let python = ["os.environ", "os.getenv", "environ", "env.", "env:", "env/", "ENV:", "ENV/"];
    let rest = python.into_iter().find_map(|start| text.strip_prefix(start))?;
    Some(("a variable of another program", named(rest)))
}

/// The letters, digits and `_` in a text, which are a variable's name; NAME where they are not.
fn named(text: &str) -> String {
    let mut word = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    let word = word.rfind(|word| !word.is_empty()).unwrap_or_default();
    if super::is_name(word) { word.to_owned() } else { "NAME".to_owned() }
}
