//! The error of a TLS connection that fails names what has failed.

use crate::kit::client::{Request, h1};
use crate::kit::harness::{Gateway, wait};
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
        provider("cleartext", &format!("http://localhost:{secure}"), &[]),
        provider("plain", &format!("https://localhost:{}", plain.addr().port()), &[&right]),
    ];
    for retries in ["", "[retries]\nmax = 1\nbackoff_ms = 10\n"] {
        let gateway = Gateway::start(&format!("{LISTEN}{}{retries}", tables.concat()), &[]);
        for (name, refusal) in [
            ("authority", refusal::wrong_certificate("authority")),
            ("name", refusal::wrong_name("name")),
            ("plain", refusal::no_tls("plain")),
            // A server that speaks TLS says so in TLS, or closes the connection.
            ("cleartext", refusal::bad_provider_response()),
        ] {
            let body = format!(r#"{{"model":"{name}:m"}}"#);
            refusal.assert_openai(name, &h1::exchange(gateway.addr(), &Request::chat(&body)));
            let messages = Request::post("/v1/messages", body);
            refusal.assert_anthropic(name, &h1::exchange(gateway.addr(), &messages));
        }
        gateway.assert_no_trap();
    }
}

/// The line that says why a breaker opens names TLS, too.
#[test]
fn the_log_names_what_has_failed() {
    let folder = tempfile::tempdir().expect("a folder");
    let (right, wrong) = (Authority::new("right"), Authority::new("wrong"));
    let (secure, plain) = (Provider::start_tls(&right), Provider::start());
    let path = folder.path().join("wrong.pem");
    wrong.write_pem(&path);
    let table = |name: &str, server: &Provider| {
        format!(
            "[providers.{name}]\nurl = \"https://localhost:{}\"\nca_file = \"{}\"\nauth = \"none\"\n\
             breaker = {{ failures = 1 }}\n",
            server.addr().port(),
            path.display()
        )
    };
    let tables = [table("authority", &secure), table("plain", &plain)].concat();
    let gateway = Gateway::start(&format!("{LISTEN}{tables}"), &[]);
    for (name, why) in [("authority", "the certificate does not verify"), ("plain", "TLS failed")] {
        let body = format!(r#"{{"model":"{name}:m"}}"#);
        assert_eq!(h1::exchange(gateway.addr(), &Request::chat(body)).status, 503, "{name}");
        let line = format!(
            "gaud: provider {name}: breaker open for 30 s: 1 failures in a row, the last: {why}"
        );
        wait::until_true(&line, || gateway.logs().contains(&line));
    }
}
