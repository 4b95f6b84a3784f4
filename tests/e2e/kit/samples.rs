//! Configurations and bodies that several suites use.

use std::fmt::Write;

/// The head of every configuration: free ports, two workers, the name by which the tests call it.
pub(crate) const LISTEN: &str = "\
listen = \"127.0.0.1:0\"
admin_listen = \"127.0.0.1:0\"
workers = 2
allow_hosts = [\"gateway\"]
";

/// A provider's table with its `url` and further settings. It has no breaker, so that the failures of
/// one test do not affect another.
pub(crate) fn provider(name: &str, url: &str, settings: &[&str]) -> String {
    let mut table = format!("[providers.{name}]\nurl = \"{url}\"\n");
    table += "breaker = { enabled = false }\n";
    for setting in settings {
        writeln!(table, "{setting}").expect("a string");
    }
    table
}

/// A rendered configuration in which a provider's cluster has another name, so that Envoy does not find it.
pub(crate) fn without_cluster(yaml: &str, name: &str) -> String {
    let there = format!("name: \"{name}\"");
    assert!(yaml.contains(&there), "no cluster {name}");
    yaml.replace(&there, "name: \"elsewhere\"")
}

/// The place of the model in a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    First,
    Middle,
    Last,
}

/// A chat request of about `size` bytes that asks for `model`.
///
/// Two bodies that differ in the model alone have every other byte in common.
pub(crate) fn body(model: &str, place: Place, size: usize) -> Vec<u8> {
    let rest = size.saturating_sub(20);
    let model = format!("\"model\" :\t\"{model}\"");
    let text = match place {
        Place::First => format!("{{{model},{}}}", field("messages", rest)),
        Place::Last => format!("{{{},{model} }}", field("messages", rest)),
        Place::Middle => {
            let (before, after) = (field("messages", rest / 2), field("tools", rest / 2));
            format!("{{ {before},\n{model}, {after}}}\r\n")
        }
    };
    text.into_bytes()
}

/// A key with a value of about `size` bytes, which confuses a reader that is not a parser.
fn field(name: &str, size: usize) -> String {
    const TEXT: &str = r#"{"role":"user","content":"say \"model\":\"x\", \\ \u00e9\n{[ é€😀"},"#;
    let fill = match size.checked_sub(name.len() + 10) {
        Some(room) => TEXT.repeat(room / TEXT.len()),
        None => String::new(),
    };
    let pad = " ".repeat(size.saturating_sub(name.len() + 8 + fill.len()));
    format!("\"{name}\":[{fill}{pad}-1.50E+02]")
}

/// `data` as gzip (RFC 1952), in stored blocks (RFC 1951, section 3.2.4).
pub(crate) fn gzip(data: &[u8]) -> Vec<u8> {
    let mut gzip = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255];
    let blocks = data.chunks(0xffff);
    let last = blocks.len() - 1;
    for (index, block) in blocks.enumerate() {
        let length = u16::try_from(block.len()).expect("a block's length");
        gzip.push(u8::from(index == last));
        gzip.extend(length.to_le_bytes());
        gzip.extend((!length).to_le_bytes());
        gzip.extend(block);
    }
    gzip.extend(crc32(data).to_le_bytes());
    gzip.extend(u32::try_from(data.len()).expect("a length").to_le_bytes());
    gzip
}

fn crc32(data: &[u8]) -> u32 {
    let step = |crc: u32, byte: &u8| {
        let bit = |crc: u32, _| if crc & 1 == 1 { (crc >> 1) ^ 0xedb8_8320 } else { crc >> 1 };
        (0..8).fold(crc ^ u32::from(*byte), bit)
    };
    !data.iter().fold(!0, step)
}
