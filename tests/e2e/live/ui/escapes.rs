//! Pages show as text all that a browser sends.

use super::{Browser, Config};
use crate::kit::harness::Run;
use crate::kit::upstream::Provider;

/// Ends an attribute, a text of a script and a field, and would run a script.
const ATTACK: &str = "\"'></textarea></title><img src=x onerror=alert(1)>";

/// The same in a path or a query.
const IN_URL: &str =
    "%22%27%3E%3C%2Ftextarea%3E%3C%2Ftitle%3E%3Cimg%20src%3Dx%20onerror%3Dalert(1)%3E";

fn run() -> Run {
    let mut config = Config::of(&[("one", &Provider::start())]);
    config.tables = "[usage]\nmeter = \"all\"\n".to_owned();
    Run::start(&config.text())
}

/// Fails where a page has the attack as it was sent, or does not show it although it should.
#[track_caller]
fn assert_text(page: &str, is_shown: bool, place: &str) {
    assert!(!page.contains("<img"), "{place}: {page}");
    assert_eq!(page.contains("&lt;img src=x"), is_shown, "{place}: {page}");
}

#[test]
fn what_a_url_says_is_text_on_the_page() {
    let run = run();
    let browser = Browser::logged_in(&run);
    for (path, status, is_shown) in [
        ("/ui/login?next=X", 200, false),
        ("/ui/login?key=X", 200, false),
        ("/ui?X=X", 200, false),
        ("/ui/keys?user_is=X", 200, false),
        ("/ui/keys?after=X", 200, false),
        ("/ui/keys?revoked=X", 200, false),
        ("/ui/requests?key=X", 200, true),
        ("/ui/requests?user=X", 200, true),
        ("/ui/requests?model=X", 200, true),
        ("/ui/requests?provider=X", 200, true),
        ("/ui/requests?from=1-1-X", 200, false),
        ("/ui/requests?errors=X", 200, false),
        ("/ui/usage?by=X", 400, true),
        ("/ui/usage?since=X", 400, true),
        ("/ui/usage?show=X", 200, false),
        ("/ui/usage.csv?by=X", 400, true),
        ("/ui/usage.csv?since=X", 400, true),
        ("/ui/providers?find=X", 200, true),
        ("/ui/keys/X", 404, true),
        ("/ui/keys/X/revoke", 404, true),
        ("/ui/keys/abc/X", 404, false),
        ("/ui/users/X", 404, true),
        ("/ui/users/X/remove", 404, true),
        ("/ui/X", 404, false),
        ("/ui/X/X?X", 404, false),
    ] {
        let answer = browser.get(&path.replace('X', IN_URL));
        assert_eq!(answer.status, status, "{path}: {}", answer.text());
        assert_eq!(
            answer.header("content-type").as_deref(),
            Some("text/html; charset=utf-8"),
            "{path}"
        );
        assert_text(&answer.text(), is_shown, path);
    }
    let stranger = Browser::new(&run);
    for path in ["/ui/users/X", "/ui/keys/X"] {
        let place = stranger.get(&path.replace('X', IN_URL)).header("location").expect("a place");
        assert!(place.starts_with("/ui/login?next=") && !place.contains(['<', '"']), "{place}");
        assert_text(&stranger.page(&place), false, path);
    }
}

#[test]
fn what_a_form_says_is_text_on_the_page() {
    let run = run();
    let browser = Browser::logged_in(&run);
    let etag = super::browser::hidden(&browser.page("/ui/settings"), "etag");
    for (page, field, beside, status) in [
        ("/ui/users", "id", ("name", "n"), 400),
        ("/ui/users", "name", ("id", "a b"), 400),
        ("/ui/users", "email", ("id", "a b"), 400),
        ("/ui/users", "rpm", ("id", "ann"), 400),
        ("/ui/users", "budget_usd", ("id", "ann"), 400),
        ("/ui/keys", "name", ("expires", "soon"), 400),
        ("/ui/keys", "models", ("expires", "soon"), 400),
        ("/ui/keys", "expires", ("name", "n"), 400),
        ("/ui/keys", "model_limits", ("name", "n"), 400),
        ("/ui/settings", "any_key", ("any_value", "1"), 422),
        ("/ui/settings", "any_value", ("any_key", "workers"), 422),
        ("/ui/settings", "new_name", ("new_url", "no url"), 422),
        ("/ui/settings", "new_url", ("new_name", "new"), 422),
        ("/ui/settings", "set providers.one.url", ("section", "provider-one"), 422),
    ] {
        let fields = [("etag", etag.as_str()), (field, ATTACK), beside];
        let answer = browser.post_from(page, page, &fields);
        assert_eq!(answer.status, status, "{page} {field}: {}", answer.text());
        assert_text(&answer.text(), true, &format!("{page} {field}"));
    }
    for (page, field) in [
        ("/ui/keys", "user"),
        ("/ui/settings", "section"),
        ("/ui/settings", "confirm"),
        ("/ui/login", "key"),
        ("/ui/login", "next"),
    ] {
        let fields = [
            ("etag", etag.as_str()),
            (field, ATTACK),
            ("expires", "soon"),
            ("any_key", "workers"),
            ("any_value", "no"),
        ];
        let answer = browser.post_from(page, page, &fields);
        assert!((400..500).contains(&answer.status), "{page} {field}: {}", answer.text());
        assert_text(&answer.text(), false, &format!("{page} {field}"));
    }
}

/// Every page about a stored name shows the name, and so does the page that asks for a confirmation.
#[test]
fn stored_names_are_text_on_the_pages_that_ask_and_tell() {
    let run = run();
    let browser = Browser::logged_in(&run);
    let made = browser.post_from("/ui/keys", "/ui/keys", &[("name", ATTACK), ("models", ATTACK)]);
    assert_text(&made.text(), true, "made");
    let page = format!("/ui/keys/{}", super::id_of(&super::made(&made.text())));
    for page in [&page, &format!("{page}/revoke"), "/ui/keys"] {
        assert_text(&browser.page(page), true, page);
    }
    let id = "\"'><img";
    assert_eq!(browser.post_from("/ui/users", "/ui/users", &[("id", id)]).status, 303);
    for page in
        ["/ui/users", "/ui/users/%22%27%3E%3Cimg", "/ui/users/%22%27%3E%3Cimg/remove", "/ui/keys"]
    {
        let text = browser.page(page);
        assert!(!text.contains("<img") && text.contains("&lt;img"), "{page}: {text}");
    }
}
