//! The paths of the providers' APIs, and where each path's request names its model. The first row that fits counts. The
//! documentation shows this table.

use super::{LocalEndpoint, ModelBody, Shape};

/// A known path.
#[derive(Debug, Clone, Copy)]
pub struct Row {
    /// Empty for any method.
    pub method: &'static str,
    /// Literal segments; `{id}` is any one segment, `{model}` one segment or more, and `*` at the end any number of
    /// segments.
    pub path: &'static str,
    pub meaning: Meaning,
    /// The shape of the errors that the path's clients understand.
    pub shape: Shape,
    /// Under which other roots servers have the path.
    pub family: Family,
}

/// Under which roots servers have a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Family {
    /// Only as the row has it.
    Alone,
    /// For a path below `/v1`: also without the version, and below [`OPENAI_ROOTS`] with the version or without.
    OpenAi,
    /// For a path below `/v1beta`: also below [`GEMINI_VERSIONS`]; a path with a model and a verb also without a version.
    Gemini,
}

/// The roots of OpenAI's API at Azure and at Gemini.
pub const OPENAI_ROOTS: [&str; 4] =
    ["/openai", "/v1beta/openai", "/v1alpha/openai", "/v1beta1/openai"];

/// The further versions of Gemini's API. A path below `/v1` that OpenAI's API has as well is OpenAI's.
pub const GEMINI_VERSIONS: [&str; 3] = ["/v1", "/v1alpha", "/v1beta1"];

/// What a known path means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Meaning {
    /// The gateway answers in place of a provider.
    Local(LocalEndpoint),
    /// The body names the model.
    Body(ModelBody),
    /// The path names the model, at `{model}`. A body that names a model as well gets the same model.
    Path(ModelBody),
    /// The path names the model, and the request has no body that could.
    PathAlone,
    /// The query names the model.
    Query,
    /// The query names the model, or the first message of a WebSocket, which the gateway does not read.
    QueryOrMessage,
    /// Objects in the body name models, perhaps several: each model must belong to the default provider under the same name.
    Nested,
    /// A part of the request that the gateway does not read names the model.
    Unreadable,
    /// The request names no model.
    NoModel,
}

impl Meaning {
    /// Whether the request names a model.
    pub fn names_model(self) -> bool {
        !matches!(self, Self::Local(_) | Self::NoModel)
    }

    /// Whether the provider's own credential goes with the request.
    pub fn has_key(self) -> bool {
        !matches!(self, Self::Local(_) | Self::Unreadable)
    }
}

const BODY: ModelBody =
    ModelBody { is_form: false, is_optional: false, repeats: true, resource: "", is_nested: false };

const MAY_LACK: ModelBody = ModelBody { is_optional: true, ..BODY };

/// A JSON object with a `model`.
const JSON: Meaning = Meaning::Body(BODY);

/// A JSON object that may have a `model`, or no body. The request makes something that lasts.
const OPTIONAL: Meaning = Meaning::Body(ModelBody { repeats: false, ..MAY_LACK });

/// A form, or a JSON object, with a `model`.
const FORM: Meaning = Meaning::Body(ModelBody { is_form: true, ..MAY_LACK });

/// A form, or a JSON object, with a `model`. The request makes something that lasts.
const LASTING_FORM: Meaning =
    Meaning::Body(ModelBody { is_form: true, repeats: false, ..MAY_LACK });

/// The path, and perhaps a form or a JSON object.
const PATH: Meaning = Meaning::Path(ModelBody { is_form: true, ..MAY_LACK });

/// The path, and perhaps a JSON object that calls the model `models/NAME`.
const GEMINI: Meaning = Meaning::Path(ModelBody { resource: "models/", ..MAY_LACK });

/// As [`GEMINI`], with objects in the body that may name the model again.
const GEMINI_NESTED: Meaning =
    Meaning::Path(ModelBody { resource: "models/", is_nested: true, ..MAY_LACK });

/// As [`GEMINI_NESTED`]. The request makes something that lasts.
const GEMINI_BATCH: Meaning =
    Meaning::Path(ModelBody { resource: "models/", is_nested: true, repeats: false, ..MAY_LACK });

const GEMINI_TUNED: Meaning = Meaning::Path(ModelBody { resource: "tunedModels/", ..MAY_LACK });

/// A JSON object that may have a `model`, written `models/NAME`.
const GEMINI_OPTIONAL: Meaning =
    Meaning::Body(ModelBody { resource: "models/", repeats: false, ..MAY_LACK });

