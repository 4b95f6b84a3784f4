//! Forms arrive exactly, with a file before or after the model, in every framing.

use super::{BOUNDARY, TRANSCRIPTIONS, file, form, model, of_type, part, post};
use crate::kit::client::{CLIENTS, Client};
use crate::kit::pair::{PROVIDERS, Pair};

/// A form with a file of this size before or after the model.
fn sample(name: &str, is_first: bool, size: usize) -> Vec<u8> {
    let language = part("name=\"language\"", "Content-Type: text/plain\r\n", b"de");
    match is_first {
        true => form(&[model(name), language, file(size)]),
        false => form(&[file(size), language, model(name)]),
    }
}

#[test]
fn a_file_before_or_after_the_model_is_exact() {
    for (size, piece) in [(0, 50), (3000, 700), (300_000, 40_000)] {
        for (is_first, provider) in
            [true, false].into_iter().flat_map(|at| PROVIDERS.map(|p| (at, p)))
        {
            let sent = sample(&format!("{provider}:whisper-1"), is_first, size);
            let expected = sample("whisper-1", is_first, size);
            let fixed = post(TRANSCRIPTIONS, sent).cut_every(piece);
            for (framing, request) in [("fixed", fixed.clone()), ("open", fixed.chunked())] {
                for client in CLIENTS {
                    let case = format!("form {size} {is_first} {provider} {framing} {client:?}");
                    Pair::shared().arrives(&case, client, &request, &expected);
                }
            }
        }
    }
    Pair::shared().gateway.assert_no_trap();
}

#[test]
fn a_file_of_20_mb_is_exact() {
    const SIZE: usize = 20_000_000;
    for (provider, is_first, client, chunked) in [
        ("one", true, Client::Http1, false),
        ("two", true, Client::Http2, true),
        ("two", false, Client::Http1, true),
        ("one", false, Client::Http2, false),
    ] {
        let case = format!("20 MB {provider} {is_first} {client:?} {chunked}");
        let sent = sample(&format!("{provider}:whisper-1"), is_first, SIZE);
        let mut request = post(TRANSCRIPTIONS, sent).cut_every(1_000_000);
        request.chunked = chunked;
        Pair::shared().arrives(&case, client, &request, &sample("whisper-1", is_first, SIZE));
    }
    Pair::shared().gateway.assert_no_trap();
}

/// Where the pieces of the body end must not matter: not even amid a delimiter.
#[test]
fn a_form_in_pieces_of_any_size_is_exact() {
    for size in [1, 2, 3, 5, 7, 11, 41] {
        for client in CLIENTS {
            let request = post(TRANSCRIPTIONS, sample("two:m", false, 600)).cut_every(size);
            let case = format!("pieces of {size} {client:?}");
            Pair::shared().arrives(&case, client, &request.chunked(), &sample("m", false, 600));
        }
    }
    Pair::shared().gateway.assert_no_trap();
}

#[test]
fn boundaries_are_read_as_clients_write_them() {
    for (index, (content_type, boundary)) in [
        ("multipart/form-data; boundary=simple", "simple"),
        ("multipart/form-data; boundary=\"quoted\"", "quoted"),
        ("multipart/form-data; boundary=\"with space: (and) more?\"", "with space: (and) more?"),
        ("multipart/form-data;charset=utf-8 ; BOUNDARY=--x--", "--x--"),
        ("multipart/form-data; boundary=0123456789012345678901234567890123456789012345678901234567890123456789",
         "0123456789012345678901234567890123456789012345678901234567890123456789"),
    ]
    .into_iter()
    .enumerate()
    {
        let with = |name: &str| {
            let text = String::from_utf8(form(&[model(name)])).expect("UTF-8");
            text.replace(BOUNDARY, boundary).into_bytes()
        };
        for client in CLIENTS {
            let request = of_type(TRANSCRIPTIONS, content_type, with("two:m"));
            Pair::shared().arrives(&format!("boundary {index} {client:?}"), client, &request, &with("m"));
        }
    }
    Pair::shared().gateway.assert_no_trap();
}

#[test]
fn preambles_and_epilogues_pass() {
    let with = |before: &str, name: &str, after: &str| {
        let mut body = form(&[file(100), model(name)]);
        body.truncate(body.len() - 2);
        [before.as_bytes(), &body, after.as_bytes()].concat()
    };
    for (index, (before, after)) in [
        ("This is a form.\r\nWith a preamble - of two lines.\r\n", "\r\n"),
        ("\r\n", ""),
        ("\r\n\r\n", "\r\n\r\n\r\n"),
    ]
    .into_iter()
    .enumerate()
    {
        for client in CLIENTS {
            let request = post("/v1/images/edits", with(before, "one:m", after));
            let case = format!("around {index} {client:?}");
            Pair::shared().arrives(&case, client, &request, &with(before, "m", after));
        }
    }
    Pair::shared().gateway.assert_no_trap();
}
