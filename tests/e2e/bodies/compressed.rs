//! Compressed bodies: whole, or refused, where the gateway reads them; untouched elsewhere.

use crate::kit::client::{CLIENTS, Client, Request};
use crate::kit::harness::Gateway;
use crate::kit::pair::Pair;
use crate::kit::refusal::{self, Refusal};
use crate::kit::samples::{LISTEN, Place, body, provider};
use crate::kit::upstream::{Framing, Provider};
use flate2::Compression;
use flate2::write::{GzEncoder, ZlibEncoder};
use std::io::Write;
use std::sync::OnceLock;

const LIMIT: usize = 300_000;

/// A gateway with a model that goes straight and one that takes the hop.
fn pair() -> &'static Pair {
    static PAIR: OnceLock<Pair> = OnceLock::new();
    PAIR.get_or_init(|| {
        let server = Provider::start();
        let key = "api_key = \"os.environ/KEY\"";
        let toml = format!(
            "{LISTEN}default_provider = \"one\"\nbody_limit_bytes = {LIMIT}\n{}{}\
             [[fallbacks]]\nmodel = \"one:chain\"\nto = [\"two:other\"]\n",
            provider("one", &server.url(), &[key]),
            provider("two", &server.url(), &[key, "http2 = true"]),
        );
        Pair { gateway: Gateway::start(&toml, &[("KEY", "sk")]), server }
    })
}

/// Straight, and over the hop.
const MODELS: [&str; 2] = ["m", "chain"];

const ENCODINGS: [&str; 2] = ["gzip", "deflate"];

fn compressed(encoding: &str, text: &[u8]) -> Vec<u8> {
    let best = Compression::best();
    match encoding {
        "gzip" => {
            let mut encoder = GzEncoder::new(Vec::new(), best);
            encoder.write_all(text).expect("a buffer");
            encoder.finish().expect("a buffer")
        }
        _ => {
            let mut encoder = ZlibEncoder::new(Vec::new(), best);
            encoder.write_all(text).expect("a buffer");
            encoder.finish().expect("a buffer")
        }
    }
}

