//! Every byte but the model's arrives as it was sent, in the framing in which it was sent.

use crate::kit::client::{CLIENTS, Client, Request};
use crate::kit::pair::{PROVIDERS, Pair};
use crate::kit::samples::{Place, body, gzip};
use crate::kit::upstream::sha256;

const PLACES: [Place; 3] = [Place::First, Place::Middle, Place::Last];

/// Sends a body in every combination of place, framing and protocols.
fn all_combinations(size: usize, pieces: usize) {
    for place in PLACES {
        for provider in PROVIDERS {
            let sent = body(&format!("{provider}:gpt-4o"), place, size);
            let expected = body("gpt-4o", place, size);
            let fixed = Request::chat(&sent).cut_every(pieces);
            for client in CLIENTS {
                for (name, request) in [("fixed", fixed.clone()), ("open", fixed.clone().chunked())]
                {
                    let case = format!("{size} {place:?} {provider} {client:?} {name}");
                    Pair::shared().arrives(&case, client, &request, &expected);
                }
            }
        }
    }
}

#[test]
fn small_bodies_are_exact() {
    all_combinations(60, 1000);
    all_combinations(1000, 100);
    all_combinations(16_384, 16_384);
    Pair::shared().gateway.assert_no_trap();
}

#[test]
fn middling_bodies_are_exact() {
    all_combinations(65_536, 10_000);
    all_combinations(300_000, 65_536);
    Pair::shared().gateway.assert_no_trap();
}

#[test]
fn large_bodies_are_exact() {
    all_combinations(3_000_000, 1_000_000);
    Pair::shared().gateway.assert_no_trap();
}

#[test]
fn a_body_of_many_megabytes_is_exact_with_its_model_last() {
    let sent = |model| Request::chat(body(model, Place::Last, 30_000_000)).cut_every(1_000_000);
    let expected = body("gpt-4o", Place::Last, 30_000_000);
    Pair::shared().arrives("30 MB", Client::Http1, &sent("one:gpt-4o"), &expected);
    let open = sent("two:gpt-4o").chunked();
    Pair::shared().arrives("30 MB open", Client::Http2, &open, &expected);
    Pair::shared().gateway.assert_no_trap();
}

#[test]
fn a_body_whose_model_does_not_change_is_not_touched() {
    let untouched = "{ \"n\" :1.0E+2,\r\n\t\"model\":\"gpt\\u002d4o\" ,\"x\": [ 1 , 2 ] }  \n";
    for client in CLIENTS {
        let case = format!("untouched {client:?}");
        Pair::shared().arrives(&case, client, &Request::chat(untouched), untouched.as_bytes());
        let case = format!("without a model {client:?}");
        Pair::shared().arrives(&case, client, &Request::chat("{}").chunked(), b"{}");
    }
    Pair::shared().gateway.assert_no_trap();
}

#[test]
fn a_body_with_trailers_is_exact() {
    for provider in PROVIDERS {
        for place in PLACES {
            for size in [100, 100_000] {
                for chunked in [false, true] {
                    let case = format!("trailers {provider} {place:?} {size} {chunked}");
                    let sent = body(&format!("{provider}:m"), place, size);
                    let mut request = Request::chat(sent).cut_every(30_000).trailer("x-end", "yes");
                    request.chunked = chunked;
                    Pair::shared().arrives(&case, Client::Http2, &request, &body("m", place, size));
                    let end = Pair::shared().server.wait(&case).trailers.get("x-end");
                    let reaches = provider == "two"; // Envoy sends none over HTTP/1.1
                    assert_eq!(end.is_some(), reaches, "{case}");
                }
            }
        }
    }
    Pair::shared().gateway.assert_no_trap();
}

#[test]
fn a_model_that_is_null_is_no_model() {
    for (path, sent) in [
        ("/v1/threads/t/runs", r#"{"assistant_id":"x","model":null}"#),
        ("/v1/chat/completions", r#"{"model" : null ,"messages":[]}"#),
        ("/v1/images/generations", r#"{"prompt":"x","model":null}"#),
        ("/openai/deployments/gpt-4o/chat/completions?api-version=1", r#"{"model":null}"#),
    ] {
        for client in CLIENTS {
            let case = format!("null {path} {client:?}");
            Pair::shared().arrives(&case, client, &Request::post(path, sent), sent.as_bytes());
        }
    }
    Pair::shared().gateway.assert_no_trap();
}

#[test]
fn a_gzip_body_is_read_and_reaches_the_provider_plain() {
    for size in [100, 200_000] {
        for place in PLACES {
            for client in CLIENTS {
                let case = format!("gzip {size} {place:?} {client:?}");
                let sent = gzip(&body("one:m", place, size));
                let request = Request::chat(sent).cut_every(10_000);
                let request = request.header("content-encoding", "gzip").case(&case);
                let response = client.send(&Pair::shared().gateway, &request);
                assert_eq!(response.status, 200, "{case}: {}", response.text());
                let seen = Pair::shared().server.wait(&case);
                assert_eq!(seen.sha256, sha256(&body("m", place, size)), "{case}");
                assert_eq!(seen.header("content-encoding"), None, "{case}");
            }
        }
    }
    Pair::shared().gateway.assert_no_trap();
}
