//! The pages and the messages have none of the phrases that a reader stumbles over.

use super::{pages, read};

/// What is written, and what to write instead.
const PHRASES: [(&str, &str); 8] = [
    ("stands behind", "say what follows, or who answers for it"),
    (" is no ", "is not a"),
    ("by itself", "on its own, or say what starts it"),
    ("somebody's", "say whose"),
    ("so many", "say how many"),
    ("is none of", "must be one of"),
    ("is there twice", "is written twice"),
    ("what answers on", "the server at"),
];

/// These words say plainly that something is missing.
const ALLOWED: &str = "there is no ";

/// The phrases in a text, each with its line.
fn phrases(text: &str) -> Vec<(usize, &'static str)> {
    let lines: Vec<_> = text.lines().map(|line| line.to_lowercase().replace(ALLOWED, "")).collect();
    let mut found = Vec::new();
    for (number, line) in lines.iter().enumerate() {
        // A phrase may go over the end of a line.
        let next = lines.get(number + 1).map_or("", String::as_str);
        let both = format!("{line} {next}").replace(ALLOWED, "");
        for (phrase, _) in PHRASES {
            let goes_over = both.contains(phrase) && !next.contains(phrase);
            if line.contains(phrase) || goes_over {
                found.push((number + 1, phrase));
            }
        }
    }
    found
}

#[test]
fn the_pages_and_the_messages_have_plain_words() {
    let others = ["SECURITY.md", "tests/core/command/wrong.txt"].map(str::to_owned);
    let mut wrong = String::new();
    for file in pages().into_iter().chain(others) {
        for (line, phrase) in phrases(&read(&file)) {
            let (_, instead) = PHRASES.iter().find(|(own, _)| *own == phrase).unwrap();
            wrong += &format!("{file}:{line}: {phrase:?}: write \"{instead}\"\n");
        }
    }
    assert_eq!(wrong, "");
}

#[test]
fn a_phrase_is_found_where_it_is() {
    let text = "A list is no\nanswer.\nThere is no list.\nIt starts by itself.\n";
    assert_eq!(phrases(text), [(1, " is no "), (4, "by itself")]);
}
