//! What `gaud render` prints in each of its forms, and what it rejects.

use std::process::{Command, Output};

/// Renders `toml` as `gaud.toml`, with no environment at all.
fn render(form: &str, toml: &str) -> Output {
    render_with(form, &["--wasm", "/etc/envoy/gaud.wasm"], toml)
}

fn render_with(form: &str, arguments: &[&str], toml: &str) -> Output {
    let certificates = [("SSL_CERT_FILE", "/etc/ssl/certs/ca-certificates.crt")];
    super::gaud(Some(toml), &certificates, &[&["render", "--for", form], arguments].concat())
}

#[track_caller]
fn rendered(form: &str, toml: &str) -> String {
    let Output { status, stdout, stderr } = render(form, toml);
    assert!(status.success(), "{form}: {}", String::from_utf8_lossy(&stderr));
    String::from_utf8(stdout).unwrap()
}

#[track_caller]
fn refused(form: &str, toml: &str, message: &str) {
    let Output { status, stdout, stderr } = render(form, toml);
    assert_eq!(String::from_utf8_lossy(&stderr), format!("gaud: {message}\n"), "{form}");
    assert_eq!((status.code(), stdout.len()), (Some(1), 0), "{form}");
}

/// The comments before the first section, without the two that every rendering begins with.
fn notes(rendered: &str) -> Vec<&str> {
    let lines = rendered.lines().take_while(|line| line.starts_with('#')).skip(2);
    lines.map(|line| line.trim_start_matches('#').trim_start()).collect()
}

const P: &str = "[providers.p]\nurl = \"http://h\"\n";

#[test]
fn a_whole_configuration_needs_a_url_for_each_provider() {
    refused(
        "envoy",
        &format!("{P}[providers.mesh]\ncluster = \"outbound|1||h\"\n"),
        "gaud.toml:4: providers.mesh.cluster: is \"outbound|1||h\", which an Envoy with this configuration alone \
         would not have; write a url in its place, or render for the Envoy that has it: `gaud render --for filter`, \
         istio or envoy-gateway",
    );
    // Another name for the server of p, which is there.
    let same = format!("{P}[providers.same]\ncluster = \"p\"\n");
    rendered("envoy", &same);
    assert!(!rendered("filter", &same).contains("clusters already, by"));
}

/// A person merges the sections by hand.
#[test]
fn the_sections_for_an_envoy_of_yours_stay_short() {
    const LINES_MAX: usize = 410;
    const BYTES_MAX: usize = 48 * 1024;
    let chain = "[[fallbacks]]\nmodel = \"gpt-4o\"\nto = [\"acme:acme-large\"]\n";
    let toml = format!(
        "default_provider = \"litellm\"\n\n[providers.litellm]\nurl = \"http://localhost:4000\"\n\
         api_key = \"os.environ/LITELLM_MASTER_KEY\"\n\n[providers.acme]\nurl = \"http://localhost:4001\"\n\
         api_key = \"os.environ/ACME_KEY\"\nmatch = [\"acme-*\"]\n\n[aliases]\nfast = \"litellm:gpt-4o-mini\"\n\n{chain}"
    );
    let text = rendered("filter", &toml);
    let (lines, bytes) = (text.lines().count(), text.len());
    assert!(lines <= LINES_MAX && bytes <= BYTES_MAX, "{lines} lines, {bytes} bytes");
    for written_once in [
        "mappers: &local_replies",
        "value: &configuration",
        "\"default_provider\"",
        "The HTTP request cannot be read.\"}",
    ] {
        assert_eq!(text.matches(written_once).count(), 1, "{written_once}");
    }
}

/// What a gateway does not use costs it nothing.
#[test]
fn the_filter_gets_the_windows_of_the_vendors_that_it_reaches() {
    let litellm = "[providers.litellm]\nurl = \"http://localhost:4000\"\n";
    assert!(!rendered("filter", litellm).contains("windows"));
    let text = rendered("filter", &format!("{litellm}models = [\"gpt-4o-mini\"]\n"));
    assert!(
        text.contains("\"windows\": \"16000 gpt-4o-mini-transcribe 128000 gpt-4o-mini\""),
        "{text}"
    );
    let text = rendered("filter", "[providers.p]\nurl = \"https://api.anthropic.com/v1\"\n");
    assert!(text.contains("\"windows\": \"200000 claude-haiku-4-5 "), "{text}");
    // The command makes the lists.
    refused(
        "filter",
        &format!("{P}windows = \"5 gpt-4o\"\n"),
        "gaud.toml:3: providers.p.windows: is not a setting; there are: url, cluster, api_key, auth, headers, \
         pass_headers, namespaces, match, models, paths, api_path, api_query, discover_models, timeout_secs, \
         first_token_secs, idle_secs, rpm, max_parallel_requests, health_path, ca_file, idle_connection_secs, http2, \
         websocket_responses, include_usage, breaker",
    );
}

