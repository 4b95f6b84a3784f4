//! The settings as a caller sees them: without secrets, and with the variable that has set one.

use serde::Serialize;
use serde_json::Value as Json;
use toml::{Table, Value};

use super::key::dotted;
use crate::config::{Secret, SecretSource};
use crate::native::settings::SetByEnvironment;
use crate::request::credentials::is_account_header;

/// What is shown in the place of a secret. Sent back, it keeps the secret.
pub const MASK: &str = "********";

/// A setting with a value.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Setting {
    pub key: String,
    pub value: Json,
    #[serde(flatten)]
    pub source: Source,
}

/// Where a value comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "source", rename_all = "lowercase")]
pub enum Source {
    File,
    Environment {
        variable: String,
        /// Whether the file has no say.
        #[serde(skip)]
        overrides: bool,
    },
}

/// All settings of a file, in its order, and those that variables have set, with values where they may be shown.
pub fn view(table: &Table, variables: &[(SetByEnvironment, Option<String>)]) -> Vec<Setting> {
    let mut settings = Vec::new();
    walk(&mut Vec::new(), &Value::Table(table.clone()), &mut settings);
    for (SetByEnvironment { path, variable, overrides }, value) in variables {
        let parts: Vec<&str> = path.split('.').collect();
        let key = dotted(&parts);
        settings.retain(|setting| setting.key != key);
        let value =
            value.as_ref().map_or(MASK.into(), |value| shown(&parts, &Value::from(value.as_str())));
        let source = Source::Environment { variable: variable.clone(), overrides: *overrides };
        settings.push(Setting { key, value, source });
    }
    settings
}

fn walk<'a>(parts: &mut Vec<&'a str>, value: &'a Value, settings: &mut Vec<Setting>) {
    match value {
        Value::Table(table) if !table.is_empty() => {
            for (key, value) in table {
                parts.push(key);
                walk(parts, value, settings);
                parts.pop();
            }
        }
        value => settings.push(Setting {
            key: dotted(parts),
            value: shown(parts, value),
            source: Source::File,
        }),
    }
}

fn shown(parts: &[&str], value: &Value) -> Json {
    let masked = match (parts, value) {
        (parts, Value::String(text)) if is_secret_place(parts) => {
            is_secret(text).then(|| MASK.to_owned())
        }
        (["providers", _, "headers", name], Value::String(text)) => {
            (is_secret(text) && is_account_header(name)).then(|| MASK.to_owned())
        }
        (["providers", _, "url"], Value::String(url)) => without_password(url),
        _ => None,
    };
    masked.map_or_else(|| serde_json::to_value(value).unwrap_or_default(), Json::from)
}

/// Whether a setting has a secret, or names the place of a secret.
pub fn is_secret_place<T: AsRef<str>>(parts: &[T]) -> bool {
    let parts: Vec<_> = parts.iter().map(AsRef::as_ref).collect();
    matches!(
        parts.as_slice(),
        ["providers", _, "api_key"]
            | ["providers", _, "auth", "oauth2" | "refresh_token", "client_secret" | "token"]
            | ["control", "database" | "token"]
            | ["alerts", "url"]
            | ["litellm", "keys"]
    )
}

/// Whether a text is the secret itself, and not the name of its place.
fn is_secret(text: &str) -> bool {
    matches!(SecretSource::parse(text), SecretSource::Literal(secret) if secret != Secret::new(""))
}

/// `https://********@host` for a URL with a user and a password.
fn without_password(url: &str) -> Option<String> {
    let (scheme, rest) = url.split_once("://")?;
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at_checked(end)?;
    let (_, host) = authority.rsplit_once('@')?;
    Some(format!("{scheme}://{MASK}@{host}{path}"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_setting_is_there_and_no_secret() {
        let table: Table = toml::from_str(
            "listen = \"127.0.0.1:1\"\nproviders.\"a.b\" = {}\n[providers.p]\nurl = \"http://u:sk-u@h:1/v1?x@y\"\n\
             api_key = \"sk-p\"\nheaders = { x-team-token = \"sk-h\", anthropic-version = \"1\" }\n\
             [providers.q]\nurl = \"http://q\"\napi_key = \"os.environ/Q\"\n\
             [providers.r]\nauth = { refresh_token = { client_id = \"id\", client_secret = \"sk-c\", token = \"sk-r\" } }\n\
             [providers.s]\nauth = { oauth2 = { client_secret = \"sk-o\" } }\n[alerts]\nurl = \"https://h/sk-a\"\n[aliases]\n\"gpt-4.1\" = \"q:m\"\n\
             [[fallbacks]]\nmodel = \"m\"\nto = [\"q:n\"]\n",
        )
        .unwrap();
        let set = |field: &str, variable: &str| SetByEnvironment {
            path: format!("providers.q.{field}"),
            variable: variable.to_owned(),
            overrides: true,
        };
        let variables = [
            (set("url", "GAUD_Q_URL"), Some("http://ann:sk-w@other".to_owned())),
            (set("api_key", "GAUD_Q_API_KEY"), None),
        ];
        let settings = view(&table, &variables);
        let text = serde_json::to_string(&settings).unwrap();
        assert!(!text.contains("sk-"), "{text}");
        let value = |key: &str| {
            let setting = settings.iter().find(|setting| setting.key == key);
            serde_json::to_value(setting.unwrap_or_else(|| panic!("{key} in {text}"))).unwrap()
        };
        assert_eq!(
            value("listen"),
            json!({"key": "listen", "value": "127.0.0.1:1", "source": "file"})
        );
        assert_eq!(value("providers.p.url")["value"], "http://********@h:1/v1?x@y");
        assert_eq!(value("providers.p.headers.anthropic-version")["value"], "1");
        assert_eq!(value("providers.p.headers.x-team-token")["value"], MASK);
        assert_eq!(value("alerts.url")["value"], MASK);
        assert_eq!(value("providers.r.auth.refresh_token.token")["value"], MASK);
        assert_eq!(value("providers.r.auth.refresh_token.client_id")["value"], "id");
        assert_eq!(value("providers.s.auth.oauth2.client_secret")["value"], MASK);
        assert_eq!(value("aliases.\"gpt-4.1\"")["value"], "q:m");
        assert_eq!(value("fallbacks")["value"], json!([{"model": "m", "to": ["q:n"]}]));
        assert_eq!(value("providers.\"a.b\"")["value"], json!({}));
        assert_eq!(
            value("providers.q.url"),
            json!({"key": "providers.q.url", "value": "http://********@other", "source": "environment", "variable": "GAUD_Q_URL"})
        );
        assert_eq!(value("providers.q.api_key")["value"], MASK);
        assert_eq!(settings.iter().filter(|own| own.key == "providers.q.url").count(), 1);
    }
}
