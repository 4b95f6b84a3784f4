//! A control server that is away: what is known serves on.

use super::{Setup, code};
use crate::kit::client::{Request, h1};
use crate::kit::harness::wait;
use rustix::process::Signal;
use serde_json::json;
use std::time::{Duration, Instant};

/// Ends the stop of the command, however the test ends.
struct Stopped<'a>(&'a Setup);

impl<'a> Stopped<'a> {
    fn now(setup: &'a Setup) -> Self {
        setup.run.signal(Signal::STOP);
        Self(setup)
    }
}

impl Drop for Stopped<'_> {
    fn drop(&mut self) {
        self.0.run.signal(Signal::CONT);
    }
}

#[test]
fn keys_serve_on_while_the_control_server_does_not_answer() {
    let (setup, _quiet) = Setup::start_quiet("", "");
    let (one, two) = (setup.make_any(), setup.make_any());
    {
        let _stopped = Stopped::now(&setup);
        assert_eq!((setup.statuses(&one.key), setup.statuses(&two.key)), (vec![200], vec![200]));
        let ready = h1::exchange(setup.run.addr(), &Request::new("GET", "/readyz"));
        assert_eq!(ready.status, 200);
    }
    let gone = setup.ask_admin("DELETE", &format!("/admin/keys/{}", one.id), &json!({}), 200);
    assert_eq!(gone["applied"], true, "{gone}");
    assert_eq!((setup.statuses(&one.key), setup.statuses(&two.key)), (vec![401], vec![200]));
}

#[test]
fn old_keys_are_refused_where_that_is_wanted() {
    let setup = Setup::start("", "[keys]\non_stale = \"refuse\"\nstale_after_secs = 3\n");
    let made = setup.make_any();
    let start = Instant::now();
    {
        let _stopped = Stopped::now(&setup);
        assert_eq!(setup.statuses(&made.key), [200]);
        wait::until_true("a refusal", || setup.ask(&made.key, "own:m").status == 503);
        assert!(start.elapsed() >= Duration::from_secs(2), "{:?}", start.elapsed());
        let answer = setup.ask(&made.key, "own:m");
        assert_eq!(
            (code(&answer).as_str(), answer.header("retry-after").as_deref()),
            ("keys_unavailable", Some("1"))
        );
    }
    wait::until_true("the keys again", || setup.ask(&made.key, "own:m").status == 200);
    assert_eq!(setup.statuses(&made.key), [200]);
}

/// Nobody reaches the feed from outside, and a key is not shown there.
#[test]
fn the_feed_is_for_the_filter_alone() {
    let setup = Setup::start("", "");
    let made = setup.make_any();
    for path in [
        "/internal/keys?database=0&since=0",
        "/admin/../internal/keys",
        "/admin/%2e%2e/internal/keys",
        "/admin/internal/keys",
        "/admin//../internal/keys",
    ] {
        let answer = setup.admin(Request::new("GET", path).case("feed"));
        assert!(!answer.text().contains(&made.id), "{path}: {}", answer.text());
        assert!(answer.status != 200 || answer.header("x-gaud-provider").is_some(), "{path}");
    }
    // On the socket itself the admin key does not open the feed.
    let socket = setup.run.watched().join("control.sock");
    let request = Request::new("GET", "/internal/keys?database=0&since=0")
        .header("host", "control")
        .header("authorization", format!("Bearer {}", setup.run.admin_key()));
    let answer = h1::exchange_by(socket.to_str().expect("UTF-8"), &request);
    assert_eq!(answer.status, 404, "{}", answer.text());
}
