//! The examples of the documentation, sent byte for byte.

use super::setup;
use crate::kit::client::{CLIENTS, Client, Request};
use crate::kit::upstream::Seen;
use gaud::request::endpoint::examples::{EXAMPLES, Example, Outcome};

#[test]
fn examples_pass_as_they_are_or_are_refused() {
    for (index, example) in EXAMPLES.iter().enumerate() {
        for client in CLIENTS {
            let case = format!("example {index} {client:?}");
            let body = r#"{"model": "m"}"#;
            let mut request = Request::post(example.path, body).case(&case);
            request.method = example.method.to_owned();
            let response = client
                .send(&setup().gateway, &request.header("authorization", "Bearer of-the-client"));
            if let Some(seen) = normalized(example, &case) {
                passes_as_itself(&seen, example, client);
                continue;
            }
            if example.outcome == Outcome::Refused {
                assert!(matches!(response.status, 400 | 405), "{example:?}: {}", response.text());
                assert!(setup().server.seen(&case).is_empty(), "{example:?}");
                continue;
            }
            assert_eq!(response.status, 200, "{example:?}: {}", response.text());
            let seen = setup().server.wait(&case);
            let has_key = example.outcome == Outcome::ProvidersKey;
            assert_eq!(seen.path, example.path);
            assert_eq!(seen.header("x-goog-api-key").is_some(), has_key, "{example:?}");
            assert_eq!(seen.header("authorization").is_none(), has_key, "{example:?}");
        }
    }
    setup().gateway.assert_no_trap();
}

/// The request with a path that another listener has made of the example's: the listeners of Istio and of Envoy Gateway normalize
/// paths before the filter. `None` where the path is the example's.
fn normalized(example: &Example, case: &str) -> Option<Seen> {
    std::env::var_os("GAUD_TEST_RENDER")?;
    let seen = setup().server.seen(case).into_iter().next()?;
    (seen.path != example.path).then_some(seen)
}

/// A path that a listener has normalized is treated as the same path that a client has written.
fn passes_as_itself(normalized: &Seen, example: &Example, client: Client) {
    let path = &normalized.path;
    let case = format!("{path} {client:?}");
    let mut request = Request::post(path, r#"{"model": "m"}"#).case(&case);
    request.method = example.method.to_owned();
    let request = request.header("authorization", "Bearer of-the-client");
    let response = client.send(&setup().gateway, &request);
    assert_eq!(response.status, 200, "{example:?}: {}", response.text());
    let seen = setup().server.wait(&case);
    for name in ["x-goog-api-key", "authorization"] {
        assert_eq!(seen.header(name), normalized.header(name), "{example:?}");
    }
    assert_eq!(seen.path, *path, "{example:?}");
}
