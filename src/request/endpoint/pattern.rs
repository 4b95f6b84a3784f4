//! Whether a path is one of the table's.

use std::ops::Range;

/// How a path fits a pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fit {
    /// Where the path has the pattern's `{model}`.
    pub model: Option<Range<usize>>,
}

/// Compares a path with a [`Row`](super::table::Row)'s; `None` when it is another.
pub fn fit(pattern: &str, path: &str) -> Option<Fit> {
    if let Some((before, behind)) = pattern.split_once("{model}") {
        let rest = path.strip_prefix(before)?;
        let model = match behind {
            ":{verb}" => before_verb(rest)?,
            _ => rest.strip_suffix(behind)?,
        };
        let end = before.len().saturating_add(model.len());
        return (!model.is_empty()).then_some(Fit { model: Some(before.len()..end) });
    }
    let plain = match pattern.strip_suffix("/*") {
        Some(folder) => {
            path.strip_prefix(folder).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        }
        None => pattern == path || (pattern.contains("{id}") && same_segments(pattern, path)),
    };
    plain.then_some(Fit { model: None })
}

/// What stands before `:generateContent` and its like.
fn before_verb(text: &str) -> Option<&str> {
    let (model, verb) = text.rsplit_once(':')?;
    let is_verb = !verb.is_empty() && verb.bytes().all(|byte| byte.is_ascii_alphabetic());
    is_verb.then_some(model)
}

fn same_segments(pattern: &str, path: &str) -> bool {
    let same = |(pattern, own): (&str, &str)| match pattern {
        "{id}" => !own.is_empty(),
        _ => pattern == own,
    };
    pattern.split('/').count() == path.split('/').count()
        && pattern.split('/').zip(path.split('/')).all(same)
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
            assert_eq!(fit(pattern, path), expected.then_some(Fit { model: None }), "{path}");
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
            let found = fit(pattern, path).map(|fit| fit.model.unwrap());
            assert_eq!(found.map(|range| path.get(range).unwrap()), expected, "{path}");
        }
    }
}
