//! The error of a TLS connection that fails names what has failed.

use crate::kit::client::{Request, h1};
use crate::kit::harness::Gateway;
use crate::kit::refusal;
use crate::kit::samples::{LISTEN, provider};
use crate::kit::upstream::Provider;
use crate::kit::upstream::tls::Authority;

#[test]
fn a_tls_error_names_what_has_failed() {
    let folder = tempfile::tempdir().expect("a folder");
    let (right, wrong) = (Authority::new("right"), Authority::new("wrong"));
    let (secure, plain) = (Provider::start_tls(&right), Provider::start());
    let trust = |authority: &Authority, name: &str| {
        let path = folder.path().join(name);
        authority.write_pem(&path);
        format!("ca_file = \"{}\"", path.display())
    };
    let (right, wrong) = (trust(&right, "right.pem"), trust(&wrong, "wrong.pem"));
    let secure = secure.addr().port();
    let tables = [
        provider("authority", &format!("https://localhost:{secure}"), &[&wrong]),
        provider("name", &format!("https://127.0.0.1:{secure}"), &[&right]),
        provider("plain", &format!("https://localhost:{}", plain.addr().port()), &[&right]),
    ];
    for retries in ["", "[retries]\nmax = 1\nbackoff_ms = 10\n"] {
        let gateway = Gateway::start(&format!("{LISTEN}{}{retries}", tables.concat()), &[]);
        for (name, refusal) in [
            ("authority", refusal::wrong_certificate("authority")),
            ("name", refusal::wrong_name("name")),
            ("plain", refusal::no_tls("plain")),
        ] {
            let body = format!(r#"{{"model":"{name}:m"}}"#);
            refusal.assert_openai(name, &h1::exchange(gateway.addr(), &Request::chat(&body)));
            let messages = Request::post("/v1/messages", body);
            refusal.assert_anthropic(name, &h1::exchange(gateway.addr(), &messages));
        }
        gateway.assert_no_trap();
    }
}
