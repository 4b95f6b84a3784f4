//! The paths of the providers' APIs, and where each names its model. The first row that fits
//! counts; the README shows this table.

use super::{LocalEndpoint, ModelBody, Shape};

/// One of the known paths.
#[derive(Debug, Clone, Copy)]
pub struct Row {
    /// The method; empty for any.
    pub method: &'static str,
    /// Segments as they are; `{id}` is one of any kind, `{model}` one or more, and a `*` at the end any
    /// number.
    pub path: &'static str,
    /// What the path means.
    pub meaning: Meaning,
    /// The shape of its errors.
    pub shape: Shape,
}

/// What a known path means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Meaning {
    /// The gateway answers itself.
    Local(LocalEndpoint),
    /// The body names the model.
    Body(ModelBody),
    /// The path does, at `{model}`; a body that names one as well is made the same.
    Path,
    /// The path does, and the body never.
    PathAlone,
    /// The query does.
    Query,
    /// Nothing does.
    NoModel,
}

/// A JSON object with a `model`.
const JSON: Meaning =
    Meaning::Body(ModelBody { is_form: false, is_optional: false, repeats: true });

/// The same, of what makes something that lasts.
const LASTING_FORM: Meaning =
    Meaning::Body(ModelBody { is_form: true, is_optional: true, repeats: false });

/// A JSON object that may have a `model`, or no body, of what makes something that lasts.
const OPTIONAL: Meaning =
    Meaning::Body(ModelBody { is_form: false, is_optional: true, repeats: false });

/// A form, or a JSON object, with a `model`.
const FORM: Meaning = Meaning::Body(ModelBody { is_form: true, is_optional: true, repeats: true });

/// Every known path.
///
/// They get the provider's own credential. With it on any other path (LiteLLM's `/key/generate`,
/// `/v1/mcp/server`) everyone who reaches the gateway would be an administrator.
pub const ROWS: &[Row] = &[
    post("/v1/chat/completions", JSON),
    post("/v1/completions", JSON),
    post("/v1/responses", JSON),
    post("/v1/responses/compact", JSON),
    post("/v1/responses/input_tokens", JSON),
    post("/v1/embeddings", JSON),
    post("/v1/moderations", JSON),
    post("/v1/images/generations", JSON),
    post("/v1/audio/speech", JSON),
    post("/v1/rerank", JSON),
    post("/v2/rerank", JSON),
    anthropic("POST", "/v1/messages", JSON),
    anthropic("POST", "/v1/messages/count_tokens", JSON),
    post("/v1/audio/transcriptions", FORM),
    post("/v1/audio/translations", FORM),
    post("/v1/images/edits", FORM),
    post("/v1/images/variations", FORM),
    post("/v1/videos", LASTING_FORM),
    post("/v1/ocr", FORM),
    post("/v1/assistants", OPTIONAL),
    post("/v1/assistants/{id}", OPTIONAL),
    post("/v1/threads/runs", OPTIONAL),
    post("/v1/threads/{id}/runs", OPTIONAL),
    post("/v1/batches", OPTIONAL),
    post("/v1/fine_tuning/jobs", OPTIONAL),
    post("/v1/realtime/sessions", OPTIONAL),
    any("/v1/realtime", Meaning::Query),
    post("/v1/realtime/calls", Meaning::Query),
    post("/v1/engines/{model}/chat/completions", Meaning::Path),
    post("/v1/engines/{model}/completions", Meaning::Path),
    post("/v1/engines/{model}/embeddings", Meaning::Path),
    post("/openai/deployments/{model}/chat/completions", Meaning::Path),
    post("/openai/deployments/{model}/completions", Meaning::Path),
    post("/openai/deployments/{model}/embeddings", Meaning::Path),
    post("/openai/deployments/{model}/images/generations", Meaning::Path),
    post("/openai/deployments/{model}/images/edits", Meaning::Path),
    post("/openai/deployments/{model}/audio/speech", Meaning::Path),
    post("/openai/deployments/{model}/audio/transcriptions", Meaning::Path),
    post("/openai/deployments/{model}/audio/translations", Meaning::Path),
    gemini("POST", "/v1beta/models/{model}:{verb}", Meaning::PathAlone),
    gemini("POST", "/v1/models/{model}:{verb}", Meaning::PathAlone),
    get("/v1/models", LocalEndpoint::Models),
    get("/v1/models/{model}", LocalEndpoint::Model),
    get("/api/models", LocalEndpoint::FrontEndModels),
    post("/api/models", Meaning::Local(LocalEndpoint::Refresh)),
    any("/healthz", Meaning::Local(LocalEndpoint::Liveness)),
    any("/readyz", Meaning::Local(LocalEndpoint::Readiness)),
    any("/health", Meaning::Local(LocalEndpoint::Health)),
    anthropic("", "/v1/messages/*", Meaning::NoModel),
    gemini("", "/v1beta/models/*", Meaning::NoModel),
    gemini("", "/v1beta/files/*", Meaning::NoModel),
    gemini("", "/v1beta/cachedContents/*", Meaning::NoModel),
    any("/openai/deployments/*", Meaning::NoModel),
    any("/v1/assistants/*", Meaning::NoModel),
    any("/v1/audio/*", Meaning::NoModel),
    any("/v1/batches/*", Meaning::NoModel),
    any("/v1/chat/*", Meaning::NoModel),
    any("/v1/completions/*", Meaning::NoModel),
    any("/v1/containers/*", Meaning::NoModel),
    any("/v1/conversations/*", Meaning::NoModel),
    any("/v1/embeddings/*", Meaning::NoModel),
    any("/v1/engines/*", Meaning::NoModel),
    any("/v1/evals/*", Meaning::NoModel),
    any("/v1/files/*", Meaning::NoModel),
    any("/v1/fine_tuning/*", Meaning::NoModel),
    any("/v1/images/*", Meaning::NoModel),
    any("/v1/models/*", Meaning::NoModel),
    any("/v1/moderations/*", Meaning::NoModel),
    any("/v1/ocr/*", Meaning::NoModel),
    any("/v1/realtime/*", Meaning::NoModel),
    any("/v1/rerank/*", Meaning::NoModel),
    any("/v1/responses/*", Meaning::NoModel),
    any("/v1/threads/*", Meaning::NoModel),
    any("/v1/uploads/*", Meaning::NoModel),
    any("/v1/vector_stores/*", Meaning::NoModel),
    any("/v1/videos/*", Meaning::NoModel),
];

const fn post(path: &'static str, meaning: Meaning) -> Row {
    Row { method: "POST", path, meaning, shape: Shape::OpenAi }
}

const fn get(path: &'static str, local: LocalEndpoint) -> Row {
    Row { method: "GET", path, meaning: Meaning::Local(local), shape: Shape::OpenAi }
}

const fn any(path: &'static str, meaning: Meaning) -> Row {
    Row { method: "", path, meaning, shape: Shape::OpenAi }
}

const fn anthropic(method: &'static str, path: &'static str, meaning: Meaning) -> Row {
    Row { method, path, meaning, shape: Shape::Anthropic }
}

const fn gemini(method: &'static str, path: &'static str, meaning: Meaning) -> Row {
    Row { method, path, meaning, shape: Shape::Gemini }
}
