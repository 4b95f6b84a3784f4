//! Providers that fail while the request is still on its way: the next one gets all of it.

use super::plan::Plan;
use crate::client::h1;
use crate::harness::{Gateway, wait};
use crate::samples::LISTEN;
use crate::upstream::raw::{Act, Raw};
use crate::upstream::{Provider, sha256};

const ERROR: &[u8] =
    b"HTTP/1.1 500 Error\r\ncontent-type: text/plain\r\ncontent-length: 2\r\n\r\nno";

fn start(first: &Raw, second: &Provider) -> Gateway {
    let toml = format!(
        "{LISTEN}[providers.a]\nurl = \"{}\"\nmatch = [\"gpt-4o\"]\n[providers.b]\nurl = \"{}\"\n\
         api_key = \"os.environ/KEY\"\n[[fallbacks]]\nmodel = \"gpt-4o\"\nto = [\"b:gpt-4o-b\"]\n",
        first.url(),
        second.url()
    );
    Gateway::start(&toml, &[("KEY", "k-57")])
}

/// Sends half of a request, waits until the first provider has failed, and sends the rest.
fn answered_by_the_second(acts: Vec<Act>, chunked: bool) {
    let (first, second) = (Raw::start(acts), Provider::start());
    let gateway = start(&first, &second);
    let plan = Plan::of_size(180_000);
    let mut request = plan.request().cut(&[90_000]).case("early");
    request.chunked = chunked;
    let mut connection = h1::Connection::open(gateway.addr());
    connection.send(h1::head(&request)).expect("an open connection");
    connection.send_piece(&request, &request.pieces[0]).expect("an open connection");
    wait::until_true("both attempts on the first provider", || first.connections() == 2);
    connection.send_piece(&request, &request.pieces[1]).expect("an open connection");
    if chunked {
        connection.send("0\r\n\r\n").expect("an open connection");
    }
    let response = connection.try_response().expect("a response");
    assert_eq!(response.status, 200, "{}", response.text());
    assert_eq!(response.header("x-gaud-attempts").as_deref(), Some("3"));
    let seen = second.wait("early");
    assert_eq!(seen.sha256, sha256(&plan.body("gpt-4o-b")), "{} bytes", seen.length);
    gateway.assert_no_trap();
}

#[test]
fn an_error_before_the_request_s_end() {
    for chunked in [false, true] {
        answered_by_the_second(vec![Act::ReadHead, Act::Send(ERROR), Act::ReadOn], chunked);
    }
}

#[test]
fn a_reset_before_the_request_s_end() {
    for chunked in [false, true] {
        answered_by_the_second(vec![Act::ReadHead, Act::Reset], chunked);
    }
}
