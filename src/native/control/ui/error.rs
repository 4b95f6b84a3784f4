//! An error that becomes a page.

use axum::response::{IntoResponse, Response};

use crate::native::control::error::ApiError;
use crate::native::database::DatabaseError;

/// An error that the browser gets as a page.
pub(super) struct PageError(pub(super) ApiError);

pub(super) type PageResult = Result<Response, PageError>;

impl From<ApiError> for PageError {
    fn from(error: ApiError) -> Self {
        Self(error)
    }
}

impl From<DatabaseError> for PageError {
    fn from(error: DatabaseError) -> Self {
        Self(error.into())
    }
}
impl IntoResponse for PageError {
    /// [`super::dress`] makes the page, because it knows how the browser calls the gateway.
    fn into_response(self) -> Response {
        let mut response = self.0.status().into_response();
        response.extensions_mut().insert(self.0);
        response
    }
}
