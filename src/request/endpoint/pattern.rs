//! Whether a path fits a row of the table.

use std::ops::Range;

/// How a path fits a pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fit {
    /// Where the path has the pattern's `{model}`.
    pub model: Option<Range<usize>>,
}

/// Whether the case of letters counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Case {
    /// Upper and lower case differ: the gateway reads paths so.
    Exact,
    /// Upper and lower case are the same: some servers read paths so.
    Ignored,
}

/// Compares a path with the path of a [`Row`](super::table::Row); `None` when the paths differ.
pub fn fit(pattern: &str, path: &str, case: Case) -> Option<Fit> {
    if let Some((before, after)) = pattern.split_once("{model}") {
        let rest = case.strip_prefix(path, before)?;
        let model = match after {
            ":{verb}" => before_verb(rest)?,
            _ => case.strip_suffix(rest, after)?,
        };
        let end = before.len().saturating_add(model.len());
        return (!model.is_empty()).then_some(Fit { model: Some(before.len()..end) });
    }
    let plain = match pattern.strip_suffix("/*") {
        Some(folder) => case
            .strip_prefix(path, folder)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/')),
        None => {
            case.same(pattern, path)
                || (pattern.contains("{id}") && same_segments(pattern, path, case))
        }
    };
    plain.then_some(Fit { model: None })
}

/// The part before `:generateContent` or another verb of Gemini's.
fn before_verb(text: &str) -> Option<&str> {
    let (model, verb) = text.rsplit_once(':')?;
    let is_verb = !verb.is_empty() && verb.bytes().all(|byte| byte.is_ascii_alphabetic());
    is_verb.then_some(model)
}

fn same_segments(pattern: &str, path: &str, case: Case) -> bool {
    let same = |(pattern, own): (&str, &str)| match pattern {
        "{id}" => !own.is_empty(),
        _ => case.same(pattern, own),
    };
    pattern.split('/').count() == path.split('/').count()
        && pattern.split('/').zip(path.split('/')).all(same)
}

impl Case {
    fn same(self, one: &str, other: &str) -> bool {
        match self {
            Self::Exact => one == other,
            Self::Ignored => one.eq_ignore_ascii_case(other),
        }
    }

    /// `text` without `prefix`.
    pub(super) fn strip_prefix<'a>(self, text: &'a str, prefix: &str) -> Option<&'a str> {
        let (start, rest) = text.split_at_checked(prefix.len())?;
        self.same(start, prefix).then_some(rest)
    }

    fn strip_suffix<'a>(self, text: &'a str, suffix: &str) -> Option<&'a str> {
        let (rest, end) = text.split_at_checked(text.len().checked_sub(suffix.len())?)?;
        self.same(end, suffix).then_some(rest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(all(target_family = "wasm", target_os = "unknown"))]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn compares_paths_with_patterns() {
        for (pattern, path, expected) in [
            ("/v1/batches", "/v1/batches", true),
            ("/v1/batches", "/v1/batches/x", false),
            ("/v1/batches/*", "/v1/batches", true),
            ("/v1/batches/*", "/v1/batches/x/y", true),
            ("/v1/batches/*", "/v1/batchesx", false),
            ("/v1/threads/{id}/runs", "/v1/threads/t/runs", true),
            ("/v1/threads/{id}/runs", "/v1/threads//runs", false),
            ("/v1/threads/{id}/runs", "/v1/threads/t/u/runs", false),
            ("/v1/threads/{id}/runs", "/v1/threads/runs", false),
        ] {
            let expected = expected.then_some(Fit { model: None });
            assert_eq!(fit(pattern, path, Case::Exact), expected, "{path}");
            assert_eq!(fit(pattern, path, Case::Ignored), expected, "{path}");
            assert_eq!(fit(pattern, &path.to_uppercase(), Case::Ignored), expected, "{path}");
            assert_eq!(fit(pattern, &path.to_uppercase(), Case::Exact), None, "{path}");
        }
    }

    #[test]
    fn finds_the_model_in_a_path() {
        for (pattern, path, expected) in [
            ("/e/{model}/completions", "/e/gpt/completions", Some("gpt")),
            ("/e/{model}/completions", "/e/a/b:c/completions", Some("a/b:c")),
            ("/e/{model}/completions", "/e//completions", None),
            ("/e/{model}/completions", "/e/completions", None),
            ("/e/{model}/completions", "/e/gpt/completions/x", None),
            ("/m/{model}:{verb}", "/m/gemini-2.0-flash:generateContent", Some("gemini-2.0-flash")),
            ("/m/{model}:{verb}", "/m/litellm:gemini:countTokens", Some("litellm:gemini")),
            ("/m/{model}:{verb}", "/m/litellm:gemini-2.0", None),
            ("/m/{model}:{verb}", "/m/gemini", None),
            ("/m/{model}:{verb}", "/m/gemini:", None),
            ("/m/{model}:{verb}", "/m/:generateContent", None),
            ("/m/{model}", "/m/a/b", Some("a/b")),
            ("/m/{model}", "/m/", None),
        ] {
            let ignored = fit(pattern, &path.to_ascii_uppercase(), Case::Ignored);
            assert_eq!(ignored, fit(pattern, path, Case::Exact), "{path}");
            let found = fit(pattern, path, Case::Exact).map(|fit| fit.model.unwrap());
            assert_eq!(found.map(|range| path.get(range).unwrap()), expected, "{path}");
        }
    }
}
