//! Clients that connect by TLS, and a certificate that is renewed while they do.

use super::control::{Caller, change};
use super::renewal::weak;
use super::{Config, chat};
use crate::kit::client::tls::Tls;
use crate::kit::client::{Request, h1};
use crate::kit::harness::{Gateway, Run, wait};
use crate::kit::upstream::Provider;
use crate::kit::upstream::tls::{Authority, Pair};
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;

pub(super) const TLS: &str = "[tls]\ncert = \"cert.pem\"\nkey = \"key.pem\"\n";

pub(super) fn folder() -> PathBuf {
    tempfile::tempdir().expect("a folder").keep()
}

/// Writes a pair in place.
pub(super) fn write(folder: &Path, pair: &Pair) {
    std::fs::write(folder.join("cert.pem"), &pair.cert).expect("a file");
    std::fs::write(folder.join("key.pem"), &pair.key).expect("a file");
}

/// A gateway with this pair, in front of `one`.
pub(super) fn start(one: &Provider, pair: &Pair, tables: &str) -> Run {
    let folder = folder();
    write(&folder, pair);
    let mut config = Config::of(&[("one", one)]);
    config.tables = format!("{TLS}{tables}");
    std::fs::write(folder.join("gaud.toml"), config.text()).expect("a file");
    Run::start_in(folder, &[])
}

#[test]
fn clients_connect_by_tls_in_both_protocols() {
    let (authority, one) = (Authority::new("gateway"), Provider::start());
    let run = start(&one, &authority.issue("localhost"), "");
    let client = Tls::trusting(&authority);
    assert_eq!(client.exchange(run.addr(), &chat("one:m").case("h1")).status, 200);
    assert_eq!(client.h2(run.addr()).exchange(&chat("one:m").case("h2")).status, 200);
    assert_eq!(Tls::old(&authority).exchange(run.addr(), &chat("one:m").case("old")).status, 200);
    for case in ["h1", "h2", "old"] {
        assert_eq!(one.wait(case).header("x-forwarded-proto").as_deref(), Some("https"), "{case}");
    }
    assert_eq!(client.exchange(run.addr(), &Request::new("GET", "/healthz")).status, 200);
    // Without TLS there is no answer.
    let mut plain = h1::Connection::open(run.addr());
    plain.send_request(&Request::new("GET", "/healthz"));
    assert!(plain.try_head().is_none());
}

/// A request that takes the hop, and a proxy in front that says what its client has called.
#[test]
fn the_scheme_is_told_over_the_hop_and_by_proxies_in_front() {
    let (authority, one) = (Authority::new("gateway"), Provider::start());
    let chain = "[[fallbacks]]\nmodel = \"one:m\"\nto = [\"one:n\"]\n";
    let run = start(&one, &authority.issue("localhost"), chain);
    let client = Tls::trusting(&authority);
    let said = |case: &str| {
        let request = chat("one:m").case(case).header("x-forwarded-proto", "http");
        assert_eq!(client.exchange(run.addr(), &request).status, 200);
        one.wait(case).header("x-forwarded-proto")
    };
    assert_eq!(said("hop").as_deref(), Some("https"), "a client has no say");
    let text = std::fs::read_to_string(run.folder().join("gaud.toml")).expect("a file");
    run.change(&format!("trusted_proxies = [\"127.0.0.1\"]\n{text}"));
    let mut round = 0;
    wait::until_true("the word of the proxy", || {
        round += 1;
        said(&format!("proxy {round}")).as_deref() == Some("http")
    });
}

