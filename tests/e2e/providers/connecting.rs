//! How providers are reached: by name, by TLS, with a password in the URL.

use crate::kit::client::{Request, Response, h1};
use crate::kit::harness::Gateway;
use crate::kit::refusal;
use crate::kit::samples::{LISTEN, provider};
use crate::kit::upstream::tls::Authority;
use crate::kit::upstream::{Provider, Tls};
use std::path::{Path, PathBuf};

fn ask(gateway: &Gateway, provider: &str) -> Response {
    let body = format!(r#"{{"model":"{provider}:m"}}"#);
    h1::exchange(gateway.addr(), &Request::chat(body).case(provider))
}

/// The authority's certificate as a file.
fn pem(folder: &Path, authority: &Authority, name: &str) -> PathBuf {
    let path = folder.join(name);
    authority.write_pem(&path);
    path
}

#[test]
fn a_tls_provider_is_verified_by_name_and_authority() {
    let folder = tempfile::tempdir().expect("a folder");
    let (right, wrong) = (Authority::new("right"), Authority::new("wrong"));
    let secure = Provider::start_tls(&right);
    let port = secure.addr().port();
    let trust = |authority, name| {
        format!("ca_file = \"{}\"", pem(folder.path(), authority, name).display())
    };
    let (right, wrong) = (trust(&right, "right.pem"), trust(&wrong, "wrong.pem"));
    let by_name = format!("https://localhost:{port}/v1");
    let tables = [
        provider("good", &by_name, &[&right]),
        provider("wrong-authority", &by_name, &[&wrong]),
        provider("system-authorities", &by_name, &[]),
        provider("wrong-name", &format!("https://127.0.0.1:{port}"), &[&right]),
    ];
    let gateway = Gateway::start(&format!("{LISTEN}{}", tables.concat()), &[]);

    assert_eq!(ask(&gateway, "good").status, 200);
    let seen = secure.wait("good");
    let expected = Tls { server_name: Some("localhost".into()), protocol: Some("h2".into()) };
    assert_eq!((seen.tls.as_ref(), seen.http2), (Some(&expected), true));
    assert_eq!(seen.headers.all("host"), [format!("localhost:{port}")]);
    assert_eq!(seen.text(), r#"{"model":"m"}"#);

    for (name, refusal) in [
        ("wrong-authority", refusal::wrong_certificate("wrong-authority")),
        ("system-authorities", refusal::wrong_certificate("system-authorities")),
        ("wrong-name", refusal::wrong_name("wrong-name")),
    ] {
        refusal.assert_openai(name, &ask(&gateway, name));
        assert!(secure.seen(name).is_empty(), "{name} must not be told anything");
    }
    gateway.assert_no_trap();
}

#[test]
fn a_provider_is_found_by_name() {
    let server = Provider::start();
    let url = format!("http://localhost:{}", server.addr().port());
    let gateway = Gateway::start(&format!("{LISTEN}{}", provider("named", &url, &[])), &[]);
    let response = ask(&gateway, "named");
    assert_eq!(response.status, 200, "{}", response.text());
    let host = format!("localhost:{}", server.addr().port());
    assert_eq!(server.wait("named").headers.all("host"), [host]);
    gateway.assert_no_trap();
}

#[test]
fn a_password_in_the_url_becomes_basic_authentication() {
    let server = Provider::start();
    let url = format!("http://user:password@{}/v1", server.addr());
    let toml = format!("{LISTEN}{}", provider("basic", &url, &[]));
    let yaml = Gateway::render(&toml, &[]).expect("a configuration");
    assert!(!yaml.contains("password@") && !yaml.contains("user:password"), "{yaml}");
    let environment = [("GAUD_BASIC_API_KEY", "user:password")];
    let gateway = Gateway::from_yaml(&yaml, &environment, &[]);
    let body = r#"{"model":"basic:m"}"#;
    let request = Request::chat(body).header("authorization", "Bearer of-the-client").case("it");
    assert_eq!(h1::exchange(gateway.addr(), &request).status, 200);
    let seen = server.wait("it");
    assert_eq!(seen.headers.all("authorization"), ["Basic dXNlcjpwYXNzd29yZA=="]);
    assert_eq!(seen.headers.all("host"), [server.addr().to_string()]);
    gateway.assert_no_trap();
}

#[test]
fn a_provider_can_be_reached_by_http2_alone() {
    let server = Provider::start();
    let table = provider("two", &server.url(), &["http2 = true"]);
    let gateway = Gateway::start(&format!("{LISTEN}{table}"), &[]);
    assert_eq!(ask(&gateway, "two").status, 200);
    assert!(server.wait("two").http2);
    gateway.assert_no_trap();
}
