//! The parsers' errors in plain words, with the name or the form that was probably meant.
//!
//! | serde or toml says | a person reads |
//! |---|---|
//! | ``unknown field `urll`, expected one of `url`, …`` | ``is not a setting; did you mean `url`?`` |
//! | ``invalid type: string "x", expected a sequence`` | `is a text; write a list in brackets, as in match = ["a", "b"]` |
//! | ``unknown variant `token`, expected one of `bearer`, …`` | `must be one of "bearer", …` |

use crate::config::File;
use crate::names::near::nearest;

/// What is wrong with the setting at `path`, from the words of serde or toml. Values are not shown: a key in the wrong
/// place would be.
pub(super) fn plain(path: &str, message: &str) -> String {
    let told = unknown_field(path, message)
        .or_else(|| unknown_variant(message))
        .or_else(|| wrong_value(path, message))
        .or_else(|| missing_field(message))
        .or_else(|| syntax(message));
    told.unwrap_or_else(|| message.to_owned())
}

fn unknown_field(path: &str, message: &str) -> Option<String> {
    let (name, known) = message.strip_prefix("unknown field `")?.split_once('`')?;
    let known = quoted(known);
    let is_top = !path.contains(['.', '[']);
    if let Some(name) =
        nearest(name, known.iter().copied()).filter(|near| !is_elsewhere(near, name))
    {
        return Some(format!("is not a setting; did you mean `{name}`?"));
    }
    if !is_top && settings("").iter().any(|top| top == name) {
        return Some(format!(
            "belongs to the top of the file: write `{name}` above the first line in brackets"
        ));
    }
    if is_top && settings("providers.p").iter().any(|of_provider| of_provider == name) {
        return Some(format!(
            "belongs to a provider: write `{name}` below a line as [providers.litellm]"
        ));
    }
    Some(format!("is not a setting; there are: {}", known.join(", ")))
}

/// Whether `name` is, letter by letter, a setting of another table: then a similar name does not help.
fn is_elsewhere(near: &str, name: &str) -> bool {
    let known = |table| settings(table).iter().any(|setting| setting == name);
    near != name && (known("") || known("providers.p"))
}

/// The settings of the whole file, or of the table `providers.p`, as the parser itself lists them.
fn settings(table: &str) -> Vec<String> {
    let json = if table.is_empty() { r#"{"?":1}"# } else { r#"{"providers":{"p":{"?":1}}}"# };
    let Err(error) = File::from_json(json.as_bytes()) else { return Vec::new() };
    let known = error.problem.split_once("expected").map(|(_, known)| known.to_owned());
    let known = known.unwrap_or_default();
    quoted(&known).into_iter().map(str::to_owned).collect()
}

/// The words in backquotes.
fn quoted(text: &str) -> Vec<&str> {
    text.split('`').skip(1).step_by(2).collect()
}

fn unknown_variant(message: &str) -> Option<String> {
    let (written, known) = message.strip_prefix("unknown variant `")?.split_once('`')?;
    let known = quoted(known);
    let near = nearest(written, known.iter().copied());
    let near = near.map(|near| format!("; did you mean \"{near}\"?")).unwrap_or_default();
    let list: Vec<_> = known.iter().map(|known| format!("\"{known}\"")).collect();
    Some(format!("must be one of {}{near}", list.join(", ")))
}

fn missing_field(message: &str) -> Option<String> {
    let name = message.strip_prefix("missing field `")?.strip_suffix('`')?;
    Some(format!("needs `{name}`"))
}

/// A value of the wrong type, or a number that does not fit.
fn wrong_value(path: &str, message: &str) -> Option<String> {
    let wrong = message
        .strip_prefix("invalid type: ")
        .or_else(|| message.strip_prefix("invalid value: "))?;
    let (is, expected) = wrong.rsplit_once(", expected ")?;
    Some(format!("{}; {}", kind(is), form(path, expected)?))
}

fn kind(is: &str) -> String {
    // A number is shown, for it may be one that does not fit; a text may be a secret.
    let number = is.strip_prefix("integer `").or_else(|| is.strip_prefix("floating point `"));
    match (number.and_then(|number| number.strip_suffix('`')), is.split(' ').next()) {
        (Some(number), _) if number.starts_with('-') || number.contains('.') => {
            format!("is {number}")
        }
        (Some(_), _) => "is a number".to_owned(),
        (None, Some("string")) => "is a text".to_owned(),
        (None, Some("boolean")) => "is true or false".to_owned(),
        (None, Some("sequence")) => "is a list".to_owned(),
        (None, Some("map")) => "is a table".to_owned(),
        _ => "is something else".to_owned(),
    }
}

/// What to write in the place of the value.
fn form(path: &str, expected: &str) -> Option<String> {
    let last = path.rsplit('.').next().unwrap_or(path);
    Some(match expected {
        "u8" | "u16" | "u32" | "u64" | "usize" => {
            "write a whole number from 0 up, without quotes".to_owned()
        }
        "a string" => "write a text in quotes".to_owned(),
        "a boolean" => "write true or false, without quotes".to_owned(),
        "a sequence" if path == "fallbacks" => {
            "write a list of tables, each below a line with two brackets: [[fallbacks]]".to_owned()
        }
        "a sequence" if path == "models" => {
            "write a list of tables, each below a line with two brackets: [[models]]".to_owned()
        }
        "a sequence" => format!("write a list in brackets, as in {last} = [\"a\", \"b\"]"),
        "a table" | "a map" => format!("write a table below a line in brackets: [{path}]"),
        "an auth" => {
            "write a word, as \"bearer\", or a table, as { token_file = \"/run/token\" }".to_owned()
        }
        expected if expected.starts_with("struct ") => {
            format!("write a table below a line in brackets: [{path}]")
        }
        _ => return None,
    })
}

/// What is not TOML.
fn syntax(message: &str) -> Option<String> {
    let (problem, remedy) = match message.split_once(',').map_or(message, |(problem, _)| problem) {
        "invalid basic string" | "invalid literal string" => {
            ("a text has no end", "write its closing quote on the same line")
        }
        "invalid multi-line basic string" | "invalid multi-line literal string" => {
            ("a text has no end", "write its three closing quotes")
        }
        "unclosed array" => ("a list has no end", "write its closing `]`"),
        "unclosed inline table" => ("a table has no end", "write its closing `}` on the same line"),
        "unclosed table" => ("a table's name has no end", "write its closing `]`"),
        "unclosed array table" => ("a table's name has no end", "write its closing `]]`"),
        "key with no value" => ("a setting has no value", "write `=` and a value"),
        "string values must be quoted" => ("a text has no quotes", "write it in quotes"),
        _ => return None,
    };
    Some(format!("{problem}; {remedy}"))
}
