//! The names that keys and users may have, and the models that a key may name.

use crate::keys::policy::MODELS_MAX;
use crate::request::model::ModelName;

const NAME_CHARS_MAX: usize = 128;

/// What people call a key or a user.
///
/// # Errors
/// The name is too long, or has control characters.
pub fn check_name(name: &str) -> Result<(), String> {
    match name.chars().count() <= NAME_CHARS_MAX && !name.contains(char::is_control) {
        true => Ok(()),
        false => Err(format!(
            "a name has {NAME_CHARS_MAX} characters at most, and no control characters"
        )),
    }
}

/// The id of a user.
///
/// # Errors
/// The id is empty or too long, or has characters that are not visible ASCII.
pub fn check_user(id: &str) -> Result<(), String> {
    let is_good =
        (1..=NAME_CHARS_MAX).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_graphic());
    let is_plain = !id.contains(['/', '?', '#', '%']);
    match is_good && is_plain {
        true => Ok(()),
        false => Err(format!(
            "a user's id has 1 to {NAME_CHARS_MAX} letters, digits and signs of ASCII, but no space, '/', '?', '#' or '%'"
        )),
    }
}

/// The models of a key.
///
/// # Errors
/// The models are too many, or a model's name is not valid.
pub fn check_models(models: &[String]) -> Result<(), String> {
    if models.len() > MODELS_MAX {
        return Err(format!("{} models are too many; write {MODELS_MAX} at most", models.len()));
    }
    models.iter().try_for_each(|model| {
        let shown = || model.escape_default();
        ModelName::check(model).map_err(|problem| format!("the model \"{}\" {problem}", shown()))
    })
}

/// LiteLLM owns a key or a user.
pub fn owned_by_litellm(what: &str, named: &str) -> String {
    format!(
        "LiteLLM owns the {what} {named}: make the change in LiteLLM, and the {what} follows within seconds"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_ids_and_models_are_bounded() {
        assert!(check_name("").is_ok() && check_name("Anns Läptop").is_ok());
        assert!(check_name("a\nb").is_err() && check_name(&"x".repeat(129)).is_err());
        for good in ["ann", "ann@example.com", "team-1"] {
            assert!(check_user(good).is_ok(), "{good}");
        }
        for bad in ["", "a b", "ä", "a/b", "a%20", &"x".repeat(129)] {
            assert!(check_user(bad).is_err(), "{bad}");
        }
        let models = |count| vec!["gpt-*".to_owned(); count];
        assert!(check_models(&models(256)).is_ok() && check_models(&models(257)).is_err());
        assert!(check_models(&[String::new()]).is_err());
    }
}
