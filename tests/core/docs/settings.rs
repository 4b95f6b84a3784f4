//! The defaults and the ranges in the table of `docs/settings.md` are the code's.

use std::ffi::OsString;
use std::path::Path;

use gaud::gateway::Gateway;
use gaud::native::settings::{Loaded, load};
use toml::{Table, Value};

use super::{gaud_in, part, read};

/// A configuration in which each setting of the table has an effect.
const BASE: &str = r#"
listen = "0.0.0.0:8400"
default_provider = "P"
retries = {}
tracing.otlp = "http://localhost:4318"
usage.meter = "all"
keys.mode = "optional"
keys.on_stale = "refuse"

[providers.P]
url = "http://localhost:4000"
api_key = "sk-secret"

[providers.litellm]
url = "http://localhost:4001"
"#;

/// The settings with defaults that a compiled configuration does not show, each with what shows the default.
const ELSEWHERE: [(&str, &str); 5] = [
    ("keys.mode", "the word for `gaud run`: without a control server the mode is another"),
    ("keys.defaults.budget.strict", "a budget of a key that the control server makes"),
    ("usage.min_free_bytes", "the watch of the disk"),
    ("providers.P.timeout_secs", "the rendered route"),
    ("providers.P.idle_connection_secs", "the rendered cluster"),
];

/// A row: the setting, its default and its meaning.
struct Row {
    setting: String,
    default: String,
    meaning: String,
}

impl Row {
    /// The default, where it is a value.
    fn value(&self) -> Option<Value> {
        let text = self.default.strip_prefix('`')?.split_once('`')?.0;
        let table: Table = toml::from_str(&format!("value = {text}")).ok()?;
        table.get("value").cloned()
    }

    /// The least and the greatest value, where the meaning says them.
    fn range(&self) -> Option<(i64, i64)> {
        let words: Vec<_> = self.meaning.split_whitespace().collect();
        let number = |word: &str| word.trim_end_matches([',', ';', '.']).parse().ok();
        words.windows(3).find_map(|three| match three {
            [least, "to", greatest] => Some((number(least)?, number(greatest)?)),
            _ => None,
        })
    }
}

fn rows() -> Vec<Row> {
    let document = read("docs/settings.md");
    let row = |line: &str| {
        let cells: Vec<_> = line.split(" | ").collect();
        let [setting, default, meaning @ ..] = cells.as_slice() else { panic!("{line}") };
        let setting = setting.trim_start_matches("| ").trim_matches('`');
        // What the row says first is the default of this provider.
        let own = if default.starts_with("`true` for `litellm`") { "litellm" } else { "P" };
        let setting = setting.replace(".P.", &format!(".{own}."));
        Row { setting, default: (*default).to_owned(), meaning: meaning.join(" ") }
    };
    let table = part(&document, "settings").1;
    let rows: Vec<_> = table.lines().filter(|line| line.starts_with("| `")).map(row).collect();
    assert!(rows.len() > 60, "{} rows", rows.len());
    rows
}

/// The base, with one setting more.
fn with(setting: &str, value: &Value) -> Table {
    let shared = matches!(setting, "limits.service" | "limits.on_failure");
    let store = if shared { "limits.store = \"redis\"" } else { "" };
    let mut table: Table = toml::from_str(&format!("{store}\n{BASE}")).unwrap();
    let mut place = &mut table;
    let (folders, name) = setting.rsplit_once('.').unwrap_or(("", setting));
    for folder in folders.split('.').filter(|folder| !folder.is_empty()) {
        let inner = place.entry(folder).or_insert_with(|| Value::Table(Table::new()));
        place = inner.as_table_mut().unwrap();
    }
    place.insert(name.to_owned(), value.clone());
    table
}

fn loaded(table: &Table) -> Result<Loaded, String> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("gaud.toml");
    std::fs::write(&file, toml::to_string(table).unwrap()).unwrap();
    load(Some(Path::new(&file)), &|_| None::<OsString>).map_err(|error| format!("{error:?}"))
}

/// All that a configuration means; or why the configuration is not valid.
fn effect(table: &Table) -> Result<(Gateway, String), String> {
    let all = loaded(table)?;
    let process = (all.listen, all.admin_listen, all.workers, all.drain, all.memory_limit_bytes);
    let parts = (&all.control, &all.shared_limits, &all.tracing, all.keep_days(), all.pages());
    let warnings = all.warnings.len();
    let rest = format!("{process:?} {parts:?} {warnings}");
    Ok((all.gateway, rest))
}

