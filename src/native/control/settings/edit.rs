//! A change of one setting in the text of a file.

use serde_json::Value as Json;
use toml_edit::{DocumentMut, Item, Table, TableLike, Value};

use super::key::{SettingKey, dotted};
use super::references;
use super::take::take;
use super::value::candidates;

/// What is wrong with a configuration: the setting's path, as the errors name it, and the problem.
pub type Fault = (String, String);

/// Checks the text of a file.
pub type Check<'a> = &'a dyn Fn(&str) -> Result<(), Vec<Fault>>;

/// A changed text.
#[derive(Debug, PartialEq, Eq)]
pub struct Edited {
    pub text: String,
    /// The settings that went with the setting that was removed, because they named it.
    pub removed: Vec<String>,
}

/// Why a text is not changed.
#[derive(Debug, PartialEq, Eq)]
pub enum EditError {
    /// The file itself is not TOML.
    File(String),
    /// The setting is within a value that is not a table.
    Place(String),
    /// The configuration would not be valid.
    Invalid(Vec<Fault>),
}

/// Sets a setting to a value of JSON, or removes the setting where the value is `null` or empty. A provider without a URL is
/// removed as a whole.
///
/// # Errors
/// [`EditError`]; the first meaning of the value decides what is said.
pub fn change(
    text: &str,
    key: &SettingKey,
    json: &Json,
    check: Check<'_>,
) -> Result<Edited, EditError> {
    let document: DocumentMut = text
        .parse()
        .map_err(|error: toml_edit::TomlError| EditError::File(error.message().to_owned()))?;
    let is_empty = json.is_null() || json.as_str().is_some_and(str::is_empty);
    if is_empty {
        return remove(document, key, check);
    }
    let mut first = None;
    for item in candidates(json) {
        let mut document = document.clone();
        insert(&mut document, key, item)?;
        let text = document.to_string();
        match check(&text) {
            Ok(()) => return Ok(Edited { text, removed: Vec::new() }),
            Err(faults) => _ = first.get_or_insert(faults),
        }
    }
    let nothing = || vec![(key.path(), "cannot be such a value".to_owned())];
    Err(EditError::Invalid(first.unwrap_or_else(nothing)))
}

fn insert(document: &mut DocumentMut, key: &SettingKey, mut item: Item) -> Result<(), EditError> {
    let parts = key.parts();
    let Some((last, parents)) = parts.split_last() else { return Ok(()) };
    let mut table: &mut dyn TableLike = document.as_table_mut();
    for (depth, part) in parents.iter().enumerate() {
        spell_out(table, part);
        let parent = table.entry(part).or_insert_with(|| {
            let mut table = Table::new();
            table.set_implicit(true);
            Item::Table(table)
        });
        table = parent.as_table_like_mut().ok_or_else(|| {
            let path = parts.get(..=depth).unwrap_or_default();
            EditError::Place(format!("{} is not a table, so it has no {last}", dotted(path)))
        })?;
    }
    match (table.get_mut(last), &mut item) {
        // The comment at the end of its line stays.
        (Some(Item::Value(old)), Item::Value(new)) => {
            *new.decor_mut() = old.decor().clone();
            *old = new.clone();
        }
        // A table with a header of its own keeps the header.
        (Some(old @ Item::Table(_)), Item::Value(Value::InlineTable(new))) => {
            *old = Item::Table(std::mem::take(new).into_table());
        }
        (Some(old), _) => *old = item,
        (None, Item::ArrayOfTables(_)) if !parents.is_empty() => {
            return Err(EditError::Place(format!("{key} is not a list of tables")));
        }
        (None, _) => _ = table.insert(last, item),
    }
    Ok(())
}

/// Writes the table of which `limits = "redis"` is the short form.
fn spell_out(parent: &mut dyn TableLike, part: &str) {
    if part == "limits"
        && let Some(store) = parent.get(part).and_then(Item::as_str)
    {
        let table = Table::from_iter([("store", store)]);
        parent.remove(part);
        parent.insert(part, Item::Table(table));
    }
}

