//! The body of a request is read before anything answers.
//!
//! hyper closes a connection whose request body nobody has read, and its answer does not say so. Envoy can have given such
//! a connection the next request by then, which would be lost: a 503 to a caller who did nothing wrong.

use axum::body::to_bytes;
use axum::extract::Request;
use axum::http::HeaderValue;
use axum::http::header::CONNECTION;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::error::ApiError;

/// The longest body, in bytes. The longest that a caller needs is a setting's value.
const BODY_BYTES_MAX: usize = 1 << 20;

pub(super) async fn read_whole(request: Request, next: Next) -> Response {
    let (head, body) = request.into_parts();
    match to_bytes(body, BODY_BYTES_MAX).await {
        Ok(body) => next.run(Request::from_parts(head, body.into())).await,
        Err(_) => refuse(),
    }
}

/// The rest of the body comes too late: the connection has an end, and the answer says so.
fn refuse() -> Response {
    let mut response = ApiError::too_long(BODY_BYTES_MAX).into_response();
    response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    response
}

#[cfg(test)]
mod tests {
    use axum::Router;
    use axum::middleware::from_fn;
    use axum::routing::get;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::{UnixListener, UnixStream};
    use tokio::task::spawn;

    use super::*;

    /// A connection to a server whose handlers read no body.
    async fn connection(folder: &tempfile::TempDir) -> UnixStream {
        let path = folder.path().join("control.sock");
        let listener = UnixListener::bind(&path).unwrap();
        let router = Router::new().route("/", get(|| async { "well" })).layer(from_fn(read_whole));
        drop(spawn(async move { axum::serve(listener, router).await }));
        UnixStream::connect(path).await.unwrap()
    }

    async fn send(stream: &mut UnixStream, head: &str, body: &[u8]) {
        stream.write_all(format!("{head}\r\nhost: gaud\r\n\r\n").as_bytes()).await.unwrap();
        stream.write_all(body).await.unwrap();
    }

    /// The answers until one ends with these bytes.
    async fn answers(stream: &mut UnixStream, end: &str) -> String {
        let (mut text, mut buffer) = (String::new(), [0; 4096]);
        while !text.ends_with(end) {
            let length = stream.read(&mut buffer).await.unwrap();
            assert_ne!(length, 0, "the connection ended after: {text}");
            text += &String::from_utf8_lossy(&buffer[..length]);
        }
        text
    }

    #[tokio::test]
    async fn a_connection_outlives_a_body_that_nobody_wanted() {
        let folder = tempfile::tempdir().unwrap();
        let mut stream = connection(&folder).await;
        let body = vec![b'x'; 300_000];
        send(&mut stream, "PATCH / HTTP/1.1\r\ncontent-length: 300000", &body).await;
        send(&mut stream, "GET / HTTP/1.1", b"").await;
        let text = answers(&mut stream, "well").await;
        assert!(text.starts_with("HTTP/1.1 405"), "{text}");
        assert!(text.contains("HTTP/1.1 200"), "{text}");
    }

    #[tokio::test]
    async fn a_body_beyond_the_limit_ends_the_connection_in_words() {
        let folder = tempfile::tempdir().unwrap();
        let mut stream = connection(&folder).await;
        send(&mut stream, "PUT / HTTP/1.1\r\ncontent-length: 1048577", &vec![b'x'; 1_048_577])
            .await;
        let text = answers(&mut stream, "}").await;
        assert!(text.starts_with("HTTP/1.1 413"), "{text}");
        assert!(text.contains("connection: close"), "{text}");
    }
}
