//! Spellings of paths on both sides of the line. A unit test reads them, a test of the gateway sends them, and the
//! documentation shows them.

/// A spelling of a path, and what the gateway does with the request.
#[derive(Debug, Clone, Copy)]
pub struct Example {
    pub method: &'static str,
    /// The path as it is sent, and as the provider gets it where it passes.
    pub path: &'static str,
    /// What the gateway does with the request.
    pub outcome: Outcome,
    /// The reason, as the documentation shows it.
    pub why: &'static str,
}

/// What the gateway does with a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The request passes, with the provider's key.
    ProvidersKey,
    /// The request passes, with the client's key.
    ClientsKey,
    /// The gateway refuses the request.
    Refused,
}

use Outcome::{ClientsKey, ProvidersKey, Refused};

/// All examples. None has a base path, and all are below the default ones.
pub const EXAMPLES: &[Example] = &[
    post("/v1/chat/completions", ProvidersKey, "a path of the table"),
    post("/v1/chat/completions/", ProvidersKey, "one closing slash makes no difference"),
    post("/openai/deployments/org%2Fm/embeddings", ProvidersKey, "a slash in a model's name"),
    get(
        "/v1/files/gs%3A%2F%2Fbucket%2Fo/content",
        ProvidersKey,
        "LiteLLM's id of a file at Vertex",
    ),
    get("/v1/files/gs://bucket/o/content", ProvidersKey, "the same, unescaped"),
    get("/v1/files/a%20b;c%23d", ProvidersKey, "an id may have any character"),
    get(
        "/v1/batches/arn%3Aaws%3Abedrock%3Aus-east-1%3A1%3Amodel-invocation-job%2Fx",
        ProvidersKey,
        "an ARN of Bedrock",
    ),
    post(
        "/bedrock/model/arn%3Aaws%3Abedrock%3Aus-east-1%3A1%3Ainference-profile%2Fx/invoke",
        ClientsKey,
        "LiteLLM's path to Bedrock",
    ),
    get("/mcp/https%3A%2F%2Fhost//tools/a%20b", ClientsKey, "a URL in a path"),
    get("//v1/files", ClientsKey, "no path of the table"),
    post("/v1/chat/completions%0a", Refused, "a control character"),
    get("/v1/files/a%C2%85", Refused, "a control character, as UTF-8"),
    post("/v1/chat/Completions", Refused, "some servers ignore case"),
    post("/v1/chat/completions%20", Refused, "some servers trim"),
    post("/v1/chat%2Fcompletions", Refused, "some servers decode slashes"),
    post("/v1/chat%252Fcompletions", Refused, "some servers decode twice"),
    post("/v1/%63hat/completions", Refused, "some servers decode before they compare"),
    post("/v1//chat/completions", Refused, "some servers merge slashes"),
    post("/v1\\chat/completions", Refused, "some servers take a backslash for a slash"),
    post("/v1/chat/completions;a=b", Refused, "some servers cut parameters"),
    post("/v1/x/%2E%2E/chat/completions", Refused, "some servers resolve escaped dots"),
    post("/key/..%2Fv1/chat/completions", Refused, "the same, outside the API"),
    post("/API/LiteLLM/v1/chat/completions", Refused, "the same below a base path"),
    post(
        "/openai/deployments/cheap%3Bx/embeddings",
        Refused,
        "`cheap` to a server that cuts parameters",
    ),
    post("/openai/deployments/m/Embeddings", Refused, "not the deployment's operation"),
    get("/v1/files/..%2F..%2Fkey%2Flist", Refused, "outside the API, where the key must not go"),
    get("/v1/files/x/../../../key/list", Refused, "above the root"),
    put("/v1/chat/completions", Refused, "405: the path has other methods"),
    Example { method: "post", path: "/v1/files", outcome: Refused, why: "405: not a method" },
];

const fn get(path: &'static str, outcome: Outcome, why: &'static str) -> Example {
    Example { method: "GET", path, outcome, why }
}

const fn post(path: &'static str, outcome: Outcome, why: &'static str) -> Example {
    Example { method: "POST", path, outcome, why }
}

const fn put(path: &'static str, outcome: Outcome, why: &'static str) -> Example {
    Example { method: "PUT", path, outcome, why }
}
