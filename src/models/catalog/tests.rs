//! The names of the merged list, and the documents made of it.

use super::*;
use crate::config::File;
use crate::models::Page;
#[cfg(all(target_family = "wasm", target_os = "unknown"))]
use wasm_bindgen_test::wasm_bindgen_test as test;

fn gateway(json: &str) -> Gateway {
    Gateway::compile(&File::from_json(json.as_bytes()).unwrap(), &|_| None).unwrap()
}

fn listed(ids: &[&str]) -> Vec<Listed> {
    ids.iter().map(|id| Listed { id: (*id).to_owned(), ..Listed::default() }).collect()
}

/// `name -> provider: model`, for each entry.
fn rows(catalog: &Catalog<'_>) -> Vec<String> {
    catalog.entries().iter().map(row).collect()
}

fn row(entry: &Entry<'_>) -> String {
    format!("{} -> {}: {}", entry.name, entry.provider.name, entry.target.model)
}

const TWO: &str = r#"{"default_provider":"litellm","providers":{
    "litellm":{"url":"http://a","models":["litellm:gpt-4o","own"]},
    "claude":{"url":"http://b","match":["claude-*"],"namespaces":["c/","claude:"]}},
    "aliases":{"fast":"litellm:small","best":"claude-x","gpt-4o":"litellm:gpt-4o"}}"#;

#[test]
fn every_model_has_the_shortest_name_that_reaches_it() {
    let gateway = gateway(TWO);
    let found =
        [listed(&["gpt-4o", "claude-x", "claude:y", "small"]), listed(&["claude-x", "old"])];
    let expected = [
        "gpt-4o -> litellm: gpt-4o",
        "own -> litellm: own",
        "litellm:claude-x -> litellm: claude-x",
        "litellm:claude:y -> litellm: claude:y",
        "small -> litellm: small",
        "claude-x -> claude: claude-x",
        "c/old -> claude: old",
        "fast -> litellm: small",
        "best -> claude: claude-x",
    ];
    assert_eq!(rows(&Catalog::of(&gateway, &found, Names::Configured)), expected);
    // A provider that was not asked yet has what the file lists.
    let expected = [
        "gpt-4o -> litellm: gpt-4o",
        "own -> litellm: own",
        "fast -> litellm: small",
        "best -> claude: claude-x",
    ];
    assert_eq!(rows(&Catalog::of(&gateway, &[], Names::Configured)), expected);
}

#[test]
fn a_model_that_no_name_reaches_is_left_out() {
    let gateway = gateway(
        r#"{"providers":{"p":{"url":"http://a","namespaces":["p/","p:"]},
            "deep":{"url":"http://b","namespaces":["p/x/"]},"none":{"url":"http://c","namespaces":[]}}}"#,
    );
    let long = "x".repeat(511);
    let found = [listed(&["x/a", "b", &long]), vec![], listed(&["c"])];
    let expected = ["p:x/a -> p: x/a", "p/b -> p: b"];
    assert_eq!(rows(&Catalog::of(&gateway, &found, Names::Configured)), expected);
}

#[test]
fn any_name_of_a_listed_model_finds_it() {
    let gateway = gateway(TWO);
    let found = [listed(&["gpt-4o", "claude-x"]), listed(&["claude-x"])];
    let catalog = Catalog::of(&gateway, &found, Names::Configured);
    for (id, expected) in [
        ("gpt-4o", Some("gpt-4o -> litellm: gpt-4o")),
        ("litellm:gpt-4o", Some("litellm:gpt-4o -> litellm: gpt-4o")),
        ("claude:claude-x", Some("claude:claude-x -> claude: claude-x")),
        ("litellm:claude-x", Some("litellm:claude-x -> litellm: claude-x")),
        ("fast", Some("fast -> litellm: small")),
        ("small", Some("small -> litellm: small")),
        ("other", None),
        ("litellm:", None),
        ("a\n", None),
        ("", None),
    ] {
        assert_eq!(catalog.find(id).as_ref().map(row).as_deref(), expected, "{id}");
    }
}

fn documented() -> (Gateway, [Vec<Listed>; 1]) {
    let found = Listed {
        id: "gpt-4o".to_owned(),
        created_secs: Some(1_739_923_200),
        context_window: Some(7),
        display_name: Some("GPT \"4o\"".to_owned()),
    };
    let json = r#"{"providers":{"p":{"url":"http://a","models":["m","gpt-4o","o1"]}},
        "aliases":{"fast":"p:gpt-4o"}}"#;
    let mut file = File::from_json(json.as_bytes()).unwrap();
    file.providers["p"].windows = Some("128000 gpt-4o 200000 o1".to_owned());
    (Gateway::compile(&file, &|_| None).unwrap(), [vec![found]])
}

#[test]
fn the_list_is_openais() {
    let (gateway, found) = documented();
    let catalog = Catalog::of(&gateway, &found, Names::Configured);
    let expected = concat!(
        r#"{"object":"list","data":["#,
        r#"{"id":"p:m","object":"model","created":0,"owned_by":"p"},"#,
        r#"{"id":"p:gpt-4o","object":"model","created":1739923200,"owned_by":"p","max_input_tokens":7},"#,
        r#"{"id":"p:o1","object":"model","created":0,"owned_by":"p","max_input_tokens":200000},"#,
        r#"{"id":"fast","object":"model","created":1739923200,"owned_by":"p","max_input_tokens":7}]}"#,
    );
    assert_eq!(catalog.document(Page::OpenAi), expected);
    let one = r#"{"id":"fast","object":"model","created":1739923200,"owned_by":"p","max_input_tokens":7}"#;
    assert_eq!(catalog.find("fast").unwrap().document(Page::OpenAi), one);
}

