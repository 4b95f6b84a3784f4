//! Who gets in, and what keeps others out.

use super::{Browser, Config};
use crate::kit::client::{Request, h1};
use crate::kit::harness::Run;
use crate::kit::upstream::Provider;
use std::process::Command;
use std::time::{Duration, Instant};

const PAGES: [&str; 8] = [
    "/ui",
    "/ui/settings",
    "/ui/providers",
    "/ui/keys",
    "/ui/users",
    "/ui/usage",
    "/ui/usage.csv",
    "/ui/requests",
];

fn run() -> Run {
    Run::start(&Config::of(&[("one", &Provider::start())]).text())
}

#[test]
fn every_page_needs_a_session_and_every_form_its_token() {
    let run = run();
    let stranger = Browser::new(&run);
    for page in PAGES {
        let answer = stranger.get(page);
        let place = answer.header("location").unwrap_or_default();
        assert!(answer.status == 303 && place.starts_with("/ui/login"), "{page}: {answer:?}");
    }
    let browser = Browser::logged_in(&run);
    PAGES.iter().for_each(|page| _ = browser.page(page));
    for form in ["/ui/settings", "/ui/keys", "/ui/users", "/ui/logout", "/ui/users/ann/remove"] {
        // Another page can make the browser send a form, and does not know the token.
        for token in [None, Some(""), Some("0"), Some("a".repeat(64).as_str())] {
            let fields: Vec<_> = token.iter().map(|token| ("token", *token)).collect();
            let answer =
                browser.post(form, &[&fields[..], &[("id", "eve"), ("name", "x")]].concat());
            assert_eq!(answer.status, 403, "{form}: {}", answer.text());
            assert!(answer.text().contains("The form is not of this session"), "{}", answer.text());
        }
        assert_eq!(stranger.post(form, &[]).status, 303, "{form}");
    }
    // The token of another session opens nothing.
    let other = Browser::logged_in(&run);
    let token = super::browser::hidden(&other.page("/ui/users"), "token");
    assert_eq!(browser.post("/ui/users", &[("token", &token), ("id", "eve")]).status, 403);
    assert!(!browser.page("/ui/users").contains("eve"));
}

#[test]
fn a_login_gives_another_token_and_a_logout_ends_it() {
    let run = run();
    let browser = Browser::new(&run);
    browser.page("/ui/login");
    let before = browser.cookie();
    let answer = browser.log_in(&run.admin_key());
    let set = answer.header("set-cookie").expect("a cookie");
    let attributes: Vec<_> = set.split("; ").skip(1).collect();
    assert_eq!(attributes, ["Path=/ui", "HttpOnly", "SameSite=Strict"]);
    assert_eq!(answer.header("location").as_deref(), Some("/ui/"));
    let session = browser.cookie();
    assert_ne!(before, session, "who has fixed the token before the login does not know it after");
    let fixed = Browser::new(&run);
    fixed.set_cookie(&before);
    assert_eq!(fixed.get("/ui").status, 303);
    browser.page("/ui");
    let out = browser.post_from("/ui", "/ui/logout", &[]);
    assert_eq!((out.status, out.header("location").as_deref()), (303, Some("/ui/login")));
    assert!(out.header("set-cookie").expect("a cookie").contains("Max-Age=0"));
    // A thief's copy of the cookie ends as well.
    browser.set_cookie(&session);
    assert_eq!(browser.get("/ui").status, 303);
    // Neither the log nor Envoy has the key or the token.
    for secret in [run.admin_key(), session["gaud_session=".len()..].to_owned()] {
        assert!(!run.log().contains(&secret));
        assert!(!run.admin().get("/config_dump").contains(&secret));
    }
}

