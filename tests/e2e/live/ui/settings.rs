//! Settings by form: the same changes as by API, with what came of them.

use super::browser::{field, hidden};
use super::{Browser, Config, ESCAPED, MARKUP};
use crate::kit::client::h1;
use crate::kit::harness::{Run, wait};
use crate::kit::upstream::Provider;
use crate::live::{ask, assert_served, chat};
use std::fs::read_to_string;

fn text(run: &Run) -> String {
    read_to_string(run.folder().join("gaud.toml")).expect("a file")
}

/// What the product's first documentation does on the page, step by step.
#[test]
fn litellm_is_set_up_and_removed() {
    let (one, litellm) = (Provider::start(), Provider::start());
    let run = Run::start(&Config::of(&[("one", &one)]).text());
    let browser = Browser::logged_in(&run);
    let page = browser.page("/ui/settings");
    let first = page.find("<section").map(|place| &page[place..]).expect("a section");
    assert!(first.starts_with("<section class=\"card\" id=\"litellm\">"), "{first}");
    let url = litellm.url();
    let saved = browser.save(
        "litellm",
        &[
            ("providers.litellm.api_key", "sk-typed-in"),
            ("providers.litellm.discover_models", "true"),
            ("providers.litellm.timeout_secs", "90"),
            ("providers.litellm.url", &url),
        ],
    );
    assert_eq!(saved.status, 303, "{}", saved.text());
    assert_eq!(saved.header("location").as_deref(), Some("/ui/settings#litellm"));
    let page = browser.page("/ui/settings");
    assert!(page.contains("Saved, and in effect: the gateway runs with version 2."), "{page}");
    assert_served(&run, "litellm:gpt-4o", "litellm");
    assert_eq!(h1::exchange(run.addr(), &chat("litellm:m").case("typed in")).status, 200);
    let sent = litellm.wait("typed in").header("authorization");
    assert_eq!(sent.as_deref(), Some("Bearer sk-typed-in"));
    // The key is in no page and not in the file; its stars sent back keep it.
    assert!(!text(&run).contains("sk-typed-in"), "{}", text(&run));
    let page = browser.page("/ui/settings");
    assert!(!page.contains("sk-typed-in"));
    let key = field(&page, "providers.litellm.api_key");
    assert!(key.contains("value=\"********\"") && key.contains("From the file"), "{key}");
    let saved = browser.save(
        "litellm",
        &[("providers.litellm.api_key", "********"), ("providers.litellm.timeout_secs", "91")],
    );
    assert_eq!(saved.status, 303, "{}", saved.text());
    assert_eq!(h1::exchange(run.addr(), &chat("litellm:m").case("stars")).status, 200);
    let sent = litellm.wait("stars").header("authorization");
    assert_eq!(sent.as_deref(), Some("Bearer sk-typed-in"));

    // Without a URL the provider goes, once that is confirmed, and what names it goes with it.
    let etag = hidden(&browser.page("/ui/settings"), "etag");
    let alias =
        [("etag", etag.as_str()), ("any_key", "aliases.\"gpt-4.1\""), ("any_value", "litellm:x")];
    assert_eq!(browser.post_from("/ui/settings", "/ui/settings", &alias).status, 303);
    let asked = browser.save("litellm", &[("providers.litellm.url", "")]);
    assert_eq!(asked.status, 200, "{}", asked.text());
    let asked = asked.text();
    assert!(asked.contains("aliases.&quot;gpt-4.1&quot;"), "{asked}");
    assert_served(&run, "litellm:gpt-4o", "litellm");
    let fields = [
        ("etag", hidden(&asked, "etag")),
        ("section", "litellm".to_owned()),
        ("set providers.litellm.url", String::new()),
        ("confirm", hidden(&asked, "confirm")),
    ];
    let fields: Vec<_> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
    assert_eq!(browser.post_from("/ui/settings", "/ui/settings", &fields).status, 303);
    let page = browser.page("/ui/settings");
    assert!(page.contains("Removed with it: aliases.&quot;gpt-4.1&quot;."), "{page}");
    assert_eq!(ask(run.addr(), "litellm:gpt-4o").status, 404);
}

#[test]
fn all_errors_stand_at_their_fields_and_nothing_is_saved() {
    let one = Provider::start();
    let run = Run::start(&Config::of(&[("one", &one)]).text());
    let browser = Browser::logged_in(&run);
    let before = text(&run);
    let list = [("providers.one.match", "[1, ")];
    let refused = browser.save("provider-one", &list);
    assert_eq!(refused.status, 422, "{}", refused.text());
    let page = refused.text();
    assert!(field(&page, "providers.one.match").contains("class=\"wrong\""), "{page}");
    let refused = browser.save(
        "provider-one",
        &[
            ("providers.one.url", "localhost:4000"),
            ("providers.one.timeout_secs", "soon"),
            ("providers.one.http2", "true"),
        ],
    );
    assert_eq!(refused.status, 422, "{}", refused.text());
    let page = refused.text();
    let url = field(&page, "providers.one.url");
    assert!(url.contains("value=\"localhost:4000\"") && url.contains("aria-invalid"), "{url}");
    assert!(url.contains("must begin with http:") && url.contains("The file has: "), "{url}");
    assert_eq!(text(&run), before);
    let refused = browser.save(
        "provider-one",
        &[("providers.one.timeout_secs", MARKUP), ("providers.one.url", "localhost:1")],
    );
    let page = refused.text();
    for key in ["providers.one.timeout_secs", "providers.one.url"] {
        assert!(field(&page, key).contains("class=\"wrong\""), "{}", field(&page, key));
    }
    assert!(page.contains(ESCAPED) && !page.contains(MARKUP), "{page}");
    assert_eq!(text(&run), before);
}

