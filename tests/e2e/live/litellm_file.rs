//! LiteLLM's own file beside `gaud.toml`: read at the start, and followed.

use super::{Config, ask, assert_served};
use crate::kit::harness::{Run, wait};
use crate::kit::upstream::Provider;
use std::path::Path;

/// LiteLLM's file with these names, each a model of this server; another file is included.
fn write(place: &Path, server: &Provider, names: &[&str]) {
    let entry = |name: &&str| {
        let url = format!("{}/v1", server.url());
        format!(
            "- {{model_name: {name}, litellm_params: {{model: openai/m-{name}, api_base: {url}, api_key: sk-{name}}}}}\n"
        )
    };
    let entries: String = names.iter().map(entry).collect();
    let stays = "- {model_name: stays, litellm_params: {model: gemini/flash}}\n";
    let next = place.with_extension("next");
    std::fs::write(&next, format!("include: [more.yaml]\nmodel_list:\n{entries}{stays}"))
        .expect("a file");
    std::fs::rename(next, place).expect("a place");
}

#[test]
fn litellms_file_is_followed() {
    let (litellm, direct) = (Provider::start(), Provider::start());
    let folder = tempfile::tempdir().expect("a folder");
    let (place, more) = (folder.path().join("config.yaml"), folder.path().join("more.yaml"));
    std::fs::write(&more, "router_settings: {num_retries: 0}\n").expect("a file");
    write(&place, &direct, &["one"]);
    let mut config = Config::of(&[("litellm", &litellm)]);
    config.tables = format!("[litellm]\nconfig = \"{}\"\n", place.display());
    let run = Run::start(&config.text());
    assert_served(&run, "one", "127-0-0-1");
    assert_served(&run, "stays", "litellm");
    assert_served(&run, "two", "litellm");

    // The keys differ, so each name has a provider of its own.
    write(&place, &direct, &["one", "two"]);
    wait::until_true("the new name", || {
        ask(run.addr(), "two").header("x-gaud-provider").as_deref() == Some("127-0-0-1-2")
    });
    assert_served(&run, "one", "127-0-0-1");

    // What is not YAML changes nothing.
    std::fs::write(&place, "model_list: [").expect("a file");
    run.wait_for(": is not YAML: ");
    assert_served(&run, "two", "127-0-0-1-2");

    // A file that is included is followed too.
    write(&place, &direct, &["one"]);
    wait::until_true("the name is gone", || {
        ask(run.addr(), "two").header("x-gaud-provider").as_deref() == Some("litellm")
    });
    std::fs::write(&more, "router_settings: {model_group_alias: {other: one}}\n").expect("a file");
    wait::until_true("the alias", || {
        ask(run.addr(), "other").header("x-gaud-provider").as_deref() == Some("127-0-0-1")
    });
    let log = run.log();
    assert!(!log.contains("sk-one") && !log.contains("sk-two"), "{log}");
}
