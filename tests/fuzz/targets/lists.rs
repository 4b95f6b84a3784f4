//! A list of models is read as `serde_json` reads it, and stays within its bounds.

use std::collections::HashSet;

use gaud::models::{self, ListError, Listed, MODELS_MAX};
use gaud::request::model::ModelName;
use serde_json::Value;

pub(crate) fn run(data: &[u8]) {
    check_any(data);
    let Ok(document) = serde_json::from_slice::<Value>(data) else { return };
    // Written anew, the document has no key twice.
    let canonical = serde_json::to_vec(&document).expect("a document");
    match (models::parse(&canonical), expected(&document)) {
        (Ok(found), Some(expected)) => assert_eq!(found, expected),
        (Err(ListError::NoList), None) => {}
        (found, expected) => panic!("{found:?} in place of {expected:?}"),
    }
}

/// For any bytes: names can be shown and are listed once, and what is kept is what was read.
fn check_any(data: &[u8]) {
    let Ok((models, _)) = models::parse(data) else { return };
    assert!(models.len() <= MODELS_MAX);
    let names: HashSet<_> = models.iter().map(|listed| &listed.id).collect();
    assert_eq!(names.len(), models.len());
    for Listed { id, created_secs, context_window, display_name } in &models {
        assert_eq!(ModelName::check(id), Ok(()));
        assert!(display_name.as_ref().is_none_or(|name| ModelName::check(name).is_ok()));
        assert!(*created_secs != Some(0) && *context_window != Some(0));
    }
    assert_eq!(models::from_bytes(&models::to_bytes(&models)), models);
}

fn expected(document: &Value) -> Option<(Vec<Listed>, usize)> {
    let list = document.as_array().or_else(|| document.get("data")?.as_array())?;
    let (mut models, mut left_out) = (Vec::<Listed>::new(), 0);
    for entry in list {
        match listed(entry) {
            Some(new) if models.iter().all(|old| old.id != new.id) && models.len() < MODELS_MAX => {
                models.push(new);
            }
            _ => left_out += 1,
        }
    }
    Some((models, left_out))
}

fn listed(entry: &Value) -> Option<Listed> {
    const WINDOWS: [&str; 5] = [
        "max_input_tokens",
        "context_window",
        "context_length",
        "max_model_len",
        "max_context_length",
    ];
    let text = |key: &str| {
        let text = entry.get(key)?.as_str()?;
        ModelName::check(text).ok().map(|()| text.to_owned())
    };
    let number = |key: &str| entry.get(key)?.as_u64().filter(|number| *number > 0);
    Some(Listed {
        id: text("id")?,
        created_secs: number("created"),
        context_window: WINDOWS.into_iter().find_map(number),
        display_name: text("display_name"),
    })
}
