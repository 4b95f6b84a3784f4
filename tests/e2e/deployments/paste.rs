//! Does what `gaud render --for filter` asks of a person: pastes each section where it belongs.

use std::collections::BTreeMap;

/// The sections of a rendering, without comments before them: between empty lines, `name:` and what it holds.
pub(crate) fn sections(rendered: &str) -> BTreeMap<&str, &str> {
    let blocks = rendered.trim_end().split("\n\n").skip(1);
    let named = blocks.map(|block| {
        let start = block.lines().take_while(|line| line.starts_with('#'));
        let section = &block[start.map(|line| line.len() + 1).sum()..];
        // An alias is a section of one line.
        section.split_once('\n').unwrap_or((section, ""))
    });
    named.map(|(name, held)| (name.split(':').next().expect("a name"), held)).collect()
}

/// The user's configuration with all sections in their places; `port` is that of the user's clusters.
pub(crate) fn paste(rendered: &str, port: u16) -> String {
    let mut sections = sections(rendered);
    // The filter has it as well.
    sections.remove("configuration").expect("the filter's configuration");
    let mut yaml = String::new();
    for line in include_str!("user_envoy.yaml").lines() {
        match line.split_once("# paste: ") {
            None => yaml += &format!("{line}\n"),
            Some((indentation, name)) => {
                for pasted in sections.remove(name).unwrap_or_default().lines() {
                    yaml += &format!(
                        "{indentation}{}\n",
                        pasted.strip_prefix("  ").filter(|_| is_map(name)).unwrap_or(pasted)
                    );
                }
            }
        }
    }
    assert!(sections.is_empty(), "no place for {:?}", sections.keys());
    yaml.replace("{port}", &port.to_string())
}

/// Whether a section is a map, which is indented, where a list is not.
fn is_map(name: &str) -> bool {
    ["http_connection_manager", "router"].contains(&name)
}
