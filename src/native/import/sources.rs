//! A file and those that it includes, as one: the lists are joined, and of other values the last file's counts.

use super::yaml::{self, Entry, Node, Value};

/// A key of a file's top, with the file that it comes from.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Top {
    pub(super) file: usize,
    pub(super) entry: Entry,
}

/// All files.
#[derive(Debug, Default)]
pub(super) struct Sources {
    pub(super) files: Vec<String>,
    pub(super) tops: Vec<Top>,
    /// The files that cannot be read: the line of the `include`, the file, and why.
    pub(super) unread: Vec<(usize, String, String)>,
}

impl Sources {
    /// The values of a key of the top, each with its file: several where lists are joined.
    pub(super) fn all<'a>(&'a self, key: &str) -> impl Iterator<Item = (usize, &'a Node)> {
        let tops = self.tops.iter().filter(move |top| top.entry.key == key);
        tops.map(|top| (top.file, &top.entry.node))
    }

    /// The value that counts.
    pub(super) fn last<'a>(&'a self, key: &str) -> Option<(usize, &'a Node)> {
        self.all(key).last().filter(|(_, node)| node.value != Value::Null)
    }
}

/// Reads a file and what it includes, one level deep as LiteLLM does.
pub(super) fn read(
    name: &str,
    text: &str,
    include: &dyn Fn(&str) -> Result<String, String>,
) -> Result<Sources, String> {
    let place = |name: &str| {
        let name = name.to_owned();
        move |(line, problem): (usize, String)| format!("{name}:{line}: is not YAML: {problem}")
    };
    let node = yaml::read(text).map_err(place(name))?;
    if !node.is_map() {
        return Err(format!(
            "{name}:{}: is {}; LiteLLM's file is a table with model_list",
            node.line,
            node.kind()
        ));
    }
    let mut sources = Sources { files: vec![name.to_owned()], ..Sources::default() };
    let included: Vec<Node> =
        node.get("include").map(|own| own.items().to_vec()).unwrap_or_default();
    sources.add(0, node);
    for path in included {
        let Some(other) = path.text() else { continue };
        match include(other) {
            Ok(text) => {
                let file = sources.files.len();
                sources.files.push(other.to_owned());
                sources.add(file, yaml::read(&text).map_err(place(other))?);
            }
            Err(problem) => sources.unread.push((path.line, other.to_owned(), problem)),
        }
    }
    Ok(sources)
}

impl Sources {
    fn add(&mut self, file: usize, node: Node) {
        let Value::Map(entries) = node.value else { return };
        self.tops.extend(entries.into_iter().map(|entry| Top { file, entry }));
    }
}