#[test]
fn secrets_may_be_absent_where_envoy_runs_elsewhere() {
    for (form, auth) in [("filter", "bearer"), ("istio", "x-api-key"), ("envoy-gateway", "basic")] {
        let toml = format!("{P}auth = \"{auth}\"\napi_key = \"os.environ/KEY\"\n");
        let text = rendered(form, &toml);
        let there = ["host_env_keys: [\"KEY\"]", "- { name: \"KEY\", valueFrom"];
        assert!(there.iter().any(|line| text.contains(line)), "{text}");
        assert!(!text.contains("user:password"), "{text}");
    }
    let missing = "gaud.toml:3: providers.p.api_key: the environment variable KEY is not set; set it where gaud \
                   starts, as in: export KEY=...";
    refused("envoy", &format!("{P}api_key = \"os.environ/KEY\""), missing);
    // No shell can set it, and no list of names could hold it.
    refused(
        "filter",
        &format!("{P}api_key = \"os.environ/KEY: x\""),
        "gaud.toml:3: providers.p.api_key: names no variable: after \"os.environ/\" write a name of letters, digits and '_'",
    );
}

#[test]
fn the_sections_begin_with_what_envoy_needs() {
    let text = rendered(
        "filter",
        "listen = \"127.0.0.1:1\"\nadmin_listen = \"127.0.0.1:2\"\nworkers = 2\n\
         [providers.env]\nurl = \"https://h\"\nca_file = \"/ca.pem\"\napi_key = \"os.environ/KEY\"\n\
         [providers.file]\nurl = \"https://h\"\napi_key = \"sk-written\"\n\
         [providers.url]\nurl = \"http://user:sk-password@h\"\n\
         [providers.mesh]\ncluster = \"outbound|1||h\"\n",
    );
    assert_eq!(
        notes(&text),
        [
            "",
            "Envoy needs these variables in its environment; this file does not have their values:",
            "KEY",
            "GAUD_FILE_API_KEY: the key of file, which the configuration writes out",
            "GAUD_URL_API_KEY: user and password of url, which the configuration writes out",
            "",
            "Envoy needs these files, where it runs:",
            "\"/etc/envoy/gaud.wasm\": the filter",
            "\"/ca.pem\": certificate authorities",
            "\"/etc/ssl/certs/ca-certificates.crt\": certificate authorities",
            "",
            "Envoy must have these clusters already, by `cluster` of the providers:",
            "outbound|1||h, of mesh",
            "Their endpoints' hostname becomes the request's host; without one the client's host stays.",
            "",
            "Not used, for your Envoy has its own: listen, admin_listen, workers.",
        ]
    );
    assert!(!text.contains("sk-"), "{text}");
    // What is not there is not spoken of.
    let few = rendered("filter", "[providers.p]\ncluster = \"c\"\n");
    assert!(
        !few.contains("variables") && !few.contains("Not used") && !few.contains("\nclusters:"),
        "{few}"
    );
}

#[test]
fn a_whole_configuration_begins_with_what_envoy_needs() {
    let text = rendered("envoy", &format!("workers = 2\n{P}api_key = \"sk-written\"\n"));
    let notes: Vec<_> = text.lines().take_while(|line| line.starts_with('#')).collect();
    assert_eq!(
        notes,
        [
            "# Envoy 1.40.0 with Gaud inside, rendered by `gaud render` from gaud.toml.",
            "#",
            "# Envoy needs these variables in its environment; this file does not have their values:",
            "#   GAUD_P_API_KEY: the key of p, which the configuration writes out",
            "#",
            "# Start Envoy with `--concurrency 2`: a configuration cannot set the number of workers.",
        ]
    );
}

