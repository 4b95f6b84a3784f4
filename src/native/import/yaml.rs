//! YAML with the line of each value, as PyYAML's `safe_load` reads it: the last of two equal keys counts, `<<` merges, and
//! `yes` and `on` are true.

use std::collections::HashMap;

use saphyr_parser::{Event, Parser, ScalarStyle};

/// A value and its line, from 1.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Node {
    pub(super) line: usize,
    pub(super) value: Value,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value {
    Null,
    Bool(bool),
    Number(f64),
    Text(String),
    List(Vec<Node>),
    Map(Vec<Entry>),
}

/// A key of a map with its line.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Entry {
    pub(super) line: usize,
    pub(super) key: String,
    pub(super) node: Node,
}

/// The most values of a file; an alias counts as all values that the alias repeats.
const NODES_MAX: usize = 200_000;

/// The most that values may be within each other.
const DEPTH_MAX: usize = 64;

/// Reads the first document of a text. An empty text is an empty map.
///
/// # Errors
/// The line, and what is wrong there.
pub(super) fn read(text: &str) -> Result<Node, (usize, String)> {
    let mut reader =
        Reader { parser: Parser::new_from_str(text), anchors: HashMap::new(), nodes: 0 };
    loop {
        let (event, line) = reader.next()?;
        match event {
            Event::StreamStart | Event::DocumentStart(_) | Event::Nothing => {}
            Event::StreamEnd | Event::DocumentEnd => {
                return Ok(Node { line, value: Value::Map(Vec::new()) });
            }
            event => {
                let node = reader.node(event, line, 0)?;
                let is_empty = node.value == Value::Null;
                let value = if is_empty { Value::Map(Vec::new()) } else { node.value };
                return Ok(Node { line, value });
            }
        }
    }
}

struct Reader<'t> {
    parser: Parser<'t, saphyr_parser::StrInput<'t>>,
    anchors: HashMap<usize, Node>,
    nodes: usize,
}

impl<'t> Reader<'t> {
    fn next(&mut self) -> Result<(Event<'t>, usize), (usize, String)> {
        match self.parser.next_event() {
            Some(Ok((event, span))) => Ok((event, span.start.line())),
            Some(Err(error)) => Err((error.marker().line(), error.info().to_owned())),
            None => Err((1, "ends too early".to_owned())),
        }
    }

    fn node(
        &mut self,
        event: Event<'t>,
        line: usize,
        depth: usize,
    ) -> Result<Node, (usize, String)> {
        self.nodes += 1;
        if self.nodes > NODES_MAX || depth > DEPTH_MAX {
            return Err((line, "is too large or too deep".to_owned()));
        }
        let (anchor, value) = match event {
            Event::Scalar(text, style, anchor, tag) => {
                let is_text =
                    style != ScalarStyle::Plain || tag.is_some_and(|tag| tag.suffix == "str");
                let text = text.into_owned();
                (anchor, if is_text { Value::Text(text) } else { plain(text) })
            }
            Event::SequenceStart(anchor, _) => (anchor, Value::List(self.list(depth)?)),
            Event::MappingStart(anchor, _) => (anchor, Value::Map(self.map(depth)?)),
            Event::Alias(anchor) => {
                let found = self.anchors.get(&anchor).cloned();
                let found =
                    found.ok_or_else(|| (line, "names an anchor that is not there".to_owned()))?;
                self.nodes += found.count();
                return Ok(Node { line, ..found });
            }
            _ => return Err((line, "is not a value".to_owned())),
        };
        let node = Node { line, value };
        if anchor > 0 {
            self.anchors.insert(anchor, node.clone());
        }
        Ok(node)
    }

    fn list(&mut self, depth: usize) -> Result<Vec<Node>, (usize, String)> {
        let mut items = Vec::new();
        loop {
            match self.next()? {
                (Event::SequenceEnd, _) => return Ok(items),
                (event, line) => items.push(self.node(event, line, depth + 1)?),
            }
        }
    }

    fn map(&mut self, depth: usize) -> Result<Vec<Entry>, (usize, String)> {
        let (mut entries, mut merged): (Vec<Entry>, Vec<Entry>) = (Vec::new(), Vec::new());
        loop {
            let (event, line) = self.next()?;
            if event == Event::MappingEnd {
                break;
            }
            let key = self.node(event, line, depth + 1)?;
            let (event, at) = self.next()?;
            let node = self.node(event, at, depth + 1)?;
            let Some(key) = key.key() else { continue };
            if key == "<<" {
                merged.extend(node.merged());
            } else {
                entries.retain(|entry| entry.key != key);
                entries.push(Entry { line, key, node });
            }
        }
        for entry in merged {
            if entries.iter().all(|own| own.key != entry.key) {
                entries.push(entry);
            }
        }
        Ok(entries)
    }
}

