//! Errors of which only the head has come when another provider is asked.

use crate::client::{Request, h1};
use crate::harness::{Gateway, wait};
use crate::samples::LISTEN;
use crate::upstream::raw::{Act, Raw};
use crate::upstream::{Gate, Provider};

#[test]
fn half_a_429_is_counted_as_a_whole_one() {
    let head: &[u8] =
        b"HTTP/1.1 429 Error\r\ncontent-type: application/json\r\ncontent-length: 9\r\n\r\n{";
    let gate = Gate::closed();
    let half = Raw::start(vec![Act::ReadHead, Act::Send(head), Act::Pass(gate.clone())]);
    let whole = Provider::start();
    let toml = format!(
        "{LISTEN}[providers.a]\nurl = \"{}\"\n[providers.b]\nurl = \"{}\"\n\
         api_key = \"os.environ/KEY\"\n[[fallbacks]]\nmodel = \"a:m\"\nto = [\"b:m2\"]\n",
        half.url(),
        whole.url()
    );
    let gateway = Gateway::start(&toml, &[("KEY", "k-33")]);
    let response = h1::exchange(gateway.addr(), &Request::chat(r#"{"model":"a:m"}"#));
    assert_eq!((response.status, response.header("x-gaud-attempts")), (200, Some("2".into())));
    gate.open();
    let counted = |outcome: &str| {
        let name = format!(r#"gaud_requests_total{{outcome="{outcome}",provider="a"}}"#);
        gateway.admin().metrics().get(&name).copied().unwrap_or_default()
    };
    let outcomes = || ["success", "failure", "neutral"].map(counted);
    wait::until_true("the outcome", || outcomes().iter().sum::<u64>() > 0);
    assert_eq!(outcomes(), [1, 0, 0]);
    gateway.assert_no_trap();
}
