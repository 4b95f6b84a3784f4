//! The examples of the documentation, sent byte for byte.

use super::{Way, setup};
use crate::kit::client::{Client, Request, Response};
use crate::kit::upstream::Seen;
use gaud::request::endpoint::examples::{EXAMPLES, Example, Outcome};

#[test]
fn examples_pass_as_they_are_or_are_refused() {
    for (index, example) in EXAMPLES.iter().enumerate() {
        setup().each(&format!("example {index}"), |way, client, case| {
            let response = send(way, client, example, example.path, case);
            if let Some(seen) = normalized(way, example, case) {
                passes_as_itself(way, &seen, example, client);
                return;
            }
            if example.outcome == Outcome::Refused {
                assert!(matches!(response.status, 400 | 405), "{example:?}: {}", response.text());
                assert!(way.server.seen(case).is_empty(), "{example:?}");
                return;
            }
            assert_eq!(response.status, 200, "{example:?}: {}", response.text());
            let seen = way.server.wait(case);
            let has_key = example.outcome == Outcome::ProvidersKey;
            assert_eq!(seen.path, example.path);
            assert_eq!(seen.header("x-goog-api-key").is_some(), has_key, "{example:?}");
            assert_eq!(seen.header("authorization").is_none(), has_key, "{example:?}");
        });
    }
    setup().assert_no_trap();
}

fn send(way: &Way, client: Client, example: &Example, path: &str, case: &str) -> Response {
    let mut request = Request::post(path, r#"{"model": "m"}"#).case(case);
    request.method = example.method.to_owned();
    client.send(&way.gateway, &request.header("authorization", "Bearer of-the-client"))
}

/// The request with a path that another listener has made of the example's: the listeners of Istio and of Envoy Gateway normalize
/// paths before the filter. `None` where the path is the example's.
fn normalized(way: &Way, example: &Example, case: &str) -> Option<Seen> {
    std::env::var_os("GAUD_TEST_RENDER")?;
    let seen = way.server.seen(case).into_iter().next()?;
    (seen.path != example.path).then_some(seen)
}

/// A path that a listener has normalized is treated as the same path that a client has written.
fn passes_as_itself(way: &Way, normalized: &Seen, example: &Example, client: Client) {
    let path = &normalized.path;
    let case = format!("{path} {client:?}");
    let response = send(way, client, example, path, &case);
    assert_eq!(response.status, 200, "{example:?}: {}", response.text());
    let seen = way.server.wait(&case);
    for name in ["x-goog-api-key", "authorization"] {
        assert_eq!(seen.header(name), normalized.header(name), "{example:?}");
    }
    assert_eq!(seen.path, *path, "{example:?}");
}
