//! Wrong inputs through the command, each with its whole answer. `wrong.txt` has them.

use std::fmt::Write;

use super::{gaud, text};

const PLACE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/core/command/wrong.txt");

/// The least number of wrong inputs.
const CASES_MIN: usize = 60;

/// A wrong input.
struct Case<'a> {
    title: &'a str,
    environment: Vec<(&'a str, &'a str)>,
    arguments: Vec<&'a str>,
    toml: String,
    answer: &'a str,
}

impl<'a> Case<'a> {
    fn read(block: &'a str) -> Self {
        let (input, answer) = block.split_once("->\n").expect("an answer");
        let mut lines = input.lines();
        let title = lines.next().expect("a title");
        let mut case = Self {
            title,
            environment: Vec::new(),
            arguments: vec!["check"],
            toml: String::new(),
            answer,
        };
        for line in lines {
            match line.strip_prefix("$ ") {
                None => writeln!(case.toml, "{line}").expect("a text"),
                Some(command) if command.starts_with("gaud ") => {
                    case.arguments = command.split(' ').skip(1).collect();
                }
                Some(variable) => {
                    case.environment.push(variable.split_once('=').expect("a variable"))
                }
            }
        }
        case
    }

    fn answered(&self) -> String {
        let output = gaud(Some(&self.toml), &self.environment, &self.arguments);
        let said = [text(&output.stderr), text(&output.stdout)].join("\n");
        format!("{}\n", said.trim())
    }
}

#[test]
fn every_wrong_input_has_its_answer() {
    let file = std::fs::read_to_string(PLACE).expect("the table");
    let mut blocks = file.split("=== ");
    let mut fresh = blocks.next().expect("a head").to_owned();
    let cases: Vec<_> = blocks.map(Case::read).collect();
    assert!(cases.len() >= CASES_MIN, "{} wrong inputs", cases.len());
    let mut wrong = Vec::new();
    for (block, case) in file.split("=== ").skip(1).zip(&cases) {
        let answer = case.answered();
        let (input, _) = block.split_once("->\n").expect("an answer");
        write!(fresh, "=== {input}->\n{answer}").expect("a text");
        if answer != case.answer {
            wrong.push(format!("{}:\n{answer}", case.title));
        }
    }
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(PLACE, fresh).expect("the table is written");
    }
    assert!(wrong.is_empty(), "other answers than those of wrong.txt:\n{}", wrong.join("\n"));
}

/// No answer shows what may be a key.
#[test]
fn no_answer_has_a_secret() {
    let file = std::fs::read_to_string(PLACE).expect("the table");
    for block in file.split("=== ").skip(1) {
        let case = Case::read(block);
        for secret in ["sk-secret", "123456789"] {
            assert!(!case.answered().contains(secret), "{}", case.title);
        }
    }
}
