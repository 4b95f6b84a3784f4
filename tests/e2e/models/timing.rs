//! A long list does not hold up the requests of others, though one worker serves both.

use super::{DISCOVER, LISTEN, Site, long_list};
use crate::kit::client::{Request, h1};
use crate::kit::harness::Gateway;
use crate::kit::samples::provider;
use crate::kit::upstream::Provider;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// The times of requests on one connection, for as long as `go_on` says; shortest first.
fn times(site: &Site, request: &Request, mut go_on: impl FnMut(usize) -> bool) -> Vec<Duration> {
    let mut connection = h1::Connection::open(site.gateway.addr());
    let mut times = Vec::new();
    while go_on(times.len()) {
        let start = Instant::now();
        connection.send_request(request);
        assert_eq!(connection.response().status, 200);
        times.push(start.elapsed());
    }
    times.sort_unstable();
    times
}

/// The longest that a chat request may take beside a list, on a busy machine.
const LIMIT: Duration = Duration::from_secs(2);

fn print(what: &str, times: &[Duration]) {
    let at = |percent: usize| times[(times.len() - 1) * percent / 100];
    let (count, median, most) = (times.len(), at(50), at(100));
    println!("lists: {what}: {count} times, median {median:?}, 90 % {:?}, most {most:?}", at(90));
}

#[test]
fn a_long_list_does_not_hold_up_others() {
    let site = Site::start(300, 1, long_list(10_000, "model"));
    site.wait_for_models(10_000);
    let chat = Request::chat(r#"{"model":"p:m"}"#).case("chat");
    print("chat alone", &times(&site, &chat, |count| count < 30));
    for path in ["/v1/models", "/v1/models/p:model-09999", "/api/models", "/health"] {
        let request = Request::new("GET", path);
        print(&format!("{path} alone"), &times(&site, &request, |count| count < 5));
        let done = AtomicBool::new(false);
        thread::scope(|scope| {
            scope.spawn(|| {
                times(&site, &request, |count| count < 10);
                done.store(true, Ordering::SeqCst);
            });
            let waits = times(&site, &chat, |count| count < 3 || !done.load(Ordering::SeqCst));
            print(&format!("chat beside {path}, on the same worker"), &waits);
            assert!(waits.iter().all(|wait| *wait < LIMIT), "{path}: {waits:?}");
        });
    }
    site.gateway.assert_no_trap();
}

/// 10,000 discovered models beside 2000 that the configuration lists, half of them the same.
#[test]
fn a_long_list_beside_a_configured_one_is_served() {
    let server = Provider::start();
    server.always("", 200, long_list(10_000, "model"));
    let names: Vec<_> = (9000..11_000).map(|number| format!("\"model-{number:05}\"")).collect();
    let models = format!("models = [{}]", names.join(", "));
    let table = provider("p", &server.url(), &[DISCOVER, &models]);
    let gateway = Gateway::with_workers(1, &format!("{LISTEN}{table}"));
    let started = Instant::now();
    let site = Site { name: "p".to_owned(), gateway: Arc::new(gateway), server, started };
    site.wait_for_models(11_000);
    let request = Request::new("GET", "/v1/models");
    print("/v1/models with 2000 configured", &times(&site, &request, |count| count < 5));
    site.gateway.assert_no_trap();
}