fn remove(
    mut document: DocumentMut,
    key: &SettingKey,
    check: Check<'_>,
) -> Result<Edited, EditError> {
    let mut parts = key.parts();
    // A provider is reached by its URL.
    if let ["providers", _, "url"] = parts.as_slice() {
        parts.pop();
    }
    let removed = match parts.as_slice() {
        ["providers", name] => references::take_all(&mut document, name),
        _ => Vec::new(),
    };
    if let ["limits", _] = parts.as_slice() {
        spell_out(document.as_table_mut(), "limits");
    }
    take(document.as_table_mut(), &parts);
    let text = document.to_string();
    check(&text).map_err(EditError::Invalid)?;
    Ok(Edited { text, removed })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::native::control::settings::test_check::test_check as check;

    const FILE: &str = "\
# The gateway of the team.
default_provider = \"litellm\" # everything else

[providers.litellm]
# Inside.
url = \"http://localhost:4000\"
timeout_secs = 60 # slow models

[providers.claude]
url = \"https://api.anthropic.com/v1\"
api_key = \"os.environ/KEY\"
match = [\"claude-*\"]

[aliases]
fast = \"litellm:gpt-4o-mini\"
\"gpt-4.1\" = \"claude:claude-haiku\"

[[fallbacks]]
model = \"gpt-4o\"
to = [\"claude:claude-sonnet\", \"litellm:gpt-4o-mini\"]
";

    const GROUPS: &str = "
[[models]]
name = \"opus\"
deployments = [{ target = \"claude:opus\" }]
[[models]]
name = \"both\"
deployments = [{ target = \"litellm:opus\" }, { target = \"claude:opus\" }]
";

    fn set(key: &str, json: &Json) -> Result<Edited, EditError> {
        change(FILE, &SettingKey::parse(key).unwrap(), json, &check)
    }

    fn text(key: &str, json: &Json) -> String {
        set(key, json).unwrap().text
    }

    #[test]
    fn a_value_changes_and_everything_else_stays() {
        assert_eq!(
            text("providers.litellm.url", &json!("http://litellm:4000")),
            FILE.replace("http://localhost:4000", "http://litellm:4000")
        );
        assert_eq!(text("providers.litellm.timeout_secs", &json!(90)), FILE.replace("60", "90"));
        let cleared = text("providers.litellm.timeout_secs", &Json::Null);
        assert_eq!(cleared, FILE.replace("timeout_secs = 60 # slow models\n", ""));
    }

    #[test]
    fn a_text_means_what_the_setting_is() {
        for (key, typed, value) in [
            ("providers.litellm.timeout_secs", "120", "timeout_secs = 120"),
            ("providers.litellm.discover_models", "true", "discover_models = true"),
            (
                "providers.claude.match",
                "[\"claude-*\", \"opus\"]",
                "match = [\"claude-*\", \"opus\"]",
            ),
            ("aliases.yes", "true", "yes = \"true\""),
        ] {
            let text = text(key, &json!(typed));
            assert!(text.contains(value), "{key}: {text}");
        }
    }

    #[test]
    fn a_setting_of_a_new_table_is_added() {
        let text = text("breaker.open_secs", &json!(5));
        assert!(text.contains("[breaker]\nopen_secs = 5\n"), "{text}");
        let text = set("providers.openai.url", &json!("https://api.openai.com/v1")).unwrap().text;
        assert!(
            text.contains("[providers.openai]\nurl = \"https://api.openai.com/v1\"\n"),
            "{text}"
        );
    }

    #[test]
    fn a_list_of_tables_is_set_whole() {
        let chains =
            json!([{"model": "a", "to": ["claude:b"]}, {"model": "c", "to": ["litellm:d"]}]);
        let text = text("fallbacks", &chains);
        assert_eq!(text.matches("[[fallbacks]]").count(), 2, "{text}");
        assert!(!text.contains("gpt-4o\"\nto"), "{text}");
        assert!(!set("fallbacks", &Json::Null).unwrap().text.contains("fallbacks"));
    }

    #[test]
    fn a_table_that_is_set_whole_keeps_its_header() {
        let text = text("providers.litellm", &json!({"url": "http://l", "timeout_secs": 5}));
        assert!(
            text.contains("[providers.litellm]\ntimeout_secs = 5\nurl = \"http://l\"\n"),
            "{text}"
        );
    }

    #[test]
    fn a_provider_goes_with_what_names_it() {
        let edited = set("providers.claude.url", &json!("")).unwrap();
        assert_eq!(edited.removed, ["aliases.\"gpt-4.1\"", "fallbacks[0].to[0]"]);
        // Without the default, nothing takes the model of the chain's name: that is for the caller to decide.
        let left = "[[fallbacks]]\nmodel = \"gpt-4o\"\nto = [\"litellm:gpt-4o-mini\"]\n";
        assert!(edited.text.ends_with(left), "{}", edited.text);
        assert!(!edited.text.contains("claude"), "{}", edited.text);
        let edited = set("providers.litellm", &Json::Null).unwrap();
        assert!(edited.removed.contains(&"default_provider".to_owned()), "{edited:?}");
    }

    #[test]
    fn a_provider_goes_with_its_deployments() {
        let key = SettingKey::parse("providers.claude").unwrap();
        let edited = change(&(FILE.to_owned() + GROUPS), &key, &Json::Null, &check).unwrap();
        assert!(edited.removed.contains(&"models[0]".to_owned()), "{edited:?}");
        assert!(edited.removed.contains(&"models[1].deployments[1]".to_owned()), "{edited:?}");
        let left = "[[models]]\nname = \"both\"\ndeployments = [{ target = \"litellm:opus\" }]\n";
        assert!(edited.text.ends_with(left), "{}", edited.text);
    }

    #[test]
    fn a_bad_value_changes_nothing() {
        for (key, json, path) in [
            ("nonsense", json!(1), "nonsense"),
            ("listen", json!(8400), "listen"),
            ("providers.litellm.timeout_secs", json!("soon"), "providers.litellm.timeout_secs"),
            ("default_provider", json!("other"), "default_provider"),
            ("workers", json!([null]), "workers"),
        ] {
            let Err(EditError::Invalid(faults)) = set(key, &json) else { panic!("{key}") };
            assert_eq!(faults[0].0, path);
        }
        let said = "aliases.fast is not a table, so it has no x";
        assert_eq!(set("aliases.fast.x", &json!(1)), Err(EditError::Place(said.to_owned())));
        let broken = change("= 1", &SettingKey::parse("listen").unwrap(), &json!("x"), &check);
        assert!(matches!(broken, Err(EditError::File(_))), "{broken:?}");
    }

    #[test]
    fn the_short_form_of_limits_becomes_a_table() {
        let file = "limits = \"redis\"\n\n[keys]\n[usage]\nmeter = \"all\"\n[providers.p]\nurl = \"http://p\"\n";
        let change = |key: &str, json: &Json| {
            change(file, &SettingKey::parse(key).unwrap(), json, &check).unwrap().text
        };
        let text = change("limits.rpm", &json!(60));
        assert!(text.contains("[limits]\nstore = \"redis\"\nrpm = 60\n"), "{text}");
        let text = change("limits.store", &json!("local"));
        assert!(text.contains("[limits]\nstore = \"local\"\n"), "{text}");
        assert!(!change("limits.store", &Json::Null).contains("redis"));
    }

    #[test]
    fn an_inline_table_stays_one() {
        let file = "providers.p = { url = \"http://p\" } # short\n";
        let key = SettingKey::parse("providers.p.timeout_secs").unwrap();
        let text = change(file, &key, &json!(5), &check).unwrap().text;
        assert_eq!(text, "providers.p = { url = \"http://p\" , timeout_secs = 5 } # short\n");
    }
}
