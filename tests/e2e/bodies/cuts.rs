//! It does not matter where a request is cut on its way, nor what comes before it.

use crate::kit::client::{Request, h1, h2};
use crate::kit::harness::{Gateway, wait};
use crate::kit::pair::{PROVIDERS, Pair};
use crate::kit::samples::{Place, body};

const CUT: &str = r#"{"a":[{"model":"x\"é"}],"mod\u0065l" : "one:gpt-\u0034o\/😀","n":-1.5e3}"#;
const CUT_EXPECTED: &str = r#"{"a":[{"model":"x\"é"}],"mod\u0065l" : "gpt-4o/😀","n":-1.5e3}"#;

#[test]
fn http2_may_cut_a_body_anywhere() {
    for provider in PROVIDERS {
        let sent = CUT.replace("one", provider);
        let connection = h2::Connection::open(Pair::shared().gateway.addr());
        let mut rows: Vec<(String, Request)> = (0..=sent.len())
            .map(|at| (format!("at {at}"), Request::chat(&sent).cut(&[at])))
            .collect();
        rows.push(("bytes".into(), Request::chat(&sent).cut_every(1)));
        rows.push(("threes".into(), Request::chat(&sent).cut_every(3).chunked()));
        for (cut, request) in rows {
            let case = format!("h2 cut {provider} {cut}");
            let response = connection.exchange(&request.clone().case(&case));
            assert_eq!(response.status, 200, "{case}: {}", response.text());
            let expected = CUT_EXPECTED.as_bytes();
            Pair::shared().arrived(&case, request.chunked, provider == "two", expected);
        }
    }
    Pair::shared().gateway.assert_no_trap();
}

/// Sends pieces so that Envoy reads them one by one: each is sent when Envoy has read the one before.
fn send_apart(gateway: &Gateway, pieces: &[Vec<u8>]) -> h1::Connection {
    let mut connection = h1::Connection::open(gateway.addr());
    for piece in pieces {
        let target = received(gateway) + piece.len() as u64;
        connection.send(piece).expect("a listening gateway");
        wait::until_true("Envoy's reading", || received(gateway) >= target);
    }
    connection
}

fn received(gateway: &Gateway) -> u64 {
    let stats = gateway.admin().get("/stats?filter=downstream_cx_rx_bytes_total");
    let clients = stats.lines().find(|line| !line.starts_with("http.admin.")).unwrap_or(": 0");
    clients.rsplit(' ').next().and_then(|value| value.parse().ok()).expect("a number")
}

#[test]
fn http1_may_cut_a_request_anywhere() {
    let Pair { gateway, server } = Pair::start(""); // no other test's bytes are counted
    for chunked in [false, true] {
        let mut request = Request::chat(CUT);
        request.chunked = chunked;
        for at in (0..CUT.len()).step_by(2) {
            let case = format!("h1 cut {chunked} {at}");
            let request = request.clone().case(&case);
            let (start, end) = CUT.as_bytes().split_at(at);
            let mut pieces = vec![h1::head(&request)];
            if chunked {
                let chunk = |bytes: &[u8]| {
                    [format!("{:x}\r\n", bytes.len()).as_bytes(), bytes, b"\r\n"].concat()
                };
                pieces.extend(
                    [start, end].iter().filter(|bytes| !bytes.is_empty()).map(|bytes| chunk(bytes)),
                );
                pieces.push(b"0\r\n\r\n".to_vec());
            } else {
                pieces.extend([start.to_vec(), end.to_vec()]);
            }
            let response = send_apart(&gateway, &pieces).response();
            assert_eq!(response.status, 200, "{case}: {}", response.text());
            assert_eq!(server.wait(&case).text(), CUT_EXPECTED, "{case}");
        }
    }
    gateway.assert_no_trap();
}

#[test]
fn a_client_may_wait_for_100_continue() {
    for chunked in [false, true] {
        let case = format!("expect {chunked}");
        let mut request = Request::chat(CUT).header("expect", "100-continue").case(&case);
        request.chunked = chunked;
        let mut connection = h1::Connection::open(Pair::shared().gateway.addr());
        connection.send(h1::head(&request)).expect("a listening gateway");
        assert_eq!(connection.head().status, 100);
        connection.send_piece(&request, CUT.as_bytes()).expect("a listening gateway");
        if chunked {
            connection.send(b"0\r\n\r\n").expect("a listening gateway");
        }
        assert_eq!(connection.response().status, 200);
        Pair::shared().arrived(&case, chunked, false, CUT_EXPECTED.as_bytes());
        assert_eq!(Pair::shared().server.wait(&case).header("expect"), None);
    }
    Pair::shared().gateway.assert_no_trap();
}

#[test]
fn requests_follow_each_other_on_a_connection() {
    let mut connection = h1::Connection::open(Pair::shared().gateway.addr());
    let requests: Vec<Request> = (0..20)
        .map(|index| {
            let place = [Place::First, Place::Middle, Place::Last][index % 3];
            let sent = body(&format!("{}:m{index}", PROVIDERS[index % 2]), place, 500);
            let request = Request::chat(sent).case(&format!("pipelined {index}"));
            if index % 4 == 0 { request.chunked() } else { request }
        })
        .collect();
    requests.iter().for_each(|request| connection.send_request(request));
    for (index, request) in requests.iter().enumerate() {
        assert_eq!(connection.response().status, 200, "{index}");
        let expected =
            body(&format!("m{index}"), [Place::First, Place::Middle, Place::Last][index % 3], 500);
        let case = format!("pipelined {index}");
        Pair::shared().arrived(&case, request.chunked, index % 2 == 1, &expected);
    }
    Pair::shared().gateway.assert_no_trap();
}

#[test]
fn streams_of_one_connection_do_not_mix() {
    let connection = h2::Connection::open(Pair::shared().gateway.addr());
    let case = |index: usize| format!("interleaved {index}");
    let halves = |index: usize| {
        let place = [Place::First, Place::Middle, Place::Last][index % 3];
        let sent = body(&format!("{}:m{index}", PROVIDERS[index % 2]), place, 300 + index * 20);
        let cut = index * 37 % sent.len();
        (
            Request::chat(&sent).cut(&[cut]).case(&case(index)),
            body(&format!("m{index}"), place, 300 + index * 20),
        )
    };
    let mut streams: Vec<_> = (0..60)
        .map(|index| {
            let (request, expected) = halves(index);
            let mut exchange = connection.start(&request);
            exchange.send(&request.pieces[0]).expect("a listening gateway");
            (index, request, expected, exchange)
        })
        .collect();
    for (_, request, _, exchange) in streams.iter_mut().rev() {
        exchange.send(&request.pieces[1]).expect("a listening gateway");
        exchange.end(&request.trailers);
    }
    for (index, _, expected, mut exchange) in streams {
        assert_eq!(exchange.response().status, 200, "{index}");
        Pair::shared().arrived(&case(index), false, index % 2 == 1, &expected);
    }
    Pair::shared().gateway.assert_no_trap();
}