fn plain(text: String) -> Value {
    match text.as_str() {
        "" | "~" | "null" | "Null" | "NULL" => Value::Null,
        "true" | "True" | "TRUE" | "yes" | "Yes" | "YES" | "on" | "On" | "ON" => Value::Bool(true),
        "false" | "False" | "FALSE" | "no" | "No" | "NO" | "off" | "Off" | "OFF" => {
            Value::Bool(false)
        }
        _ => {
            let is_number = text.starts_with(|c: char| c.is_ascii_digit() || "+-.".contains(c))
                && text.bytes().all(|byte| byte.is_ascii_digit() || b"+-._eE".contains(&byte));
            let number = is_number.then(|| text.replace('_', "").parse().ok()).flatten();
            number.map_or(Value::Text(text), Value::Number)
        }
    }
}

impl Node {
    /// The value of a key; `None` where it is not there or null.
    pub(super) fn get(&self, key: &str) -> Option<&Self> {
        let entry = self.entries().iter().find(|entry| entry.key == key)?;
        Some(&entry.node).filter(|node| node.value != Value::Null)
    }

    /// The entries of a map; of any other value, none.
    pub(super) fn entries(&self) -> &[Entry] {
        match &self.value {
            Value::Map(entries) => entries,
            _ => &[],
        }
    }

    /// The items of a list; of any other value, none.
    pub(super) fn items(&self) -> &[Self] {
        match &self.value {
            Value::List(items) => items,
            _ => &[],
        }
    }

    pub(super) fn text(&self) -> Option<&str> {
        match &self.value {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// A number, or a text that is one.
    pub(super) fn number(&self) -> Option<f64> {
        match &self.value {
            Value::Number(number) => Some(*number),
            Value::Text(text) => text.trim().parse().ok(),
            _ => None,
        }
    }

    pub(super) fn is_true(&self) -> bool {
        self.value == Value::Bool(true)
    }

    pub(super) fn is_map(&self) -> bool {
        matches!(self.value, Value::Map(_))
    }

    /// What the value is, for people.
    pub(super) fn kind(&self) -> &'static str {
        match self.value {
            Value::Null => "empty",
            Value::Bool(true) => "`true`",
            Value::Bool(false) => "`false`",
            Value::Number(_) => "a number",
            Value::Text(_) => "a text",
            Value::List(_) => "a list",
            Value::Map(_) => "a table",
        }
    }

    /// A value as a key of a map.
    fn key(&self) -> Option<String> {
        match &self.value {
            Value::Text(text) => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            Value::Bool(is_true) => Some(is_true.to_string()),
            Value::Null | Value::List(_) | Value::Map(_) => None,
        }
    }

    /// The entries that `<<` takes over.
    fn merged(&self) -> Vec<Entry> {
        match &self.value {
            Value::Map(entries) => entries.clone(),
            Value::List(maps) => maps.iter().flat_map(|map| map.entries().to_vec()).collect(),
            _ => Vec::new(),
        }
    }

    fn count(&self) -> usize {
        let inner: usize = self.items().iter().map(Self::count).sum();
        let of_map: usize = self.entries().iter().map(|entry| entry.node.count()).sum();
        1 + inner + of_map
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_those_of_pyyaml() {
        let text = "a: yes\nb: 20_000\nc: 'no'\nd:\n  - 1.5\n  - ~\ne: &x {k: v, m: 1}\nf:\n  <<: *x\n  m: 2\na: off\n";
        let node = read(text).unwrap();
        assert!(node.get("a").is_some_and(|own| own.value == Value::Bool(false) && own.line == 11));
        assert_eq!(node.get("b").unwrap().number(), Some(20_000.0));
        assert_eq!(node.get("c").unwrap().text(), Some("no"));
        assert_eq!(node.get("d").unwrap().items()[0].number(), Some(1.5));
        let merged = node.get("f").unwrap();
        assert_eq!(merged.get("k").unwrap().text(), Some("v"));
        assert_eq!(merged.get("m").unwrap().number(), Some(2.0));
        assert_eq!(node.get("e").unwrap().line, 7);
    }

    #[test]
    fn what_is_not_yaml_has_a_line() {
        assert_eq!(read("a: 1\nb: [1, 2\n").unwrap_err().0, 3);
        assert!(read("").unwrap().is_map() && read("# nothing\n").unwrap().is_map());
    }

    #[test]
    fn aliases_of_aliases_do_not_grow_without_bound() {
        let mut text = "a0: &a0 [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]\n".to_owned();
        for level in 1..12 {
            let items = vec![format!("*a{}", level - 1); 10].join(", ");
            text += &format!("a{level}: &a{level} [{items}]\n");
        }
        assert_eq!(read(&text).unwrap_err().1, "is too large or too deep");
    }
}