#[test]
fn a_wrong_key_is_refused_and_many_are_slowed() {
    let run = run();
    let browser = Browser::new(&run);
    let client = format!("sk-prx-abcdefghijkl-{}", "x".repeat(32));
    for key in ["", "sk-1234", &client] {
        let answer = browser.log_in(key);
        assert_eq!(answer.status, 401, "{}", answer.text());
        assert!(answer.text().contains("This is not an admin key"), "{}", answer.text());
        assert!(key.is_empty() || !answer.text().contains(key));
        assert_eq!(browser.get("/ui").status, 303);
    }
    (0..3).for_each(|_| _ = browser.log_in("sk-1234"));
    let start = Instant::now();
    browser.log_in("sk-1234");
    assert!(start.elapsed() >= Duration::from_secs(1), "{:?}", start.elapsed());
    // A form without the token of the login's page tries no key.
    assert_eq!(browser.post("/ui/login", &[("key", &run.admin_key())]).status, 403);
    // A key in a URL is not a login: it would be in logs and in histories.
    browser.get(&format!("/ui/login?key={}", run.admin_key()));
    assert_eq!(browser.get("/ui").status, 303);
    assert_eq!(browser.log_in(&run.admin_key()).status, 303);
}

#[test]
fn a_revoked_key_ends_its_sessions() {
    let run = run();
    let browser = Browser::logged_in(&run);
    browser.page("/ui");
    let id = &run.admin_key()["sk-prx-".len()..][..12];
    let mut command = Command::new(env!("CARGO_BIN_EXE_gaud"));
    command.args(["admin", "key", "revoke", id]).current_dir(run.folder()).env_clear();
    command.env("XDG_STATE_HOME", run.folder().join("state"));
    assert!(command.status().expect("gaud runs").success());
    assert_eq!(browser.get("/ui").status, 303);
}

#[test]
fn a_login_leads_back_to_the_page_and_nowhere_else() {
    let run = run();
    for (next, place) in [
        ("keys", "/ui/keys"),
        ("//evil.example", "/ui/"),
        ("https://evil.example", "/ui/"),
        ("../v1/models", "/ui/"),
    ] {
        let browser = Browser::new(&run);
        let key = run.admin_key();
        let fields = [("key", key.as_str()), ("next", next)];
        let answer = browser.post_from("/ui/login", "/ui/login", &fields);
        assert_eq!(answer.header("location").as_deref(), Some(place), "{next}");
    }
}

#[test]
fn every_answer_keeps_other_pages_away() {
    let run = run();
    let browser = Browser::logged_in(&run);
    let paths = ["/", "/ui/login", "/ui/nothing", "/ui/style.css", "/ui/page.js", "/ui/icon.svg"];
    for path in paths.iter().chain(&PAGES) {
        let answer = browser.get(path);
        let header = |name: &str| answer.header(name).unwrap_or_default();
        assert_eq!(
            header("content-security-policy"),
            "default-src 'none'; style-src 'self'; img-src 'self'; script-src 'self'; form-action 'self'; \
             frame-ancestors 'none'; base-uri 'none'",
            "{path}"
        );
        assert_eq!(header("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(header("x-frame-options"), "DENY", "{path}");
        assert_eq!(header("referrer-policy"), "no-referrer", "{path}");
        let is_file = path.contains('.') && !path.ends_with(".csv");
        let kept = if is_file { "max-age=3600" } else { "no-store" };
        assert_eq!(header("cache-control"), kept, "{path}");
        let text = answer.text();
        for inline in [" style=", " onclick=", " onload=", "<style", "javascript:"] {
            assert!(!text.contains(inline), "{path}: {inline}");
        }
    }
    assert_eq!(browser.get("/ui/nothing").status, 404);
}

/// Pages ask for nothing from elsewhere, and the cookie opens nothing but the pages.
#[test]
fn the_cookie_opens_pages_alone() {
    let run = run();
    let browser = Browser::logged_in(&run);
    for path in ["/admin/settings", "/admin/keys", "/admin/status"] {
        let request = Request::new("GET", path).header("cookie", browser.cookie());
        assert_eq!(h1::exchange(run.addr(), &request).status, 401, "{path}");
    }
}
