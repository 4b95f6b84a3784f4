//! A request that calls itself gRPC: Envoy's replies to it have status 200, and must not pass
//! for the provider's.

use super::{LISTEN, provider};
use crate::kit::client::{Request, h1};
use crate::kit::harness::Gateway;
use crate::kit::observe::{health, metric, probes, requests, wait_for_metric, wait_until_due};
use crate::kit::upstream::raw::Closed;

#[test]
fn envoys_reply_to_a_grpc_request_is_not_a_success() {
    let closed = Closed::bind();
    let table = provider("p", &closed.url(), "failures = 2, open_secs = 1, successes = 1", &[]);
    let gateway = Gateway::with_workers(2, &format!("{LISTEN}{table}"));
    let ask = || h1::exchange(gateway.addr(), &request());
    for _ in 0..2 {
        assert_eq!(ask().status, 200, "gRPC has its status elsewhere");
    }
    wait_for_metric(&gateway, &requests("p", "failure"), 2);
    wait_until_due(&gateway, "p");
    assert_eq!(ask().status, 200);
    wait_for_metric(&gateway, &requests("p", "failure"), 3);
    assert_eq!(health(&gateway, "p")["breaker"], "open");
    assert_eq!(metric(&gateway, &probes("p", "failure")), 1);
    gateway.assert_no_trap();
}

fn request() -> Request {
    let mut request = Request::new("POST", "/v1/chat/completions");
    request.pieces.push(br#"{"model":"p:m"}"#.to_vec());
    request.header("content-type", "application/grpc")
}
