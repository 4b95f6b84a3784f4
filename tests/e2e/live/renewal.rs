//! A certificate that is renewed while clients use it.

use super::tls::{TLS, folder, start, write};
use super::traffic::tireless;
use super::{Config, chat};
use crate::kit::client::tls::Tls;
use crate::kit::harness::{Run, wait};
use crate::kit::load::Load;
use crate::kit::upstream::tls::{Authority, Pair};
use crate::kit::upstream::{Answer, Provider};
use std::os::unix::fs::symlink;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};

/// Streams of both protocols that are under way while the certificate is renewed in each way in which files are replaced.
#[test]
fn a_renewed_certificate_is_shown_and_no_stream_is_cut() {
    let (authority, one) = (Authority::new("gateway"), Provider::start());
    let pairs: Vec<Pair> = (0..4).map(|_| authority.issue("localhost")).collect();
    let folder = folder();
    for (version, pair) in ["0", "3"].into_iter().zip([&pairs[0], &pairs[3]]) {
        std::fs::create_dir(folder.join(version)).expect("a folder");
        write(&folder.join(version), pair);
    }
    symlink("0", folder.join("..data")).expect("a link");
    for name in ["cert.pem", "key.pem"] {
        symlink(format!("..data/{name}"), folder.join(name)).expect("a link");
    }
    let mut config = Config::of(&[("one", &one)]);
    config.tables = TLS.to_owned();
    std::fs::write(folder.join("gaud.toml"), config.text()).expect("a file");
    let run = Run::start_in(folder.clone(), &[]);
    let client = Tls::trusting(&authority);
    assert_eq!(client.shown(run.addr()), pairs[0].der);

    let (answer, mut first) = Answer::events();
    one.script("stream h1", answer);
    let mut one_stream = client.h1(run.addr()).expect("a connection");
    one_stream.send_request(&chat("one:m").case("stream h1"));
    first.send(b"data: {\"choices\":[{}]}\n\n").expect("a gateway that reads");
    let head = one_stream.head();
    let (answer, mut second) = Answer::events();
    one.script("stream h2", answer);
    let connection = client.h2(run.addr());
    let mut exchange = connection.start(&chat("one:m").case("stream h2"));
    for piece in chat("one:m").pieces {
        exchange.send(&piece).expect("a gateway that reads");
    }
    exchange.end(&crate::kit::client::Headers::default());
    second.send(b"data: {\"choices\":[{}]}\n\n").expect("a gateway that reads");
    assert_eq!(exchange.head().0, 200);

    let mut renew = |pair: &Pair, how: &dyn Fn()| {
        let before = run.version();
        how();
        wait::until_true("the new certificate", || client.shown(run.addr()) == pair.der);
        wait::until_true("its word", || run.version() > before);
        first.send(b"data: {\"choices\":[{}]}\n\n").expect("a gateway that reads");
        second.send(b"data: {\"choices\":[{}]}\n\n").expect("a gateway that reads");
    };
    // As Kubernetes does: one link is turned.
    renew(&pairs[3], &|| {
        symlink("3", folder.join("..data_tmp")).expect("a link");
        std::fs::rename(folder.join("..data_tmp"), folder.join("..data")).expect("a turned link");
    });
    // In place, through the links.
    renew(&pairs[1], &|| write(&folder, &pairs[1]));
    // By renaming, one file after the other.
    renew(&pairs[2], &|| {
        std::fs::create_dir(folder.join("new")).expect("a folder");
        write(&folder.join("new"), &pairs[2]);
        for name in ["cert.pem", "key.pem"] {
            std::fs::rename(folder.join("new").join(name), folder.join(name)).expect("a place");
        }
    });
    for pump in [first, second] {
        let mut pump = pump;
        pump.send(b"data: [DONE]\n\n").expect("a gateway that reads");
    }
    let response = one_stream.body(head);
    assert!(response.complete && response.text().ends_with("data: [DONE]\n\n"));
    let (body, complete) = exchange.rest();
    assert!(complete && body.ends_with(b"data: [DONE]\n\n"));
    assert_eq!(response.body, body);
    // The connections go on as well.
    assert_eq!(connection.exchange(&chat("one:m")).status, 200);
}

const REFUSED: &str =
    "gaud: gaud.toml has changed, and is refused; the configuration before stays in effect:\n";

