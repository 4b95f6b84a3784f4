//! A configuration, as the filter's JSON and as the command's TOML: nothing panics, no error says a
//! secret, and what holds keeps its promises.
//!
//! The first byte says which of the two it is.

use std::ffi::OsString;
use std::io::Write;

use gaud::gateway::{Gateway, from_filter_json};
use gaud::models::{Catalog, Names};
use gaud::native::settings;
use gaud::request::model::ModelName;
use serde_json::Value;

/// In the place of a secret in the file.
const SECRET: &str = "zq7Secret";

/// What all variables of the environment hold.
const ENVIRONMENT: &str = "zq8:Environment";

pub(crate) fn run(data: &[u8]) {
    let Some((kind, rest)) = data.split_first() else { return };
    let Ok(text) = std::str::from_utf8(rest) else { return };
    if text.contains(ENVIRONMENT) {
        return;
    }
    match kind % 2 {
        0 => json(text),
        _ => toml(text),
    }
}

fn json(text: &str) {
    let lookup = |_: &str| Some(ENVIRONMENT.to_owned());
    match from_filter_json(text.as_bytes(), &lookup) {
        Ok(gateway) => check_gateway(&gateway),
        Err(error) => check_error(&error.to_string(), is_secret_in_json(text)),
    }
}

fn toml(text: &str) {
    let mut file = tempfile::NamedTempFile::new().expect("a temporary file");
    file.write_all(text.as_bytes()).expect("room for it");
    let env = |name: &str| name.starts_with("KEY").then(|| OsString::from(ENVIRONMENT));
    match settings::load(Some(file.path()), &env) {
        Ok(loaded) => {
            check_gateway(&loaded.gateway);
            // What is rendered comes from the file: no secret is left in it.
            let text = serde_json::to_string(&loaded.file).expect("no literal secret");
            assert!(!text.contains(ENVIRONMENT));
        }
        Err(error) => check_error(&error.to_string(), is_secret_in_toml(text)),
    }
}

fn check_gateway(gateway: &Gateway) {
    assert!(!format!("{gateway:?}").contains(ENVIRONMENT), "a secret is shown");
    let catalog = Catalog::of(gateway, &[], Names::Configured);
    for entry in catalog.entries() {
        let name = ModelName::try_from(entry.name.to_string()).expect("a name of the list");
        let decision = gateway.routes.decide(&name).expect("a name of the list");
        assert_eq!(decision.target, entry.target);
        assert!(catalog.find(&entry.name).is_some());
    }
    for model in ["gpt-4o", "litellm:", "a:b", "\u{e9}*"] {
        let name = ModelName::try_from(model.to_owned()).expect("a name");
        assert!(
            gateway
                .targets(&name, "", &gaud::route::Draw::by(0))
                .map_or(true, |targets| !targets.is_empty())
        );
    }
}

fn check_error(error: &str, is_secret: bool) {
    assert!(!error.contains(ENVIRONMENT), "{error}");
    assert!(!is_secret || !error.contains(SECRET), "{error}");
}

/// Whether the word is where secrets are, and nowhere else.
fn is_secret_in_json(text: &str) -> bool {
    let Ok(document) = serde_json::from_str::<Value>(text) else { return false };
    let providers = document.get("providers").and_then(Value::as_object);
    let secrets = providers.into_iter().flatten().flat_map(|(_, provider)| {
        let headers = provider.get("headers").and_then(Value::as_object);
        headers
            .into_iter()
            .flat_map(|all| all.values())
            .chain(["api_key", "url"].into_iter().filter_map(|key| provider.get(key)))
    });
    let in_place: usize = secrets.filter_map(Value::as_str).filter(is_literal).map(count).sum();
    in_place > 0 && count(text) == in_place
}

fn is_literal(value: &&str) -> bool {
    !value.contains("os.environ/")
}

/// The same of TOML, even of what cannot be parsed: by its lines.
fn is_secret_in_toml(text: &str) -> bool {
    let starts = ["api_key = \"", "url = \"http://"];
    let of_line = |line: &str| {
        let value = starts.into_iter().find_map(|start| line.trim_start().strip_prefix(start));
        value.filter(is_literal).map_or(0, count)
    };
    let in_place: usize = text.lines().map(of_line).sum();
    let is_plain = !["\"\"\"", "'''", "alias", "headers"].iter().any(|word| text.contains(word));
    in_place > 0 && count(text) == in_place && is_plain
}

fn count(text: &str) -> usize {
    text.matches(SECRET).count()
}
