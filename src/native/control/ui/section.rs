//! The sections of the page of settings, made of the table in `docs/settings.md` and of the settings that have values.

use std::sync::LazyLock;

use serde::Serialize;

use super::field::{Field, Kind, Origin, written};
use crate::native::control::settings::{Setting, SettingKey, Source, dotted, is_secret_place};

/// The one list of all settings, with their defaults and their meanings.
const DOCUMENT: &str = include_str!("../../../../docs/settings.md");

static KNOWN: LazyLock<Vec<Known>> = LazyLock::new(|| known(DOCUMENT));

/// The provider that the page always has, and has first.
pub(super) const LITELLM: &str = "litellm";

/// The settings of a provider that people need first, with their names on the page.
const FIRST: [(&str, &str); 4] = [
    ("url", "URL"),
    ("api_key", "API key"),
    ("discover_models", "Discover models"),
    ("timeout_secs", "Timeout, in seconds"),
];

/// The sections of what belongs to no provider: the id, the title, and how the settings begin.
const SECTIONS: [(&str, &str, &[&str]); 8] = [
    (
        "routing",
        "Routing",
        &[
            "default_provider",
            "list_names",
            "aliases",
            "models",
            "fallbacks",
            "retries",
            "base_paths",
        ],
    ),
    (
        "network",
        "Clients and network",
        &[
            "listen",
            "open_to_network",
            "tls",
            "admin_listen",
            "trusted_proxies",
            "allow_hosts",
            "cors",
        ],
    ),
    ("access", "Keys and pages", &["keys", "ui", "control"]),
    ("litellm-data", "LiteLLM's file and keys", &["litellm"]),
    ("usage", "Usage, prices and alerts", &["usage", "prices", "alerts"]),
    (
        "breaker",
        "Breaker and checks",
        &["breaker", "health_interval_secs", "discover_interval_secs"],
    ),
    ("telemetry", "Tracing and access log", &["tracing", "access_log"]),
    (
        "limits",
        "Limits and process",
        &[
            "limits",
            "drain_secs",
            "memory_limit_bytes",
            "workers",
            "body_limit_bytes",
            "model_secs",
            "held_limit_bytes",
            "lists_limit_bytes",
            "kept_limit_bytes",
            "client_share_percent",
        ],
    ),
];

/// A row of the table of settings.
#[derive(Debug, PartialEq, Eq)]
struct Known {
    parts: Vec<String>,
    default: String,
    meaning: String,
}

#[derive(Debug, Serialize)]
pub(super) struct Section {
    pub(super) id: String,
    pub(super) title: String,
    /// The settings that are shown at once.
    pub(super) first: Vec<Field>,
    /// The settings that are shown on demand.
    pub(super) rest: Vec<Field>,
    /// Whether the rest is shown at once.
    pub(super) is_open: bool,
}

impl Section {
    pub(super) fn fields(&mut self) -> impl Iterator<Item = &mut Field> {
        self.first.iter_mut().chain(&mut self.rest)
    }
}

/// All sections, LiteLLM's first.
pub(super) fn sections(settings: &[Setting]) -> Vec<Section> {
    let rows: Vec<_> = settings.iter().filter_map(Row::of).collect();
    let mut providers = vec![LITELLM];
    for row in &rows {
        if let [first, name, ..] = row.parts.as_slice()
            && first == "providers"
            && !providers.contains(&name.as_str())
        {
            providers.push(name);
        }
    }
    let providers = providers.into_iter().map(|name| of_provider(name, &rows));
    let others = SECTIONS.into_iter().map(|(id, title, _)| {
        let is_here = |parts: &[String]| section_of(parts) == Some(id);
        let rest = fields(&rows, &is_here, "");
        Section {
            id: id.to_owned(),
            title: title.to_owned(),
            first: Vec::new(),
            rest,
            is_open: false,
        }
    });
    providers.chain(others).collect()
}

/// A setting that has a value.
struct Row<'a> {
    parts: Vec<String>,
    setting: &'a Setting,
}

impl<'a> Row<'a> {
    fn of(setting: &'a Setting) -> Option<Self> {
        let key = SettingKey::parse(&setting.key).ok()?;
        let parts = key.parts().into_iter().map(str::to_owned).collect();
        Some(Self { parts, setting })
    }
}

fn section_of(parts: &[String]) -> Option<&'static str> {
    let first = parts.first()?;
    if first == "providers" {
        return None;
    }
    let found = SECTIONS.iter().find(|(_, _, names)| names.contains(&first.as_str()));
    found.or(SECTIONS.last()).map(|(id, ..)| *id)
}

