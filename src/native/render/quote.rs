//! Texts in YAML: a value is quoted, a comment stays in its line, a block keeps its lines.
//!
//! YAML 1.1 and 1.2 differ in what ends a line, so each character that does in either is escaped, and so is each one
//! that a person cannot see.

use std::fmt::Write;

/// A double-quoted scalar (YAML 1.2.2, section 7.3.1).
pub(super) fn quoted(text: &str) -> String {
    let mut scalar = String::with_capacity(text.len().saturating_add(2));
    scalar.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => scalar.extend(['\\', c]),
            c if is_plain(c) => scalar.push(c),
            c => escape(&mut scalar, c),
        }
    }
    scalar.push('"');
    scalar
}

/// A single-quoted scalar (YAML 1.2.2, section 7.3.2), for a text of ours that has many double quotes.
pub(super) fn single_quoted(text: &str) -> String {
    if text.chars().all(is_plain) {
        format!("'{}'", text.replace('\'', "''"))
    } else {
        quoted(text)
    }
}

/// A text that a comment may have.
pub(super) fn comment(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for c in text.chars() {
        if is_plain(c) { line.push(c) } else { escape(&mut line, c) }
    }
    line
}

/// JSON that a block may have (YAML 1.2.2, section 8.1.2): what is escaped is within strings.
pub(super) fn json_block(json: &str) -> String {
    json.split('\n').map(comment).collect::<Vec<_>>().join("\n")
}

/// Whether every reader shows and keeps this character (YAML 1.2.2, section 5.1), and no reader ends a line with it.
fn is_plain(c: char) -> bool {
    match c {
        // Line breaks of YAML 1.1, and what changes the direction of a text or has no width.
        '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{200b}'..='\u{200f}' => false,
        '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' => false,
        ' '..='~' | '\u{a0}'..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' => true,
        c => c >= '\u{10000}',
    }
}

/// As JSON and YAML write it. All that needs it has four digits.
fn escape(text: &mut String, c: char) {
    let _ = write!(text, "\\u{:04x}", u32::from(c));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_quoted() {
        for (text, scalar) in [
            ("", r#""""#),
            ("NO", r#""NO""#),
            ("A: B #", r#""A: B #""#),
            ("it's \"\\", r#""it's \"\\""#),
            ("a\r\n\tb\0", r#""a\u000d\u000a\u0009b\u0000""#),
            (
                "\u{7f}\u{85}\u{2028}\u{feff}\u{202e}\u{ffff}",
                r#""\u007f\u0085\u2028\ufeff\u202e\uffff""#,
            ),
            ("é😀{{ x }}{% y %}", r#""é😀{{ x }}{% y %}""#),
        ] {
            assert_eq!(quoted(text), scalar);
        }
    }

    #[test]
    fn a_comment_stays_in_its_line() {
        assert_eq!(comment("gaud.toml"), "gaud.toml");
        assert_eq!(comment("x\nadmin: \u{85}y"), r"x\u000aadmin: \u0085y");
    }

    #[test]
    fn a_block_keeps_its_lines() {
        assert_eq!(json_block("{\n  \"a\": \"\u{2028}\"\n}"), "{\n  \"a\": \"\\u2028\"\n}");
    }
}
