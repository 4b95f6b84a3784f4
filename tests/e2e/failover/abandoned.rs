//! Clients that leave while their request could still be sent to another provider.

use crate::kit::client::{Request, h1};
use crate::kit::harness::{Gateway, wait};
use crate::kit::observe::{metric, requests};
use crate::kit::samples::LISTEN;
use crate::kit::upstream::Provider;
use crate::kit::upstream::raw::{Act, Raw};

const LIMITED: &[u8] =
    b"HTTP/1.1 429 Error\r\nretry-after: 2\r\ncontent-type: text/plain\r\ncontent-length: 2\r\n\r\nno";
const HEAD: &[u8] =
    b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n";

struct Site {
    gateway: Gateway,
    first: Raw,
    second: Provider,
}

impl Site {
    fn start(acts: Vec<Act>) -> Self {
        let (first, second) = (Raw::start(acts), Provider::start());
        let toml = format!(
            "{LISTEN}[providers.a]\nurl = \"{}\"\nauth = \"none\"\nfirst_token_secs = 3\n[providers.b]\n\
             url = \"{}\"\napi_key = \"os.environ/KEY\"\n\
             [[fallbacks]]\nmodel = \"a:m\"\nto = [\"b:m2\"]\n",
            first.url(),
            second.url()
        );
        Self { gateway: Gateway::start(&toml, &[("KEY", "k-12")]), first, second }
    }

    fn stat(&self, name: &str) -> u64 {
        self.gateway.admin().stats()[name]
    }

    fn counted(&self, outcome: &str) -> u64 {
        metric(&self.gateway, &requests("a", outcome))
    }

    /// Asks, leaves when the first provider has got so far, and waits until nothing is left of it.
    fn leave_when(&self, ready: impl Fn(&Self) -> bool) {
        let mut connection = h1::Connection::open(self.gateway.addr());
        connection.send_request(&Request::chat(r#"{"model":"a:m","stream":true}"#).case("left"));
        wait::until_true("the first attempt", || ready(self));
        drop(connection);
        wait::until_true("the end of the attempt", || {
            let active = |name: &str| self.stat(&format!("cluster.{name}.upstream_rq_active"));
            active("a") + active("gaud_attempts") == 0
        });
        self.gateway.assert_no_trap();
    }
}

#[test]
fn a_client_may_leave_a_silent_provider() {
    for acts in
        [vec![Act::ReadHead, Act::ReadOn], vec![Act::ReadHead, Act::Send(HEAD), Act::ReadOn]]
    {
        let site = Site::start(acts);
        site.leave_when(|site| site.stat("cluster.a.upstream_rq_active") == 1);
        wait::until_true("the outcome", || site.counted("neutral") == 1);
        assert_eq!((site.counted("success"), site.counted("failure")), (0, 0));
        // The client may have left before the connection was there.
        assert!(site.first.connections() <= 1);
        assert_eq!(site.second.seen("left").len(), 0);
    }
}

/// Another request waits as long: when that one is answered, the first would have been.
#[test]
fn a_client_may_leave_between_two_attempts() {
    let site = Site::start(vec![Act::ReadHead, Act::Send(LIMITED)]);
    site.leave_when(|site| site.counted("success") == 1);
    let request = Request::chat(r#"{"model":"a:m"}"#).case("next");
    let response = h1::exchange(site.gateway.addr(), &request);
    assert_eq!((response.status, response.header("x-gaud-attempts")), (200, Some("3".into())));
    assert_eq!((site.first.connections(), site.second.seen("left").len()), (3, 0));
    assert_eq!((site.counted("neutral"), site.counted("failure")), (0, 0));
}
