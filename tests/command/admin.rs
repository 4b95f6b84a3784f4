//! Envoy's admin interface under `gaud run`: whole for its user, and in part for others.

use std::fs;
use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

use crate::folder;
use crate::http::ask;
use crate::program::Program;
use crate::run::{configured, given, run};

/// Where the admin interface of the gateway is that has its temporary files in `folder`.
pub(crate) fn socket(folder: &Path) -> PathBuf {
    let entries = fs::read_dir(folder).expect("a folder").flatten();
    let mut paths = entries.map(|entry| entry.path().join("admin.sock"));
    paths.find(|path| path.exists()).expect("a socket")
}

/// What the whole admin interface answers.
pub(crate) fn whole(folder: &Path, method: &str, path: &str) -> String {
    let mut stream = UnixStream::connect(socket(folder)).expect("a connection");
    write!(stream, "{method} {path} HTTP/1.1\r\nhost: admin\r\nconnection: close\r\n\r\n")
        .expect("it reads");
    let mut text = String::new();
    stream.read_to_string(&mut text).expect("it answers");
    text
}

fn started(folder: &Path) -> (Program, String) {
    configured(folder, "127.0.0.1:0", "127.0.0.1:1");
    let mut run = run(folder, &given("ENVOY_PATH"));
    run.address();
    let listeners = whole(folder, "GET", "/listeners");
    let public = listeners.lines().find_map(|line| line.strip_prefix("gaud_admin::"));
    (run, public.expect("a listener").to_owned())
}

#[test]
fn the_admin_interface_is_for_the_user_alone() {
    let folder = folder();
    let (_run, _) = started(folder.path());
    let mode = |path: &Path| fs::metadata(path).expect("it is there").permissions().mode() & 0o777;
    let socket = socket(folder.path());
    assert_eq!((mode(&socket), mode(socket.parent().expect("a folder"))), (0o600, 0o700));
    assert!(whole(folder.path(), "GET", "/config_dump").starts_with("HTTP/1.1 200 "));
}

#[test]
fn others_get_its_metrics_alone() {
    let folder = folder();
    let (_run, address) = started(folder.path());
    let status = |method, path| {
        let answer = ask(&address, method, path, "");
        answer.head.split(' ').nth(1).expect("a status").to_owned()
    };
    for path in [
        "/ready",
        "/listeners",
        "/listeners?format=json",
        "/stats",
        "/stats/prometheus",
        "/stats?filter=gaud",
    ] {
        assert_eq!(status("GET", path), "200", "{path}");
        assert_eq!(status("POST", path), "403", "{path}");
    }
    for path in [
        "/",
        "/config_dump",
        "/certs",
        "/logging?level=debug",
        "/quitquitquit",
        "/stats/../quitquitquit",
        "/help",
        "/statsx",
        "/stats/recentlookups",
        "/ready/",
        "/drain_listeners",
        "/ready%2f",
    ] {
        for method in ["GET", "POST"] {
            let refused = if path.contains('%') { "400" } else { "403" };
            assert_eq!(status(method, path), refused, "{method} {path}");
        }
    }
}
