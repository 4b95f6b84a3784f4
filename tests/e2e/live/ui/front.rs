//! Where the pages are, and what a browser gets on the gateway's root.

use super::{Browser, Config};
use crate::kit::client::{Request, h1};
use crate::kit::harness::Run;
use crate::kit::upstream::Provider;

fn config(one: &Provider) -> Config {
    let mut config = Config::of(&[("one", one)]);
    config.head += "default_provider = \"one\"\n";
    config
}

fn get(path: &str, accept: &str) -> Request {
    Request::new("GET", path).header("accept", accept).case("front")
}

#[test]
fn a_browser_gets_a_page_on_the_root_and_every_other_client_what_it_got() {
    let one = Provider::start();
    let run = Run::start(&config(&one).text());
    let page = h1::exchange(run.addr(), &get("/", "text/html,application/xhtml+xml"));
    assert_eq!(page.status, 200, "{}", page.text());
    let text = page.text();
    assert!(text.contains("base_url=") && text.contains("ANTHROPIC_BASE_URL="), "{text}");
    assert!(text.contains("curl http:&#x2f;&#x2f;gateway/v1/chat/completions"), "{text}");
    assert!(page.header("set-cookie").is_none());
    assert_eq!(one.seen("front").len(), 0);
    for request in [
        get("/", "*/*"),
        get("/", "application/json"),
        Request::new("GET", "/").case("front"),
        get("/other", "text/html"),
        Request::post("/", "{}").header("accept", "text/html").case("front"),
    ] {
        let before = one.seen("front").len();
        h1::exchange(run.addr(), &request);
        assert_eq!(one.seen("front").len(), before + 1, "{request:?}");
    }
}

/// The addresses that a page links to or loads.
fn links(page: &str) -> Vec<String> {
    let found = ["href=\"", "src=\""].iter().flat_map(|start| page.split(start).skip(1));
    let links = found.filter_map(|rest| rest.split('"').next());
    links.filter(|link| !link.starts_with('#')).map(|link| link.replace("&#x2f;", "/")).collect()
}

#[test]
fn each_link_of_the_page_on_the_root_leads_somewhere() {
    let one = Provider::start();
    let mut config = config(&one);
    config.tables = "[ui]\npath = \"/pages\"\n".to_owned();
    let run = Run::start(&config.text());
    let page = h1::exchange(run.addr(), &get("/", "text/html")).text();
    let links = links(&page);
    for wanted in ["/pages", "/admin/openapi.json", "/health", "/pages/icon.svg"] {
        assert!(links.iter().any(|link| link == wanted), "{wanted}: {links:?}");
    }
    for link in &links {
        let answer = h1::exchange(run.addr(), &get(link, "text/html"));
        let wanted = if link == "/pages" { 303 } else { 200 };
        assert_eq!(answer.status, wanted, "{link}: {}", answer.text());
    }
    assert_eq!(one.seen("front").len(), 0, "the gateway answers each of them");
}

#[test]
fn the_pages_move_while_the_gateway_runs_and_leave_the_path_to_the_provider() {
    let one = Provider::start();
    let mut config = config(&one);
    let run = Run::start(&config.text());
    let ask = |path: &str| h1::exchange(run.addr(), &get(path, "text/html"));
    assert!(ask("/ui/login").text().contains("Admin key"));
    config.tables = "[ui]\npath = \"/a/pages\"\n".to_owned();
    run.change(&config.text());
    let login = ask("/a/pages/login");
    assert!(login.text().contains("action=\"&#x2f;a&#x2f;pages/login\""), "{}", login.text());
    assert!(login.header("set-cookie").expect("a cookie").contains("Path=/a/pages;"));
    assert_eq!(ask("/a/pages").header("location").as_deref(), Some("/a/pages/login?next="));
    ask("/ui/login");
    ask("/a/pagesandmore");
    assert_eq!(one.seen("front").len(), 2);
    // A client cannot say where the pages are.
    let forged = get("/a/pages/login", "text/html").header("x-gaud-pages", "//evil.example");
    assert!(!h1::exchange(run.addr(), &forged).text().contains("evil"));
    config.tables = "[ui]\npath = \"\"\n".to_owned();
    run.change(&config.text());
    ["/ui", "/a/pages", "/"].iter().for_each(|path| _ = ask(path));
    assert_eq!(one.seen("front").len(), 5);
}

#[test]
fn a_path_that_is_taken_or_no_path_is_refused() {
    let one = Provider::start();
    let run = Run::start(&config(&one).text());
    let browser = Browser::logged_in(&run);
    for (path, said) in [
        ("ui", "is not a path of letters"),
        ("/ui/", "is not a path of letters"),
        ("/a b", "is not a path of letters"),
        ("/a/../b", "is not a path of letters"),
        ("/admin", "begins with &#x2f;admin, where the gateway has other paths"),
        ("/v1/ui", "begins with &#x2f;v1, where the gateway has other paths"),
    ] {
        let refused = browser.save("access", &[("ui.path", path)]);
        assert_eq!(refused.status, 422, "{path}: {}", refused.text());
        assert!(refused.text().contains(said), "{path}: {}", refused.text());
    }
}

#[test]
fn by_tls_the_cookie_is_for_tls_alone() {
    use crate::kit::client::tls::Tls;
    use crate::kit::upstream::tls::Authority;
    use crate::live::tls::start;

    let (authority, one) = (Authority::new("gateway"), Provider::start());
    let run = start(&one, &authority.issue("localhost"), "");
    let login = Tls::trusting(&authority).exchange(run.addr(), &get("/ui/login", "text/html"));
    let cookie = login.header("set-cookie").expect("a cookie");
    assert!(cookie.ends_with("; HttpOnly; SameSite=Strict; Secure"), "{cookie}");
}
