use std::path::Path;

use clap::Parser;

use super::{MeshTarget, Options, OptionsError, Remote};
use crate::gateway::istio_host;
use crate::native::render::Form;

#[derive(Parser)]
struct Line {
    #[command(flatten)]
    options: Options,
}

fn options(arguments: &[&str]) -> Options {
    Line::try_parse_from([&["gaud"], arguments].concat()).expect("good options").options
}

fn refused(arguments: &[&str]) -> String {
    let error = Line::try_parse_from([&["gaud"], arguments].concat()).err().expect("a refusal");
    error.to_string().lines().next().unwrap_or_default().to_owned()
}

const SHA256: &str = "4355a46b19d348dc2f57c046f8ef63d4538ebb936000f3c9ee954a27460dd865";

fn remote(wasm: &str, sha256: Option<&str>) -> Result<Option<Remote>, OptionsError> {
    let flag: Vec<_> = sha256.iter().flat_map(|digits| ["--wasm-sha256", digits]).collect();
    Remote::of(Some(Path::new(wasm)), &options(&flag))
}

#[test]
fn a_module_by_url_is_pinned() {
    assert_eq!(remote("/etc/gaud/gaud.wasm", None), Ok(None));
    assert!(matches!(remote("https://a/gaud.wasm", Some(SHA256)), Ok(Some(_))));
    assert!(matches!(remote(&format!("oci://a/gaud@sha256:{SHA256}"), None), Ok(Some(_))));
    for (wasm, sha256, why) in [
        ("https://a/gaud.wasm", None, OptionsError::NoSha256),
        ("oci://a/gaud:1", None, OptionsError::NoDigest),
        ("oci://a/gaud@sha256:1", Some(SHA256), OptionsError::NeedlessSha256),
        ("/gaud.wasm", Some(SHA256), OptionsError::NeedlessSha256),
        ("s3://a/gaud.wasm", None, OptionsError::Scheme),
    ] {
        assert_eq!(remote(wasm, sha256), Err(why), "{wasm}");
    }
}

#[test]
fn options_of_a_mesh_are_of_istio_alone() {
    assert_eq!(Form::Envoy.check_options(&options(&[])), Ok(()));
    assert_eq!(Form::Istio.check_options(&options(&["--host", "a:80"])), Ok(()));
    for arguments in [
        ["--host", "a:80"],
        ["--place", "sidecar"],
        ["--workload", "a=b"],
        ["--wasm-sha256", SHA256],
    ] {
        assert_eq!(Form::Filter.check_options(&options(&arguments)), Err(OptionsError::NotIstio));
    }
}

#[test]
fn a_gateways_host_is_its_owners() {
    assert!(MeshTarget::of(&options(&[]), &[]).is_ok());
    let gateway = options(&["--place", "gateway"]);
    assert_eq!(MeshTarget::of(&gateway, &[]).err(), Some(OptionsError::NoHost));
}

#[test]
fn values_that_are_none_say_what_would_be_one() {
    for (arguments, why) in [
        (
            ["--host", "gaud"],
            "error: invalid value 'gaud' for '--host <HOST:PORT>': write a host and its port, as \
             gaud.default.svc.cluster.local:80",
        ),
        (
            ["--workload", "chat"],
            "error: invalid value 'chat' for '--workload <LABEL=VALUE>': write a label and its value, as app=chat",
        ),
        (
            ["--wasm-sha256", "4355"],
            "error: invalid value '4355' for '--wasm-sha256 <HEX>': write the 64 hexadecimal digits that `sha256sum \
             gaud.wasm` prints",
        ),
    ] {
        assert_eq!(refused(&arguments), why);
    }
    for host in ["a:0", ":80", "a b:80", "a\":80", "a:65536"] {
        assert!(refused(&["--host", host]).starts_with("error: invalid value"), "{host}");
    }
}

#[test]
fn a_refusal_says_the_remedy() {
    for (refusal, says) in [
        (
            OptionsError::NotIstio,
            "--place, --host, --workload and --wasm-sha256 go with --for istio; leave them out, or add it",
        ),
        (
            OptionsError::UrlNotIstio,
            "--wasm: only Istio fetches the filter by a URL; name a file, or add --for istio",
        ),
        (
            OptionsError::NoHost,
            "--place gateway needs the --host that clients call, with the Gateway's port, as llm.example.com:443",
        ),
        (
            OptionsError::NoSha256,
            "--wasm by https:// needs --wasm-sha256, the digits that `sha256sum gaud.wasm` prints",
        ),
        (
            OptionsError::NeedlessSha256,
            "--wasm-sha256 goes with --wasm by https://; an image is named by its digest, and a file is as it is",
        ),
        (
            OptionsError::Scheme,
            "--wasm: Istio's agent fetches https:// and oci:// URLs; name one, or a file",
        ),
        (
            OptionsError::NoDigest,
            "--wasm by oci:// needs the image's digest, as oci://registry.example.com/gaud@sha256:…; a tag may move",
        ),
    ] {
        assert_eq!(refusal.to_string(), says);
    }
}

#[test]
fn a_clusters_name_tells_its_service() {
    let found = istio_host("outbound|4000||litellm.default.svc.cluster.local");
    assert_eq!(found, Some("litellm.default.svc.cluster.local"));
    assert_eq!(istio_host("outbound|4000|v1|litellm"), Some("litellm"));
    assert_eq!(istio_host("PassthroughCluster"), None);
}
