//! The address that clients have called, as providers see it in `x-forwarded-…`.

use crate::kit::client::{CLIENTS, Request};
use crate::kit::harness::Gateway;
use crate::kit::samples::{LISTEN, provider};
use crate::kit::upstream::Provider;

const SAYS: [(&str, &str); 3] = [
    ("x-forwarded-host", "other.test"),
    ("x-forwarded-proto", "https"),
    ("x-forwarded-for", "9.9.9.9"),
];

/// A path that the gateway passes on as it is, and a path with a model.
const PATHS: [&str; 2] = ["/ui/x", "/v1/chat/completions"];

struct Site {
    server: Provider,
    gateway: Gateway,
}

/// Gateways with these settings: one that sends a request once, one whose requests pass the hop.
fn sites(settings: &str) -> [Site; 2] {
    ["", "retries = { max = 1 }\n"].map(|retries| {
        let server = Provider::start();
        let listen = LISTEN.replace("allow_hosts = [\"gateway\"]\n", "");
        let head = format!("{listen}allow_hosts = [\"*\"]\ndefault_provider = \"one\"\n{settings}");
        let one = provider("one", &server.url(), &[]);
        Site { gateway: Gateway::start(&format!("{head}{retries}{one}"), &[]), server }
    })
}

/// The provider sees this `x-forwarded-host` and `x-forwarded-proto`, over each protocol, when the client
/// sends these headers.
#[track_caller]
fn assert_sees(sites: &[Site; 2], headers: &[(&str, &str)], [host, proto]: [&str; 2]) {
    for Site { server, gateway } in sites {
        for path in PATHS {
            let case = format!("{path} {}", headers.len());
            let mut request =
                Request::post(path, r#"{"model":"one:m"}"#).case(&case).header("host", "llm.test");
            for (name, value) in headers {
                request = request.header(name, value);
            }
            for client in CLIENTS {
                let response = client.send(gateway, &request);
                assert_eq!(response.status, 200, "{case}: {}", response.text());
            }
            let all = server.seen(&case);
            assert_eq!(all.len(), CLIENTS.len(), "{case}");
            for seen in all {
                assert_eq!(seen.headers.all("host"), [server.addr().to_string()], "{case}");
                assert_eq!(seen.headers.all("x-forwarded-host"), [host], "{case}");
                assert_eq!(seen.headers.all("x-forwarded-proto"), [proto], "{case}");
            }
        }
    }
}

#[test]
fn a_provider_sees_the_host_that_the_client_has_called() {
    assert_sees(&sites(""), &[], ["llm.test", "http"]);
}

#[test]
fn forwarded_headers_of_a_client_do_not_count() {
    assert_sees(&sites(""), &SAYS, ["llm.test", "http"]);
}

#[test]
fn forwarded_headers_of_a_trusted_proxy_count() {
    let sites = sites("trusted_proxies = [\"127.0.0.1\"]\n");
    assert_sees(&sites, &SAYS, ["other.test", "https"]);
    assert_sees(&sites, &[], ["llm.test", "http"]);
}
