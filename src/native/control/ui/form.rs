//! Forms: what a browser sends with a button.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::response::{IntoResponse, Response};
use percent_encoding::percent_decode_str;

use super::cookie::is_form_token;
use super::error::PageError;
use super::visit::Admin;
use crate::native::control::api::Control;
use crate::native::control::error::ApiError;

/// The fields of a form, or of a query, in their order (`application/x-www-form-urlencoded`).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Form(Vec<(String, String)>);

impl Form {
    pub(super) fn parse(text: &str) -> Self {
        let decoded = |text: &str| {
            percent_decode_str(&text.replace('+', " ")).decode_utf8_lossy().into_owned()
        };
        let pairs = text.split('&').filter(|pair| !pair.is_empty());
        let pairs = pairs.map(|pair| pair.split_once('=').unwrap_or((pair, "")));
        Self(pairs.map(|(name, value)| (decoded(name), decoded(value))).collect())
    }

    /// The first value of a field; `None` where the field was not sent.
    pub(super) fn sent(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(own, _)| own == name).map(|(_, value)| value.as_str())
    }

    /// The first value of a field without the space around it; empty where the field was not sent.
    pub(super) fn text(&self, name: &str) -> &str {
        self.sent(name).unwrap_or_default().trim()
    }

    /// The same; `None` for an empty field.
    pub(super) fn filled(&self, name: &str) -> Option<&str> {
        Some(self.text(name)).filter(|text| !text.is_empty())
    }

    pub(super) fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }
}

/// The name of the field with the form token.
pub(super) const TOKEN: &str = "token";

/// A form that a page of this session has sent.
pub(super) struct Posted {
    pub(super) admin: Admin,
    pub(super) form: Form,
}

impl FromRequest<Arc<Control>> for Posted {
    type Rejection = Response;

    async fn from_request(request: Request, control: &Arc<Control>) -> Result<Self, Response> {
        let (mut parts, body) = request.into_parts();
        let admin = Admin::from_request_parts(&mut parts, control).await?;
        let form = read(Request::from_parts(parts, body), control).await?;
        match is_form_token(form.text(TOKEN), admin.token()) {
            true => Ok(Self { admin, form }),
            false => Err(PageError::from(ApiError::foreign_form()).into_response()),
        }
    }
}

/// The fields of a form, whoever has sent it.
pub(super) async fn read(request: Request, control: &Arc<Control>) -> Result<Form, Response> {
    let body = Bytes::from_request(request, control).await.map_err(IntoResponse::into_response)?;
    Ok(Form::parse(&String::from_utf8_lossy(&body)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_decoded_and_keep_their_order() {
        let form = Form::parse("a=1+2&b=%3Cscript%3E&&c&a=3&d=%20x%20&=e");
        assert_eq!(form.sent("a"), Some("1 2"));
        assert_eq!(form.text("b"), "<script>");
        assert_eq!((form.sent("c"), form.filled("c"), form.sent("z")), (Some(""), None, None));
        assert_eq!(form.text("d"), "x");
        let pairs: Vec<_> = form.pairs().collect();
        assert_eq!(pairs.len(), 6);
        assert_eq!(pairs.last(), Some(&("", "e")));
    }
}
