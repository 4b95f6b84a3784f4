//! Every model of the table has its own window in the list of its vendor, and a list has what its provider may need.

use super::*;

const ELSEWHERE: &str = "http://127.0.0.1:1";

/// The list of a provider that is configured alone.
fn list(name: &str, url: &str, more: &str) -> Option<String> {
    let toml = format!("{more}\n[providers.{name}]\nurl = \"{url}\"\n");
    lists_of(&toml).remove(0)
}

fn lists_of(toml: &str) -> Vec<Option<String>> {
    let file: File = toml::from_str(toml).unwrap();
    let gateway = Gateway::compile(&file, &|_| None).unwrap();
    lists(&file, &gateway).unwrap()
}

/// The list of a vendor of whom the configuration says nothing more.
fn list_of_vendor(windows: &Windows<'_>, vendor: &str) -> String {
    windows.list(&Asked { vendor, models: vec![], starts: vec![] }).unwrap_or_default()
}

fn vendors<'a>(windows: &'a Windows<'_>) -> BTreeSet<&'a str> {
    let of_row =
        |row: &'a Row<'_>| row.entry.litellm_provider.trim_start_matches("text-completion-");
    windows.rows.iter().map(of_row).collect()
}

/// A vendor's clouds and regions may have a model under one name with several windows: the row with the shortest path counts.
const REGIONS: [&str; 2] = ["bedrock", "azure"];

#[test]
fn every_model_of_a_vendor_has_its_own_window() {
    let table = read_table(&File::default()).unwrap();
    let windows = Windows::of(&table);
    assert!(vendors(&windows).len() > 40 && windows.rows.len() > 2000);
    for vendor in vendors(&windows) {
        let list = list_of_vendor(&windows, vendor);
        let mut seen = BTreeSet::new();
        for row in windows.rows.iter().filter(|row| is_of(&row.entry.litellm_provider, vendor)) {
            // As LiteLLM's clients ask for the model, and as the provider is sent it.
            let sent = row.key.split_once('/').map_or(row.key, |(_, sent)| sent);
            let found = [row.key, sent].map(|name| of(name, &list));
            let own = [Some(row.entry.max_input_tokens); 2];
            let is_another = !seen.insert(row.name()) && found != own;
            assert!(found == own || is_another, "{}: {found:?}", row.key);
            let is_known = REGIONS.contains(&vendor.split('_').next().unwrap());
            assert!(!is_another || is_known || row.key == "gemini/gemini-exp-1206", "{}", row.key);
        }
    }
}

#[test]
fn a_list_is_small() {
    let table = read_table(&File::default()).unwrap();
    let windows = Windows::of(&table);
    for vendor in vendors(&windows) {
        // Two vendors serve hundreds of models of others.
        let most = if ["bedrock", "fireworks_ai"].contains(&vendor) { 5000 } else { 4000 };
        let bytes = list_of_vendor(&windows, vendor).len();
        assert!(bytes <= most, "{vendor}: {bytes} bytes");
    }
    assert!(list_of_vendor(&windows, "openai").len() < 1200);
    assert!(list_of_vendor(&windows, "anthropic").len() < 300);
}

#[test]
fn a_model_that_the_configuration_names_has_the_window_of_its_family() {
    for (model, window) in [
        ("gpt-4o", Some(128_000)),
        ("gpt-4o-mini-2024-07-18", Some(128_000)),
        ("openai/gpt-4o", Some(128_000)),
        ("openrouter/openai/gpt-4.1-nano", Some(1_047_576)),
        ("gpt-4", Some(8_192)),
        ("gpt-4-turbo-preview", Some(128_000)),
        ("bedrock/us.anthropic.claude-3-5-sonnet-20241022-v2:0", Some(200_000)),
        ("claude-3-opus", Some(200_000)),
        ("claude-opus-4-6@default", Some(1_000_000)),
        ("meta-llama/Llama-3.3-70B-Instruct", Some(131_072)),
        ("gpt-4.5", None),
        ("gpt-45", None),
        ("my-gpt-4o", None),
        ("gemini-pro", None),
        ("llama-2-70b", None),
    ] {
        for name in ["litellm", "another"] {
            let list = list(name, ELSEWHERE, "").unwrap_or_default();
            assert_eq!(of(model, &list), None, "{name}: {model}");
            let toml =
                format!("[providers.{name}]\nurl = \"{ELSEWHERE}\"\nmodels = [\"{model}\"]\n");
            let list = lists_of(&toml).remove(0).unwrap_or_default();
            assert_eq!(of(model, &list), window, "{name}: {model}");
        }
    }
}

