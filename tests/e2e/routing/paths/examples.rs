//! The examples of the documentation, sent byte for byte.

use super::setup;
use crate::kit::client::{CLIENTS, Request};
use gaud::request::endpoint::examples::{EXAMPLES, Outcome};

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