/// The path, and perhaps a JSON object.
const BEDROCK: Meaning = Meaning::Path(MAY_LACK);

/// All known paths.
///
/// Their requests get the provider's own credential. With the credential on any other path (LiteLLM's `/key/generate`,
/// `/v1/mcp/server`) everyone who reaches the gateway would be an administrator.
pub static ROWS: &[Row] = &[
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
    post("/v2/rerank", JSON).alone(),
    post("/v1/messages", JSON).shape(Shape::Anthropic),
    post("/v1/messages/count_tokens", JSON).shape(Shape::Anthropic),
    post("/v1/complete", JSON).shape(Shape::Anthropic).alone(),
    post("/v1/chat", JSON).alone(),
    post("/v2/chat", JSON).alone(),
    post("/v1/embed", JSON).alone(),
    post("/v2/embed", JSON).alone(),
    post("/v1/generate", JSON).alone(),
    post("/v1/classify", JSON).alone(),
    post("/v1/summarize", JSON).alone(),
    post("/v1/tokenize", JSON).alone(),
    post("/v1/detokenize", JSON).alone(),
    post("/api/chat", JSON).alone(),
    post("/api/generate", JSON).alone(),
    post("/api/embed", JSON).alone(),
    post("/api/embeddings", JSON).alone(),
    post("/api/show", JSON).alone(),
    post("/v1/audio/transcriptions", FORM),
    post("/v1/audio/translations", FORM),
    post("/v1/images/edits", FORM),
    post("/v1/images/variations", FORM),
    post("/v1/ocr", FORM),
    post("/v2/audio/transcriptions", FORM).alone(),
    post("/v1/videos", LASTING_FORM),
    post("/v1/assistants", OPTIONAL),
    post("/v1/assistants/{id}", OPTIONAL),
    post("/v1/threads/runs", OPTIONAL),
    post("/v1/threads/{id}/runs", OPTIONAL),
    post("/v1/batches", OPTIONAL),
    post("/v1/fine_tuning/jobs", OPTIONAL),
    post("/v1/realtime/sessions", OPTIONAL),
    post("/v1/realtime/calls/{id}/accept", OPTIONAL),
    post("/v1/agents", OPTIONAL).shape(Shape::Anthropic).alone(),
    post("/v1/agents/{id}", OPTIONAL).shape(Shape::Anthropic).alone(),
    post("/v1/dreams", OPTIONAL).shape(Shape::Anthropic).alone(),
    post("/v1/embed-jobs", OPTIONAL).alone(),
    post("/v2/batches", OPTIONAL).alone(),
    post("/api/pull", OPTIONAL).alone(),
    post("/api/push", OPTIONAL).alone(),
    post("/api/create", OPTIONAL).alone(),
    delete("/api/delete", OPTIONAL).alone(),
    any("/v1/realtime", Meaning::Query),
    post("/v1/realtime/calls", Meaning::Query),
    get("/v1/chat/completions", Meaning::Query),
    get("/v1/responses", Meaning::QueryOrMessage),
    post("/v1/messages/batches", Meaning::Nested).shape(Shape::Anthropic),
    post("/v1/evals", Meaning::Nested),
    post("/v1/evals/{id}/runs", Meaning::Nested),
    post("/v1/fine_tuning/alpha/graders/run", Meaning::Nested),
    post("/v1/fine_tuning/alpha/graders/validate", Meaning::Nested),
    post("/v1/realtime/client_secrets", Meaning::Nested),
    post("/v1/realtime/transcription_sessions", Meaning::Nested),
    post("/v1/engines/{model}/chat/completions", PATH),
    post("/v1/engines/{model}/completions", PATH),
    post("/v1/engines/{model}/embeddings", PATH),
    post("/openai/deployments/{model}/extensions/chat/completions", PATH).alone(),
    post("/openai/deployments/{model}/chat/completions", PATH).alone(),
    post("/openai/deployments/{model}/completions", PATH).alone(),
    post("/openai/deployments/{model}/responses", PATH).alone(),
    post("/openai/deployments/{model}/embeddings", PATH).alone(),
    post("/openai/deployments/{model}/moderations", PATH).alone(),
    post("/openai/deployments/{model}/images/generations", PATH).alone(),
    post("/openai/deployments/{model}/images/edits", PATH).alone(),
    post("/openai/deployments/{model}/images/variations", PATH).alone(),
    post("/openai/deployments/{model}/audio/speech", PATH).alone(),
    post("/openai/deployments/{model}/audio/transcriptions", PATH).alone(),
    post("/openai/deployments/{model}/audio/translations", PATH).alone(),
    any("/openai/deployments/{model}/realtime", Meaning::PathAlone).alone(),
    post("/model/{model}/converse", BEDROCK).alone(),
    post("/model/{model}/converse-stream", BEDROCK).alone(),
    post("/model/{model}/invoke", BEDROCK).alone(),
    post("/model/{model}/invoke-with-response-stream", BEDROCK).alone(),
    post("/model/{model}/count-tokens", BEDROCK).alone(),
    // Each piece of the client's stream has a signature of its own.
    post("/model/{model}/invoke-with-bidirectional-stream", Meaning::Unreadable).alone(),
    gemini("POST", "/v1beta/models/{model}:countTokens", GEMINI_NESTED),
    gemini("POST", "/v1beta/models/{model}:batchEmbedContents", GEMINI_NESTED),
    gemini("POST", "/v1beta/models/{model}:asyncBatchEmbedContent", GEMINI_BATCH),
    gemini("POST", "/v1beta/models/{model}:batchGenerateContent", GEMINI_BATCH),
    gemini("POST", "/v1beta/models/{model}:{verb}", GEMINI),
    gemini("POST", "/v1beta/tunedModels/{model}:{verb}", GEMINI_TUNED),
    gemini("POST", "/v1beta/cachedContents", GEMINI_OPTIONAL),
    gemini("POST", "/v1beta/interactions", GEMINI_OPTIONAL),
    gemini("POST", "/v1beta/decisions", GEMINI_OPTIONAL),
    gemini("POST", "/v1beta/auth_tokens", Meaning::Nested),
    gemini("POST", "/v1beta/tunedModels", Meaning::Nested),
    gemini("POST", "/v1beta/voices", Meaning::Nested),
    gemini("", "/ws/*", Meaning::Unreadable).alone(),
    get("/v1/models", Meaning::Local(LocalEndpoint::Models)),
    get("/v1/models/{model}", Meaning::Local(LocalEndpoint::Model)),
    delete("/v1/models/{model}", Meaning::PathAlone),
    get("/v1/engines/{model}", Meaning::PathAlone),
    gemini("GET", "/v1beta/models/{model}", Meaning::PathAlone),
    gemini("GET", "/v1beta/tunedModels/{model}", Meaning::PathAlone),
    gemini("PATCH", "/v1beta/tunedModels/{model}", Meaning::PathAlone),
    gemini("DELETE", "/v1beta/tunedModels/{model}", Meaning::PathAlone),
    get("/api/models", Meaning::Local(LocalEndpoint::FrontEndModels)).alone(),
    post("/api/models", Meaning::Local(LocalEndpoint::Refresh)).alone(),
    any("/healthz", Meaning::Local(LocalEndpoint::Liveness)).alone(),
    any("/readyz", Meaning::Local(LocalEndpoint::Readiness)).alone(),
    any("/health", Meaning::Local(LocalEndpoint::Health)).alone(),
    get("/v1/assistants", Meaning::NoModel),
    get("/v1/assistants/{id}", Meaning::NoModel),
    delete("/v1/assistants/{id}", Meaning::NoModel),
    get("/v1/threads/{id}/runs", Meaning::NoModel),
    get("/v1/batches", Meaning::NoModel),
    get("/v1/evals", Meaning::NoModel),
    get("/v1/evals/{id}/runs", Meaning::NoModel),
    get("/v1/fine_tuning/jobs", Meaning::NoModel),
    get("/v1/videos", Meaning::NoModel),
    get("/v1/engines", Meaning::NoModel),
    get("/v1/embed-jobs", Meaning::NoModel).alone(),
    get("/v2/batches", Meaning::NoModel).alone(),
    get("/v1/messages/batches", Meaning::NoModel).shape(Shape::Anthropic),
    get("/v1/agents", Meaning::NoModel).shape(Shape::Anthropic).alone(),
    get("/v1/agents/{id}", Meaning::NoModel).shape(Shape::Anthropic).alone(),
    delete("/v1/agents/{id}", Meaning::NoModel).shape(Shape::Anthropic).alone(),
    get("/v1/dreams", Meaning::NoModel).shape(Shape::Anthropic).alone(),
    get("/openai/deployments", Meaning::NoModel).alone(),
    gemini("GET", "/v1beta/models", Meaning::NoModel),
    gemini("GET", "/v1beta/cachedContents", Meaning::NoModel),
    gemini("GET", "/v1beta/voices", Meaning::NoModel),
    any("/openai/deployments/*", Meaning::Unreadable).alone(),
    any("/v1/engines/*", Meaning::Unreadable),
    any("/v1/messages/*", Meaning::NoModel).shape(Shape::Anthropic),
    any("/v1/agents/*", Meaning::NoModel).shape(Shape::Anthropic).alone(),
    any("/v1/dreams/*", Meaning::NoModel).shape(Shape::Anthropic).alone(),
    gemini("GET", "/v1beta/tunedModels", Meaning::NoModel),
    any("/v1/assistants/*", Meaning::NoModel),
    any("/v1/audio/*", Meaning::NoModel),
    any("/v1/batches/*", Meaning::NoModel),
    any("/v1/chat/*", Meaning::NoModel),
    any("/v1/completions/*", Meaning::NoModel),
    any("/v1/containers/*", Meaning::NoModel),
    any("/v1/conversations/*", Meaning::NoModel),
    any("/v1/embeddings/*", Meaning::NoModel),
    any("/v1/embed-jobs/*", Meaning::NoModel).alone(),
    any("/v2/batches/*", Meaning::NoModel).alone(),
    any("/v1/evals/*", Meaning::NoModel),
    any("/v1/files/*", Meaning::NoModel),
    any("/v1/fine_tuning/*", Meaning::NoModel),
    any("/v1/images/*", Meaning::NoModel),
    any("/v1/moderations/*", Meaning::NoModel),
    any("/v1/ocr/*", Meaning::NoModel),
    any("/v1/realtime/*", Meaning::NoModel),
    any("/v1/rerank/*", Meaning::NoModel),
    any("/v1/responses/*", Meaning::NoModel),
    any("/v1/skills/*", Meaning::NoModel),
    any("/v1/threads/*", Meaning::NoModel),
    any("/v1/uploads/*", Meaning::NoModel),
    any("/v1/vector_stores/*", Meaning::NoModel),
    any("/v1/videos/*", Meaning::NoModel),
    gemini("", "/v1beta/batches/*", Meaning::NoModel),
    gemini("", "/v1beta/cachedContents/*", Meaning::NoModel),
    gemini("", "/v1beta/files/*", Meaning::NoModel),
    gemini("", "/v1beta/fileSearchStores/*", Meaning::NoModel),
    gemini("", "/v1beta/interactions/*", Meaning::NoModel),
    gemini("", "/v1beta/operations/*", Meaning::NoModel),
    gemini("", "/v1beta/voices/*", Meaning::NoModel),
    gemini("", "/upload/v1beta/files/*", Meaning::NoModel),
    gemini("", "/upload/v1beta/fileSearchStores/*", Meaning::NoModel),
    gemini("", "/upload/v1/files/*", Meaning::NoModel).alone(),
    gemini("", "/upload/v1/fileSearchStores/*", Meaning::NoModel).alone(),
];

