//! The source tree's imports go one way: between rooms, the order in `lib.rs`; between files, any order without a circle.
#![allow(clippy::arithmetic_side_effects, clippy::string_slice)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// A module's names from the crate on: `["body", "json"]` is `src/body/json.rs`, or `src/body/json/mod.rs`.
type Module = Vec<String>;

/// Each file's module and its text, without comments and tests.
type Files = BTreeMap<Module, String>;

/// Which modules a module imports.
type Graph = BTreeMap<Module, BTreeSet<Module>>;

#[test]
fn a_room_imports_only_rooms_of_lower_lines() {
    let order = order_of_rooms();
    let line_of = |room: &str| {
        let line = order.iter().position(|line| line.contains(&room));
        line.unwrap_or_else(|| panic!("src/lib.rs has no line for the room {room}"))
    };
    let graph = graph(&files());
    let mut rooms = BTreeSet::new();
    for (module, imported) in &graph {
        let Some(room) = module.first() else { continue };
        rooms.insert(room.as_str());
        for other in imported {
            let goes_down = *room == other[0] || line_of(room) < line_of(&other[0]);
            assert!(goes_down, "{} imports {}", path(module), path(other));
        }
    }
    let listed: BTreeSet<_> = order.concat().into_iter().collect();
    assert_eq!(rooms, listed, "the rooms of the tree, and those in src/lib.rs");
}

#[test]
fn no_files_import_each_other_in_a_circle() {
    let graph = graph(&files());
    assert!(graph.values().map(BTreeSet::len).sum::<usize>() > 300, "the imports were read");
    let circles = graph.keys().filter_map(|module| circle_through(module, &graph));
    let named: Vec<_> =
        circles.map(|circle| circle.iter().map(path).collect::<Vec<_>>().join(" -> ")).collect();
    assert!(named.is_empty(), "circles of imports:\n{}", named.join("\n"));
}

#[test]
fn a_circle_is_found_through_groups_and_reexports() {
    let file = |module: &str, text: &str| {
        let names = module.split("::").filter(|name| !name.is_empty()).map(str::to_owned);
        (names.collect(), text.to_owned())
    };
    let tree = |last: &str| {
        graph(&Files::from([
            file("", "pub mod a; pub mod b;"),
            file("a", "mod one; mod two; pub use one::One;"),
            file("a::one", "use super::two::Two; use crate::{b::{self, Other}};"),
            file("a::two", "pub struct Two;"),
            file("b", last),
        ]))
    };
    let (one, two) =
        (vec!["a".to_owned(), "one".to_owned()], vec!["a".to_owned(), "two".to_owned()]);
    let b = vec!["b".to_owned()];
    let straight = tree("fn f() { crate::a::two::Two; }");
    assert_eq!(straight[&one], BTreeSet::from([two.clone(), b.clone()]));
    assert_eq!(straight[&b], BTreeSet::from([two]));
    assert_eq!(circle_through(&b, &straight), None);
    assert_eq!(circle_through(&b, &tree("use super::a::One;")), Some(vec![b.clone(), one, b]));
}

/// The lines of `lib.rs` that say which room may import which: the highest first.
fn order_of_rooms() -> Vec<Vec<&'static str>> {
    let text = include_str!("lib.rs");
    let (_, text) = text.split_once("only from rooms on lower lines:\n//!\n//! ```text\n").unwrap();
    let (lines, _) = text.split_once("//! ```").unwrap();
    lines.lines().map(|line| line.split_whitespace().skip(1).collect()).collect()
}

fn files() -> Files {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let (mut folders, mut files) = (vec![source.clone()], Files::new());
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if let Some(module) = module_of(path.strip_prefix(&source).unwrap()) {
                files.insert(module, code(&fs::read_to_string(path).unwrap()));
            }
        }
    }
    files
}

/// `None` for a test, and for a file that is not Rust.
fn module_of(file: &Path) -> Option<Module> {
    let stem: PathBuf = file.with_extension("");
    let names = stem.iter().map(|name| name.to_str().unwrap().to_owned());
    let mut module: Module = names.collect();
    let last = module.last()?.as_str();
    if file.extension()? != "rs" || ["main", "tests"].contains(&last) {
        return None;
    }
    if ["mod", "lib"].contains(&last) {
        module.pop();
    }
    Some(module)
}

/// The text without comments, and without the tests at the file's end.
fn code(text: &str) -> String {
    let text = text.split("#[cfg(test)]\nmod tests {").next().unwrap();
    text.lines().map(|line| line.split("//").next().unwrap()).collect::<Vec<_>>().join("\n")
}

