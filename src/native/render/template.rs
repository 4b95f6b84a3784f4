//! The texts that are rendered: one for each form, and the parts that they share.
//!
//! A part is a macro that gives one object of Envoy's without indentation; a form says where the object goes:
//! `- {{ filters.router() | indent(12) }}`. Parts see the same [`Context`] as the forms; a macro that is
//! named like one of its fields would hide it.

use minijinja::value::Serde;
use minijinja::{AutoEscape, Environment, Error, UndefinedBehavior, Value};

use super::context::Context;
use super::form::Form;
use super::quote;

const PARTS: [(&str, &str); 11] = [
    ("parts/admin.yaml", include_str!("parts/admin.yaml")),
    ("parts/attempts.yaml", include_str!("parts/attempts.yaml")),
    ("parts/connection.yaml", include_str!("parts/connection.yaml")),
    ("parts/credential.yaml", include_str!("parts/credential.yaml")),
    ("parts/edge.yaml", include_str!("parts/edge.yaml")),
    ("parts/filters.yaml", include_str!("parts/filters.yaml")),
    ("parts/notes.yaml", include_str!("parts/notes.yaml")),
    ("parts/provider.yaml", include_str!("parts/provider.yaml")),
    ("parts/routes.yaml", include_str!("parts/routes.yaml")),
    ("parts/stats.yaml", include_str!("parts/stats.yaml")),
    ("parts/telemetry.yaml", include_str!("parts/telemetry.yaml")),
];

/// `form` with its gaps filled.
pub(super) fn render(form: Form, context: &Context) -> Result<String, Error> {
    environment()?.template_from_str(form.text())?.render(Serde(context))
}

/// A template whose macros are called one by one.
pub(super) struct Macros {
    environment: Environment<'static>,
    context: Value,
}

/// The name of the template in its environment.
const MACROS: &str = "macros";

impl Macros {
    pub(super) fn of(text: &'static str, context: &Context) -> Result<Self, Error> {
        let mut environment = environment()?;
        environment.add_template(MACROS, text)?;
        Ok(Self { environment, context: Value::from(Serde(context)) })
    }

    pub(super) fn call(&self, name: &str, arguments: &[Value]) -> Result<String, Error> {
        let template = self.environment.get_template(MACROS)?;
        let mut captured = template.render_captured(self.context.clone())?;
        captured.with_state_mut(|state| state.call_macro(name, arguments))
    }
}

fn environment() -> Result<Environment<'static>, Error> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_auto_escape_callback(|_| AutoEscape::None);
    // Every value that is not of ours is rendered by one of these.
    environment.add_filter("quoted", |text: &str| quote::quoted(text));
    environment.add_filter("single_quoted", |text: &str| quote::single_quoted(text));
    environment.add_filter("comment", |text: &str| quote::comment(text));
    environment.add_filter("json_block", |text: &str| quote::json_block(text));
    for (name, text) in PARTS {
        environment.add_template(name, text)?;
    }
    Ok(environment)
}
