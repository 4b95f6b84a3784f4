//! The control server's errors, in the shape of OpenAI's: kind, what is wrong, and the remedy.

use axum::Json;
use axum::http::StatusCode;
use axum::http::header::WWW_AUTHENTICATE;
use axum::response::{IntoResponse, Response};
use serde_json::json;

use super::keys::owned_by_litellm;
use super::settings::Fault;
use crate::native::database::DatabaseError;

/// An answer other than success.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ApiError {
    status: StatusCode,
    code: &'static str,
    message: String,
    /// The setting that the error is about.
    param: Option<String>,
    /// What is wrong with which settings, by their paths.
    faults: Vec<Fault>,
}

impl ApiError {
    fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into(), param: None, faults: Vec::new() }
    }

    pub(super) fn about(mut self, param: impl Into<String>) -> Self {
        self.param = Some(param.into());
        self
    }

    /// The same for no key, an unknown key, a malformed key and a revoked key.
    pub(super) fn unauthorized() -> Self {
        let message = "This path needs an admin key: send it as Authorization: Bearer sk-prx-…; `gaud admin key new` makes one.";
        Self::new(StatusCode::UNAUTHORIZED, "invalid_api_key", message)
    }

    pub(super) fn bad_request(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "invalid_request", message)
    }

    /// LiteLLM knows the field, and Gaud does not.
    pub(super) fn unsupported(field: &str) -> Self {
        Self::bad_request(format!("Gaud does not support the field '{field}'; leave it out."))
            .about(field)
    }

    pub(super) fn not_found() -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            "unknown_url",
            "No such path; GET /admin/openapi.json lists the paths.",
        )
    }

    /// The key or the user does not exist; a revoked key counts so.
    pub(super) fn unknown(what: &str, id: &str) -> Self {
        let message = format!(
            "There is no {what} '{id}', or it is revoked; GET the list to see what there is."
        );
        Self::new(StatusCode::NOT_FOUND, "not_found", message)
    }

    pub(super) fn wrong_method() -> Self {
        let message = "The path has other methods; GET /admin/openapi.json lists them.";
        Self::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", message)
    }

    pub(super) fn no_page() -> Self {
        Self::new(StatusCode::NOT_FOUND, "unknown_url", "There is no such page.")
    }

    /// A form that another page has sent, or that is older than the session.
    pub(super) fn foreign_form() -> Self {
        let message = "The form is not of this session: go back, load the page again, and send the form again.";
        Self::new(StatusCode::FORBIDDEN, "foreign_form", message)
    }

    /// What the caller wants is not for this server to decide.
    pub(super) fn conflict(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, code, message)
    }

    /// LiteLLM owns the key or the user.
    pub(super) fn litellms(what: &str, id: &str) -> Self {
        let message = owned_by_litellm(what, &format!("'{id}'"));
        Self::conflict("owned_by_litellm", format!("{message}."))
    }

    pub(super) fn changed_meanwhile() -> Self {
        let message = "The file has changed since it was read: read the settings again, and send their ETag as If-Match.";
        Self::new(StatusCode::PRECONDITION_FAILED, "changed_meanwhile", message)
    }

    pub(super) fn too_long(limit_bytes: usize) -> Self {
        let message = format!("The body is longer than {limit_bytes} bytes; send less.");
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "request_too_large", message)
    }

    pub(super) fn invalid(message: impl Into<String>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid_setting", message)
    }

    /// The configuration would not be valid.
    pub(super) fn faulty(faults: Vec<Fault>) -> Self {
        let lines: Vec<_> =
            faults.iter().map(|(path, problem)| format!("{path}: {problem}")).collect();
        Self { faults, ..Self::invalid(lines.join("\n")) }
    }

    pub(super) fn failed(message: impl Into<String>) -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "control_error", message)
    }

    pub(super) fn unreachable_gateway(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_GATEWAY, "gateway_unreachable", message)
    }

    pub(super) fn faults(&self) -> &[Fault] {
        &self.faults
    }

    pub(super) fn status(&self) -> StatusCode {
        self.status
    }

    pub(super) fn message(&self) -> &str {
        &self.message
    }

    /// The setting or the field that the error is about.
    pub(super) fn param(&self) -> Option<&str> {
        self.param.as_deref()
    }

    pub(super) fn code(&self) -> &'static str {
        self.code
    }
}
impl From<DatabaseError> for ApiError {
    fn from(error: DatabaseError) -> Self {
        Self::failed(error.to_string())
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let kind =
            if self.status.is_server_error() { "server_error" } else { "invalid_request_error" };
        let error =
            json!({"message": self.message, "type": kind, "param": self.param, "code": self.code});
        let mut response = (self.status, Json(json!({"error": error}))).into_response();
        if self.status == StatusCode::UNAUTHORIZED {
            let scheme = axum::http::HeaderValue::from_static("Bearer");
            response.headers_mut().insert(WWW_AUTHENTICATE, scheme);
        }
        response
    }
}
