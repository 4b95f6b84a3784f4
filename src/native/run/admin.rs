//! Two questions to Envoy's admin: is it ready, and where does it listen.

use std::net::SocketAddr;

use hyper::StatusCode;

use super::failure::Failure;
use crate::native::http::get;

/// Whether Envoy serves; an admin that does not answer is not ready either.
pub(super) async fn ready(admin: SocketAddr) -> bool {
    get(admin, "/ready").await.is_ok_and(|(status, _)| status == StatusCode::OK)
}

/// The address of the first listener, for a configuration that left the port to the system.
pub(super) async fn listener(admin: SocketAddr) -> Result<SocketAddr, Failure> {
    let problem = match get(admin, "/listeners").await {
        Ok((_, text)) => match first_listener(&text) {
            Some(address) => return Ok(address),
            None => format!("no listener in {text:?}"),
        },
        Err(problem) => problem.to_string(),
    };
    Err(Failure::Admin(admin, problem))
}

/// Reads `NAME::ADDRESS`, a line for each listener.
fn first_listener(text: &str) -> Option<SocketAddr> {
    text.lines().find_map(|line| line.split_once("::")?.1.parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_listener_is_read_from_the_admins_text() {
        let address = |text| first_listener(text).map(|address| address.to_string());
        assert_eq!(address("gaud::127.0.0.1:8400\n").as_deref(), Some("127.0.0.1:8400"));
        assert_eq!(address("x::unix\ngaud::[::1]:80\n").as_deref(), Some("[::1]:80"));
        assert_eq!(address(""), None);
    }
}
