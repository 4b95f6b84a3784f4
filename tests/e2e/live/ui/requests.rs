//! The page of requests: each filter finds what it is for, and older requests are on further pages.

use super::{Browser, Config, asked, id_of, made};
use crate::kit::harness::{Run, wait};
use crate::kit::upstream::{Answer, Provider};
use crate::live::ask;
use serde_json::json;
use std::collections::BTreeSet;

/// A gateway that meters everything, and tries nothing twice.
fn started(one: &Provider, two: &Provider) -> Run {
    let mut config = Config::of(&[("one", one), ("two", two)]);
    config.tables = "[usage]\nmeter = \"all\"\n[retries]\nmax = 0\n".to_owned();
    Run::start(&config.text())
}

/// A key of the new user `ann`.
fn key_of_ann(browser: &Browser<'_>) -> String {
    assert_eq!(browser.post_from("/ui/users", "/ui/users", &[("id", "ann")]).status, 303);
    made(&browser.post_from("/ui/keys", "/ui/keys", &[("user", "ann")]).text())
}

/// The models of the page's rows, as clients have asked for them.
fn models(page: &str) -> Vec<String> {
    let rows = page.split("<tr>\n<td><time").skip(1);
    let model = |row: &str| {
        let cell = row.split("<td>").nth(2).expect("a model");
        cell.split(['<', ' ']).next().expect("a text").to_owned()
    };
    rows.map(model).collect()
}

fn wait_for(browser: &Browser<'_>, model: &str) {
    let path = format!("/ui/requests?model={model}");
    wait::until_true("the request in the ledger", || !models(&browser.page(&path)).is_empty());
}

#[test]
fn each_filter_finds_what_it_is_for() {
    let (one, two) = (Provider::start(), Provider::start());
    let run = started(&one, &two);
    let browser = Browser::logged_in(&run);
    let key = key_of_ann(&browser);
    assert_eq!(asked(&run, &key, "one:anns").status, 200);
    one.script("", Answer::json(500, &json!({})));
    assert_eq!(asked(&run, &key, "one:failed").status, 500);
    assert_eq!(ask(run.addr(), "two:nobodys").status, 200);
    ["one:anns", "one:failed", "two:nobodys"].iter().for_each(|model| wait_for(&browser, model));
    let id = id_of(&key);
    for (filter, found) in [
        ("", &["two:nobodys", "one:failed", "one:anns"][..]),
        ("provider=one", &["one:failed", "one:anns"]),
        ("provider=two", &["two:nobodys"]),
        (&format!("key={id}"), &["one:failed", "one:anns"]),
        ("user=ann", &["one:failed", "one:anns"]),
        ("model=nobodys", &["two:nobodys"]),
        ("errors=true", &["one:failed"]),
        ("user=ann&errors=true&provider=one", &["one:failed"]),
        ("user=ann&provider=two", &[]),
    ] {
        let page = browser.page(&format!("/ui/requests?{filter}"));
        assert_eq!(models(&page), found, "{filter}");
    }
    let page = browser.page("/ui/requests?user=ann&provider=one&errors=true");
    for kept in [
        "name=\"user\" type=\"text\" value=\"ann\"",
        "name=\"provider\" type=\"text\" value=\"one\"",
        "value=\"true\" checked",
    ] {
        assert!(page.contains(kept), "{kept}: {page}");
    }
    // Pages about a key and a user lead to their requests.
    for (page, link) in [
        (format!("/ui/keys/{id}"), format!("/requests?key={id}")),
        ("/ui/users/ann".to_owned(), "/requests?user=ann".to_owned()),
    ] {
        let text = browser.page(&page);
        assert!(text.contains(&link), "{link}: {text}");
    }
}

/// The address of a link, by its words.
fn link(page: &str, words: &str) -> Option<String> {
    let before = page.split_once(&format!("\">{words}</a>"))?.0;
    let place = before.rsplit_once("href=\"")?.1;
    Some(place.replace("&#x2f;", "/").replace("&amp;", "&"))
}

#[test]
fn older_requests_are_on_further_pages_and_the_filter_stays() {
    let (one, two) = (Provider::start(), Provider::start());
    let run = started(&one, &two);
    let browser = Browser::logged_in(&run);
    let key = key_of_ann(&browser);
    let wanted: BTreeSet<_> = (0..105).map(|number| format!("one:m{number}")).collect();
    for model in &wanted {
        assert_eq!(asked(&run, &key, model).status, 200, "{}", run.log());
    }
    assert_eq!(ask(run.addr(), "one:nobodys").status, 200);
    wait::until_true("all requests in the ledger", || {
        let page = browser.page("/ui/usage?by=provider&show=attempts");
        page.contains("<td class=\"number\">106</td>")
    });
    let newest = browser.page("/ui/requests?user=ann");
    assert!(link(&newest, "The newest").is_none(), "{newest}");
    let place = link(&newest, "Older requests").expect("a link");
    let older = browser.page(&place);
    assert_eq!((models(&newest).len(), models(&older).len()), (100, 5), "{place}");
    let all: BTreeSet<_> = models(&newest).into_iter().chain(models(&older)).collect();
    assert_eq!(all, wanted, "each request of the user is on one page");
    assert!(link(&older, "Older requests").is_none(), "{older}");
    let back = link(&older, "The newest").expect("a link");
    assert_eq!(models(&browser.page(&back)), models(&newest));
}
