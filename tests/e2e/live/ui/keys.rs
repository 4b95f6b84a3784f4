//! Keys and users by form.

use super::{Browser, Config, ESCAPED, MARKUP, asked, id_of, made};
use crate::kit::client::{Request, h1};
use crate::kit::harness::Run;
use crate::kit::upstream::Provider;

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
    let id = id_of(&key);
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
    assert!(browser.page("/ui/keys?revoked=true").contains(id));
    assert!(!browser.page("/ui/keys").contains(id));
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
    let page = format!("/ui/keys/{}", id_of(&key));
    assert!(browser.page(&page).contains("of $12.50 is spent in this week"));
    let unchanged = [("name", "n"), ("user", "ann")];
    assert_eq!(browser.post_from(&page, &page, &unchanged).status, 303);
    assert_eq!(asked(&run, &key, "one:m").status, 429, "a field that is not sent stays");
    let taken = [("user", "ann"), ("rpm", ""), ("budget_usd", "")];
    assert_eq!(browser.post_from(&page, &page, &taken).status, 303);
    assert_eq!(asked(&run, &key, "one:m").status, 200);
    assert!(!browser.page(&page).contains("$12.50"));
}

#[test]
fn limits_of_models_are_set_by_form_shown_and_taken_away() {
    let one = Provider::start();
    let mut config = Config::of(&[("one", &one)]);
    config.tables = "[usage]\nmeter = \"all\"\n[prices.m]\ninput = 1\noutput = 2\n".to_owned();
    let run = Run::start(&config.text());
    let browser = Browser::logged_in(&run);
    let set = |page: &str, text: &str| browser.post_from(page, page, &[("model_limits", text)]);
    let answer = set("/ui/keys", "one:m rpm=1\r\none:n budget=12.5/week strict");
    assert_eq!(answer.status, 200, "{}", answer.text());
    let key = made(&answer.text());
    assert_eq!(asked(&run, &key, "one:m").status, 200);
    assert_eq!(asked(&run, &key, "one:m").status, 429);
    assert_eq!(asked(&run, &key, "one:other").status, 200);
    let page = format!("/ui/keys/{}", id_of(&key));
    for text in [answer.text(), browser.page(&page), browser.page("/ui/keys")] {
        assert!(text.contains("one:m: 1 request a minute<br>one:n: $12.50 a week"), "{text}");
    }
    let text = browser.page(&page);
    let typed = ">one:m rpm=1\none:n budget=12.5&#x2f;week strict</textarea>";
    assert!(text.contains(typed) && text.contains("none for all models"), "{text}");
    // The field has the error and what was typed.
    for (text, said) in [
        ("one:m rpm=kept", "Line 1: rpm is &quot;kept&quot;; write a whole number."),
        ("a rpm=1\r\nkept rpm=4000000000", "the rpm of kept is too large"),
    ] {
        let refused = set(&page, text);
        let shown = refused.text();
        assert_eq!(refused.status, 400, "{shown}");
        assert!(shown.contains(said) && shown.contains("name=\"model_limits\""), "{shown}");
        assert!(shown.contains(text), "{shown}");
        assert_eq!(shown.matches("aria-invalid=\"true\"").count(), 1, "{shown}");
    }
    // A form without the field, and the field as the page has it, leave the limits.
    for fields in [
        &[("name", "n")][..],
        &[("model_limits", "one:m rpm=1\r\none:n budget=12.5/week strict\r\n")],
    ] {
        assert_eq!(browser.post_from(&page, &page, fields).status, 303);
        assert_eq!(asked(&run, &key, "one:m").status, 429);
    }
    assert_eq!(set(&page, "one:o tpm=5").status, 303);
    assert_eq!(asked(&run, &key, "one:m").status, 200);
    assert!(browser.page(&page).contains("<dd>one:o: 5 tokens a minute</dd>"));
    assert_eq!(set(&page, "").status, 303);
    assert!(!browser.page(&page).contains("Limits of some models</dt>"));
}

#[test]
fn limits_of_models_that_no_line_can_have_stay() {
    let mut config = Config::of(&[("one", &Provider::start())]);
    config.tables = "[usage]\nmeter = \"all\"\n".to_owned();
    let run = Run::start(&config.text());
    let browser = Browser::logged_in(&run);
    let headers =
        |request: Request| request.header("authorization", format!("Bearer {}", run.admin_key()));
    let body = r#"{"model_limits": {"my model": {"rpm": 5}}}"#;
    let made = h1::exchange(run.addr(), &headers(Request::post("/admin/keys", body))).json();
    let page = format!("/ui/keys/{}", made["id"].as_str().expect("an id"));
    assert!(browser.page(&page).contains(">my model rpm=5</textarea>"));
    let fields = [("name", "another"), ("model_limits", "my model rpm=5")];
    assert_eq!(browser.post_from(&page, &page, &fields).status, 303);
    let text = browser.page(&page);
    assert!(text.contains("my model: 5 requests a minute") && text.contains("another"), "{text}");
}