#[test]
fn of_two_tabs_the_second_is_told_what_the_first_has_saved() {
    let one = Provider::start();
    let run = Run::start(&Config::of(&[("one", &one)]).text());
    let browser = Browser::logged_in(&run);
    let etag = hidden(&browser.page("/ui/settings"), "etag");
    let first = browser.save_from(&etag, "provider-one", &[("providers.one.timeout_secs", "61")]);
    assert_eq!(first.status, 303, "{}", first.text());
    let second = browser.save_from(
        &etag,
        "provider-one",
        &[("providers.one.timeout_secs", "62"), ("providers.one.api_key", "sk-of-a-tab")],
    );
    assert_eq!(second.status, 409, "{}", second.text());
    let page = second.text();
    assert!(page.contains("Somebody has changed the file since this page was loaded"), "{page}");
    let timeout = field(&page, "providers.one.timeout_secs");
    assert!(timeout.contains("value=\"62\"") && timeout.contains("The file has: 61"), "{timeout}");
    assert!(!page.contains("sk-of-a-tab"), "a page shows no key");
    assert!(text(&run).contains("timeout_secs = 61"));
    // The answer is a page to save from.
    let again = hidden(&page, "etag");
    let saved = browser.save_from(&again, "provider-one", &[("providers.one.timeout_secs", "62")]);
    assert_eq!(saved.status, 303, "{}", saved.text());
    assert!(text(&run).contains("timeout_secs = 62"));
}

#[test]
fn a_field_that_the_environment_sets_is_disabled_and_names_the_variable() {
    let one = Provider::start();
    let config = Config::of(&[("one", &one)]).text();
    let run =
        Run::start_with(&config, &[("GAUD_ONE_TIMEOUT", "33"), ("GAUD_ONE_API_KEY", "sk-env")]);
    let browser = Browser::logged_in(&run);
    let page = browser.page("/ui/settings");
    for (key, value, variable) in [
        ("providers.one.timeout_secs", "33", "GAUD_ONE_TIMEOUT"),
        ("providers.one.api_key", "********", "GAUD_ONE_API_KEY"),
    ] {
        let own = field(&page, key);
        assert!(own.contains(" disabled") && own.contains(variable), "{own}");
        assert!(own.contains(&format!("value=\"{value}\"")), "{own}");
    }
    assert!(!page.contains("sk-env"));
    assert!(!field(&page, "providers.one.url").contains(" disabled"));
    // A browser that sends the field all the same is told the same.
    let refused = browser.save("provider-one", &[("providers.one.timeout_secs", "34")]);
    assert_eq!(refused.status, 409, "{}", refused.text());
    assert!(refused.text().contains("GAUD_ONE_TIMEOUT sets providers.one.timeout_secs"));
}

#[test]
fn the_file_may_set_what_litellms_own_variables_have_set() {
    let litellm = Provider::start();
    let config = Config::of(&[("litellm", &litellm)]).text();
    let run = Run::start_with(&config, &[("LITELLM_API_KEY", "sk-env")]);
    let browser = Browser::logged_in(&run);
    let page = browser.page("/ui/settings");
    let own = field(&page, "providers.litellm.api_key");
    assert!(own.contains("LITELLM_API_KEY") && !own.contains(" disabled"), "{own}");
    assert!(own.contains("value=\"********\"") && !page.contains("sk-env"), "{own}");
    let saved = browser.save("litellm", &[("providers.litellm.api_key", "sk-typed-in")]);
    assert_eq!(saved.status, 303, "{}", saved.text());
    assert_eq!(h1::exchange(run.addr(), &chat("litellm:m").case("typed in")).status, 200);
    let sent = litellm.wait("typed in").header("authorization");
    assert_eq!(sent.as_deref(), Some("Bearer sk-typed-in"));
    let own = field(&browser.page("/ui/settings"), "providers.litellm.api_key").to_owned();
    assert!(own.contains("From the file"), "{own}");
}

#[test]
fn every_kind_of_setting_is_changed_and_a_restart_is_told() {
    let one = Provider::start();
    let run = Run::start(&Config::of(&[("one", &one)]).text());
    let browser = Browser::logged_in(&run);
    let any = |key: &str, value: &str| {
        let etag = hidden(&browser.page("/ui/settings"), "etag");
        let fields = [("etag", etag.as_str()), ("any_key", key), ("any_value", value)];
        let saved = browser.post_from("/ui/settings", "/ui/settings", &fields);
        assert_eq!(saved.status, 303, "{key}: {}", saved.text());
        browser.page("/ui/settings")
    };
    any("providers.one.match", "[\"gpt-*\"]");
    assert_served(&run, "gpt-4o", "one");
    any("providers.one.auth", "none");
    any("fallbacks", "[{ model = \"m\", to = [\"one:n\"] }]");
    assert!(text(&run).contains("[[fallbacks]]"), "{}", text(&run));
    let page = any("workers", "3");
    assert!(page.contains("Saved. workers waits for a restart of gaud run."), "{page}");
    assert!(page.contains("will bring into effect: workers."), "{page}");
    let added =
        [("etag", hidden(&page, "etag")), ("new_name", "two".to_owned()), ("new_url", one.url())];
    let added: Vec<_> = added.iter().map(|(name, value)| (*name, value.as_str())).collect();
    assert_eq!(browser.post_from("/ui/settings", "/ui/settings", &added).status, 303);
    assert_served(&run, "two:m", "two");
    // The page shows when the file was broken by hand.
    run.write("nonsense = 1\n");
    wait::until_true("the refusal on the page", || {
        let page = browser.page("/ui");
        page.contains("The file as it is now is refused.") && page.contains("nonsense")
    });
    assert_served(&run, "two:m", "two");
}
