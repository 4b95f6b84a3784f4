//! The known name that a person most probably meant.

/// Longer names are not compared: a client may send any.
const CHARS_MAX: usize = 64;

/// The shortest name that counts as a part of another.
const PART_CHARS_MIN: usize = 3;

/// The one of `known` that differs least from `written`, where the difference is small enough for a slip.
pub fn nearest<'a>(written: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let own = letters(written)?;
    let judged =
        known.into_iter().filter_map(|name| Some((difference(&own, &letters(name)?)?, name)));
    judged.min_by_key(|(difference, _)| *difference).map(|(_, name)| name)
}

/// The characters that are compared: case, `-`, `_` and `.` are what people mix up.
fn letters(name: &str) -> Option<Vec<char>> {
    let plain = |letter: char| match letter {
        '-' | '.' | ' ' => '_',
        other => other.to_ascii_lowercase(),
    };
    (name.chars().count() <= CHARS_MAX).then(|| name.chars().map(plain).collect())
}

/// How much two names differ; `None` where the difference is too large for a slip.
fn difference(a: &[char], b: &[char]) -> Option<usize> {
    let most = match a.len().min(b.len()) {
        0..=1 => 0,
        2..=4 => 1,
        5..=8 => 2,
        _ => 3,
    };
    // `key` for `api_key`, `base_url` for `url`: worse than any slip of the keyboard.
    let is_part = |short: &[char], long: &[char]| {
        short.len() >= PART_CHARS_MIN && long.windows(short.len()).any(|part| part == short)
    };
    let lengths = a.len().abs_diff(b.len());
    match edits(a, b, most) {
        Some(edits) => Some(edits),
        None if is_part(a, b) || is_part(b, a) => Some(CHARS_MAX.saturating_add(lengths)),
        None => None,
    }
}

/// The fewest characters to insert, remove or replace (Levenshtein's distance), where that is `most` at most. Of
/// thousands of names nearly all differ in their first characters, and the rest is not compared.
fn edits(a: &[char], b: &[char], most: usize) -> Option<usize> {
    if a.len().abs_diff(b.len()) > most {
        return None;
    }
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (index, from) in a.iter().enumerate() {
        let (mut diagonal, mut left) = (index, index.saturating_add(1));
        let mut least = left;
        for (cell, to) in row.iter_mut().skip(1).zip(b) {
            let replaced = diagonal.saturating_add(usize::from(from != to));
            diagonal = *cell;
            left = replaced.min(diagonal.saturating_add(1)).min(left.saturating_add(1));
            least = least.min(left);
            *cell = left;
        }
        if least > most {
            return None;
        }
        if let Some(first) = row.first_mut() {
            *first = index.saturating_add(1);
        }
    }
    row.last().copied().filter(|edits| *edits <= most)
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(all(target_family = "wasm", target_os = "unknown"))]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn a_slip_is_near_and_another_name_is_not() {
        let known = ["url", "api_key", "match", "models", "timeout_secs", "gpt-4o", "gpt-4o-mini"];
        for (written, expected) in [
            ("urll", Some("url")),
            ("apikey", Some("api_key")),
            ("API-KEY", Some("api_key")),
            ("key", Some("api_key")),
            ("base_url", Some("url")),
            ("mathc", Some("match")),
            ("timeout", Some("timeout_secs")),
            ("gpt4o", Some("gpt-4o")),
            ("gpt-4o-minni", Some("gpt-4o-mini")),
            ("ur", Some("url")),
            ("x", None),
            ("", None),
            ("colour", None),
        ] {
            assert_eq!(nearest(written, known), expected, "{written}");
        }
        let long = "a".repeat(CHARS_MAX + 1);
        assert_eq!(nearest(&long, [long.as_str()]), None);
    }

    #[test]
    fn edits_are_counted() {
        let count = |a: &str, b: &str, most| {
            edits(&a.chars().collect::<Vec<_>>(), &b.chars().collect::<Vec<_>>(), most)
        };
        for (a, b, edits) in [
            ("", "", 0),
            ("a", "", 1),
            ("", "ab", 2),
            ("kitten", "sitting", 3),
            ("mathc", "match", 2),
            ("same", "same", 0),
        ] {
            for most in 0..8 {
                let expected = (edits <= most).then_some(edits);
                assert_eq!(count(a, b, most), expected, "{a} {b} {most}");
            }
        }
    }
}
