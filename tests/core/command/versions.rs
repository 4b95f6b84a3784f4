//! `--envoy-version`: what is rendered for which Envoy, and what is refused.

use super::text;
use std::process::Output;

/// Needs the hop, and with it two filters of different capabilities.
const CONFIG: &str = "\
[providers.p]
url = \"http://h\"
api_key = \"k\"
[retries]
max = 1
";

fn gaud(arguments: &[&str]) -> Output {
    super::gaud(Some(CONFIG), &[], arguments)
}

fn rendered(version: &[&str]) -> String {
    let output = gaud(&[&["render", "--wasm", "gaud.wasm"], version].concat());
    assert_eq!(text(&output.stderr), "");
    text(&output.stdout).to_owned()
}

#[test]
fn capabilities_are_rendered_where_the_version_reads_them() {
    let older = rendered(&["--envoy-version", "1.39"]);
    let newer = rendered(&["--envoy-version", "1.40.0"]);
    assert!(older.starts_with("# Envoy 1.39 with Gaud inside"), "{older}");
    assert!(newer.starts_with("# Envoy 1.40.0 with Gaud inside"), "{newer}");
    assert_eq!(newer, rendered(&[]), "what is pinned is what is rendered for");
    let count = |yaml: &str, line: &str| yaml.lines().filter(|other| *other == line).count();
    let beside = "                capability_restriction_config:";
    let within = &format!("  {beside}");
    assert_eq!((count(&older, beside), count(&older, within)), (3, 0));
    assert_eq!((count(&newer, beside), count(&newer, within)), (0, 3));
    for name in ["gaud", "gaud_attempt", "gaud_ends"] {
        let own_vm = format!(
            "                  configuration: {{ \"@type\": type.googleapis.com/google.protobuf.StringValue, \
             value: {name} }}"
        );
        assert_eq!((count(&older, &own_vm), count(&newer, &own_vm)), (1, 0));
    }
    let rest = |yaml: &str| {
        let kept =
            |line: &&str| !line.contains("StringValue, value: ") && !line.starts_with("# Envoy 1");
        let lines: Vec<_> = yaml.lines().map(str::trim).filter(kept).map(str::to_owned).collect();
        let comment = "# Gives the module a VM of its own, with its own capabilities; what the VMs share goes by the vm_id.";
        lines.into_iter().filter(|line| line != comment).collect::<Vec<_>>()
    };
    assert_eq!(rest(&older), rest(&newer), "nothing else differs");
}

/// A body that was held counts twice before 1.38.
#[test]
fn a_body_up_to_the_limit_is_kept_by_every_version() {
    let limit = |version: &str| {
        let yaml =
            text(&gaud(&["render", "--wasm", "w", "--envoy-version", version]).stdout).to_owned();
        let line =
            yaml.lines().find_map(|line| line.trim().strip_prefix("request_body_buffer_limit: "));
        line.unwrap().parse::<u64>().unwrap()
    };
    for (version, times) in [("1.36", 2), ("1.37.0", 2), ("1.38", 1), ("1.40.0", 1)] {
        assert_eq!(limit(version), times * 33_554_432, "{version}");
    }
}

#[test]
fn http2_in_1_36_produces_a_warning() {
    let warning = "gaud: warning: Envoy 1.36 ends HTTP/2 streams that break off with NO_ERROR, which some clients and \
                   servers take for a proper end; 1.37 and newer do not";
    let output = gaud(&["check", "--envoy-version", "1.36"]);
    assert_eq!(text(&output.stderr), warning);
}

#[test]
fn every_command_rejects_a_version_that_is_too_old() {
    for command in ["check", "render", "run"] {
        let output = gaud(&[command, "--envoy-version", "1.35.3"]);
        let reason = "the gateway does not run in Envoy 1.35.3; take 1.36 or newer";
        assert!(text(&output.stderr).contains(reason), "{command}: {}", text(&output.stderr));
        assert_eq!((output.status.code(), text(&output.stdout)), (Some(2), ""), "{command}");
    }
}

#[test]
fn an_untested_version_produces_a_warning() {
    let warning = "gaud: warning: Envoy 1.99 is newer than any that the gateway is tested in; the newest is 1.40.0";
    for command in [&["check"] as &[_], &["render", "--wasm", "gaud.wasm"]] {
        let output = gaud(&[command, &["--envoy-version", "1.99"]].concat());
        assert_eq!(text(&output.stderr), warning);
        assert!(output.status.success());
    }
}

#[test]
fn tested_versions_are_accepted() {
    for version in include_str!("../../../.envoy-versions").lines() {
        let output = gaud(&["check", "--envoy-version", version]);
        let warned = text(&output.stderr).lines().count();
        assert_eq!(warned, usize::from(version.starts_with("1.36.")), "{version}");
        assert_eq!(text(&output.stdout), "gaud.toml: good; providers: p");
    }
}
