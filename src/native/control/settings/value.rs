//! A value of JSON as TOML writes it.

use serde_json::Value as Json;
use toml_edit::{Array, ArrayOfTables, InlineTable, Item, Table, Value};

/// The values that a JSON value may mean: a text may be a number, a truth value or a list that was typed in.
pub(super) fn candidates(json: &Json) -> Vec<Item> {
    let mut all: Vec<Item> = item(json).into_iter().collect();
    if let Json::String(text) = json
        && let Ok(value) = text.parse::<Value>()
        && !value.is_str()
    {
        all.push(Item::Value(value));
    }
    all
}

/// `None` for what TOML does not have: `null`, also within a list.
fn item(json: &Json) -> Option<Item> {
    match json {
        Json::Array(rows) if !rows.is_empty() && rows.iter().all(Json::is_object) => {
            let mut tables = ArrayOfTables::new();
            for row in rows {
                tables.push(table(row)?);
            }
            Some(Item::ArrayOfTables(tables))
        }
        other => value(other).map(Item::Value),
    }
}

fn table(json: &Json) -> Option<Table> {
    let mut table = Table::new();
    for (key, own) in json.as_object()? {
        table.insert(key, Item::Value(value(own)?));
    }
    Some(table)
}

fn value(json: &Json) -> Option<Value> {
    Some(match json {
        Json::Null => return None,
        Json::Bool(own) => Value::from(*own),
        Json::Number(own) => match own.as_i64() {
            Some(whole) => Value::from(whole),
            None => Value::from(own.as_f64()?),
        },
        Json::String(own) => Value::from(own),
        Json::Array(own) => Value::Array(own.iter().map(value).collect::<Option<Array>>()?),
        Json::Object(own) => {
            let mut table = InlineTable::new();
            for (key, own) in own {
                table.insert(key, value(own)?);
            }
            Value::InlineTable(table)
        }
    })
}
