//! Files of LiteLLM's, each with the settings that it becomes and the report on its entries.
//!
//! `cases.txt` has the cases: a name, variables of the environment, files, and what comes of these. `UPDATE=1` writes the
//! answers anew.

use std::collections::HashMap;
use std::fmt::Write;

use gaud::config::{File, SecretSource};
use gaud::gateway::Gateway;
use gaud::native::import::{self, Import, Options};

const CASES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/core/import/cases.txt");

/// What begins a case, a file, the settings and the report.
const CASE: &str = "#### ";
const FILE: &str = "---- ";
const SETTINGS: &str = "==== settings";
const REPORT: &str = "==== report";

/// A text that each written secret of a case has in it.
const SECRET: &str = "sk-secret";

struct Case<'t> {
    name: &'t str,
    env: HashMap<&'t str, &'t str>,
    /// The first is LiteLLM's own; the others are included.
    files: Vec<(&'t str, String)>,
    head: String,
}

fn cases(text: &str) -> Vec<Case<'_>> {
    let (mut cases, mut reads): (Vec<Case<'_>>, bool) = (Vec::new(), false);
    for line in text.lines() {
        if let Some(name) = line.strip_prefix(CASE) {
            let head = format!("{line}\n");
            cases.push(Case { name, env: HashMap::new(), files: Vec::new(), head });
            reads = true;
            continue;
        }
        reads &= line != SETTINGS;
        let Some(case) = cases.last_mut().filter(|_| reads) else { continue };
        writeln!(case.head, "{line}").unwrap();
        match (line.strip_prefix(FILE), case.files.last_mut()) {
            (Some(file), _) => case.files.push((file, String::new())),
            (None, Some((_, text))) => writeln!(text, "{line}").unwrap(),
            (None, None) => case.env.extend(line.split_once('=')),
        }
    }
    cases
}

fn import(case: &Case<'_>) -> Result<Import, String> {
    let (name, text) = &case.files[0];
    let others: HashMap<_, _> =
        case.files.iter().skip(1).map(|(name, text)| (*name, text)).collect();
    let options = Options {
        env: &|name| case.env.get(name).map(|value| (*value).to_owned()),
        include: &|name| {
            let text = others.get(name).map(|text| (*text).clone());
            text.ok_or_else(|| format!("{name} cannot be read: it is not there"))
        },
        taken: &[],
        litellm_url: Some("http://localhost:4000"),
        litellm_follows: case.env.contains_key("LITELLM_FOLLOWS"),
        needs_keys: case.env.contains_key("NEEDS_KEYS"),
    };
    import::read(name, text, &options)
}

fn settings(import: &Import) -> String {
    import::toml(&import.file, &mut |provider, _| {
        SecretSource::Environment(format!("KEY_OF_{provider}"))
    })
}

/// The most models of a provider that the file of cases writes out.
const SHOWN_MAX: usize = 12;

/// The settings without most of the names that LiteLLM lists in the place of a pattern.
fn shown(mut import: Import) -> String {
    for provider in import.file.providers.values_mut() {
        let count = provider.models.len();
        if count > SHOWN_MAX {
            provider.models.truncate(2);
            provider.models.push(format!("and {} more", count - 2));
        }
    }
    settings(&import)
}

/// The case with its answer.
fn answered(case: &Case<'_>) -> String {
    let answer = match import(case) {
        Ok(import) => {
            let report = import.report.to_string();
            format!("{SETTINGS}\n{}{REPORT}\n{report}", shown(import))
        }
        Err(problem) => format!("{SETTINGS}\n{REPORT}\n{problem}\n"),
    };
    format!("{}{answer}\n", case.head)
}

#[test]
fn each_file_has_its_settings_and_its_report() {
    let text = std::fs::read_to_string(CASES).unwrap();
    let cases = cases(&text);
    assert!(cases.len() >= 40, "{}", cases.len());
    let answered: String = cases.iter().map(answered).collect();
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(CASES, &answered).unwrap();
    }
    if answered != text {
        let differ = |(now, before): &(&str, &str)| now != before;
        let first = answered.lines().zip(text.lines()).find(differ);
        panic!("cases.txt says something else; UPDATE=1 writes it anew: {first:#?}");
    }
}

#[test]
fn each_settings_are_a_configuration_of_the_gateway() {
    let text = std::fs::read_to_string(CASES).unwrap();
    for case in cases(&text) {
        let Ok(import) = import(&case) else { continue };
        let settings = settings(&import);
        let mut file: File = toml::from_str(&settings)
            .unwrap_or_else(|error| panic!("{}: {error}\n{settings}", case.name));
        for provider in file.providers.values_mut() {
            let url = provider.url.clone().unwrap_or_default();
            if url.starts_with("os.environ/") {
                provider.url = Some("https://host.example".to_owned());
            }
        }
        if case.env.contains_key("LITELLM_FOLLOWS") {
            let key = Some(SecretSource::Environment("KEY".to_owned()));
            file.providers.get_mut(import::LITELLM).unwrap().api_key = key;
        }
        let lookup = |_: &str| Some("user:password".to_owned());
        if let Err(problem) = Gateway::compile(&file, &lookup) {
            panic!("{}: {problem}\n{settings}", case.name);
        }
    }
}

#[test]
fn no_secret_is_shown() {
    let text = std::fs::read_to_string(CASES).unwrap();
    let mut seen = 0;
    for case in cases(&text) {
        seen += usize::from(case.head.contains(SECRET));
        let Ok(import) = import(&case) else { continue };
        let shown = format!("{}{}{import:?}", settings(&import), import.report);
        assert!(!shown.contains(SECRET), "{}", case.name);
    }
    assert!(seen > 3, "{seen}");
}
