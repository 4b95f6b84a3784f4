//! Any text in any setting comes out of the rendered YAML as the text that went in.

use std::path::{Path, PathBuf};

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use serde::Deserialize;
use serde_json::Value;

use super::{Form, Source, istio};
use crate::native::envoy::{EnvoyVersion, PINNED};

mod outside;

/// A text that no template has.
const PLAIN: &str = "Some_plain_text";

/// The places of a text in a file, as the TOML around the text; the text brings its quotes.
const SETTINGS: [&str; 11] = [
    "[aliases]\n@ = \"p:m\"\n",
    "[aliases]\nx = @\n",
    "[[fallbacks]]\nmodel = @\nto = [\"p:m\"]\n",
    "[[fallbacks]]\nmodel = \"x\"\nto = [@]\n",
    "[providers.q]\nurl = \"http://q\"\nmodels = [@]\n",
    "[providers.q]\nurl = \"http://q\"\nmatch = [@]\n",
    "[providers.q]\nurl = \"http://q\"\nnamespaces = [@]\n",
    "[providers.q]\nurl = \"http://q\"\napi_key = \"os.environ/K\"\nheaders = { x-q = @ }\n",
    "[providers.q]\nurl = \"http://q\"\nhealth_path = @\n",
    "[providers.q]\nurl = \"https://q\"\nca_file = @\n",
    "[providers.q]\ncluster = @\n",
];

const FORMS: [Form; 3] = [Form::Filter, Form::EnvoyGateway, Form::Istio];

/// What breaks lines, ends scalars, begins comments, or means something to a template.
fn texts() -> impl Strategy<Value = String> {
    let troublesome = select(
        "\n\r\t\0\u{85}\u{2028}\u{2029}\u{feff}\u{7f}\u{202e}'\"\\#:{}[],&*!|>%@`-? ~"
            .chars()
            .collect::<Vec<_>>(),
    );
    let word = prop_oneof![
        Just("{{ 1 }}"),
        Just("{% raw %}"),
        Just("NO"),
        Just("---"),
        Just(": "),
        Just(" #"),
        Just("1e3")
    ];
    let piece = prop_oneof![
        4 => troublesome.prop_map(String::from),
        2 => any::<char>().prop_map(String::from),
        1 => word.prop_map(String::from),
        2 => "[a-z0-9]{1,4}",
    ];
    vec(piece, 1..8).prop_map(|pieces| pieces.concat())
}

fn names() -> impl Strategy<Value = String> {
    let word = select(vec!["ON", "NO", "Y", "TRUE", "NULL", "_", "_1", "Off", "y", "null"]);
    prop_oneof![word.prop_map(String::from), "[A-Za-z_][A-Za-z0-9_]{0,6}"]
}

/// What is rendered, read as YAML; `None` where the configuration is refused.
fn rendered(form: Form, toml: &str, file: &str, wasm: &Path) -> Option<Vec<Value>> {
    let yaml = yaml(form, toml, file, wasm)?;
    let documents = serde_yaml_ng::Deserializer::from_str(&yaml);
    Some(
        documents
            .map(|one| Value::deserialize(one).unwrap_or_else(|error| panic!("{error}\n{yaml}")))
            .collect(),
    )
}

/// What is rendered, with its comments; `None` where the configuration is refused.
fn yaml(form: Form, toml: &str, file: &str, wasm: &Path) -> Option<String> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(file);
    std::fs::write(&path, toml).unwrap();
    let env = |_: &str| None;
    let source = Source::read(form, Some(&path), Some(wasm), &env).ok()?;
    let version: EnvoyVersion = PINNED.parse().unwrap();
    let yaml = match form {
        Form::Istio => source.mesh_yaml(&istio::Options::default(), None, version, &env),
        _ => source.yaml(version, wasm, None, &env),
    };
    Some(yaml.unwrap())
}

