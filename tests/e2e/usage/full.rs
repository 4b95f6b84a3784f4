//! A disk without room for the journal: what could not be recorded is refused, and nothing else.

use super::{ask, chat, completion, config};
use crate::kit::client::{Request, h1};
use crate::kit::harness::{Run, wait};
use crate::kit::upstream::Provider;

/// More than any disk has.
const ALL: &str = "[usage]\nmin_free_bytes = 9000000000000000000\n";

#[test]
fn a_full_disk_stops_what_is_metered_and_nothing_else() {
    let (one, two) = (Provider::start(), Provider::start());
    let toml = config(&one, &two, "[[fallbacks]]\nmodel = \"chain\"\nto = [\"two:second\"]\n");
    let run = Run::start(&toml);
    one.always("straight", 200, super::completion_json(1, 1).to_string());
    assert_eq!(ask(&run, "straight").status, 200);
    run.write(&toml.replacen("[usage]\n", ALL, 1));
    run.wait_for("is full: requests that are metered are refused until usage can be recorded; free space there");
    let refused = wait::until("a refusal", || {
        Some(ask(&run, "straight")).filter(|answer| answer.status != 200)
    });
    assert_eq!((refused.status, refused.header("retry-after").as_deref()), (503, Some("10")));
    let error = refused.json()["error"].clone();
    assert_eq!(error["code"], "journal_full");
    assert_eq!(
        error["message"],
        "The gateway records what requests use, and its disk is full; free space on the disk of the gateway's data folder, and \
         requests are served again within seconds."
    );
    assert_eq!(ask(&run, "chain").status, 503, "over the hop");
    for path in ["/v1/moderations", "/v1/messages/count_tokens"] {
        let request = Request::post(path, r#"{"model":"straight","input":"x"}"#);
        assert_eq!(h1::exchange(run.addr(), &request).status, 200, "{path} costs nothing");
    }
    assert_eq!(h1::exchange(run.addr(), &Request::new("GET", "/v1/models")).status, 200);
    run.write(&toml);
    run.wait_for("has room again: all requests are served");
    one.script("chain", completion(1, 1));
    wait::until_true("an answer", || ask(&run, "straight").status == 200);
    assert_eq!(h1::exchange(run.addr(), &chat("chain")).status, 200);
}
