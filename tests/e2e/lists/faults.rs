//! Providers that give no list: the last one stays, and the log says once what to check.

use super::{
    Site, discoveries, discovering, health, list, logged, names, wait_for_logged, wait_for_models,
};
use crate::harness::wait;
use crate::upstream::raw::{Act, Closed, Raw};

fn failed(what: &str) -> String {
    format!("gaud: provider p: GET /v1/models: it {what}")
}

fn lists(models: usize) -> String {
    format!("gaud: provider p lists {models} models")
}

#[test]
fn the_last_list_stays_and_grows_old() {
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

#[test]
fn each_kind_of_fault_is_logged_once_and_says_what_to_check() {
    let site = Site::start(1, 2, list(&["a"]));
    let mut expected = vec![lists(1)];
    wait_for_logged(&site.gateway, &expected);
    let check_all = "check its url and api_key (LiteLLM answers a missing key by 400 or 500)";
    for (status, body, fault) in [
        (500, String::new(), format!("answered 500; {check_all}")),
        (401, "no".to_owned(), "answered 401; check its api_key and auth".to_owned()),
        (
            404,
            "no".to_owned(),
            "answered 404; check its url, or set discover_models = false".to_owned(),
        ),
        (
            200,
            "<html>".to_owned(),
            "answered with no list of models: expected value at line 1 \
            column 1; check its url"
                .to_owned(),
        ),
        (400, String::new(), format!("answered 400; {check_all}")),
        (
            200,
            "{\"data\":1}".to_owned(),
            "answered with no list of models: expected an array, or \
            an object with an array 'data'; check its url"
                .to_owned(),
        ),
        (301, String::new(), format!("answered 301; {check_all}")),
        (200, " ".repeat(5_000_000), "answered with more than 4194304 bytes".to_owned()),
        (403, String::new(), "answered 403; check its api_key and auth".to_owned()),
    ] {
        expected.push(failed(&fault));
        site.answer(status, body);
        wait_for_logged(&site.gateway, &expected);
        assert_eq!(names(&site.gateway), ["p:a"], "{status}");
    }
    site.answer(200, list(&["a"]));
    expected.push(lists(1));
    wait_for_logged(&site.gateway, &expected);
    site.gateway.assert_no_trap();
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
fn a_list_that_changes_is_told_and_one_that_stays_is_not() {
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
fn an_answer_that_breaks_off_is_none() {
    const HALF: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\n[{\"id\":\"half\"}]";
    let half = Raw::start(vec![Act::ReadHead, Act::Send(HALF)]);
    let gateway = discovering(1, 2, &half.url());
    wait::until_true("failures", || discoveries(&gateway, "failed") >= 2);
    wait_for_logged(&gateway, &[failed("gave no answer; check its url, and that it runs")]);
    assert!(names(&gateway).is_empty());
    gateway.assert_no_trap();
}