#[test]
fn the_key_is_never_shown() {
    let (authority, one) = (Authority::new("gateway"), Provider::start());
    let pair = authority.issue("localhost");
    // One file has both, and is the authority of clients as well: each is taken for what it is named for.
    let folder = folder();
    let both = format!("{}{}", pair.key, pair.cert);
    std::fs::write(folder.join("both.pem"), &both).expect("a file");
    let mut config = Config::of(&[("one", &one)]);
    config.tables = "[tls]\ncert = \"both.pem\"\nkey = \"both.pem\"\n".to_owned();
    std::fs::write(folder.join("gaud.toml"), config.text()).expect("a file");
    let run = Run::start_in(folder, &[]);
    assert_eq!(Tls::trusting(&authority).shown(run.addr()), pair.der);
    let body: String = pair.key.lines().filter(|line| !line.contains("--")).collect();
    std::fs::write(run.folder().join("both.pem"), pair.key.replace("PRIVATE", "OTHER"))
        .expect("a file");
    run.wait_for("gaud.toml:9: tls.cert: holds no certificate in PEM");
    let admin =
        ["/config_dump?include_eds", "/stats", "/clusters", "/certs", "/server_info", "/listeners"];
    for text in admin.map(|path| run.admin().get(path)).into_iter().chain([run.log()]) {
        assert!(!text.contains(&body[..40]) && !text.contains("PRIVATE KEY"), "{text}");
    }
    assert!(run.admin().get("/config_dump").contains("[redacted]"), "the key is there");
}

#[test]
fn clients_must_have_a_certificate_where_an_authority_is_named() {
    let (authority, clients, one) =
        (Authority::new("gateway"), Authority::new("clients"), Provider::start());
    let folder = folder();
    write(&folder, &authority.issue("localhost"));
    clients.write_pem(&folder.join("clients.pem"));
    let mut config = Config::of(&[("one", &one)]);
    config.tables = format!("{TLS}client_ca = \"clients.pem\"\n");
    std::fs::write(folder.join("gaud.toml"), config.text()).expect("a file");
    let run = Run::start_in(folder, &[]);
    let right = Tls::showing(&authority, &clients.issue("ann"));
    assert_eq!(right.exchange(run.addr(), &chat("one:m")).status, 200);
    for wrong in [Tls::trusting(&authority), Tls::showing(&authority, &authority.issue("ann"))] {
        assert!(is_refused(&wrong, run.addr()));
    }
    // The control server has no certificate, and asks the gateway all the same.
    let status = Request::new("GET", "/admin/status")
        .header("authorization", format!("Bearer {}", run.admin_key()));
    let status = right.exchange(run.addr(), &status);
    assert_eq!((status.status, &status.json()["status"]), (200, &json!("ok")), "{}", status.text());
    // Another authority: those of the first are refused.
    let other = Authority::new("other");
    other.write_pem(&run.folder().join("clients.pem"));
    run.wait_for("gaud: gaud.toml has changed: version 2 is in effect");
    wait::until_true("the new authority", || is_refused(&right, run.addr()));
    let new = Tls::showing(&authority, &other.issue("ann"));
    assert_eq!(new.exchange(run.addr(), &chat("one:m")).status, 200);
}

/// In TLS 1.3 a client learns of its refusal when it reads.
fn is_refused(client: &Tls, addr: SocketAddr) -> bool {
    let Ok(mut connection) = client.h1(addr) else { return true };
    connection.send_request(&chat("one:m"));
    connection.try_head().is_none()
}