#[test]
fn names_of_a_family_come_with_the_rest_of_the_family() {
    let toml = format!("[providers.p]\nurl = \"{ELSEWHERE}\"\nmodels = [\"gpt-4\"]\n");
    let list = lists_of(&toml).remove(0).unwrap();
    // The provider may list these too.
    assert_eq!(of("gpt-4-turbo", &list), Some(128_000));
    assert_eq!(of("gpt-4-32k", &list), Some(32_768));
    assert_eq!(of("gpt-4o", &list), None);
}

#[test]
fn a_provider_is_a_vendor_s_by_its_host_else_by_its_name() {
    for (name, url, vendor) in [
        ("p", "https://api.openai.com/v1", "openai"),
        ("gpt", "https://api.anthropic.com/v1", "anthropic"),
        ("openai", "https://generativelanguage.googleapis.com", "gemini"),
        ("p", "https://mine.openai.azure.com", "azure"),
        ("p", "https://bedrock-runtime.us-east-1.amazonaws.com", "bedrock"),
        ("p", "https://us-east5-aiplatform.googleapis.com", "vertex_ai"),
        ("p", "https://api.groq.com/openai/v1", "groq"),
        ("openai", ELSEWHERE, "openai"),
        ("together", ELSEWHERE, "together_ai"),
    ] {
        let table = read_table(&File::default()).unwrap();
        let expected = list_of_vendor(&Windows::of(&table), vendor);
        assert_eq!(list(name, url, ""), Some(expected), "{name} at {url}");
    }
    assert_eq!(list("openai-2", ELSEWHERE, ""), None);
    let toml = "[providers.p]\ncluster = \"outbound|443||api.openai.com\"\n";
    assert_eq!(lists_of(toml)[0], list("openai", ELSEWHERE, ""));
}

#[test]
fn a_pattern_brings_what_it_may_mean() {
    let of_pattern = |name: &str, pattern: &str| {
        let toml = format!("[providers.{name}]\nurl = \"{ELSEWHERE}\"\nmatch = [\"{pattern}\"]\n");
        lists_of(&toml).remove(0)
    };
    let list = of_pattern("kiro", "claude-*").unwrap();
    assert_eq!(of("claude-sonnet-4-5-20250929", &list), Some(200_000));
    assert_eq!(of("claude-opus-4-6", &list), Some(1_000_000));
    assert_eq!(of("gpt-4o", &list), None);
    assert_eq!(of_pattern("kiro", "*"), None);
    // LiteLLM tells the windows of the models that it lists.
    assert_eq!(of_pattern("litellm", "claude-*"), None);
    assert_eq!(of_pattern("anthropic", "gpt-*"), self::list("anthropic", ELSEWHERE, ""));
}

#[test]
fn a_file_takes_the_place_of_the_table() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("prices.json");
    let usage = format!("[usage]\nprice_file = \"{}\"\n", path.display());
    std::fs::write(&path, r#"{"sample_spec":{"max_input_tokens":"a text"},"none":{"max_tokens":7},
        "gpt-4o":{"litellm_provider":"openai","max_input_tokens":5},"openai/GPT x":{"litellm_provider":"openai","max_input_tokens":6}}"#)
    .unwrap();
    assert_eq!(list("openai", ELSEWHERE, &usage).as_deref(), Some("5 gpt-4o"));
    assert_eq!(list("anthropic", ELSEWHERE, &usage), None);
}