fn chat(model: &str) -> String {
    format!(r#"{{"model":"one:{model}","messages":[{{"role":"user","content":"Hello"}}]}}"#)
}

fn request(encoding: &str, sent: impl AsRef<[u8]>) -> Request {
    Request::chat(sent).header("content-encoding", encoding)
}

/// Fails unless the provider gets `expected`, plain and with its length, however the body is sent.
#[track_caller]
fn arrives(case: &str, request: &Request, expected: &[u8]) {
    for (number, request) in
        [request.clone(), request.clone().chunked(), request.clone().cut_every(50)]
            .into_iter()
            .enumerate()
    {
        for client in CLIENTS {
            let case = format!("{case} {number} {client:?}");
            let response = client.send(&pair().gateway, &request.clone().case(&case));
            assert_eq!(response.status, 200, "{case}: {}", response.text());
            let seen = pair().server.wait(&case);
            assert_eq!(seen.text(), String::from_utf8_lossy(expected), "{case}");
            assert_eq!(seen.framing(), Framing::Length(expected.len()), "{case}");
            assert_eq!(seen.header("content-encoding"), None, "{case}");
        }
    }
}

#[test]
fn a_whole_body_is_read_and_arrives_plain() {
    for model in MODELS {
        let (sent, expected) = (chat(model), chat(model).replace("one:", ""));
        for encoding in ["gzip", "x-gzip", "GZip", "deflate"] {
            let kind = if encoding == "deflate" { "deflate" } else { "gzip" };
            let request = request(encoding, compressed(kind, sent.as_bytes()));
            arrives(&format!("{encoding} {model}"), &request, expected.as_bytes());
        }
    }
    pair().gateway.assert_no_trap();
}

#[test]
fn a_long_body_arrives_exactly() {
    for model in MODELS {
        for encoding in ENCODINGS {
            for place in [Place::First, Place::Last] {
                let sent = body(&format!("one:{model}"), place, 200_000);
                let case = format!("long {encoding} {model} {place:?}");
                let request = request(encoding, compressed(encoding, &sent)).case(&case);
                let response = Client::Http1.send(&pair().gateway, &request);
                assert_eq!(response.status, 200, "{case}: {}", response.text());
                pair().arrived(&case, false, false, &body(model, place, 200_000));
            }
        }
    }
    pair().gateway.assert_no_trap();
}

/// The text of a gzip is that of all its members.
#[test]
fn every_member_of_a_gzip_is_read() {
    for model in MODELS {
        let (sent, expected) = (chat(model), chat(model).replace("one:", ""));
        for cut in [1, 12, sent.len() / 2, sent.len() - 1] {
            let (first, second) = sent.as_bytes().split_at(cut);
            let members = [compressed("gzip", first), compressed("gzip", second)].concat();
            arrives(
                &format!("members {model} {cut}"),
                &request("gzip", members),
                expected.as_bytes(),
            );
        }
        // Together the members are not a JSON object.
        let both = [compressed("gzip", sent.as_bytes()), compressed("gzip", b"{}")].concat();
        let refusal = refusal::invalid_json("unexpected bytes after the JSON object", sent.len());
        pair().refuses(&format!("two {model}"), &request("gzip", both), &refusal);
    }
    pair().gateway.assert_no_trap();
}

#[track_caller]
fn refused(case: &str, encoding: &str, sent: &[u8], refusal: &Refusal) {
    pair().refuses(case, &request(encoding, sent), refusal);
}

#[test]
fn a_part_of_a_body_is_refused() {
    for model in MODELS {
        for encoding in ENCODINGS {
            let whole = compressed(encoding, chat(model).as_bytes());
            for length in [1, 10, whole.len() / 2, whole.len() - 8, whole.len() - 1] {
                let case = format!("part {encoding} {model} {length}");
                refused(&case, encoding, &whole[..length], &refusal::compressed_body_is_cut());
            }
        }
    }
    pair().gateway.assert_no_trap();
}

#[test]
fn other_bytes_and_changed_bytes_are_refused() {
    for model in MODELS {
        for encoding in ENCODINGS {
            let whole = compressed(encoding, chat(model).as_bytes());
            let mut changed = whole.clone();
            changed[20] ^= 0x10;
            let broken = refusal::compressed_body_is_broken();
            for (what, sent) in [
                ("plain", chat(model).into_bytes()),
                ("no gzip", b"no gzip at all".to_vec()),
                ("more", [&whole[..], b"more, and no member of a gzip"].concat()),
            ] {
                refused(&format!("{what} {encoding} {model}"), encoding, &sent, &broken);
            }
            let response =
                Client::Http1.send(&pair().gateway, &request(encoding, changed).case("changed"));
            assert_eq!(response.status, 400, "{encoding} {model}: {}", response.text());
            assert!(response.text().contains("invalid_compression"), "{}", response.text());
        }
    }
    pair().gateway.assert_no_trap();
}

#[test]
fn a_bomb_is_refused_at_the_limit() {
    for encoding in ENCODINGS {
        let bomb = compressed(encoding, &vec![b' '; 50_000_000]);
        assert!(bomb.len() < LIMIT / 2);
        refused(
            &format!("bomb {encoding}"),
            encoding,
            &bomb,
            &refusal::compressed_body_is_too_long(LIMIT),
        );
        // What has not come yet may be anything, and is held.
        let mut long = compressed(encoding, chat("m").as_bytes());
        long.resize(LIMIT + 1, 0);
        refused(
            &format!("long {encoding}"),
            encoding,
            &long,
            &refusal::compressed_body_is_too_long(LIMIT),
        );
        // A ratio of a thousand is allowed.
        let mut text = format!("{{\"model\":\"one:m\",\"x\":\"{}\"}}", "x".repeat(LIMIT - 100));
        let request = request(encoding, compressed(encoding, text.as_bytes()));
        text = text.replace("one:", "");
        pair().arrives(&format!("ratio {encoding}"), Client::Http1, &request, text.as_bytes());
    }
    pair().gateway.assert_no_trap();
}

#[test]
fn an_empty_body_is_refused_only_where_there_must_be_one() {
    for encoding in ENCODINGS {
        let nothing = refusal::empty_body();
        refused(&format!("empty {encoding}"), encoding, &compressed(encoding, b""), &nothing);
        refused(&format!("nothing {encoding}"), encoding, b"", &nothing);
    }
    pair().gateway.assert_no_trap();
}

/// Where a request may lack its body, a body that cannot be read is not taken for none.
#[test]
fn a_broken_body_is_not_taken_for_none() {
    for path in ["/v1/batches", "/v1/assistants", "/v1/messages/batches"] {
        let request = Request::post(path, "no gzip at all").header("content-encoding", "gzip");
        let response = Client::Http1.send(&pair().gateway, &request.clone().case(path));
        assert_eq!(response.status, 400, "{path}: {}", response.text());
        pair().never_complete(path);
    }
    pair().gateway.assert_no_trap();
}

#[test]
fn a_compressed_form_is_read() {
    let form = "--b\r\ncontent-disposition: form-data; name=\"model\"\r\n\r\none:m\r\n--b\r\ncontent-disposition: \
                form-data; name=\"file\"; filename=\"a.wav\"\r\n\r\nRIFF\r\n--b--\r\n";
    for encoding in ENCODINGS {
        let mut request = Request::new("POST", "/v1/audio/transcriptions")
            .header("content-type", "multipart/form-data; boundary=b")
            .header("content-encoding", encoding);
        request.pieces = vec![compressed(encoding, form.as_bytes())];
        let case = format!("form {encoding}");
        pair().arrives(&case, Client::Http1, &request, form.replace("one:", "").as_bytes());
    }
    pair().gateway.assert_no_trap();
}

#[test]
fn what_the_gateway_cannot_read_is_refused_where_it_reads() {
    for encoding in ["zstd", "br", "gzip, gzip", "x-unknown"] {
        for model in MODELS {
            let refusal = refusal::unsupported_content_encoding();
            refused(&format!("{encoding} {model}"), encoding, chat(model).as_bytes(), &refusal);
        }
    }
    for encoding in ["", "identity"] {
        let request = request(encoding, chat("m"));
        let expected = chat("m").replace("one:", "");
        pair().arrives(&format!("plain {encoding}."), Client::Http1, &request, expected.as_bytes());
    }
    pair().gateway.assert_no_trap();
}

/// Uploads, and what is not of the API: whole or not, with their length and their header.
#[test]
fn elsewhere_a_body_passes_untouched() {
    let member = compressed("gzip", b"first\n");
    let bodies = [
        ("two members", [&member[..], &compressed("gzip", b"second\n")].concat()),
        ("a part", member[..member.len() - 5].to_vec()),
        ("a bomb", compressed("gzip", &[b'x'; 300_000])),
        ("no gzip", b"no gzip at all".to_vec()),
    ];
    for path in [
        "/v1/files",
        "/v1/uploads/u/parts",
        "/v1/vector_stores",
        "/key/generate",
        "/v1beta/files/x",
    ] {
        for (what, sent) in &bodies {
            for encoding in ["gzip", "zstd", "br", "deflate"] {
                let case = format!("{path} {what} {encoding}");
                let request = Request::post(path, sent).header("content-encoding", encoding);
                for client in CLIENTS {
                    let case = format!("{case} {client:?}");
                    let response = client.send(&pair().gateway, &request.clone().case(&case));
                    assert_eq!(response.status, 200, "{case}: {}", response.text());
                    let seen = pair().server.wait(&case);
                    assert_eq!(
                        (&seen.body, seen.framing()),
                        (sent, Framing::Length(sent.len())),
                        "{case}"
                    );
                    assert_eq!(
                        seen.header("content-encoding").as_deref(),
                        Some(encoding),
                        "{case}"
                    );
                }
            }
        }
    }
    pair().gateway.assert_no_trap();
}