fn of_provider(name: &str, rows: &[Row<'_>]) -> Section {
    let is_here = |parts: &[String]| matches!(parts, [first, own, ..] if first == "providers" && (own == name || own == "P"));
    let mut rest = fields(rows, &is_here, name);
    let mut first = Vec::new();
    for (setting, label) in FIRST {
        let key = dotted(&["providers", name, setting]);
        if let Some(place) = rest.iter().position(|field| field.key == key) {
            let field = rest.remove(place);
            first.push(Field { label: label.to_owned(), ..field });
        }
    }
    let title = if name == LITELLM { "LiteLLM".to_owned() } else { name.to_owned() };
    let id = if name == LITELLM { name.to_owned() } else { format!("provider-{name}") };
    Section { id, title, first, rest, is_open: false }
}

/// The fields of a section: those of the table in its order, then the settings that the table has no row of its own for.
fn fields(rows: &[Row<'_>], is_here: &dyn Fn(&[String]) -> bool, provider: &str) -> Vec<Field> {
    let mut fields = Vec::new();
    for known in KNOWN.iter().filter(|known| is_here(&known.parts)) {
        let matching: Vec<_> =
            rows.iter().filter(|row| known.is_row(&row.parts) && is_here(&row.parts)).collect();
        if matching.is_empty() && !known.has_gap() {
            fields.push(known.unset(provider));
        }
        fields.extend(matching.into_iter().map(|row| known.set(row)));
    }
    let extra = rows.iter().filter(|row| is_here(&row.parts));
    let extra = extra.filter(|row| !KNOWN.iter().any(|known| known.is_row(&row.parts)));
    let unknown = Known { parts: Vec::new(), default: String::new(), meaning: String::new() };
    fields.extend(extra.map(|row| unknown.set(row)));
    fields
}

impl Known {
    /// Whether a setting is one of this row: `P`, `NAME` and `MODEL` are for any name.
    fn is_row(&self, parts: &[String]) -> bool {
        self.parts.len() == parts.len()
            && self.parts.iter().zip(parts).all(|(own, part)| is_gap(own) || own == part)
    }

    /// Whether the row has a name that only a setting with a value can fill.
    fn has_gap(&self) -> bool {
        self.parts.iter().any(|part| is_gap(part) && part != "P")
    }

    fn unset(&self, provider: &str) -> Field {
        let parts: Vec<_> =
            self.parts.iter().map(|part| if part == "P" { provider } else { part }).collect();
        self.field(dotted(&parts), String::new(), Origin::Default, None)
    }

    fn set(&self, row: &Row<'_>) -> Field {
        let Setting { key, value, source } = row.setting;
        let (origin, variable) = match source {
            Source::File => (Origin::File, None),
            Source::Environment { variable, overrides: true } => {
                (Origin::Environment, Some(variable.clone()))
            }
            Source::Environment { variable, .. } => (Origin::LastResort, Some(variable.clone())),
        };
        self.field(key.clone(), written(value), origin, variable)
    }

    fn field(&self, key: String, value: String, origin: Origin, variable: Option<String>) -> Field {
        let Self { default, meaning, .. } = self;
        let kind = self.kind(&key, &value);
        let (default, meaning) = (default.clone(), meaning.clone());
        let (problem, of_file) = (None, None);
        let label = key.clone();
        Field { key, label, kind, value, origin, variable, default, meaning, problem, of_file }
    }

    fn kind(&self, key: &str, value: &str) -> Kind {
        let is_boolean = |text: &str| text.starts_with("true") || text.starts_with("false");
        if SettingKey::parse(key).is_ok_and(|key| is_secret_place(&key.parts())) {
            Kind::Secret
        } else if is_boolean(&self.default) {
            Kind::Choice
        } else if value.len() > 60 || key == "fallbacks" {
            Kind::Area
        } else {
            Kind::Text
        }
    }
}

/// A name in capitals means any name.
fn is_gap(part: &str) -> bool {
    part.bytes().all(|byte| byte.is_ascii_uppercase())
}

/// Reads the table of the settings.
fn known(document: &str) -> Vec<Known> {
    let table = document.split_once("<!-- settings -->").map_or("", |(_, rest)| rest);
    let table = table.split_once("<!-- end -->").map_or("", |(table, _)| table);
    let row = |line: &str| {
        let (key, rest) = line.strip_prefix("| `")?.split_once("` |")?;
        let (default, meaning) = rest.split_once('|')?;
        let parts = key.split('.').map(str::to_owned).collect();
        let meaning = plain(meaning.trim_end().trim_end_matches('|'));
        Some(Known { parts, default: plain(default), meaning })
    };
    table.lines().filter_map(row).collect()
}

/// Markdown without its marks: links are their words.
fn plain(markdown: &str) -> String {
    let mut text = String::new();
    let mut rest = markdown.trim();
    while let Some((before, after)) = rest.split_once('[') {
        // `[` opens a link where `](` comes before its end; else it is a bracket.
        let link = after.split_once("](").filter(|(words, _)| !words.contains(['[', ']']));
        let link = link.and_then(|(words, place)| Some((words, place.split_once(')')?.1)));
        text.push_str(before);
        match link {
            Some((words, after)) => (text, rest) = (text + words, after),
            None => (text, rest) = (text + "[", after),
        }
    }
    text.push_str(rest);
    text.replace('`', "")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::json;

    use super::*;

    fn setting(key: &str, value: serde_json::Value) -> Setting {
        Setting { key: key.to_owned(), value, source: Source::File }
    }

    #[test]
    fn the_document_has_every_setting_with_its_default() {
        assert!(KNOWN.len() > 60, "{}", KNOWN.len());
        let listen = KNOWN.iter().find(|known| known.parts == ["listen"]).unwrap();
        assert_eq!(listen.default, "\"127.0.0.1:8400\"");
        assert_eq!(listen.meaning, "where clients connect");
        assert!(KNOWN.iter().all(|known| !known.meaning.contains("](")));
    }

    #[test]
    fn a_section_names_every_setting_and_no_other() {
        let of_document: BTreeSet<_> = KNOWN.iter().map(|known| known.parts[0].as_str()).collect();
        let named: Vec<_> = SECTIONS.iter().flat_map(|(_, _, names)| *names).copied().collect();
        let of_sections: BTreeSet<_> = named.iter().copied().chain(["providers"]).collect();
        assert_eq!(of_sections, of_document);
        assert_eq!(named.len() + 1, of_sections.len(), "no setting is in two sections");
    }

    #[test]
    fn litellm_is_first_and_every_setting_is_in_one_section() {
        let settings = [
            setting("providers.claude.url", json!("https://c")),
            setting("providers.claude.breaker.failures", json!(5)),
            setting("providers.\"a.b\".headers.x-team", json!("t")),
            setting("aliases.\"gpt-4.1\"", json!("claude:m")),
            setting("prices.m.input", json!(1.5)),
            setting("workers", json!(2)),
            setting("models", json!([{"name": "m"}])),
            setting("litellm.config", json!("litellm.yaml")),
            setting("tracing.otlp", json!("http://collector:4318")),
            setting("access_log.path", json!("stdout")),
        ];
        let mut sections = sections(&settings);
        let ids: Vec<_> = sections.iter().map(|section| section.id.clone()).collect();
        let others = SECTIONS.map(|(id, ..)| id);
        assert_eq!(ids, [&["litellm", "provider-claude", "provider-a.b"], &others[..]].concat());
        let first: Vec<_> = sections[0].first.iter().map(|field| field.label.as_str()).collect();
        assert_eq!(first, ["URL", "API key", "Discover models", "Timeout, in seconds"]);
        assert_eq!(sections[0].first[0].origin, Origin::Default);
        let kinds: Vec<_> = sections[0].first.iter().map(|field| field.kind).collect();
        assert_eq!(kinds, [Kind::Text, Kind::Secret, Kind::Choice, Kind::Text]);
        let all: Vec<_> =
            sections.iter_mut().flat_map(Section::fields).map(|field| field.clone()).collect();
        for own in &settings {
            let found: Vec<_> = all.iter().filter(|field| field.key == own.key).collect();
            assert_eq!(found.len(), 1, "{}", own.key);
            assert_eq!((found[0].origin, &found[0].value), (Origin::File, &written(&own.value)));
        }
        let keys: BTreeSet<_> = all.iter().map(|field| &field.key).collect();
        assert_eq!(keys.len(), all.len(), "no setting has two fields");
    }

    #[test]
    fn marks_of_markdown_are_taken_out() {
        let marked = "the most that a [compressed `body`](endpoints.md#x) may have; `[]`, `[[f]]`";
        assert_eq!(plain(marked), "the most that a compressed body may have; [], [[f]]");
    }
}
