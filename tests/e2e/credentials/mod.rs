//! Credentials: which provider gets which, and where no secret may show.

mod headers;
mod login;
mod refresh;
mod secrets;
mod tokens;
