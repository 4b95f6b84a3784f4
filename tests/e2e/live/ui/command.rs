//! `gaud ui` prints where the pages are.

use super::Config;
use crate::kit::client::tls::Tls;
use crate::kit::client::{Request, h1};
use crate::kit::harness::Run;
use crate::kit::upstream::Provider;
use crate::kit::upstream::tls::Authority;
use crate::live::{status, tls};

/// Whether `gaud ui` succeeds, and its output.
fn ui(run: &Run) -> (bool, String) {
    status::gaud(run, &["ui"], &[("XDG_STATE_HOME", &status::state(run))])
}

fn login(path: &str) -> Request {
    Request::new("GET", format!("{path}/login")).header("accept", "text/html")
}

#[test]
fn the_address_follows_the_path_of_the_pages() {
    let mut config = Config::of(&[("one", &Provider::start())]);
    let run = Run::start(&config.text());
    for (table, path) in [("", "/ui"), ("[ui]\npath = \"/a/pages\"\n", "/a/pages")] {
        if !table.is_empty() {
            config.tables = table.to_owned();
            run.change(&config.text());
        }
        // The file has the port 0, so that the running gateway alone knows its port.
        assert_eq!(ui(&run), (true, format!("http://{}{path}\n", run.addr())));
        assert!(h1::exchange(run.addr(), &login(path)).text().contains("Admin key"), "{path}");
    }
    config.tables = "[ui]\npath = \"\"\n".to_owned();
    run.change(&config.text());
    let (succeeded, said) = ui(&run);
    let reason = "there are no pages: ui.path is \"\"; take the setting out of the file, or set another path";
    assert!(!succeeded && said.contains(reason) && !said.contains("http"), "{said}");

    // Another user's command cannot know the port.
    config.tables.clear();
    run.change(&config.text());
    let (succeeded, said) = status::gaud(&run, &["ui"], &[("XDG_STATE_HOME", "/nowhere")]);
    assert!(!succeeded && said.contains("listen has the port 0"), "{said}");
    let named = ["ui", "--address", "127.0.0.1:1"];
    let said = status::gaud(&run, &named, &[("XDG_STATE_HOME", "/nowhere")]);
    assert_eq!(said, (true, "http://127.0.0.1:1/ui\n".to_owned()));
}

#[test]
fn by_tls_the_address_is_of_https() {
    let (authority, one) = (Authority::new("gateway"), Provider::start());
    let run = tls::start(&one, &authority.issue("localhost"), "");
    assert_eq!(ui(&run), (true, format!("https://{}/ui\n", run.addr())));
    let page = Tls::trusting(&authority).exchange(run.addr(), &login("/ui"));
    assert!(page.text().contains("Admin key"), "{}", page.text());
}
