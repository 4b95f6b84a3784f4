//! What the pages say of requests.

use super::{Browser, Config, ESCAPED, MARKUP};
use crate::kit::harness::{Run, wait};
use crate::kit::upstream::Provider;
use crate::live::ask;

#[test]
fn a_request_is_on_every_page_that_is_about_requests() {
    let one = Provider::start();
    let mut config = Config::of(&[("one", &one)]);
    config.tables = format!(
        "models = [\"{MARKUP}\"]\n[usage]\nmeter = \"all\"\n[prices.\"{MARKUP}\"]\ninput = 2\noutput = 10\n"
    );
    let run = Run::start(&config.text());
    let browser = Browser::logged_in(&run);
    let model = format!("one:{MARKUP}");
    assert_eq!(ask(run.addr(), &model).status, 200);
    wait::until_true("the request in the ledger", || {
        browser.page("/ui/requests").contains(ESCAPED)
    });
    let pages = [
        "/ui/requests?model=one%3A%3Cscript%3Ealert(1)%3C%2Fscript%3E",
        "/ui/usage?by=model&since=7d&show=tokens",
        "/ui/usage?by=model&show=attempts",
        "/ui/usage?by=model",
        "/ui/providers?find=script",
        "/ui/settings",
    ];
    for page in pages {
        let text = browser.page(page);
        assert!(text.contains(ESCAPED) && !text.contains(MARKUP), "{page}: {text}");
    }
    for page in ["/ui/usage?by=day&show=attempts", "/ui/usage?by=provider&show=attempts"] {
        assert!(browser.page(page).contains("<rect class=\"bar\""), "{page}");
    }
    for page in ["/ui/requests?provider=two", "/ui/requests?errors=true", "/ui/requests?key=none"] {
        assert!(!browser.page(page).contains(ESCAPED), "{page}");
    }
    let file = browser.get("/ui/usage.csv?by=model");
    assert_eq!(file.header("content-type").as_deref(), Some("text/csv; charset=utf-8"));
    assert!(file.text().starts_with("model,attempts,failed,") && file.text().contains(MARKUP));
    for wrong in ["/ui/usage?by=nonsense", "/ui/usage?since=nonsense"] {
        let answer = browser.get(wrong);
        assert_eq!(answer.status, 400, "{wrong}: {}", answer.text());
    }
    assert!(browser.page(&format!("/ui/providers?find={}", "%3Cscript%3E")).contains("&lt;script"));
}

#[test]
fn without_a_meter_the_pages_say_so() {
    let run = Run::start(&Config::of(&[("one", &Provider::start())]).text());
    let browser = Browser::logged_in(&run);
    for page in ["/ui", "/ui/usage", "/ui/requests"] {
        let text = browser.page(page);
        assert!(text.contains("Requests are not recorded"), "{page}: {text}");
    }
}
