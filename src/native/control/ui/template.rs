//! The texts of the pages. Every value is escaped for HTML.

use std::sync::LazyLock;

use minijinja::value::Serde;
use minijinja::{AutoEscape, Environment, Error, UndefinedBehavior};
use serde::Serialize;

use super::time::moment;
use crate::native::http::encoded;
use crate::native::ledger::dollars;

const TEMPLATES: [(&str, &str); 20] = [
    ("base.html", include_str!("templates/base.html")),
    ("chart.html", include_str!("templates/chart.html")),
    ("confirm.html", include_str!("templates/confirm.html")),
    ("error.html", include_str!("templates/error.html")),
    ("front.html", include_str!("templates/front.html")),
    ("key.html", include_str!("templates/key.html")),
    ("key_form.html", include_str!("templates/key_form.html")),
    ("keys.html", include_str!("templates/keys.html")),
    ("limits.html", include_str!("templates/limits.html")),
    ("login.html", include_str!("templates/login.html")),
    ("made.html", include_str!("templates/made.html")),
    ("overview.html", include_str!("templates/overview.html")),
    ("parts.html", include_str!("templates/parts.html")),
    ("providers.html", include_str!("templates/providers.html")),
    ("requests.html", include_str!("templates/requests.html")),
    ("settings.html", include_str!("templates/settings.html")),
    ("remove.html", include_str!("templates/remove.html")),
    ("usage.html", include_str!("templates/usage.html")),
    ("user.html", include_str!("templates/user.html")),
    ("users.html", include_str!("templates/users.html")),
];

/// What a label under a bar has room for.
const LABEL_CHARS: usize = 12;

static ENVIRONMENT: LazyLock<Result<Environment<'static>, Error>> = LazyLock::new(environment);

/// What a template gets: what all pages have, and what this page has.
#[derive(Serialize)]
pub(super) struct Given<'a, L: Serialize, P: Serialize> {
    pub(super) layout: &'a L,
    pub(super) page: &'a P,
}

/// The template `name` with its gaps filled; the error is a sentence.
pub(super) fn render<L: Serialize, P: Serialize>(
    name: &str,
    given: &Given<'_, L, P>,
) -> Result<String, String> {
    let environment = ENVIRONMENT.as_ref().map_err(|error| format!("{error:#}"))?;
    let template = environment.get_template(name).map_err(|error| format!("{error:#}"))?;
    template.render(Serde(given)).map_err(|error| format!("{error:#}"))
}

fn environment() -> Result<Environment<'static>, Error> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_auto_escape_callback(|_| AutoEscape::Html);
    environment.add_filter("moment", moment);
    environment.add_filter("grouped", grouped);
    environment.add_filter("dollars", |nanos: i64| format!("${}", dollars(nanos)));
    environment.add_filter("rounded", rounded);
    environment.add_filter("encoded", encoded);
    environment
        .add_filter("truncated", |text: &str| text.chars().take(LABEL_CHARS).collect::<String>());
    for (name, text) in TEMPLATES {
        environment.add_template(name, text)?;
    }
    Ok(environment)
}

/// `1 234 567`, with spaces that do not break.
pub(super) fn grouped(number: i64) -> String {
    let digits = number.unsigned_abs().to_string();
    let mut text = String::from(if number < 0 { "-" } else { "" });
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push('\u{202f}');
        }
        text.push(digit);
    }
    text
}

/// Dollars to look at: `$12.34`, and four places below a dollar.
pub(super) fn rounded(nanos: i64) -> String {
    const CENT: u64 = 10_000_000;
    const SMALL: u64 = 100_000;
    let (sign, nanos) = (if nanos < 0 { "-" } else { "" }, nanos.unsigned_abs());
    let (unit, places) = if nanos >= 100 * CENT { (CENT, 2) } else { (SMALL, 4) };
    if nanos > 0 && nanos < SMALL {
        return format!("{sign}<$0.0001");
    }
    let units = (nanos + unit / 2) / unit;
    let per_dollar = 10_u64.pow(places);
    format!("{sign}${}.{:0width$}", units / per_dollar, units % per_dollar, width = places as usize)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_template_is_well_formed() {
        let said = ENVIRONMENT.as_ref().err().map(|error| format!("{error:#}"));
        assert_eq!(said, None);
    }

    #[test]
    fn numbers_are_written_for_people() {
        assert_eq!(grouped(1_234_567), "1\u{202f}234\u{202f}567");
        assert_eq!(
            (grouped(0), grouped(-999), grouped(1000)),
            ("0".into(), "-999".into(), "1\u{202f}000".into())
        );
        for (nanos, text) in [
            (0, "$0.0000"),
            (1, "<$0.0001"),
            (123_456_789, "$0.1235"),
            (999_999_999, "$1.0000"),
            (12_345_000_000, "$12.35"),
            (-2_000_000_000, "-$2.00"),
        ] {
            assert_eq!(rounded(nanos), text, "{nanos}");
        }
    }
}