/// On, with a pair that is refused first, and off, by the control server.
#[test]
fn tls_is_turned_on_and_off_by_api() {
    let (authority, one) = (Authority::new("gateway"), Provider::start());
    let run = Run::start(&Config::of(&[("one", &one)]).text());
    let pair = authority.issue("localhost");
    write(run.folder(), &pair);
    let table = json!({"cert": "cert.pem", "key": "key.pem"});
    let caller = Caller::of(&run);
    let refused = caller.put("tls.cert", &json!("cert.pem"));
    assert_eq!(refused.status, 422);
    assert!(
        refused.text().contains("tls: has a cert and no key; write key = "),
        "{}",
        refused.text()
    );
    let (cert, key) = weak();
    std::fs::write(run.folder().join("weak.pem"), cert + &key).expect("a file");
    let refused = caller.put("tls", &json!({"cert": "weak.pem", "key": "weak.pem"}));
    assert_eq!(refused.status, 422, "{}", refused.text());
    assert!(
        refused.text().contains("Envoy refuses sds_gaud: Failed to load "),
        "{}",
        refused.text()
    );
    assert_eq!(super::ask(run.addr(), "one:m").status, 200, "without TLS as before");

    caller.set("tls", &table);
    let client = Tls::trusting(&authority);
    wait::until_true("TLS", || client.h1(run.addr()).is_ok());
    assert_eq!(client.shown(run.addr()), pair.der);
    let by_tls = |request: Request| {
        let key = format!("Bearer {}", run.admin_key());
        client.exchange(run.addr(), &request.header("authorization", key))
    };
    let settings = by_tls(Request::new("GET", "/admin/settings")).text();
    assert!(settings.contains("tls.cert") && settings.contains("key.pem"), "{settings}");
    let renewed = authority.issue("localhost");
    std::fs::write(run.folder().join("new.pem"), renewed.key.clone() + &renewed.cert)
        .expect("a file");
    let changed = by_tls(change("tls", &json!({"cert": "new.pem", "key": "new.pem"})));
    assert_eq!(
        (changed.status, client.shown(run.addr())),
        (200, renewed.der),
        "{}",
        changed.text()
    );
    let off = by_tls(change("tls", &Value::Null));
    assert_eq!(off.status, 200, "{}", off.text());
    wait::until_true("no TLS", || client.h1(run.addr()).is_err());
    assert_eq!(super::ask(run.addr(), "one:m").status, 200);
}

/// The commands ask by TLS, and take no other certificate than the file's.
#[test]
fn the_commands_ask_by_tls() {
    let (authority, one) = (Authority::new("gateway"), Provider::start());
    let run = start(&one, &authority.issue("localhost"), "");
    let gaud = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_gaud"));
        command.args(arguments).current_dir(run.folder()).env_clear();
        let output = command.output().expect("gaud runs");
        let said = [output.stdout, output.stderr].concat();
        (output.status.success(), String::from_utf8_lossy(&said).into_owned())
    };
    let address = run.addr().to_string();
    for arguments in [&["status", "--address", &address][..], &["models", "--address", &address]] {
        let (succeeded, said) = gaud(arguments);
        assert!(succeeded && !said.contains("no gateway answers"), "{said}");
    }
    let text = std::fs::read_to_string(run.folder().join("gaud.toml")).expect("a file");
    write(run.folder().join("other").as_path(), &{
        std::fs::create_dir(run.folder().join("other")).expect("a folder");
        authority.issue("localhost")
    });
    let other = text.replace("cert.pem", "other/cert.pem").replace("key.pem", "other/key.pem");
    std::fs::write(run.folder().join("other.toml"), other).expect("a file");
    let (_, said) = gaud(&["status", "--address", &address, "--config", "other.toml"]);
    let why = "it shows another certificate than that of [tls]";
    assert!(said.contains(why), "{said}");
}

#[test]
fn an_envoy_with_what_is_rendered_serves_by_tls() {
    let (authority, clients, one) =
        (Authority::new("gateway"), Authority::new("clients"), Provider::start());
    let folder = tempfile::tempdir().expect("a folder");
    write(folder.path(), &authority.issue("localhost"));
    clients.write_pem(&folder.path().join("clients.pem"));
    let mut config = Config::of(&[("one", &one)]);
    let tables = format!("{TLS}client_ca = \"clients.pem\"\n");
    config.tables = tables.replace(" = \"", &format!(" = \"{}/", folder.path().display()));
    let gateway = Gateway::start(&config.text(), &[]);
    let right = Tls::showing(&authority, &clients.issue("ann"));
    assert_eq!(right.exchange(gateway.addr(), &chat("one:m")).status, 200);
    assert!(is_refused(&Tls::trusting(&authority), gateway.addr()));
    assert!(!gateway.admin().get("/config_dump").contains("PRIVATE KEY"));
}
