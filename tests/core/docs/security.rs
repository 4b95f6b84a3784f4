//! The tests that SECURITY.md names exist.

use super::{path, read};

#[test]
fn the_threat_model_names_tests() {
    let text = read("SECURITY.md");
    let rows = text.lines().filter(|line| line.starts_with("| ") && line.ends_with(" |"));
    let last_cells = rows.filter_map(|row| row.trim_end_matches(" |").rsplit_once(" | "));
    let names: Vec<_> =
        last_cells.flat_map(|(_, cell)| cell.split('`').skip(1).step_by(2)).collect();
    assert!(names.len() > 20, "{names:?}");
    for name in names {
        let is_there = if name.contains('/') { path(name).exists() } else { is_test_of_e2e(name) };
        assert!(is_there, "SECURITY.md names {name}, which is not there");
    }
}

/// Whether `tests/e2e` has the module `a::b::`, or the test `a::b::name`.
fn is_test_of_e2e(name: &str) -> bool {
    let (module, test) = name.rsplit_once("::").unwrap();
    let place = path(&format!("tests/e2e/{}", module.replace("::", "/")));
    let file = if place.is_dir() { place.join("mod.rs") } else { place.with_extension("rs") };
    let source = std::fs::read_to_string(file).unwrap_or_default();
    !source.is_empty() && source.contains(&format!("fn {test}"))
}
