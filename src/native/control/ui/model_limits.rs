//! The limits that a key has for some models: the lines of a form, and the words of a page.
//!
//! A line has a model and limits: `gpt-4o rpm=60 tpm=9000 max_parallel_requests=4 budget=12.50/month strict`.

use super::form::Form;
use super::limits::words;
use crate::config::{BudgetFile, LimitsFile};
use crate::limits::Limits;
use crate::native::control::api::Control;
use crate::native::control::error::ApiError;
use crate::native::control::keys::{LimitFields, ModelLimitFields};
use crate::native::control::store::ModelLimits;

/// The field of the form.
pub(super) const FIELD: &str = "model_limits";

/// The limits of each model in a few words.
pub(super) fn told(limits: &ModelLimits) -> Vec<String> {
    let told = |(model, own): (&String, &Limits)| match words(own) {
        words if words.is_empty() => format!("{model}: no limits"),
        words => format!("{model}: {}", words.join(", ")),
    };
    limits.iter().map(told).collect()
}

/// The limits as they are typed.
pub(super) fn lines(limits: &ModelLimits) -> String {
    let lines: Vec<_> = limits.iter().map(|(model, own)| line(model, own)).collect();
    lines.join("\n")
}

fn line(model: &str, limits: &Limits) -> String {
    let LimitsFile { rpm, tpm, max_parallel_requests, budget } = limits.into();
    let number = |name: &str, own: Option<u32>| own.map(|own| format!("{name}={own}"));
    let money = budget.map(|BudgetFile { usd, window, strict }| {
        let strict = if strict == Some(true) { " strict" } else { "" };
        format!("budget={usd}/{window}{strict}")
    });
    let fields = [
        Some(model.to_owned()),
        number("rpm", rpm),
        number("tpm", tpm),
        number("max_parallel_requests", max_parallel_requests),
        money,
    ];
    fields.into_iter().flatten().collect::<Vec<_>>().join(" ")
}

/// The limits that a form has sent, in the place of all that are `kept`; `None` where the form changes nothing.
///
/// # Errors
/// A line is wrong, or limits count what is not metered.
pub(super) fn sent(
    control: &Control,
    form: &Form,
    kept: &ModelLimits,
) -> Result<Option<ModelLimits>, ApiError> {
    let Some(text) = form.sent(FIELD) else { return Ok(None) };
    let text = text.replace("\r\n", "\n");
    // A caller of the API can give limits to a name that no line can have, as a name with a space. Such limits stay.
    if text.trim() == lines(kept) {
        return Ok(None);
    }
    let fields = read(&text).map_err(|problem| ApiError::bad_request(problem).about(FIELD))?;
    control.checked_model_limits(&fields).map(Some)
}

fn read(text: &str) -> Result<ModelLimitFields, String> {
    let mut all = ModelLimitFields::new();
    for (number, line) in (1..).zip(text.lines()) {
        let wrong = |problem: String| format!("Line {number}: {problem}.");
        let mut words = line.split_whitespace();
        let Some(model) = words.next() else { continue };
        let begins_with_a_limit =
            model.split_once('=').is_some_and(|(name, _)| LimitFields::NAMES.contains(&name));
        if begins_with_a_limit {
            return Err(wrong(format!("write a model before {}", model.escape_default())));
        }
        let limits = words.try_fold(LimitsFile::default(), with).map_err(wrong)?;
        if all.insert(model.to_owned(), limits).is_some() {
            return Err(wrong(format!("{} has a line already", model.escape_default())));
        }
    }
    Ok(all)
}

/// The limits with those of one more word of the line.
fn with(mut limits: LimitsFile, word: &str) -> Result<LimitsFile, String> {
    match word.split_once('=') {
        Some(("rpm", text)) => set(&mut limits.rpm, "rpm", number("rpm", text)?)?,
        Some(("tpm", text)) => set(&mut limits.tpm, "tpm", number("tpm", text)?)?,
        Some((name @ "max_parallel_requests", text)) => {
            set(&mut limits.max_parallel_requests, name, number(name, text)?)?;
        }
        Some(("budget", text)) => set(&mut limits.budget, "budget", budget(text)?)?,
        None if word == "strict" => match &mut limits.budget {
            Some(budget) => budget.strict = Some(true),
            None => return Err("strict comes after a budget".to_owned()),
        },
        _ => {
            return Err(format!(
                "\"{}\" is no limit; write rpm=60, tpm=9000, max_parallel_requests=4, budget=12.50/month or strict",
                word.escape_default()
            ));
        }
    }
    Ok(limits)
}

fn set<T>(place: &mut Option<T>, name: &str, value: T) -> Result<(), String> {
    match place.replace(value) {
        None => Ok(()),
        Some(_) => Err(format!("{name} is written twice")),
    }
}

fn number(name: &str, text: &str) -> Result<u32, String> {
    let wrong = |_| format!("{name} is \"{}\"; write a whole number", text.escape_default());
    text.parse().map_err(wrong)
}

fn budget(text: &str) -> Result<BudgetFile, String> {
    let read = || {
        let (usd, window) = text.split_once('/')?;
        Some(BudgetFile { usd: usd.parse().ok()?, window: window.to_owned(), strict: None })
    };
    let written = text.escape_default();
    let budget = read().ok_or_else(|| {
        format!("budget is \"{written}\"; write dollars and a window, as 12.50/month")
    })?;
    budget.compile().map_err(|problem| format!("the budget's {problem}"))?;
    Ok(budget)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::native::control::model_limits;

    #[test]
    fn limits_of_models_are_read_as_they_are_shown() {
        let text = "claude:* max_parallel_requests=0\n\
            gpt-4o rpm=60 tpm=9000 budget=12.5/month strict\n\
            o1\n\
            o3 budget=5/total";
        let limits = model_limits(&read(text).unwrap()).unwrap();
        assert_eq!(lines(&limits), text);
        assert_eq!(
            told(&limits),
            [
                "claude:*: 0 at the same time",
                "gpt-4o: 60 requests a minute, 9000 tokens a minute, $12.50 a month",
                "o1: no limits",
                "o3: $5.00 in total"
            ]
        );
        assert_eq!(read("\n  \n"), Ok(ModelLimitFields::new()));
        assert_eq!(read(" a   rpm=1 ").unwrap(), read("a rpm=1").unwrap());
    }

    #[test]
    fn a_wrong_line_is_named() {
        for (text, said) in [
            ("a rpm=1\n\nb rpm=ten", "Line 3: rpm is \"ten\"; write a whole number."),
            ("a rpm=-1", "Line 1: rpm is \"-1\"; write a whole number."),
            ("a rpm=1 rpm=2", "Line 1: rpm is written twice."),
            ("a rpm=1\na tpm=2", "Line 2: a has a line already."),
            ("rpm=1", "Line 1: write a model before rpm=1."),
            ("a strict", "Line 1: strict comes after a budget."),
            ("a budget=5", "Line 1: budget is \"5\"; write dollars and a window, as 12.50/month."),
            (
                "a budget=5/year",
                "Line 1: the budget's window is \"year\"; write \"day\", \"week\", \"month\" or \"total\".",
            ),
            (
                "a rmp=1",
                "Line 1: \"rmp=1\" is no limit; write rpm=60, tpm=9000, max_parallel_requests=4, budget=12.50/month or strict.",
            ),
        ] {
            assert_eq!(read(text), Err(said.to_owned()), "{text}");
        }
    }
}
