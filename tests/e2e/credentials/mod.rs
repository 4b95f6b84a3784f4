//! Credentials: which provider gets which, and where no secret may show.

mod away;
mod aws;
mod headers;
mod login;
mod refresh;
mod rotation;
mod secrets;
mod tokens;
