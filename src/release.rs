//! How a request leaves the gateway: by a session, or by an attempt.

use crate::body::Edit;
use crate::head::Credentials;

/// How a request is changed on its way out.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Release {
    /// The provider's path, where it is not the client's.
    pub path: Option<String>,
    /// The model's new name, where it has one.
    pub edit: Option<Edit>,
    /// The new `content-length`, where there was one and it has changed.
    pub content_length: Option<u64>,
    /// The client's credentials, to be removed where the provider's own takes their place; `None`
    /// where they pass: on a path that is not of the API (LiteLLM's `/key/generate`), the
    /// gateway's key would make everyone an administrator.
    pub replaces: Option<Credentials>,
    /// It goes over the hop: what is said there of it, and how many more attempts there may be.
    pub hop: Option<(String, u32)>,
}
