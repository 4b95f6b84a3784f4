//! Keys and users by form.

use super::{Browser, Config, ESCAPED, MARKUP};
use crate::kit::client::{Response, h1};
use crate::kit::harness::Run;
use crate::kit::upstream::Provider;
use crate::live::chat;

fn made(page: &str) -> String {
    let (_, rest) = page.split_once("readonly value=\"").expect("a key");
    rest.split_once('"').expect("an end").0.to_owned()
}

fn asked(run: &Run, key: &str, model: &str) -> Response {
    let request = chat(model).header("authorization", format!("Bearer {key}"));
    h1::exchange(run.addr(), &request)
}

#[test]
fn a_key_is_shown_once_and_opens_what_it_may() {
    let one = Provider::start();
    let mut config = Config::of(&[("one", &one)]);
    config.tables = "[keys]\nmode = \"required\"\n".to_owned();
    let run = Run::start(&config.text());
    let browser = Browser::logged_in(&run);
    let user = [("id", "ann"), ("name", MARKUP), ("email", "ann@example.com")];
    assert_eq!(browser.post_from("/ui/users", "/ui/users", &user).status, 303);
    let fields = [("name", MARKUP), ("user", "ann"), ("models", "m\r\ngpt-*"), ("expires", "30d")];
    let answer = browser.post_from("/ui/keys", "/ui/keys", &fields);
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert!(answer.text().contains("The gateway has taken the change."), "{}", answer.text());
    let key = made(&answer.text());
    assert_eq!(asked(&run, &key, "one:m").status, 200);
    assert_eq!(asked(&run, &key, "one:other").status, 403);
    let id = key["sk-prx-".len()..][..12].to_owned();
    for page in ["/ui/keys", "/ui/users", "/ui/users/ann", &format!("/ui/keys/{id}")] {
        let text = browser.page(page);
        assert!(!text.contains(&key), "{page}");
        assert!(text.contains(ESCAPED) && !text.contains(MARKUP), "{page}: {text}");
    }
    let act = |page: &str, path: &str| {
        let answer = browser.post_from(page, path, &[]);
        assert_eq!(answer.status, 303, "{path}: {}", answer.text());
    };
    act("/ui/keys", &format!("/ui/keys/{id}/block"));
    assert_eq!(asked(&run, &key, "one:m").status, 401);
    act("/ui/keys", &format!("/ui/keys/{id}/unblock"));
    assert_eq!(asked(&run, &key, "one:m").status, 200);
    let fields = [("name", "n"), ("user", ""), ("models", "")];
    let page = format!("/ui/keys/{id}");
    assert_eq!(browser.post_from(&page, &page, &fields).status, 303);
    assert_eq!(asked(&run, &key, "one:other").status, 200);
    let confirm = browser.page(&format!("/ui/keys/{id}/revoke"));
    assert!(confirm.contains("Nobody can undo that"), "{confirm}");
    assert_eq!(asked(&run, &key, "one:m").status, 200, "a question changes nothing");
    act(&format!("/ui/keys/{id}/revoke"), &format!("/ui/keys/{id}/revoke"));
    assert_eq!(asked(&run, &key, "one:m").status, 401);
    assert!(browser.page("/ui/keys?revoked=true").contains(&id));
    assert!(!browser.page("/ui/keys").contains(&id));
}

#[test]
fn what_is_wrong_stands_at_the_field_and_what_was_typed_stays() {
    let run = Run::start(&Config::of(&[("one", &Provider::start())]).text());
    let browser = Browser::logged_in(&run);
    for (fields, said) in [
        ([("name", "kept"), ("expires", "soon")], "is not a length of time"),
        ([("name", "kept"), ("user", "nobody")], "There is no such user"),
        ([("name", "kept"), ("models", "a\u{7}b")], "This cannot be"),
        ([("name", "kept"), ("rpm", "ten")], "rpm is &quot;ten&quot;; write a whole number"),
        ([("name", "kept"), ("budget_usd", "5$")], "write dollars as 12.50"),
    ] {
        let answer = browser.post_from("/ui/keys", "/ui/keys", &fields);
        assert_eq!(answer.status, 400, "{}", answer.text());
        let page = answer.text();
        assert!(page.contains(said) && page.contains("aria-invalid=\"true\""), "{page}");
        assert!(page.contains("value=\"kept\""), "{page}");
    }
    let user = |id: &str| browser.post_from("/ui/users", "/ui/users", &[("id", id)]);
    assert_eq!((user("a b").status, user("ann").status, user("ann").status), (400, 303, 409));
    let removed = browser.post_from("/ui/users/ann/remove", "/ui/users/ann/remove", &[]);
    assert_eq!(removed.status, 303, "{}", removed.text());
    assert_eq!(browser.get("/ui/users/ann").status, 404);
}

#[test]
fn limits_are_set_by_form_shown_and_taken_away() {
    let one = Provider::start();
    let mut config = Config::of(&[("one", &one)]);
    config.tables = "[usage]\nmeter = \"all\"\n[keys.defaults]\ntpm = 9000\n[prices.m]\ninput = 1\noutput = 2\n".to_owned();
    let run = Run::start(&config.text());
    let browser = Browser::logged_in(&run);
    assert!(browser.page("/ui/keys").contains("value=\"9000\""), "the defaults fill the form");
    let user = [("id", "ann"), ("max_parallel_requests", "3")];
    assert_eq!(browser.post_from("/ui/users", "/ui/users", &user).status, 303);
    assert!(browser.page("/ui/users").contains("3 at the same time"));
    let fields = [("user", "ann"), ("rpm", "1"), ("tpm", ""), ("budget_usd", "12.5")];
    let budget = [("budget_window", "week")];
    let answer = browser.post_from("/ui/keys", "/ui/keys", &[&fields[..], &budget].concat());
    let key = made(&answer.text());
    assert!(answer.text().contains("1 request a minute, $12.50 a week"), "{}", answer.text());
    assert_eq!(asked(&run, &key, "one:m").status, 200);
    assert_eq!(asked(&run, &key, "one:m").status, 429);
    let page = format!("/ui/keys/{}", &key["sk-prx-".len()..][..12]);
    assert!(browser.page(&page).contains("of $12.50 is spent in this week"));
    let unchanged = [("name", "n"), ("user", "ann")];
    assert_eq!(browser.post_from(&page, &page, &unchanged).status, 303);
    assert_eq!(asked(&run, &key, "one:m").status, 429, "a field that is not sent stays");
    let taken = [("user", "ann"), ("rpm", ""), ("budget_usd", "")];
    assert_eq!(browser.post_from(&page, &page, &taken).status, 303);
    assert_eq!(asked(&run, &key, "one:m").status, 200);
    assert!(!browser.page(&page).contains("$12.50"));
}