/// Another value than the default, which is as good.
fn another(row: &Row, default: &Value) -> Option<Value> {
    let words = |word: &str| Some(Value::String(word.to_owned()));
    Some(match (row.setting.as_str(), default) {
        ("keys.on_stale" | "limits.on_failure", _) => return words("refuse"),
        ("usage.meter", _) => return words("all"),
        ("limits.store", _) => return words("redis"),
        ("list_names", _) => return words("both"),
        ("limits.estimate", _) => return words("calibrated"),
        ("limits.budget_status", _) => Value::Integer(402),
        ("limits.service", _) => return words("http://127.0.0.1:8082"),
        ("tracing.service_name", _) => return words("other"),
        ("ui.path", _) => return words("/pages"),
        ("providers.P.auth", _) => return words("x-api-key"),
        ("listen" | "admin_listen" | "control.listen", _) => return words("127.0.0.1:7"),
        (_, Value::Boolean(is_on)) => Value::Boolean(!is_on),
        (_, Value::Integer(number)) if row.range().is_some_and(|(_, most)| most == *number) => {
            Value::Integer(number - 1)
        }
        (_, Value::Integer(number)) => Value::Integer(number + 1),
        (_, Value::Array(_)) => return None,
        _ => panic!("{}: {default}", row.setting),
    })
}

/// The configuration without a setting.
fn without(setting: &str, mut table: Table) -> Table {
    let mut place = &mut table;
    let (folders, name) = setting.rsplit_once('.').unwrap_or(("", setting));
    for folder in folders.split('.').filter(|folder| !folder.is_empty()) {
        place = place.get_mut(folder).unwrap().as_table_mut().unwrap();
    }
    place.remove(name);
    table
}

#[test]
fn the_defaults_are_those_of_the_code() {
    let (mut wrong, mut checked) = (Vec::new(), 0);
    for row in rows() {
        let setting = row.setting.as_str();
        let Some(default) = row.value() else { continue };
        if ELSEWHERE.iter().any(|(name, _)| *name == setting) {
            continue;
        }
        let explicit = with(setting, &default);
        let absent = effect(&without(setting, explicit.clone()));
        if let Err(error) = loaded(&explicit) {
            wrong.push(format!("{setting}: {default}: {error}"));
        }
        if absent != effect(&explicit) {
            wrong.push(format!("{setting}: the default is not {default}"));
        }
        if let Some(other) = another(&row, &default)
            && absent == effect(&with(setting, &other))
        {
            wrong.push(format!("{setting}: {other} has the effect of {default}"));
        }
        checked += 1;
    }
    assert_eq!(wrong, Vec::<String>::new());
    assert!(checked > 40, "{checked} defaults");
}

#[test]
fn the_defaults_that_envoy_has_are_those_that_are_rendered() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("gaud.toml");
    std::fs::write(&file, "[providers.P]\nurl = \"http://localhost:4000\"\n").unwrap();
    let rendered = gaud_in(
        folder.path(),
        &["render", "--wasm", "gaud.wasm", "--config", file.to_str().unwrap()],
    );
    let default = |setting: &str| {
        rows().into_iter().find(|row| row.setting == setting).unwrap().value().unwrap()
    };
    let timeout = default("providers.P.timeout_secs");
    assert!(rendered.contains(&format!("per_try_timeout: {timeout}s }}")), "{timeout}");
    let idle = default("providers.P.idle_connection_secs");
    assert!(rendered.contains(&format!("{{ idle_timeout: {idle}s, ")), "{idle}");
}

#[test]
fn the_ranges_are_those_of_the_code() {
    let mut checked = 0;
    for row in rows() {
        let Some((least, most)) = row.range() else { continue };
        if row.setting == "fallbacks" {
            continue;
        }
        let is_good = |number| loaded(&with(&row.setting, &Value::Integer(number))).is_ok();
        assert!(is_good(least) && is_good(most), "{}: {least} to {most}", row.setting);
        for beyond in [least - 1, most + 1] {
            assert!(!is_good(beyond), "{}: {beyond} is beyond {least} to {most}", row.setting);
        }
        checked += 1;
    }
    assert!(checked > 8, "{checked} ranges");
}