/// The same document with `text` in the place of each string that is `from`, strings of JSON included.
fn with(value: &Value, from: &str, text: &str) -> Value {
    let of_variable = format!("os.environ/{from}");
    match value {
        Value::String(string) if string == from => Value::String(text.to_owned()),
        Value::String(string) if *string == of_variable => {
            Value::String(format!("os.environ/{text}"))
        }
        Value::String(string) if string.starts_with("{\n") => match serde_json::from_str(string) {
            Ok(json) => with(&json, from, text),
            Err(_) => value.clone(),
        },
        Value::Array(items) => items.iter().map(|item| with(item, from, text)).collect(),
        Value::Object(entries) => {
            let key = |key: &String| if key == from { text.to_owned() } else { key.clone() };
            entries.iter().map(|(name, value)| (key(name), with(value, from, text))).collect()
        }
        other => other.clone(),
    }
}

fn all_with(documents: &[Value], from: &str) -> Vec<Value> {
    documents.iter().map(|document| with(document, from, PLAIN)).collect()
}

/// Holds what is rendered for `text` against what is rendered for a text without any trouble in it.
fn assert_same(form: Form, text: &str, render: impl Fn(&str) -> Option<Vec<Value>>) {
    let plain = render(PLAIN).expect("a plain text is good");
    // A text that the documents have anyhow says nothing.
    if all_with(&plain, text) != all_with(&plain, PLAIN) {
        return;
    }
    if let Some(documents) = render(text) {
        assert!(all_with(&documents, text) == all_with(&plain, PLAIN), "{form:?} {text:?}");
    }
}

const HEAD: &str = "default_provider = \"p\"\n";
const P: &str = "[providers.p]\nurl = \"http://p\"\n";

