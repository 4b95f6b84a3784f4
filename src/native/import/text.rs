//! Settings as the text of a `gaud.toml`.

use toml::{Table, Value};

use crate::config::{File, SecretSource};

/// The text of settings. `place` says where a secret is that the settings write out; the text never has the secret itself.
pub fn toml(file: &File, place: &mut dyn FnMut(&str, &SecretSource) -> SecretSource) -> String {
    let mut file = file.clone();
    for (name, provider) in &mut file.providers {
        if let Some(key @ SecretSource::Literal(_)) = &provider.api_key {
            provider.api_key = Some(place(name, key));
        }
    }
    // Fails on a literal secret alone, and none is left.
    let Ok(Value::Table(table)) = Value::try_from(&file) else { return String::new() };
    let mut text = String::new();
    for (key, value) in table.iter().filter(|(_, value)| is_plain(value)) {
        text += &format!("{} = {}\n", quoted(key), inline(value));
    }
    for (key, value) in table.iter().filter(|(_, value)| !is_plain(value)) {
        match value {
            Value::Table(tables) if tables.values().all(Value::is_table) => {
                for (name, table) in tables {
                    let header = format!("{}.{}", quoted(key), quoted(name));
                    section(&mut text, &format!("[{header}]"), value_table(table));
                }
            }
            Value::Array(tables) => {
                let header = format!("[[{}]]", quoted(key));
                tables.iter().for_each(|table| section(&mut text, &header, value_table(table)));
            }
            value => section(&mut text, &format!("[{}]", quoted(key)), value_table(value)),
        }
    }
    text
}

fn value_table(value: &Value) -> Option<&Table> {
    value.as_table()
}

fn section(text: &mut String, header: &str, table: Option<&Table>) {
    *text += &format!("\n{header}\n");
    for (key, value) in table.into_iter().flatten() {
        let list = value.as_array().filter(|list| list.iter().any(Value::is_table));
        *text += &match list {
            Some(list) => {
                let lines: String =
                    list.iter().map(|own| format!("    {},\n", inline(own))).collect();
                format!("{} = [\n{lines}]\n", quoted(key))
            }
            None => format!("{} = {}\n", quoted(key), inline(value)),
        };
    }
}

fn is_plain(value: &Value) -> bool {
    match value {
        Value::Table(_) => false,
        Value::Array(items) => !items.iter().any(Value::is_table),
        _ => true,
    }
}

fn inline(value: &Value) -> String {
    match value {
        Value::Table(table) => {
            let pairs: Vec<_> = table
                .iter()
                .map(|(key, value)| format!("{} = {}", quoted(key), inline(value)))
                .collect();
            format!("{{ {} }}", pairs.join(", "))
        }
        Value::Array(items) => {
            let items: Vec<_> = items.iter().map(inline).collect();
            format!("[{}]", items.join(", "))
        }
        value => value.to_string(),
    }
}

/// A key, in quotes where TOML needs them.
fn quoted(key: &str) -> String {
    let is_bare = !key.is_empty()
        && key.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
    if is_bare { key.to_owned() } else { Value::from(key).to_string() }
}