impl Row {
    /// Whether the row is for a method. `HEAD` is `GET` without the body.
    pub fn takes(&self, method: &[u8]) -> bool {
        let method = if method == b"HEAD" { b"GET" } else { method };
        self.method.is_empty() || self.method.as_bytes() == method
    }

    /// The path without its version; `None` where servers need the version.
    pub fn bare(&self) -> Option<&'static str> {
        match self.family {
            Family::Alone => None,
            Family::OpenAi => self.path.strip_prefix("/v1"),
            Family::Gemini => {
                self.path.strip_prefix("/v1beta").filter(|path| path.contains("{model}:"))
            }
        }
    }

    const fn alone(self) -> Self {
        Self { family: Family::Alone, ..self }
    }

    const fn shape(self, shape: Shape) -> Self {
        Self { shape, ..self }
    }
}

const fn row(method: &'static str, path: &'static str, meaning: Meaning) -> Row {
    Row { method, path, meaning, shape: Shape::OpenAi, family: Family::OpenAi }
}

const fn post(path: &'static str, meaning: Meaning) -> Row {
    row("POST", path, meaning)
}

const fn get(path: &'static str, meaning: Meaning) -> Row {
    row("GET", path, meaning)
}

const fn delete(path: &'static str, meaning: Meaning) -> Row {
    row("DELETE", path, meaning)
}

const fn any(path: &'static str, meaning: Meaning) -> Row {
    row("", path, meaning)
}

const fn gemini(method: &'static str, path: &'static str, meaning: Meaning) -> Row {
    Row { method, path, meaning, shape: Shape::Gemini, family: Family::Gemini }
}
