//! Providers that give no list: the last one stays, and the log says once what to check.

use super::{
    Site, discoveries, discovering, health, list, logged, names, wait_for_logged, wait_for_models,
};
use crate::kit::harness::wait;
use crate::kit::upstream::raw::{Act, Closed, Raw};
use std::thread;

fn failed(what: &str) -> String {
    format!("gaud: provider p: GET /v1/models: it {what}")
}

fn lists(models: usize) -> String {
    format!("gaud: provider p lists {models} models")
}

#[test]
fn the_last_list_stays_and_its_age_grows() {
    let site = Site::start(1, 2, list(&["a", "b"]));
    site.wait_for_models(2);
    assert!(health(&site.gateway, "p")["models_age_secs"].as_u64().expect("an age") <= 2);
    site.answer(500, "{}");
    let old = || health(&site.gateway, "p")["models_age_secs"].as_u64() >= Some(4);
    wait::until_true("an old list", old);
    assert_eq!(health(&site.gateway, "p")["models"], 2);
    assert_eq!(names(&site.gateway), ["p:a", "p:b"]);
    assert!(discoveries(&site.gateway, "failed") >= 2);
    site.answer(200, list(&["a", "b"]));
    let new = || health(&site.gateway, "p")["models_age_secs"].as_u64() <= Some(2);
    wait::until_true("a new list", new);
    site.gateway.assert_no_trap();
}

#[test]
fn a_provider_without_a_list_has_no_age() {
    let closed = Closed::bind();
    let gateway = discovering(1, 2, &closed.url());
    wait::until_true("a failure", || discoveries(&gateway, "failed") > 0);
    let found = health(&gateway, "p");
    assert_eq!((&found["models"], found.get("models_age_secs")), (&0.into(), None));
    assert!(names(&gateway).is_empty());
}

/// A status, a body, and the fault that the two are.
type Bad = (u16, String, String);

fn bad() -> [[Bad; 3]; 3] {
    let check_all = "check its url and api_key (LiteLLM answers a missing key by 400 or 500)";
    let is_no_list = |why: &str| format!("answered with no list of models: {why}; check its url");
    let key = |status| format!("answered {status}; check its api_key and auth");
    let url = "answered 404; check its url, or set discover_models = false";
    let shape = "expected an array, or an object with an array 'data'";
    [
        [
            (500, String::new(), format!("answered 500; {check_all}")),
            (401, "no".into(), key(401)),
            (404, "no".into(), url.into()),
        ],
        [
            (200, "<html>".into(), is_no_list("expected value at line 1 column 1")),
            (400, String::new(), format!("answered 400; {check_all}")),
            (200, "{\"data\":1}".into(), is_no_list(shape)),
        ],
        [
            (301, String::new(), format!("answered 301; {check_all}")),
            (200, " ".repeat(5_000_000), "answered with more than 4194304 bytes".into()),
            (403, String::new(), key(403)),
        ],
    ]
}

#[test]
fn each_kind_of_fault_is_logged_once_and_says_what_to_check() {
    let names = ["p", "q", "r"];
    let sites = Site::start_all(1, 2, &names, list(&["a"]));
    thread::scope(|scope| {
        for (site, bad) in sites.iter().zip(bad()) {
            scope.spawn(move || logs_each_once(site, bad));
        }
    });
    let all = super::names(&sites[0].gateway);
    assert_eq!(all, names.map(|name| format!("{name}:a")), "the last lists stay");
    sites[0].gateway.assert_no_trap();
}

/// Lets a provider answer with one fault after the other, and with its list in the end.
fn logs_each_once(site: &Site, all: [Bad; 3]) {
    let name = &site.name;
    let failed = |what: &str| format!("gaud: provider {name}: GET /v1/models: it {what}");
    let listed = format!("gaud: provider {name} lists 1 models");
    let mut expected = vec![listed.clone()];
    site.wait_for_logged(&expected);
    for (status, body, fault) in all {
        expected.push(failed(&fault));
        site.answer(status, body);
        site.wait_for_logged(&expected);
        let shown = names(&site.gateway);
        assert!(shown.contains(&format!("{name}:a")), "{status}: {shown:?}");
    }
    site.answer(200, list(&["a"]));
    expected.push(listed);
    site.wait_for_logged(&expected);
}

#[test]
fn a_provider_may_come_up_late() {
    const ANSWER: &[u8] =
        b"HTTP/1.1 200 OK\r\ncontent-length: 15\r\nconnection: close\r\n\r\n[{\"id\":\"late\"}]";
    let closed = Closed::bind();
    let gateway = discovering(1, 2, &closed.url());
    wait::until_true("failures", || discoveries(&gateway, "failed") >= 3);
    let silent = failed("answered 503, or Envoy did for it; check its url, and that it runs");
    wait_for_logged(&gateway, std::slice::from_ref(&silent));
    let _late = Raw::start_at(&closed, vec![vec![Act::ReadHead, Act::Send(ANSWER)]]);
    wait_for_models(&gateway, 1);
    assert_eq!(names(&gateway), ["p:late"]);
    wait_for_logged(&gateway, &[silent, lists(1)]);
    gateway.assert_no_trap();
}

#[test]
fn only_changes_of_a_list_are_logged() {
    let site = Site::start(1, 2, list(&["a"]));
    site.wait_for_models(1);
    site.answer(200, list(&["a"]));
    site.answer(200, list(&["a", "b"]));
    wait_for_logged(&site.gateway, &[lists(1), lists(2)]);
    site.answer(200, "[]");
    wait_for_logged(&site.gateway, &[lists(1), lists(2), lists(0)]);
    assert!(names(&site.gateway).is_empty());
    assert_eq!(logged(&site.gateway, "q"), [""; 0]);
}

#[test]
fn a_broken_answer_is_not_a_list() {
    const HALF: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\n[{\"id\":\"half\"}]";
    let half = Raw::start(vec![Act::ReadHead, Act::Send(HALF)]);
    let gateway = discovering(1, 2, &half.url());
    wait::until_true("failures", || discoveries(&gateway, "failed") >= 2);
    wait_for_logged(&gateway, &[failed("gave no answer; check its url, and that it runs")]);
    assert!(names(&gateway).is_empty());
    gateway.assert_no_trap();
}