/// Two things do not count: what a file takes from the file of its folder, because the two are one module, and what a file
/// re-exports of its submodules.
fn graph(files: &Files) -> Graph {
    let imported = |(module, text): (&Module, &String)| {
        let modules = paths(text, module, files).into_iter().filter_map(|path| {
            let other = resolved(&path.names, files);
            let is_facade = path.is_public && other.starts_with(module);
            (!is_facade && !module.starts_with(&other)).then_some(other)
        });
        (module.clone(), modules.collect())
    };
    files.iter().map(imported).collect()
}

/// A path in a file's code.
struct Mention {
    /// From the crate on.
    names: Vec<String>,
    /// Whether the path is of a `pub use`.
    is_public: bool,
}

/// Every path that begins with `crate`, `super` or the name of a submodule.
fn paths(text: &str, module: &Module, files: &Files) -> Vec<Mention> {
    let is_name = |c: char| c.is_alphanumeric() || c == '_';
    let mut found = Vec::new();
    for (at, _) in text.match_indices("::") {
        let before = &text[..at];
        let start = before.rfind(|c| !is_name(c)).map_or(0, |last| last + 1);
        let mut names = module.clone();
        match &text[start..at] {
            _ if before[..start].ends_with("::") => continue,
            "crate" => names.clear(),
            "super" => _ = names.pop(),
            name => {
                names.push(name.to_owned());
                if !files.contains_key(&names) {
                    continue;
                }
            }
        }
        let line = text[..start].rsplit(['\n', ';']).next().unwrap().trim_start();
        let is_public = line.starts_with("pub") && line.contains("use ");
        let mut whole = Vec::new();
        read_tree(&text[at + 2..], &names, &mut whole);
        found.extend(whole.into_iter().map(|names| Mention { names, is_public }));
    }
    found
}

/// Reads `a::{b, c::d}` after `names`: each path of the tree. Returns the text after the tree.
fn read_tree<'a>(text: &'a str, names: &[String], found: &mut Vec<Vec<String>>) -> &'a str {
    let mut names = names.to_vec();
    let mut rest = text.trim_start();
    loop {
        if let Some(group) = rest.strip_prefix('{') {
            rest = group.trim_start();
            while !rest.starts_with('}') {
                rest = read_tree(rest, &names, found).trim_start();
                rest = rest.strip_prefix(',').unwrap_or(rest).trim_start();
            }
            return &rest[1..];
        }
        let end = rest.find(|c: char| !(c.is_alphanumeric() || c == '_' || c == '*'));
        let (name, after) = rest.split_at(end.unwrap_or(rest.len()));
        match name {
            "super" => _ = names.pop(),
            "self" | "*" => {}
            name => names.push(name.to_owned()),
        }
        match after.strip_prefix("::") {
            Some(further) => rest = further,
            None => {
                found.push(names);
                // `x as y`
                let end = after.find([',', '}', ';', '\n', '(']).unwrap_or(after.len());
                return &after[end..];
            }
        }
    }
}

/// The module that defines the last name of a path, re-exports followed.
fn resolved(names: &[String], files: &Files) -> Module {
    let mut module = Module::new();
    for (index, name) in names.iter().enumerate() {
        let child = [module.as_slice(), std::slice::from_ref(name)].concat();
        if files.contains_key(&child) {
            module = child;
            continue;
        }
        let text = files.get(&module).map_or("", String::as_str);
        let reexports = paths(text, &module, files).into_iter().filter(|path| path.is_public);
        for Mention { names: mut target, .. } in reexports {
            if target.last() == Some(name) {
                target.extend_from_slice(&names[index + 1..]);
                return resolved(&target, files);
            }
        }
        break;
    }
    module
}

/// The shortest way from a module over its imports back to the module.
fn circle_through(module: &Module, graph: &Graph) -> Option<Vec<Module>> {
    let mut ways = vec![vec![module.clone()]];
    let mut seen = BTreeSet::new();
    for at in 0.. {
        let way = ways.get(at)?.clone();
        for next in graph.get(way.last()?)? {
            let longer = [way.as_slice(), std::slice::from_ref(next)].concat();
            if next == module {
                return Some(longer);
            }
            if seen.insert(next.clone()) {
                ways.push(longer);
            }
        }
    }
    None
}

fn path(module: &Module) -> String {
    format!("src/{}", module.join("/"))
}
