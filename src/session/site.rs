//! Whether a request comes from a site that may call the gateway.
//!
//! | `host` | `origin` | |
//! |---|---|---|
//! | an address, `localhost` or one of `allow_hosts` | none | passes |
//! | the same | the request's own host, or one of `cors.allow_origins` | passes |
//! | the same | any other, `null` among them | 403 `origin_not_allowed` |
//! | any other | any | 403 `host_not_allowed` |
//! | any, from one of `trusted_proxies` | any | passes |

use crate::gateway::Sites;
use crate::reply::Reject;
use crate::request::head::Head;

/// The longest part of a header that an error repeats, in bytes.
const SHOWN_BYTES_MAX: usize = 255;

/// The refusal of a request from a site that may not call the gateway.
pub(super) fn refusal(sites: &Sites, head: &Head<'_>) -> Option<Reject> {
    if head.is_trusted {
        return None;
    }
    let host = without_port(head.authority);
    if !is_local(host) && !sites.has_host(host) {
        return Some(Reject::Host(shown(host)));
    }
    let origin = head.origin?;
    let is_good = is_of(origin, head.authority) || sites.has_origin(origin);
    (!is_good).then(|| Reject::Origin(shown(origin)))
}

/// A name that no DNS server can lead elsewhere. Envoy lets no request without a host through.
fn is_local(host: &[u8]) -> bool {
    host.is_empty() || host.eq_ignore_ascii_case(b"localhost") || is_address(host)
}

fn is_address(host: &[u8]) -> bool {
    let Ok(host) = std::str::from_utf8(host) else { return false };
    match host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        Some(v6) => v6.parse::<std::net::Ipv6Addr>().is_ok(),
        None => host.parse::<std::net::Ipv4Addr>().is_ok(),
    }
}

/// RFC 3986, section 3.2.
fn without_port(authority: &[u8]) -> &[u8] {
    let colon = authority.iter().rposition(|byte| *byte == b':');
    match colon.and_then(|at| authority.split_at_checked(at)) {
        Some((host, [_, port @ ..]))
            if port.iter().all(u8::is_ascii_digit)
                && (!host.contains(&b':') || host.ends_with(b"]")) =>
        {
            host
        }
        _ => authority,
    }
}

/// Whether an origin is the page's that the gateway itself would serve.
fn is_of(origin: &[u8], authority: &[u8]) -> bool {
    let own = |scheme: &[u8]| {
        origin.strip_prefix(scheme).is_some_and(|host| host.eq_ignore_ascii_case(authority))
    };
    own(b"http://") || own(b"https://")
}

fn shown(value: &[u8]) -> String {
    String::from_utf8_lossy(value.get(..SHOWN_BYTES_MAX).unwrap_or(value)).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::File;
    use crate::gateway::Gateway;
    #[cfg(all(target_family = "wasm", target_os = "unknown"))]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    fn sites() -> Sites {
        let json = br#"{"allow_hosts":["llm.test"],"cors":{"allow_origins":["https://app.test"]},
            "providers":{"p":{"url":"http://a"}}}"#;
        Gateway::compile(&File::from_json(json).unwrap(), &|_| None).unwrap().sites.unwrap()
    }

    fn refused(authority: &str, origin: Option<&str>, is_trusted: bool) -> Option<Reject> {
        let origin = origin.map(str::as_bytes);
        let head = Head { authority: authority.as_bytes(), origin, is_trusted, ..Head::default() };
        refusal(&sites(), &head)
    }

    #[test]
    fn a_host_is_an_address_or_a_known_name() {
        for host in [
            "127.0.0.1",
            "127.0.0.1:8400",
            "10.1.2.3:1",
            "[::1]:8400",
            "[::1]",
            "localhost",
            "LocalHost:8400",
            "llm.test",
            "LLM.test:443",
            "",
        ] {
            assert_eq!(refused(host, None, false), None, "{host}");
        }
        for (host, shown) in [
            ("evil.test", "evil.test"),
            ("evil.test:8400", "evil.test"),
            ("localhost.evil.test", "localhost.evil.test"),
            ("127.0.0.1.evil.test:80", "127.0.0.1.evil.test"),
            ("127.0.0.1:8400@evil.test", "127.0.0.1:8400@evil.test"),
            ("::1", "::1"),
            ("[::1", "[::1"),
            ("[evil.test]:80", "[evil.test]"),
            ("127.1", "127.1"),
            ("2130706433", "2130706433"),
            ("\u{e9}", "\u{e9}"),
        ] {
            assert_eq!(refused(host, None, false), Some(Reject::Host(shown.to_owned())), "{host}");
            assert_eq!(refused(host, None, true), None, "{host}");
        }
    }

    #[test]
    fn an_origin_is_the_requests_own_or_a_known_one() {
        for origin in ["http://127.0.0.1:8400", "https://127.0.0.1:8400", "https://app.test"] {
            assert_eq!(refused("127.0.0.1:8400", Some(origin), false), None, "{origin}");
        }
        for origin in [
            "http://evil.test",
            "null",
            "",
            "http://127.0.0.1",
            "http://127.0.0.1:3000",
            "http://localhost:8400",
            "https://app.test.evil.test",
        ] {
            let expected = Some(Reject::Origin(origin.to_owned()));
            assert_eq!(refused("127.0.0.1:8400", Some(origin), false), expected, "{origin}");
            assert_eq!(refused("127.0.0.1:8400", Some(origin), true), None, "{origin}");
        }
        // The name first: a page by another name is of the same origin to its browser.
        let host = Some(Reject::Host("evil.test".to_owned()));
        assert_eq!(refused("evil.test:80", Some("http://evil.test:80"), false), host);
    }
}