#[test]
fn a_bad_pair_is_named_once_and_the_pair_before_is_shown() {
    let (authority, one) = (Authority::new("gateway"), Provider::start());
    let (old, new) = (authority.issue("localhost"), authority.issue("localhost"));
    let run = start(&one, &old, "");
    let client = Tls::trusting(&authority);
    let write =
        |name: &str, text: &str| std::fs::write(run.folder().join(name), text).expect("a file");
    let said = "gaud.toml:10: tls.key: is not the key of the certificate in cert; name two files that belong together";
    write("cert.pem", &new.cert);
    run.wait_for(&format!("{REFUSED}{said}"));
    assert_eq!(client.shown(run.addr()), old.der);
    write("key.pem", "nonsense");
    run.wait_for("gaud.toml:10: tls.key: holds no private key in PEM; ");
    // A pair that Envoy alone refuses.
    let (cert, key) = weak();
    write("cert.pem", &cert);
    write("key.pem", &key);
    run.wait_for(&format!("{REFUSED}Envoy refuses sds_gaud: Failed to load "));
    assert_eq!(client.shown(run.addr()), old.der);
    assert_eq!(client.exchange(run.addr(), &chat("one:m")).status, 200);
    write("cert.pem", &new.cert);
    write("key.pem", &new.key);
    wait::until_true("the new certificate", || client.shown(run.addr()) == new.der);
    assert_eq!(run.log().matches(said).count(), 1, "{}", run.log());
}

/// A pair on a curve that Envoy does not take.
pub(super) fn weak() -> (String, String) {
    let pem =
        |what: &str, body: &str| format!("-----BEGIN {what}-----\n{body}\n-----END {what}-----\n");
    (pem("CERTIFICATE", WEAK_CERT), pem(concat!("PRIVATE", " KEY"), WEAK_KEY))
}

const WEAK_CERT: &str = "\
MIIBbTCCARqgAwIBAgIUD8AbHEbQACWTDGrDAwZ5EShlHTAwCgYIKoZIzj0EAwIwFDESMBAGA1UEAwwJbG9jYWxob3N0MCAXDTI2MTEyOTEzMD\
EzMFoYDzIxMjYxMTA1MTMwMTMwWjAUMRIwEAYDVQQDDAlsb2NhbGhvc3QwTjAQBgcqhkjOPQIBBgUrgQQAIQM6AARx4Hb0y3IOSxTkoGTreoWS\
Ack59XwGdTBLFe0gpjK+/nxHHp53IgaB/sUS4j7aCJdtMPY8odXvwaNTMFEwHQYDVR0OBBYEFPDa+OL8Ynx6CoUOPc4UfWmgVcB1MB8GA1UdIw\
QYMBaAFPDa+OL8Ynx6CoUOPc4UfWmgVcB1MA8GA1UdEwEB/wQFMAMBAf8wCgYIKoZIzj0EAwIDQQAwPgIdAIqZFWMpOnjSJXcdZdfYxuJ4NqNK\
+wQB9b9NIqsCHQDc7lYoLvSNnILI6PTbSSqSZXZvk/hv572fpzI/";
const WEAK_KEY: &str = "\
MHgCAQAwEAYHKoZIzj0CAQYFK4EEACEEYTBfAgEBBByAnBZxZu3SR0xRXxxBXpf7UIFPV1gdvpLlIf8soTwDOgAEceB29MtyDksU5KBk63qFkg\
HJOfV8BnUwSxXtIKYyvv58Rx6edyIGgf7FEuI+2giXbTD2PKHV78E=";

const CLIENTS: usize = 40;
const RENEWALS: usize = 10;

/// Each client keeps its connection for ten requests, so that connections of every certificate are there at once.
#[test]
fn no_request_fails_over_ten_renewals() {
    let (authority, one) = (Authority::new("gateway"), tireless());
    let run = start(&one, &authority.issue("localhost"), "");
    let (client, addr) = (Tls::trusting(&authority), run.addr());
    let (opening, failed) = (client.clone(), Arc::new(AtomicU64::new(0)));
    let heard = Arc::clone(&failed);
    let load = Load::start(
        CLIENTS,
        0..u64::MAX,
        |_| (None, 0),
        move |(kept, used), _| {
            let connection = kept.take().filter(|_| *used % 10 != 0);
            let connection = connection.map_or_else(|| opening.h1(addr), Ok);
            *used += 1;
            let served = connection.ok().and_then(|mut connection| {
                connection.send_request(&chat("one:m"));
                let response = connection.try_response()?;
                (response.status == 200 && response.complete).then_some(connection)
            });
            match served {
                Some(connection) => *kept = Some(connection),
                None => _ = heard.fetch_add(1, SeqCst),
            }
        },
    );
    for _ in 0..RENEWALS {
        let pair = authority.issue("localhost");
        write(run.folder(), &pair);
        wait::until_true("the new certificate", || client.shown(addr) == pair.der);
        load.wait_for_rounds(1, 0);
    }
    load.stop(0);
    println!("{} requests by TLS over {RENEWALS} renewals", load.done());
    assert_eq!(failed.load(SeqCst), 0, "of {}\n{}", load.done(), run.log());
}