#[test]
fn the_list_is_anthropics() {
    let (gateway, found) = documented();
    let catalog = Catalog::of(&gateway, &found, Names::Configured);
    let expected = concat!(
        r#"{"data":[{"type":"model","id":"p:m","display_name":"p:m","created_at":"1970-01-01T00:00:00Z"},"#,
        r#"{"type":"model","id":"p:gpt-4o","display_name":"GPT \"4o\"","created_at":"2025-02-19T00:00:00Z"},"#,
        r#"{"type":"model","id":"p:o1","display_name":"p:o1","created_at":"1970-01-01T00:00:00Z"},"#,
        r#"{"type":"model","id":"fast","display_name":"fast","created_at":"2025-02-19T00:00:00Z"}],"#,
        r#""has_more":false,"first_id":"p:m","last_id":"fast"}"#,
    );
    assert_eq!(catalog.document(Page::Anthropic), expected);
    let one =
        r#"{"type":"model","id":"p:o1","display_name":"p:o1","created_at":"1970-01-01T00:00:00Z"}"#;
    assert_eq!(catalog.find("p:o1").unwrap().document(Page::Anthropic), one);
    let bare = self::gateway(r#"{"providers":{"p":{"url":"http://a"}}}"#);
    let empty = r#"{"data":[],"has_more":false,"first_id":null,"last_id":null}"#;
    assert_eq!(Catalog::of(&bare, &[], Names::Configured).document(Page::Anthropic), empty);
}

#[test]
fn the_list_is_a_chat_front_ends() {
    let (gateway, found) = documented();
    let expected = concat!(
        r#"[{"id":"p:m","name":"p:m","provider":"p","contextWindow":null},"#,
        r#"{"id":"p:gpt-4o","name":"GPT \"4o\"","provider":"p","contextWindow":7},"#,
        r#"{"id":"p:o1","name":"p:o1","provider":"p","contextWindow":200000},"#,
        r#"{"id":"fast","name":"fast","provider":"p","contextWindow":7}]"#,
    );
    assert_eq!(Catalog::of(&gateway, &found, Names::Configured).document(Page::Chat), expected);
}

#[test]
fn the_configuration_says_which_names_are_listed() {
    let of = |list_names: &str, default: &str| {
        gateway(&format!(
            r#"{{{list_names}{default}"providers":{{"litellm":{{"url":"http://a","models":["gpt-4o","claude-x"]}},
            "claude":{{"url":"http://b","match":["claude-*"],"namespaces":["c/","claude:"],"models":["claude-x"]}},
            "bare":{{"url":"http://c","match":["own"],"namespaces":[],"models":["own"]}}}}}}"#
        ))
    };
    let default = r#""default_provider":"litellm","#;
    let namespaced = ["litellm:gpt-4o", "litellm:claude-x", "c/claude-x", "own"];
    let short = ["gpt-4o", "litellm:claude-x", "claude-x", "own"];
    for (list_names, default, expected) in [
        ("", "", &namespaced[..]),
        ("", default, &short),
        (r#""list_names":"namespaced","#, default, &namespaced),
        (
            r#""list_names":"short","#,
            "",
            &["litellm:gpt-4o", "litellm:claude-x", "claude-x", "own"],
        ),
        (
            r#""list_names":"both","#,
            default,
            &["gpt-4o", "litellm:gpt-4o", "litellm:claude-x", "claude-x", "c/claude-x", "own"],
        ),
    ] {
        let gateway = of(list_names, default);
        let names = |names| {
            let catalog = Catalog::of(&gateway, &[], names);
            catalog.entries().iter().map(|entry| entry.name.to_string()).collect::<Vec<_>>()
        };
        assert_eq!(names(Names::Configured), expected, "{list_names}{default}");
        let litellm = gateway.litellm_of("/api/litellm/v1/models").unwrap();
        let own = ["gpt-4o", "claude-x", "c/claude-x", "own"];
        assert_eq!(names(Names::OfLitellm(litellm)), own, "{list_names}{default}");
        assert_eq!(gateway.litellm_of("/v1/models"), None);
        assert_eq!(gateway.litellm_of("/api/litellmx/v1/models"), None);
    }
}

#[test]
fn a_key_is_shown_each_name_once() {
    let gateway = gateway(
        r#"{"default_provider":"p","list_names":"both","providers":{"p":{"url":"http://a","models":["m","n"]}}}"#,
    );
    let shown = |allows: &dyn Fn(&str) -> bool| {
        rows(&Catalog::of(&gateway, &[], Names::Configured).allowed(allows))
    };
    assert_eq!(shown(&|name| name == "p:m"), ["p:m -> p: m"]);
    assert_eq!(shown(&|name| name.ends_with('m')), ["m -> p: m", "p:m -> p: m"]);
}

#[test]
fn a_group_is_listed_by_its_name() {
    let json = r#"{"providers":{"a":{"url":"http://a","auth":"none","models":["x"]},"b":{"url":"http://b","auth":"none"}},
        "models":[{"name":"shared","deployments":[{"target":"b:y"},{"target":"a:x"}]},
            {"name":"a:x","deployments":[{"target":"b:z"}]}]}"#;
    let gateway = gateway(json);
    let catalog = Catalog::of(&gateway, &[], Names::Configured);
    assert_eq!(rows(&catalog), ["shared -> b: y", "a:x -> b: z"]);
    assert_eq!(catalog.find("shared").map(|entry| row(&entry)).as_deref(), Some("shared -> b: y"));
}