#[test]
fn envoy_gateways_resources_begin_with_what_they_need() {
    let text = rendered(
        "envoy-gateway",
        "listen = \"127.0.0.1:1\"\nadmin_listen = \"127.0.0.1:2\"\nworkers = 2\n\
         [providers.env]\nurl = \"https://h\"\napi_key = \"os.environ/KEY\"\n\
         [providers.file]\nurl = \"http://h\"\napi_key = \"sk-written\"\n\
         [providers.own]\ncluster = \"httproute/n/r/rule/0\"\n",
    );
    assert_eq!(
        notes(&text),
        [
            "Envoy Gateway must take patches, `extensionApis: { enableEnvoyPatchPolicy: true }` in \
             its own configuration, and keep its",
            "names, without the runtime flag XDSNameSchemeV2. It starts its Envoys in the namespace \
             envoy-gateway-system, which must have:",
            "the filter    kubectl -n envoy-gateway-system create configmap gaud --from-file=gaud.wasm",
            "the secrets   kubectl -n envoy-gateway-system create secret generic gaud \
             --from-literal=KEY=… --from-literal=GAUD_FILE_API_KEY=…",
            "GAUD_FILE_API_KEY is the key of file, which the configuration writes out",
            "",
            "Envoy needs these files, where it runs:",
            "\"/etc/envoy/gaud.wasm\": the filter",
            "\"/etc/ssl/certs/ca-certificates.crt\": certificate authorities",
            "",
            "Envoy must have these clusters already, by `cluster` of the providers:",
            "httproute/n/r/rule/0, of own",
            "Their endpoints' hostname becomes the request's host; without one the client's host stays.",
            "A route of yours to a Backend has a cluster: the first rule of the HTTPRoute ROUTE is \
             \"httproute/NAMESPACE/ROUTE/rule/0\".",
            "",
            "Not used:",
            "listen: the Gateway says where clients connect",
            "admin_listen: Envoy Gateway has the admin interface at 127.0.0.1:19000 of the pod",
            "",
            "What Envoy Gateway's own resources can say, they say; the rest is patched.",
        ]
    );
    assert!(text.contains("  concurrency: 2\n") && !text.contains("sk-"), "{text}");
}

#[test]
fn a_pod_gets_the_filter_in_a_folder() {
    for module in ["gaud.wasm", "etc/gaud.wasm", "/gaud.wasm"] {
        let refused = render_with("envoy-gateway", &["--wasm", module], P);
        let message = format!(
            "gaud: --wasm {module}: a pod gets the filter as a file in a folder of its own; name it \
             by its whole path, as /etc/gaud/gaud.wasm\n"
        );
        assert_eq!(String::from_utf8_lossy(&refused.stderr), message);
        assert_eq!((refused.status.code(), refused.stdout.len()), (Some(1), 0));
    }
    let itself = render_with("envoy-gateway", &[], P);
    assert!(String::from_utf8_lossy(&itself.stdout).contains("filename: \"/etc/gaud/gaud.wasm\""));
}

#[test]
fn a_reader_that_stops_early_causes_no_error() {
    let folder = tempfile::tempdir().unwrap();
    // Longer than what a pipe holds without a reader.
    let toml: String =
        (0..200).map(|number| format!("[providers.p{number}]\nurl = \"http://h\"\n")).collect();
    assert!(rendered("envoy", &toml).len() > 100_000);
    std::fs::write(folder.path().join("gaud.toml"), toml).unwrap();
    let mut child = Command::new(env!("CARGO_BIN_EXE_gaud"))
        .args(["render", "--wasm", "x"])
        .current_dir(folder.path())
        .env_clear()
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let Output { status, stderr, .. } = child.wait_with_output().unwrap();
    assert_eq!(String::from_utf8_lossy(&stderr), "");
    assert!(status.success());
}

/// Else Envoy would end a stream before its provider's deadline has passed.
#[test]
fn envoy_waits_at_least_as_long_as_every_deadline() {
    for (deadline, expected) in [
        ("", 300),
        ("timeout_secs = 299\n", 300),
        ("timeout_secs = 900\n", 900),
        ("first_token_secs = 700\n", 700),
        ("idle_secs = 301\n", 301),
        ("idle_secs = 60\nfirst_token_secs = 60\n", 300),
    ] {
        let toml = format!("{P}{deadline}[retries]\nmax = 1\n");
        let text = rendered("envoy", &toml);
        let times = |secs: u64| text.matches(&format!(" idle_timeout: {secs}s\n")).count();
        assert_eq!((times(expected), times(expected + 5)), (1, 3), "{deadline}");
    }
}
