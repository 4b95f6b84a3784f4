//! What is asked of Envoy's admin interface: is Envoy ready, and where does it listen.

use std::net::SocketAddr;
use std::path::Path;

use hyper::{Method, StatusCode};

use super::failure::Failure;
use crate::names::clusters;
use crate::native::http::ask_socket;

/// Whether Envoy serves; an admin that does not answer is not ready either.
pub(super) async fn ready(admin: &Path) -> bool {
    ask_socket(admin, Method::GET, "/ready").await.is_ok_and(|(status, _)| status == StatusCode::OK)
}

/// The address where clients connect, for a configuration that left the port to the system.
pub(super) async fn listener(admin: &Path) -> Result<SocketAddr, Failure> {
    let problem = match ask_socket(admin, Method::GET, "/listeners").await {
        Ok((_, text)) => match clients(&text) {
            Some(address) => return Ok(address),
            None => format!("no listener of clients in {text:?}"),
        },
        Err(problem) => problem.to_string(),
    };
    Err(Failure::Admin(problem))
}

/// Closes the listener of clients, and has their connections closed after the next answer; whether Envoy does so.
pub(super) async fn drain(admin: &Path) -> bool {
    for path in ["/healthcheck/fail", "/drain_listeners?inboundonly"] {
        if !ask_socket(admin, Method::POST, path)
            .await
            .is_ok_and(|(status, _)| status == StatusCode::OK)
        {
            return false;
        }
    }
    true
}

/// The number of requests under way; `None` where Envoy does not say.
pub(super) async fn requests(admin: &Path) -> Option<u64> {
    let gauge = format!("http.{}.downstream_rq_active", clusters::CLIENTS);
    let path = format!("/stats?filter=^{}$", gauge.replace('.', "\\."));
    let (_, text) = ask_socket(admin, Method::GET, &path).await.ok()?;
    text.trim().rsplit_once(": ")?.1.parse().ok()
}

/// Reads `NAME::ADDRESS`, a line for each listener.
fn clients(text: &str) -> Option<SocketAddr> {
    let mut listeners = text.lines().filter_map(|line| line.split_once("::"));
    listeners.find(|(name, _)| *name == clusters::CLIENTS)?.1.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_listener_is_read_from_the_admins_text() {
        let address = |text| clients(text).map(|address| address.to_string());
        assert_eq!(address("gaud::127.0.0.1:8400\n").as_deref(), Some("127.0.0.1:8400"));
        assert_eq!(
            address("gaud_admin::127.0.0.1:1\ngaud::[::1]:80\n").as_deref(),
            Some("[::1]:80")
        );
        assert_eq!(address(""), None);
    }
}
