//! The files that pages load: one stylesheet, one script, one picture.

use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};

const STYLE: &str = include_str!("templates/style.css");
const SCRIPT: &str = include_str!("templates/page.js");
const ICON: &str = include_str!("templates/icon.svg");

/// Changes when a file does, so that a browser asks again.
pub(super) fn version() -> u64 {
    [STYLE, SCRIPT].iter().fold(0, |sum, text| sum ^ crate::gateway::fingerprint(text.as_bytes()))
}

pub(super) async fn style() -> Response {
    file("text/css; charset=utf-8", STYLE)
}

pub(super) async fn script() -> Response {
    file("text/javascript; charset=utf-8", SCRIPT)
}

pub(super) async fn icon() -> Response {
    file("image/svg+xml", ICON)
}

fn file(kind: &'static str, text: &'static str) -> Response {
    ([(CONTENT_TYPE, kind), (CACHE_CONTROL, "max-age=3600")], text).into_response()
}
