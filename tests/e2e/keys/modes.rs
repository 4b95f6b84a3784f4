//! `[keys] mode`, and its change while the gateway runs.

use super::{Setup, chat, code};
use crate::kit::client::Request;
use crate::kit::harness::Run;
use crate::kit::harness::wait;

#[test]
fn the_mode_says_who_needs_a_key_and_changes_while_the_gateway_runs() {
    let setup = Setup::start("", "");
    let key = setup.make_any().key;
    let other = || chat("own:m").header("authorization", "Bearer sk-of-a-client");
    assert_eq!(setup.send(&other()).status, 200, "optional by default");
    assert_eq!(setup.ask(&key, "own:m").status, 200);

    setup.change("", "[keys]\nmode = \"required\"\npassthrough = [\"/team\"]\n");
    assert_eq!(setup.ask(&key, "own:m").status, 200, "{}", setup.run.log());
    let bearer = |request: Request| request.header("authorization", "Bearer sk-of-a-client");
    for (path, status) in [
        ("/v1/models", 401),
        ("/api/models", 401),
        ("/user/info", 401),
        ("/v1/files", 401),
        ("/team/info", 200),
        ("/", 200),
        ("/healthz", 200),
        ("/readyz", 200),
        ("/health", 200),
    ] {
        let answer = setup.send(&bearer(Request::new("GET", path)));
        assert_eq!(answer.status, status, "{path}: {}", answer.text());
        assert!(status == 200 || code(&answer) == "invalid_api_key");
    }
    assert_eq!(setup.send(&other()).status, 401);
    assert_eq!(setup.send(&chat("own:m")).status, 401);
    let none = setup.send(&chat("own:m"));
    let unknown = setup.ask(&format!("sk-prx-abcdefghijkl-{}", "x".repeat(32)), "own:m");
    assert_eq!(none.body, unknown.body, "no key and an unknown key get the same answer");
    // The control server still sees the models.
    let models = setup.admin(Request::new("GET", "/admin/models"));
    assert!(models.status == 200 && models.text().contains("own:m"), "{}", models.text());

    setup.change("", "[keys]\nmode = \"off\"\n");
    assert_eq!(setup.send(&other()).status, 200);
    assert_eq!(code(&setup.ask(&key, "own:m")), "invalid_api_key");
    setup.assert_nowhere(&key);
    setup.change("", "");
    wait::until_true("the keys again", || setup.ask(&key, "own:m").status == 200);
}

#[test]
fn keys_need_a_control_server() {
    let one = crate::kit::upstream::Provider::start();
    let folder = tempfile::tempdir().expect("a folder").keep();
    let text = |keys: &str| {
        format!(
            "listen = \"127.0.0.1:0\"\nadmin_listen = \"127.0.0.1:0\"\nworkers = 1\n[providers.one]\nurl = \"{}/v1\"\n{keys}",
            one.url()
        )
    };
    std::fs::write(folder.join("gaud.toml"), text("[keys]\nmode = \"required\"\n"))
        .expect("a file");
    for arguments in [&["run", "--no-control"][..], &["render"]] {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_gaud"));
        command.args(arguments).arg("--wasm").arg(crate::kit::harness::filter());
        let output = command.current_dir(&folder).output().expect("gaud runs");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success(), "{arguments:?}");
        assert!(
            said.contains("gaud.toml:7: keys.mode: needs a control server, which knows the keys"),
            "{said}"
        );
    }
    // Without keys in the file there are none, and a key of Gaud's is refused as ever.
    std::fs::write(folder.join("gaud.toml"), text("")).expect("a file");
    let run = Run::start_in(folder, &["--no-control"]);
    let key = format!("sk-prx-abcdefghijkl-{}", "x".repeat(32));
    let request = chat("one:m").header("x-api-key", key);
    assert_eq!(crate::kit::client::h1::exchange(run.addr(), &request).status, 401);
}
