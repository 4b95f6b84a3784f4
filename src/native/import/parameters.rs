//! The parameters of one deployment, as texts and numbers.

use super::router::Common;
use super::yaml::Node;
use crate::config::{Secret, SecretSource};

/// What marks a variable.
pub(super) const ENVIRONMENT: &str = "os.environ/";

/// Why an entry does not go direct.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Kept {
    Stays(String),
    Refused(String),
}

use Kept::{Refused, Stays};

/// The parameters of one deployment, with those of its credential.
pub(super) struct Params<'a> {
    pub(super) own: &'a Node,
    pub(super) credential: Option<&'a Node>,
}

impl<'a> Params<'a> {
    pub(super) fn get(&self, key: &str) -> Option<&'a Node> {
        self.own.get(key).or_else(|| self.credential?.get(key))
    }

    pub(super) fn text(&self, key: &str) -> Result<Option<&'a str>, Kept> {
        match self.get(key) {
            None => Ok(None),
            Some(node) => match node.text() {
                Some("") => Ok(None),
                Some(text) => Ok(Some(text)),
                None => Err(Refused(format!("{key} is {}; write a text", node.kind()))),
            },
        }
    }

    pub(super) fn number(&self, key: &str, common: &Common<'_>) -> Result<Option<f64>, Kept> {
        let Some(node) = self.get(key) else { return Ok(None) };
        let number = match node.text().and_then(|text| text.strip_prefix(ENVIRONMENT)) {
            Some(name) => common.variable(name).and_then(|value| value.trim().parse().ok()),
            None => node.number(),
        };
        match number.filter(|number| number.is_finite() && *number >= 0.0) {
            Some(number) => Ok(Some(number)),
            None => {
                Err(Stays(format!("{key} is {}, and not a number that is known here", node.kind())))
            }
        }
    }
}

/// The key as a setting has it: a reference to a variable, or the key that the file writes out.
pub(super) fn secret(value: &str) -> SecretSource {
    match value.strip_prefix(ENVIRONMENT) {
        Some(name) => SecretSource::Environment(name.to_owned()),
        None => SecretSource::Literal(Secret::new(value)),
    }
}
