//! The figures in the documents are those of a commit in the history, so that a reader can measure them again.

use std::process::Command;

use super::{path, read};

const RESULTS: &str = "tests/bench/results";

/// The commit that a file of figures names, where nothing else than the commit was measured.
fn commit(figures: &str) -> Option<&str> {
    let (_, rest) = figures.split_once("commit ")?;
    let is_hex = |letter: char| letter.is_ascii_digit() || ('a'..='f').contains(&letter);
    let length = rest.find(|letter| !is_hex(letter))?;
    let (name, rest) = rest.split_at(length);
    (name.len() >= 7 && !rest.starts_with(" with uncommitted changes")).then_some(name)
}

fn git(arguments: &[&str]) -> Option<String> {
    let output = Command::new("git").args(arguments).current_dir(path("")).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

fn is_in_history(commit: &str) -> bool {
    git(&["merge-base", "--is-ancestor", commit, "HEAD"]).is_some()
}

/// Whether this folder has the whole history: a tarball and a shallow clone do not.
fn has_history() -> bool {
    path(".git").exists()
        && git(&["rev-parse", "--is-shallow-repository"]).as_deref() == Some("false")
}

#[test]
fn every_file_of_figures_names_a_commit_of_the_history() {
    if !has_history() {
        return;
    }
    let files = std::fs::read_dir(path(RESULTS)).unwrap();
    let mut names: Vec<_> =
        files.map(|file| file.unwrap().file_name().into_string().unwrap()).collect();
    names.retain(|name| name.ends_with(".md"));
    names.sort();
    let of_no_commit = |name: &String| {
        let text = read(&format!("{RESULTS}/{name}"));
        !commit(&text).is_some_and(is_in_history)
    };
    let wrong: Vec<_> = names.into_iter().filter(of_no_commit).collect();
    assert!(wrong.is_empty(), "files of figures that name no commit of the history: {wrong:?}");
}

#[test]
fn only_a_clean_commit_counts() {
    for (text, named) in [
        ("Measured at commit d8e365f, with Envoy 1.40.0", Some("d8e365f")),
        ("| gaud | commit d8e365f, 432,472 bytes of wasm |", Some("d8e365f")),
        ("Measured at commit 98e0e43 with uncommitted changes, with Envoy", None),
        ("| gaud | 2d640d0-dirty, 432,472 bytes of wasm |", None),
        ("a commit a day", None),
    ] {
        assert_eq!(commit(text), named, "{text}");
    }
    if has_history() {
        assert!(git(&["rev-parse", "HEAD"]).is_some_and(|head| is_in_history(&head)));
        assert!(!is_in_history("0123456789abcdef0123456789abcdef01234567"));
    }
}
