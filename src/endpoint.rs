//! What a request asks for: the gateway itself, a model, or something for the default provider.

/// One of the things a path can mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Endpoint {
    /// The gateway answers itself.
    Own(Own),
    /// The request names a model.
    Model(ModelIn),
    /// Anything else: the default provider gets it as it is.
    Other,
    /// What another server could read otherwise than the gateway: it is not passed on.
    Refused,
}

/// What the gateway answers itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Own {
    /// `/healthz`: the process lives.
    Liveness,
    /// `/readyz`: it is configured and can serve.
    Readiness,
    /// `/health`: how the providers are.
    Health,
}

/// Where a request names its model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ModelIn {
    /// `model` in a JSON object.
    JsonBody,
}

/// The shape of an endpoint's errors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// <https://platform.openai.com/docs/guides/error-codes>
    OpenAi,
    /// <https://docs.anthropic.com/en/api/errors>
    Anthropic,
}

/// The paths of the gateway's own answers.
pub const OWN: [(&str, Own); 3] =
    [("/healthz", Own::Liveness), ("/readyz", Own::Readiness), ("/health", Own::Health)];

/// The paths to which a JSON object with a `model` is posted.
pub const JSON_BODY: [&str; 10] = [
    "/v1/chat/completions",
    "/v1/completions",
    "/v1/responses",
    "/v1/embeddings",
    "/v1/moderations",
    "/v1/images/generations",
    "/v1/audio/speech",
    "/v1/rerank",
    "/v1/messages",
    "/v1/messages/count_tokens",
];

/// What comes behind `/v1/` in the paths of the providers' APIs: these get the provider's own
/// credential. With it on any other path (LiteLLM's `/key/generate`, `/v1/mcp/server`) everyone who
/// reaches the gateway would be an administrator.
pub const API: [&str; 23] = [
    "assistants",
    "audio",
    "batches",
    "chat",
    "completions",
    "containers",
    "conversations",
    "embeddings",
    "evals",
    "files",
    "fine_tuning",
    "images",
    "messages",
    "models",
    "moderations",
    "ocr",
    "realtime",
    "rerank",
    "responses",
    "threads",
    "uploads",
    "vector_stores",
    "videos",
];

/// Whether a path, without base path and query, is of the providers' APIs.
pub fn is_api(path: &str) -> bool {
    let mut segments = path.split('/');
    segments.next() == Some("")
        && segments.next() == Some("v1")
        && segments.next().is_some_and(|segment| API.contains(&segment))
}

/// Whether a request is not even passed on.
///
/// A server that decodes an escaped slash, as most do, sees another path than the gateway did: so
/// that is refused but in a model's name. `TRACE` is answered with the request, and a provider's
/// credential would be in it (RFC 9110, section 9.3.8).
fn is_refused(method: &[u8], path: &str) -> bool {
    let in_model = path.starts_with("/v1/models/") && !path.contains("..");
    let lower = path.to_ascii_lowercase();
    let escaped = ["%2f", "%5c", "%25", "\\"].iter().any(|escape| lower.contains(escape));
    method == b"TRACE" || (escaped && !in_model)
}

impl Endpoint {
    /// Classifies a request by its method and its path, without base path and query.
    ///
    /// A closing slash makes no difference: servers that redirect it would see the model
    /// unstripped.
    pub fn classify(method: &[u8], path: &str) -> Self {
        if is_refused(method, path) {
            return Self::Refused;
        }
        let path = path.strip_suffix('/').unwrap_or(path);
        if let Some((_, own)) = OWN.iter().find(|(known, _)| *known == path) {
            return Self::Own(*own);
        }
        match method == b"POST" && JSON_BODY.contains(&path) {
            true => Self::Model(ModelIn::JsonBody),
            false => Self::Other,
        }
    }
}

impl Shape {
    /// The shape of the errors for a path.
    pub fn of(path: &str) -> Self {
        match path.strip_prefix("/v1/messages") {
            Some(rest) if rest.is_empty() || rest.starts_with('/') => Self::Anthropic,
            _ => Self::OpenAi,
        }
    }
}

/// Takes off the longest of `base_paths` (longest first) that stands before `path`; `None` when
/// none does. The rest begins with a slash.
pub fn strip_base<'a>(path: &'a str, base_paths: &[String]) -> Option<&'a str> {
    base_paths
        .iter()
        .find_map(|base| path.strip_prefix(base.as_str()).filter(|rest| rest.starts_with('/')))
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(all(target_family = "wasm", target_os = "unknown"))]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn classifies_paths() {
        let json = Endpoint::Model(ModelIn::JsonBody);
        for (method, path, expected) in [
            ("POST", "/v1/chat/completions", json),
            ("POST", "/v1/chat/completions/", json),
            ("GET", "/v1/chat/completions", Endpoint::Other),
            ("POST", "/v1/chat/completions/x", Endpoint::Other),
            ("POST", "/v1/messages", json),
            ("POST", "/v1/messages/count_tokens", json),
            ("GET", "/healthz", Endpoint::Own(Own::Liveness)),
            ("POST", "/readyz", Endpoint::Own(Own::Readiness)),
            ("GET", "/v1/models", Endpoint::Other),
            ("GET", "/", Endpoint::Other),
            ("GET", "/v1/models/openai%2Fgpt-4o", Endpoint::Other),
            ("GET", "/v1/models/..%2fkey", Endpoint::Refused),
            ("POST", "/v1/chat%2Fcompletions", Endpoint::Refused),
            ("POST", "/v1/chat%252fcompletions", Endpoint::Refused),
            ("POST", "/v1%5Cchat/completions", Endpoint::Refused),
            ("TRACE", "/v1/files", Endpoint::Refused),
        ] {
            assert_eq!(Endpoint::classify(method.as_bytes(), path), expected, "{method} {path}");
        }
    }

    #[test]
    fn takes_off_the_longest_base_path() {
        let bases = ["/api/litellm/x", "/api/litellm", ""].map(str::to_owned);
        for (path, expected) in [
            ("/v1/models", "/v1/models"),
            ("/api/litellm/v1/models", "/v1/models"),
            ("/api/litellm/x/v1/models", "/v1/models"),
            ("/api/litellmx/v1", "/api/litellmx/v1"),
            ("/api/litellm", "/api/litellm"),
        ] {
            assert_eq!(strip_base(path, &bases), Some(expected), "{path}");
        }
        assert_eq!(strip_base("/v1/models", &bases[..2]), None);
        assert_eq!(strip_base("*", &bases), None);
    }

    #[test]
    fn the_api_is_a_list() {
        for path in ["/v1/files", "/v1/chat/completions", "/v1/models/openai%2Fgpt-4o"] {
            assert!(is_api(path), "{path}");
        }
        for path in ["/", "/v1", "/v1/", "/key/generate", "/v1/mcp/server", "/v1/model/info"] {
            assert!(!is_api(path), "{path}");
        }
        for path in ["/v1/filesx", "/x/v1/files", "v1/files", "/v1beta/models", "//v1/files"] {
            assert!(!is_api(path), "{path}");
        }
        assert!(JSON_BODY.iter().all(|path| is_api(path)));
    }

    #[test]
    fn messages_get_anthropics_errors() {
        for path in ["/v1/messages", "/v1/messages/count_tokens"] {
            assert_eq!(Shape::of(path), Shape::Anthropic);
        }
        for path in ["/v1/messagesx", "/v1/chat/completions", "/"] {
            assert_eq!(Shape::of(path), Shape::OpenAi);
        }
    }
}