#[test]
fn every_setting_takes_a_plain_text() {
    for setting in SETTINGS {
        let text = match setting {
            setting if setting.contains("health_path") => format!("/{PLAIN}"),
            setting if setting.contains("to = [@]") => format!("p:{PLAIN}"),
            _ => PLAIN.to_owned(),
        };
        let toml = format!("{HEAD}{P}{}", setting.replace('@', &format!("{text:?}")));
        let documents = rendered(Form::Filter, &toml, "gaud.toml", Path::new("/x.wasm"));
        let documents = documents.unwrap_or_else(|| panic!("{setting}"));
        let other = documents.iter().map(|document| with(document, &text, "other"));
        assert!(!other.eq(documents.iter().cloned()), "{setting} is nowhere");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_text_in_any_setting_comes_back(text in texts(), setting in select(SETTINGS.to_vec()), form in select(FORMS.to_vec())) {
        let prefix = match setting {
            setting if setting.contains("health_path") => "/",
            setting if setting.contains("to = [@]") => "p:",
            _ => "",
        };
        let toml = |text: &str| {
            let text = Value::String(format!("{prefix}{text}")).to_string().replace('\u{7f}', "\\u007f");
            format!("{HEAD}{P}{}", setting.replace('@', &text))
        };
        let whole = |text: &str| rendered(form, &toml(text), "gaud.toml", Path::new("/etc/gaud/gaud.wasm"));
        let text = format!("{prefix}{text}");
        assert_same(form, &text, |given| match given {
            PLAIN => whole(PLAIN).map(|documents| {
                let plain = format!("{prefix}{PLAIN}");
                documents.iter().map(|document| with(document, &plain, PLAIN)).collect()
            }),
            given => whole(given.strip_prefix(prefix).unwrap_or(given)),
        });
    }

    #[test]
    fn any_name_of_a_variable_comes_back(name in names(), form in select(FORMS.to_vec())) {
        assert_same(form, &name, |name| {
            let toml = format!("{HEAD}{P}api_key = \"os.environ/{name}\"\n");
            rendered(form, &toml, "gaud.toml", Path::new("/etc/gaud/gaud.wasm"))
        });
    }

    #[test]
    fn any_place_of_the_filter_comes_back(text in texts(), form in select(vec![Form::Filter, Form::Istio])) {
        let place = |text: &str| PathBuf::from(text.replace("://", ""));
        let text = place(&text).display().to_string();
        assert_same(form, &text, |text| rendered(form, &format!("{HEAD}{P}"), "gaud.toml", &place(text)));
    }

    #[test]
    fn any_name_of_the_file_stays_in_a_comment(text in texts(), form in select(FORMS.to_vec())) {
        let name = format!("x{}", text.replace(['/', '\0'], ""));
        let file = |name: &str| rendered(form, &format!("{HEAD}{P}"), name, Path::new("/etc/gaud/gaud.wasm"));
        assert!(file(&name) == file("gaud.toml"), "{form:?} {name:?}");
    }
}

/// An Envoy elsewhere asks `gaud serve` for keys, by a secret that nothing rendered has.
#[test]
fn a_control_server_elsewhere_has_a_cluster_in_every_form() {
    let toml = "[providers.p]\nurl = \"http://p\"\n[keys]\nmode = \"required\"\n[control]\n\
        server = \"http://gaud-control:8480\"\ntoken = \"a-secret-of-twenty-characters\"\n";
    for form in FORMS {
        let documents = rendered(form, toml, "gaud.toml", Path::new("/f/gaud.wasm")).unwrap();
        let text = serde_json::to_string(&documents).unwrap();
        for part in ["gaud_control", "gaud-control:8480", "GAUD_FEED_TOKEN"] {
            assert!(text.contains(part), "{part} is not in {text}");
        }
        assert!(!text.contains("a-secret"), "{text}");
        let without = toml.replace("server =", "# server =");
        assert!(rendered(form, &without, "gaud.toml", Path::new("/f/gaud.wasm")).is_some());
    }
}

const SHARED: &str = "limits = \"redis\"\n[providers.p]\nurl = \"http://p\"\nauth = \"none\"\n[usage]\nmeter = \"all\"\n\
    [control]\nserver = \"http://gaud-control:8480\"\ntoken = \"a-secret-of-twenty-characters\"\n\
    [[fallbacks]]\nmodel = \"chain\"\nto = [\"p:second\"]\n";

/// The names of all HTTP filters of a list.
fn filters(list: &[Value]) -> Vec<&str> {
    list.iter().filter_map(|filter| filter["name"].as_str()).collect()
}

#[test]
fn rates_that_gateways_share_are_asked_for_right_after_the_filter_and_by_no_other_gateway() {
    let own =
        ["gaud", "gaud_limits_key", "gaud_limits_model", "gaud_limits_user", "gaud_returning"];
    let of_attempts = [&["gaud_attempt"], &own[1..]].concat();
    let module = Path::new("/f/gaud.wasm");
    let documents = rendered(Form::Filter, SHARED, "gaud.toml", module).unwrap();
    let [document] = documents.as_slice() else { panic!("one document") };
    assert_eq!(filters(document["http_filters"].as_array().unwrap()), own);
    let attempts = &document["listeners"][0]["filter_chains"][0]["filters"][0]["typed_config"];
    let attempts = filters(attempts["http_filters"].as_array().unwrap());
    assert_eq!(attempts, [&of_attempts[..], &["envoy.filters.http.router"]].concat());
    for form in FORMS {
        let text = |toml: &str| {
            serde_json::to_string(&rendered(form, toml, "gaud.toml", module).unwrap()).unwrap()
        };
        let shared = text(SHARED);
        let places =
            own.map(|name| shared.find(&format!("\"name\":\"{name}\"")).unwrap_or_default());
        assert!(places.is_sorted() && places[0] > 0, "{form:?}: {places:?}");
        assert!(shared.contains("127.0.0.1") && shared.contains("8081"), "the cluster: {shared}");
        assert!(!text(&SHARED.replace("redis", "local")).contains("gaud_limits"), "{form:?}");
    }
}

#[test]
fn an_envoy_without_keys_cannot_share_rates() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("gaud.toml");
    std::fs::write(&path, SHARED.replace("server =", "# server =")).unwrap();
    let refused =
        Source::read_for_elsewhere(Form::Envoy, Some(&path), None, &|_| None).err().unwrap();
    let said = "limits.store: counts what keys and users ask for, and this Envoy knows none; name the control server in \
                control.server, or start `gaud run` with one";
    assert_eq!(refused.to_string(), format!("{}:1: {said}", path.display()));
}
