//! A field of the page of settings: one setting, with what the page says of it.

use serde::Serialize;
use serde_json::Value;

/// How a field is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Kind {
    Text,
    /// Shown as stars.
    Secret,
    /// `true`, `false`, or nothing.
    Choice,
    /// A text that is long.
    Area,
}

/// Where a value comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Origin {
    File,
    /// A variable, so that the file has no say.
    Environment,
    /// A variable, for the file has no value.
    LastResort,
    Default,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Field {
    /// The setting, as a key of TOML.
    pub(super) key: String,
    pub(super) label: String,
    pub(super) kind: Kind,
    /// What the page shows; empty without a value.
    pub(super) value: String,
    pub(super) origin: Origin,
    /// The variable that sets the setting.
    pub(super) variable: Option<String>,
    pub(super) default: String,
    pub(super) meaning: String,
    pub(super) problem: Option<String>,
    /// The value of the file, where the field shows another that was typed in.
    pub(super) of_file: Option<String>,
}

impl Field {
    /// Shows what was typed in, beside what the file has. A secret is not shown.
    pub(super) fn keep(&mut self, typed: &str) {
        if self.origin == Origin::Environment || self.value == typed {
            return;
        }
        if self.kind == Kind::Secret {
            self.problem = Some("Type the key again: a page shows no key.".to_owned());
            return;
        }
        let own = std::mem::replace(&mut self.value, typed.to_owned());
        self.of_file = Some(own);
    }
}

/// A text for a value of JSON: a string as it is, everything else as TOML writes it.
pub(super) fn written(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => toml::Value::try_from(other).map(|own| own.to_string()).unwrap_or_default(),
    }
}

/// The value that a text means: nothing, a list or a table of TOML, or the text itself, which may mean a number.
pub(super) fn read(text: &str) -> Result<Value, String> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(Value::Null);
    }
    if !text.starts_with(['[', '{']) {
        return Ok(text.into());
    }
    let table: toml::Table = format!("v = {text}")
        .parse()
        .map_err(|error: toml::de::Error| error.message().to_owned())?;
    let value = table.get("v").map(serde_json::to_value);
    value.transpose().map(Option::unwrap_or_default).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_value_is_written_and_read_back() {
        for (value, text) in [
            (json!("127.0.0.1:1"), "127.0.0.1:1"),
            (json!(["gpt-*", "o1"]), r#"["gpt-*", "o1"]"#),
            (json!([{"model": "m", "to": ["q:n"]}]), r#"[{ model = "m", to = ["q:n"] }]"#),
            (json!({"failures": 5}), "{ failures = 5 }"),
            (Value::Null, ""),
        ] {
            assert_eq!(written(&value), text);
            assert_eq!(read(text), Ok(value));
        }
        assert_eq!((written(&json!(5)), written(&json!(true))), ("5".into(), "true".into()));
        assert_eq!(read(" 5 "), Ok(json!("5")));
        assert!(read("[1, ").is_err() && read("[]\nx = 1").is_ok());
    }

    #[test]
    fn what_a_variable_sets_and_what_is_secret_is_not_typed_over() {
        let field = |kind: Kind, variable: Option<&str>| Field {
            key: "k".to_owned(),
            label: "k".to_owned(),
            kind,
            value: "a".to_owned(),
            origin: variable.map_or(Origin::File, |_| Origin::Environment),
            variable: variable.map(str::to_owned),
            default: String::new(),
            meaning: String::new(),
            problem: None,
            of_file: None,
        };
        let mut secret = field(Kind::Secret, None);
        secret.keep("sk-b");
        assert_eq!((secret.value.as_str(), &secret.of_file), ("a", &None));
        assert!(secret.problem.is_some());
        let (mut set, mut free) = (field(Kind::Text, Some("V")), field(Kind::Text, None));
        set.keep("b");
        free.keep("b");
        assert_eq!((set.value.as_str(), set.of_file), ("a", None));
        assert_eq!((free.value.as_str(), free.of_file.as_deref()), ("b", Some("a")));
    }
}
