//! A provider that refuses the gateway's credential: logged once, counted each time.

use super::{LISTEN, request};
use crate::kit::client::h1;
use crate::kit::harness::Gateway;
use crate::kit::observe::{metric, shown};
use crate::kit::upstream::{Answer, Provider};

#[test]
fn a_refused_credential_is_logged_once() {
    let server = Provider::start();
    let table =
        |name: &str, key: &str| format!("[providers.{name}]\nurl = \"{}\"\n{key}", server.url());
    let tables = table("keyed", "api_key = \"os.environ/KEY\"\n") + &table("open", "");
    let gateway = Gateway::start(&format!("{LISTEN}{tables}"), &[("KEY", "sk-secret")]);
    let ask = |name: &str, status: u16| {
        server.script(name, Answer::new(status, "text/plain", ""));
        assert_eq!(h1::exchange(gateway.addr(), &request(name)).status, status, "{name}");
    };
    let is_refused = || shown(&gateway, "keyed")["credential"] == "refused";
    let lines = || {
        let line = "gaud: provider keyed refuses the gateway's credential with status 401; check \
                    providers.keyed.api_key and auth";
        gateway.logs().lines().filter(|text| text.contains(line)).count()
    };
    ask("keyed", 200);
    assert!(!is_refused());
    for status in [401, 403, 401, 404] {
        ask("keyed", status);
        assert!(is_refused(), "{status}");
    }
    assert_eq!(lines(), 1);
    ask("keyed", 200);
    assert!(!is_refused(), "accepted again");
    ask("keyed", 403);
    assert!(is_refused());
    assert_eq!(lines(), 1, "not twice within minutes");
    ask("open", 401);
    assert!(shown(&gateway, "open").get("credential").is_none(), "the credential is the client's");
    let refused = |name| format!(r#"gaud_credential_refused_total{{provider="{name}"}}"#);
    assert_eq!(metric(&gateway, &refused("keyed")), 4);
    assert_eq!(metric(&gateway, &refused("open")), 0);
    assert!(!gateway.logs().contains("sk-secret"));
    gateway.assert_no_trap();
}
