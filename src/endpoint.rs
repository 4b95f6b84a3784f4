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

impl Endpoint {
    /// Classifies a request by its method and its path, without base path and query.
    ///
    /// A closing slash makes no difference: servers that redirect it would see the model
    /// unstripped.
    pub fn classify(method: &[u8], path: &str) -> Self {
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
    fn messages_get_anthropics_errors() {
        for path in ["/v1/messages", "/v1/messages/count_tokens"] {
            assert_eq!(Shape::of(path), Shape::Anthropic);
        }
        for path in ["/v1/messagesx", "/v1/chat/completions", "/"] {
            assert_eq!(Shape::of(path), Shape::OpenAi);
        }
    }
}
