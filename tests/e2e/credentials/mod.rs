//! Credentials: which provider gets which, and where no secret may show.

mod headers;
mod secrets;
mod tokens;
