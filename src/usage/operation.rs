//! Which requests use something that is paid for, by their paths.

/// What a request asks of a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Operation {
    Chat,
    Completions,
    Responses,
    Messages,
    Generate,
    Embeddings,
    Images,
    Transcription,
    Speech,
    Rerank,
}

use Operation::*;

/// How a path ends, and what it asks for.
#[rustfmt::skip]
const ENDS: &[(&str, Operation)] = &[
    ("/chat/completions", Chat),
    ("/completions", Completions),
    ("/responses", Responses),
    ("/messages", Messages),
    (":generateContent", Generate),
    (":streamGenerateContent", Generate),
    ("/converse", Messages),
    ("/converse-stream", Messages),
    ("/invoke", Generate),
    ("/invoke-with-response-stream", Generate),
    (":rawPredict", Messages),
    (":streamRawPredict", Messages),
    ("/embeddings", Embeddings),
    (":embedContent", Embeddings),
    (":batchEmbedContents", Embeddings),
    ("/images/generations", Images),
    ("/images/edits", Images),
    ("/images/variations", Images),
    (":predict", Images),
    ("/audio/transcriptions", Transcription),
    ("/audio/translations", Transcription),
    ("/audio/speech", Speech),
    ("/rerank", Rerank),
    ("/score", Rerank),
];

impl Operation {
    /// For a path without base path and query; `None` for what is not metered.
    pub fn of(path: &str) -> Option<Self> {
        let path = path.trim_end_matches('/');
        ENDS.iter().find(|(end, _)| path.ends_with(end)).map(|(_, operation)| *operation)
    }

    /// As the journal and the ledger write it.
    pub fn as_str(self) -> &'static str {
        match self {
            Chat => "chat",
            Completions => "completions",
            Responses => "responses",
            Messages => "messages",
            Generate => "generate",
            Embeddings => "embeddings",
            Images => "images",
            Transcription => "transcription",
            Speech => "speech",
            Rerank => "rerank",
        }
    }

    /// `gen_ai.operation.name`, where OpenTelemetry has a name.
    pub fn otel_name(self) -> &'static str {
        match self {
            Chat | Responses | Messages => "chat",
            Completions => "text_completion",
            Generate => "generate_content",
            other => other.as_str(),
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        ENDS.iter().map(|(_, operation)| *operation).find(|operation| operation.as_str() == text)
    }

    /// Whether a stream says its usage only if the request asks for it.
    pub fn says_usage_if_asked(self) -> bool {
        matches!(self, Chat | Completions)
    }

    /// Whether the answer has no output that is counted in tokens.
    pub fn is_without_output(self) -> bool {
        matches!(self, Embeddings | Rerank | Speech | Images)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(all(target_family = "wasm", target_os = "unknown"))]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn a_path_says_what_it_asks_for() {
        for (path, expected) in [
            ("/v1/chat/completions", Some(Chat)),
            ("/v1/chat/completions/", Some(Chat)),
            ("/openai/deployments/gpt-4o/chat/completions", Some(Chat)),
            ("/v1/engines/x/completions", Some(Completions)),
            ("/v1/responses", Some(Responses)),
            ("/v1/responses/input_tokens", None),
            ("/v1/messages", Some(Messages)),
            ("/v1/messages/count_tokens", None),
            ("/v1beta/models/gemini-2.5-pro:streamGenerateContent", Some(Generate)),
            ("/v1beta/models/gemini-2.5-pro:countTokens", None),
            ("/model/anthropic.claude-v1%3A0/converse", Some(Messages)),
            ("/model/m/invoke-with-response-stream", Some(Generate)),
            ("/model/m/count-tokens", None),
            ("/v1/moderations", None),
            ("/v1/models", None),
        ] {
            assert_eq!(Operation::of(path), expected, "{path}");
        }
        for (_, operation) in ENDS {
            assert_eq!(Operation::parse(operation.as_str()), Some(*operation));
        }
    }
}
