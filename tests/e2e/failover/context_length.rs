//! A request that is too long for a model goes to the next; one that breaks a policy never does.

use super::attempts::{Row, Step};
use super::fault::Fault::{Good, Says, Status};
use super::fleet::Fleet;

const ONE: &str = "one:chain";
const TWO: &str = "two:second";
const THREE: &str = "three:the-third-models-longer-name";

/// How providers say that a request is too long.
const TOO_LONG: [&str; 4] = [
    r#"{"error":{"message":"Your input exceeds the context window of this model.","type":"invalid_request_error","param":"messages","code":"context_length_exceeded"}}"#,
    r#"{"error":{"message":"This model's maximum context length is 8192 tokens. However, your messages resulted in 9000 tokens.","type":"invalid_request_error","param":"messages","code":null}}"#,
    r#"{"type":"error","error":{"type":"invalid_request_error","message":"prompt is too long: 210000 tokens > 200000 maximum"}}"#,
    r#"{"error":{"message":"litellm.ContextWindowExceededError: litellm.BadRequestError: This model's maximum context length is 4097 tokens.","type":null,"param":null,"code":"400"}}"#,
];

/// Errors that look alike and have another cause.
const REJECTED: [&str; 5] = [
    r#"{"error":{"message":"The response was filtered.","type":null,"param":"prompt","code":"content_filter"}}"#,
    r#"{"error":{"message":"Rejected by our safety system.","type":"invalid_request_error","code":"content_policy_violation"}}"#,
    r#"{"error":{"message":"'messages' is a required property","type":"invalid_request_error","code":null}}"#,
    r#"{"type":"error","error":{"type":"invalid_request_error","message":"max_tokens: must be at least 1"}}"#,
    "<html>400 Bad Request</html>",
];

#[test]
fn a_request_too_long_for_the_model_goes_to_the_next() {
    for (index, body) in TOO_LONG.into_iter().enumerate() {
        let long = Says(400, body);
        let rows: [(&str, &[Step]); 3] = [
            ("once", &[(ONE, long), (TWO, Good)]),
            ("twice", &[(ONE, long), (TWO, long), (THREE, Good)]),
            ("always", &[(ONE, long), (TWO, long), (THREE, long)]),
        ];
        for (name, steps) in rows {
            Fleet::shared().tells(&[(&format!("{name} {index}"), "one:chain", steps)]);
        }
    }
}

#[test]
fn a_larger_model_of_the_same_provider_may_take_it() {
    let long = Says(400, TOO_LONG[0]);
    let too_large = Says(413, TOO_LONG[2]);
    Fleet::shared().tells(&[
        ("400", "one:small", &[("one:small", long), ("one:large", Good)]),
        ("413", "one:small", &[("one:small", too_large), ("one:large", Good)]),
        (
            "inside a 200",
            "one:small",
            &[("one:small", Says(200, TOO_LONG[0])), ("one:large", Good)],
        ),
        (
            "after an error",
            "one:small",
            &[("one:small", Status(500)), ("one:small", long), ("one:large", Good)],
        ),
    ]);
}

#[test]
fn other_rejections_are_not_retried() {
    for (index, body) in REJECTED.into_iter().enumerate() {
        let steps = [(ONE, Says(400, body))];
        let row: Row<'_> = (&index.to_string(), "one:chain", &steps);
        Fleet::shared().tells(&[row]);
    }
}

/// An answer whose text has the words.
const TALKED_OF: &str =
    r#"{"choices":[{"message":{"content":"context_length_exceeded"},"finish_reason":"stop"}]}"#;

/// Words count only where the provider itself says them.
#[test]
fn the_same_words_in_other_answers_do_not_count() {
    Fleet::shared().tells(&[
        ("404", "one:chain", &[(ONE, Says(404, TOO_LONG[0]))]),
        ("422", "one:chain", &[(ONE, Says(422, TOO_LONG[1]))]),
        ("200", "one:chain", &[(ONE, Says(200, TALKED_OF))]),
    ]);
}

#[test]
fn without_a_next_target_the_caller_gets_the_error() {
    let steps = [("one:m", Says(400, TOO_LONG[0]))];
    Fleet::shared().tells(&[("no chain", "one:m", &steps)]);
}
