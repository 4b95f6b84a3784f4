//! Good and bad configurations through `gaud check`, each bad one with its exact message.

use super::{gaud, text};
use std::process::Command;

#[track_caller]
fn good(toml: &str, env: &[(&str, &str)], providers: &str) {
    let output = gaud(Some(toml), env, &["check"]);
    assert_eq!(text(&output.stderr), "");
    assert_eq!(text(&output.stdout), format!("gaud.toml: good; providers: {providers}"));
    assert!(output.status.success());
}

#[track_caller]
fn bad_with(toml: &str, env: &[(&str, &str)], message: &str) {
    let output = gaud(Some(toml), env, &["check"]);
    assert_eq!(text(&output.stderr), format!("gaud: {message}"));
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(text(&output.stdout), "");
}

#[track_caller]
fn bad(toml: &str, message: &str) {
    bad_with(toml, &[], message);
}

/// Where a model goes, as `gaud route` says it.
#[track_caller]
fn route(toml: &str, env: &[(&str, &str)], model: &str) -> String {
    let output = gaud(Some(toml), env, &["route", model]);
    let said = if output.status.success() { &output.stdout } else { &output.stderr };
    text(said).to_owned()
}

const P: &str = "[providers.p]\nurl = \"http://h\"\n";

#[test]
fn the_full_example_is_valid() {
    let env = [("ANTHROPIC_API_KEY", "sk-ant")];
    good(include_str!("full.toml"), &env, "litellm, claude, kiro, mesh");
    good(P, &[], "p");
}

#[test]
fn a_file_that_cannot_be_read_has_a_reason_and_a_remedy() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("latin1.toml"), b"default_provider = \"\xe9\"").unwrap();
    std::fs::create_dir(folder.path().join("folder")).unwrap();
    for (name, problem) in [
        ("none.toml", "it is not there; write it, or name another with --config"),
        (
            "folder",
            "it is a folder, not a file; name the file in it, as in --config FOLDER/gaud.toml",
        ),
        ("latin1.toml", "it is not a text in UTF-8; save it as UTF-8"),
    ] {
        let file = folder.path().join(name).display().to_string();
        let output = gaud(None, &[], &["check", "--config", &file]);
        assert_eq!(text(&output.stderr), format!("gaud: {file}: cannot be read: {problem}"));
        assert_eq!(output.status.code(), Some(1));
    }
}

/// Root may read every file, so the tests' user may be another only where it gives that up.
#[cfg(target_os = "linux")]
#[test]
fn a_file_of_another_user_has_a_remedy() {
    use std::os::unix::fs::PermissionsExt;
    use std::os::unix::process::CommandExt;

    let folder = tempfile::tempdir().unwrap();
    let open = std::fs::Permissions::from_mode(0o755);
    std::fs::set_permissions(folder.path(), open).unwrap();
    let file = folder.path().join("gaud.toml");
    std::fs::write(&file, P).unwrap();
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o000)).unwrap();
    // The command may be in a folder of root's alone.
    let command = folder.path().join("gaud");
    std::fs::copy(env!("CARGO_BIN_EXE_gaud"), &command).unwrap();
    let mut check = Command::new(command);
    check.args(["check", "--config"]).arg(&file);
    if std::fs::read(&file).is_ok() {
        const NOBODY: u32 = 65534;
        check.uid(NOBODY);
    }
    let output = check.output().unwrap();
    let problem = "cannot be read: this user may not; let this user read it (chown, chmod), or run gaud as its owner";
    assert_eq!(text(&output.stderr), format!("gaud: {}: {problem}", file.display()));
}

#[test]
fn invalid_toml_is_reported_with_its_line() {
    bad("a = 1\nb = [", "gaud.toml:2: a list has no end; write its closing `]`");
    bad(
        "[providers.p]\nurl = \"http://h\"\n[providers.p]\n",
        "gaud.toml:3: providers.p: is written twice, first on line 1; put both into one",
    );
}

#[test]
fn unknown_settings_and_wrong_types_name_their_path() {
    bad(
        "[providers.p]\nurll = \"http://h\"",
        "gaud.toml:2: providers.p.urll: is not a setting; did you mean `url`?",
    );
    bad(
        "[providers.p]\nurl = \"http://h\"\n[breaker]\nfailurs = 3",
        "gaud.toml:4: breaker.failurs: is not a setting; did you mean `failures`?",
    );
    bad(
        "[providers.p]\nurl = \"http://h\"\nmatch = \"x\"",
        "gaud.toml:3: providers.p.match: is a text; write a list in brackets, as in match = [\"a\", \"b\"]",
    );
    bad(
        "[providers.p]\nurl = \"http://h\"\nauth = \"token\"",
        "gaud.toml:3: providers.p.auth: must be one of \"bearer\", \"x-api-key\", \"api-key\", \"x-goog-api-key\", \"basic\", \
         \"none\", \"passthrough\"",
    );
    bad(
        &format!("workers = -1\n{P}"),
        "gaud.toml:1: workers: is -1; write a whole number from 0 up, without quotes",
    );
}

#[test]
fn a_chain_must_lead_to_another_target() {
    let with = |chain: &str| {
        format!(
            "default_provider = \"p\"\n[providers.p]\nurl = \"http://h\"\n[providers.q]\n\
             url = \"http://h\"\napi_key = \"k\"\n[[fallbacks]]\n{chain}\n"
        )
    };
    good(&with("model = \"gpt-4o\"\nto = [\"gpt-4o-mini\", \"q:x\"]"), &[], "p, q");
    good(&with("model = \"gpt-*\"\nto = [\"q:x\"]"), &[], "p, q");
    for (chain, line, problem) in [
        ("model = \"m\"\nto = []", 9, "fallbacks[0].to: has 0 models; write 1 to 8"),
        (
            "model = \"m\"\nto = [\"m\"]",
            9,
            "fallbacks[0].to[0]: \"m\" would follow itself; name another model",
        ),
        (
            "model = \"m\"\nto = [\"q:x\", \"q:x\"]",
            9,
            "fallbacks[0].to[1]: \"q:x\" is in this chain already; take one out",
        ),
        (
            "model = \"m\"\nto = [\"q:\"]",
            9,
            "fallbacks[0].to[0]: \"q:\" names no model after its namespace",
        ),
        (
            "model = \"q:m\"\nto = [\"x\"]",
            9,
            "fallbacks[0].to[0]: goes to p, which has no credential of its own, and would get the \
             client's for another provider; set providers.p.api_key, or auth = \"none\"",
        ),
        (
            "model = \"m\"\nto = [\"q:x\"]\n[[fallbacks]]\nmodel = \"m\"\nto = [\"q:y\"]",
            11,
            "fallbacks[1].model: \"m\" has a chain already; put both into one",
        ),
        ("model = \"\"\nto = [\"q:x\"]", 8, "fallbacks[0].model: is empty"),
    ] {
        bad(&with(chain), &format!("gaud.toml:{line}: {problem}"));
    }
    bad(
        "[providers.p]\nurl = \"http://h\"\n[[fallbacks]]\nmodel = \"m\"\nto = [\"other:m\"]",
        "gaud.toml:5: fallbacks[0].to[0]: no provider takes \"other:m\"; begin it with a \
         provider's namespace",
    );
}

#[test]
fn retry_settings_have_bounds() {
    let with = |line: &str| format!("[providers.p]\nurl = \"http://h\"\n[retries]\n{line}\n");
    good(&with("max = 0\non = [\"5xx\", \"429\", \"connection\", \"timeout\"]"), &[], "p");
    for (line, problem) in [
        ("max = 6", "max: is 6; write 0 to 5"),
        ("backoff_ms = 1", "backoff_ms: is 1; write 10 to 60000"),
        ("retry_after_max_secs = 0", "retry_after_max_secs: is 0; write 1 to 300"),
        (
            "on = [\"4xx\"]",
            "on[0]: must be one of \"5xx\", \"429\", \"connection\", \"timeout\"; did you mean \"5xx\"?",
        ),
    ] {
        bad(&with(line), &format!("gaud.toml:4: retries.{problem}"));
    }
}

#[test]
fn a_providers_headers_are_checked() {
    let with = |headers: &str| {
        format!("[providers.p]\nurl = \"http://h\"\n[providers.p.headers]\n{headers}\n")
    };
    good(&with("x-a = \"b c\"\nx-b = \"os.environ/KEY\""), &[("KEY", "sk")], "p");
    for (headers, problem) in [
        (
            "X-A = \"b\"",
            "X-A: is not a header's name; write lower-case letters, digits, '-', '_' and '.'",
        ),
        ("host = \"b\"", "host: belongs to HTTP itself, and Envoy sets it"),
        (
            "x-gaud-cluster = \"b\"",
            "x-gaud-cluster: is a name by which the gateway speaks to Envoy; choose another",
        ),
        (
            "x-a = \"b\\r\\nc: d\"",
            "x-a: must be visible ASCII characters, without spaces at the ends",
        ),
        (
            "x-api-key = \"sk\"",
            "x-api-key: is written out, and Envoy's config dump would show it; write \
             \"os.environ/NAME\" and set that variable in Envoy's environment",
        ),
    ] {
        bad(&with(headers), &format!("gaud.toml:4: providers.p.headers.{problem}"));
    }
    let passing = |settings: &str| format!("[providers.p]\nurl = \"http://h\"\n{settings}\n");
    let names = |names: &str| passing(&format!("api_key = \"k\"\npass_headers = {names}"));
    good(&names("[\"openai-organization\", \"cookie\"]"), &[], "p");
    for (toml, line, problem) in [
        (
            names("[\"a\", \"Cookie\"]"),
            4,
            "[1]: is not a header's name; write lower-case letters, digits, '-', '_' and '.'",
        ),
        (names("[\"authorization\"]"), 4, "[0]: is how api_key is sent; take it out"),
        (
            names("[\"x-http-method-override\"]"),
            4,
            "[0]: could turn the request into another one; take it out",
        ),
        (
            passing("pass_headers = [\"cookie\"]"),
            3,
            "[0]: has no effect: without api_key all of the client's headers pass; take it out",
        ),
    ] {
        bad(&toml, &format!("gaud.toml:{line}: providers.p.pass_headers{problem}"));
    }
    let twice = "[providers.p]\nurl = \"http://h\"\napi_key = \"k\"\n[providers.p.headers]\n\
                 authorization = \"os.environ/KEY\"";
    bad(
        twice,
        "gaud.toml:5: providers.p.headers.authorization: is how api_key is sent already; take one of \
         the two out",
    );
}

#[test]
fn invalid_addresses_and_limits_say_what_is_valid() {
    let with = |line: &str| format!("{line}\n{P}");
    bad(
        &with("listen = \"localhost:8400\""),
        "gaud.toml:1: listen: must be an IP address and a port, as in \"127.0.0.1:8400\"",
    );
    bad(
        &with("admin_listen = \":9901\""),
        "gaud.toml:1: admin_listen: must be an IP address and a port, as in \"127.0.0.1:9901\"",
    );
    bad(&with("workers = 0"), "gaud.toml:1: workers: is 0; write 1 to 1024");
    bad(
        &with("discover_interval_secs = 0"),
        "gaud.toml:1: discover_interval_secs: is 0; write 1 to 86400",
    );
    for secs in [0, 3601] {
        bad(
            &with(&format!("health_interval_secs = {secs}")),
            &format!("gaud.toml:1: health_interval_secs: is {secs}; write 1 to 3600"),
        );
    }
    bad(
        &with("body_limit_bytes = 1"),
        "gaud.toml:1: body_limit_bytes: is 1; write 1024 to 134217728",
    );
    bad(
        &with("base_paths = [\"\", \"api/\"]"),
        "gaud.toml:1: base_paths[1]: must be \"\" or begin with '/' and not end with one, as in \
         \"/api/litellm\"",
    );
    bad(
        &with("list_names = \"long\""),
        "gaud.toml:1: list_names: is \"long\"; write \"namespaced\", \"short\" or \"both\"",
    );
}

#[test]
fn incomplete_providers_are_rejected() {
    bad(
        "",
        "gaud.toml: providers: are missing; add one, as in [providers.litellm] with url = \
         \"http://localhost:4000\"",
    );
    bad(
        "[providers.p]\nmodels = []",
        "gaud.toml:1: providers.p: needs a url, as in url = \"https://api.openai.com/v1\"",
    );
    bad(
        "[providers.p]\nurl = \"http://h\"\ncluster = \"c\"",
        "gaud.toml:3: providers.p.cluster: cannot be set together with url; keep one of the two: url for a server \
         that gaud is to reach itself, cluster for one that Envoy knows already",
    );
    bad(
        "[providers.p]\nurl = \"localhost:4000\"",
        "gaud.toml:2: providers.p.url: must begin with http:// or https://, as in \
         \"https://api.openai.com/v1\"",
    );
    bad(
        "[providers.\"a b\"]\nurl = \"http://h\"",
        "gaud.toml:1: providers.a b: a provider's name is 1 to 64 letters, digits, '-' and '_'",
    );
    bad(
        "[providers.p]\ncluster = \"a b\"",
        "gaud.toml:2: providers.p.cluster: must be visible ASCII characters without spaces, quotes, '\\' \
         and '%'",
    );
    let hop = "is the name of a cluster of the gateway's own; choose another";
    bad(
        "[providers.p]\ncluster = \"gaud_attempts\"",
        &format!("gaud.toml:2: providers.p.cluster: {hop}"),
    );
    bad(
        "[providers.gaud_attempts]\nurl = \"http://h\"",
        &format!("gaud.toml:1: providers.gaud_attempts.cluster: {hop}"),
    );
    bad(
        &format!("{P}timeout_secs = 0"),
        "gaud.toml:3: providers.p.timeout_secs: is 0; write 1 to 86400",
    );
    bad(&format!("{P}ca_file = \"x\""), "gaud.toml:3: providers.p.ca_file: needs an https:// url");
    bad(
        "[providers.p]\ncluster = \"c\"\nhttp2 = true",
        "gaud.toml:3: providers.p.http2: belongs to the cluster that Envoy has already",
    );
    bad(
        &format!("default_provider = \"q\"\n{P}"),
        "gaud.toml:1: default_provider: \"q\" is not a provider; the providers are: p",
    );
}

#[test]
fn invalid_breakers_and_checks_are_rejected() {
    let breaker = |line: &str| format!("{P}[breaker]\n{line}");
    bad(&breaker("failures = 0"), "gaud.toml:4: breaker.failures: is 0; write 1 to 1000000");
    bad(
        &breaker("open_secs = 90000"),
        "gaud.toml:4: breaker.open_secs: is 90000; write 1 to 86400",
    );
    bad(
        &format!("{P}[providers.p.breaker]\nsuccesses = 0"),
        "gaud.toml:4: providers.p.breaker.successes: is 0; write 1 to 1000000",
    );
    bad(
        "[providers.litellm]\nurl = \"http://h\"\nhealth_path = \"/health\"",
        "gaud.toml:3: providers.litellm.health_path: makes LiteLLM call every model each time; \
         write \"/health/liveliness\"",
    );
    bad(
        &format!("{P}health_path = \"live\""),
        "gaud.toml:3: providers.p.health_path: must begin with '/', as in \"/health/liveliness\"",
    );
}

#[test]
fn invalid_credentials_are_rejected() {
    bad_with(
        &format!("{P}api_key = \"os.environ/KEY\""),
        &[("KEY", "a\nb")],
        "gaud.toml:3: providers.p.api_key: KEY holds line breaks, spaces at an end or non-ASCII \
         characters; no header can carry it",
    );
    bad(
        &format!("{P}auth = \"x-api-key\""),
        "gaud.toml:3: providers.p.auth: needs api_key = \"os.environ/NAME\"; name the variable that \
         holds the key",
    );
    bad(
        &format!("{P}auth = \"none\"\napi_key = \"k\""),
        "gaud.toml:4: providers.p.api_key: is never sent with this auth; take one of the two out",
    );
    bad(
        &format!("{P}auth = \"basic\"\napi_key = \"k\""),
        "gaud.toml:4: providers.p.api_key: must be user:password for auth = \"basic\"",
    );
    bad(
        "[providers.p]\nurl = \"http://u:p@h\"\napi_key = \"k\"",
        "gaud.toml:2: providers.p.url: has a user and password beside an api_key or auth, and a \
         request has room for one of them; take one out",
    );
    bad(
        "[providers.p]\nurl = \"http://u@h\"",
        "gaud.toml:2: providers.p.url: has a user without a password; write \
         http://user:password@host",
    );
    bad(
        "[providers.a-b]\nurl = \"http://h\"\napi_key = \"k\"\n[providers.a_b]\nurl = \"http://h\"\napi_key = \"l\"",
        "gaud.toml:6: providers.a_b.api_key: would share the variable GAUD_A_B_API_KEY with the key \
         of a-b; rename one of the two, or write \"os.environ/NAME\"",
    );
}

/// Who reads a configuration need not have its secrets: `gaud run` needs them.
#[test]
fn commands_that_start_nothing_need_no_secret() {
    let toml =
        format!("{P}api_key = \"os.environ/NOPE\"\nheaders = {{ x-org = \"os.environ/ALSO\" }}\n");
    let output = gaud(Some(&toml), &[], &["check"]);
    let good =
        "gaud.toml: good; providers: p\nnot set here, and needed where gaud starts: NOPE, ALSO";
    assert_eq!((text(&output.stdout), text(&output.stderr)), (good, ""));
    assert_eq!(route(&toml, &[], "p:m"), "p:m -> p: m (namespace \"p:\")");
    let output = gaud(Some(&toml), &[], &["models", "--address", "127.0.0.1:1"]);
    assert!(output.status.success());
    let output = gaud(Some(&toml), &[], &["status"]);
    assert!(!text(&output.stderr).contains("NOPE"), "{}", text(&output.stderr));
    let output = gaud(Some(&toml), &[], &["run"]);
    let unset = |line: usize, setting: &str, name: &str| {
        format!(
            "gaud: gaud.toml:{line}: providers.p.{setting}: the environment variable {name} is not set; set it where gaud \
             starts, as in: export {name}=..."
        )
    };
    let said = [unset(3, "api_key", "NOPE"), unset(4, "headers.x-org", "ALSO")].join("\n");
    assert_eq!(text(&output.stderr), said);
}

#[test]
fn invalid_routing_rules_are_rejected() {
    bad(
        &format!("{P}namespaces = [\"\"]"),
        "gaud.toml:3: providers.p.namespaces[0]: is empty and would claim every model; use \
         default_provider for that",
    );
    bad(
        &format!("{P}[providers.q]\nurl = \"http://h\"\nnamespaces = [\"q:\", \"p:\"]"),
        "gaud.toml:5: providers.q.namespaces[1]: \"p:\" belongs to the provider p already",
    );
    bad(
        &format!("{P}match = [\"\"]"),
        "gaud.toml:3: providers.p.match[0]: is empty; write a model's name, as in \"claude-*\"",
    );
    bad(
        &format!("{P}[aliases]\n\"gpt.4\" = \"nobody\""),
        "gaud.toml:4: aliases.gpt.4: no provider takes \"nobody\"; begin it with a provider's \
         namespace",
    );
    bad(
        &format!("{P}[aliases]\na = \"p:\""),
        "gaud.toml:4: aliases.a: \"p:\" names no model after its namespace",
    );
    bad(&format!("{P}[aliases]\na = \"\""), "gaud.toml:4: aliases.a: \"\" is empty");
    bad(
        &format!("{P}models = [\"a\", \"p:\"]"),
        "gaud.toml:3: providers.p.models[1]: \"p:\" names no model after its namespace",
    );
    bad(&format!("{P}models = [\"\"]"), "gaud.toml:3: providers.p.models[0]: \"\" is empty");
    bad(
        &format!("{P}models = [\"a\\n\"]"),
        "gaud.toml:3: providers.p.models[0]: \"a\\n\" has a control character",
    );
    let loops =
        "is an alias too, and an alias is replaced once; write the model that the alias means";
    bad(&format!("{P}[aliases]\na = \"a\""), &format!("gaud.toml:4: aliases.a: \"a\" {loops}"));
    let chain = format!("{P}[aliases]\nb = \"p:x\"\na = \"b\"");
    bad(&chain, &format!("gaud.toml:5: aliases.a: \"b\" {loops}"));
}

#[test]
fn the_environment_wins_over_the_file() {
    let file = "default_provider = \"litellm\"\n[providers.litellm]\nurl = \"http://h\"\n";
    let env = |name| [(name, "https://u:pw@other:1/x")];
    good(file, &env("GAUD_LITELLM_URL"), "litellm");
    let rendered = |env: &[(&str, &str)]| {
        let wasm = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");
        let output = gaud(Some(file), env, &["render", "--wasm", wasm]);
        assert_eq!(text(&output.stderr), "");
        text(&output.stdout).to_owned()
    };
    let yaml = rendered(&env("GAUD_LITELLM_URL"));
    assert!(yaml.contains("hostname: \"other:1\""), "{yaml}");
    assert!(yaml.contains("\"auth\": \"basic\""), "{yaml}");
    assert!(yaml.contains("\"os.environ/GAUD_LITELLM_API_KEY\""), "{yaml}");
    assert!(!yaml.contains("pw"), "{yaml}");
    // The last resort does not win over the file.
    assert!(rendered(&env("LITELLM_BASE_URL")).contains("hostname: \"h\""));
    assert!(rendered(&[("LITELLM_ENABLED", "true")]).contains("hostname: \"h\""));
    assert!(rendered(&[("LITELLM_API_KEY", "k")]).contains("\"os.environ/LITELLM_API_KEY\""));
    let disabled = [("LITELLM_API_KEY", "k"), ("LITELLM_ENABLED", "false")];
    assert!(!rendered(&disabled).contains("api_key"));
    assert!(rendered(&[("GAUD_LITELLM_TIMEOUT", "7")]).contains("\"timeout_secs\": 7"));
    assert!(rendered(&[("GAUD_LITELLM_DISCOVER", "yes")]).contains("\"discover_models\": true"));
    bad_with(
        file,
        &[("GAUD_LITELLM_TIMEOUT", "7s")],
        "GAUD_LITELLM_TIMEOUT: must be a number of seconds",
    );
    bad_with(
        file,
        &[("GAUD_LITELLM_DISCOVER", "ja")],
        "GAUD_LITELLM_DISCOVER: must be true or false",
    );
}

#[test]
fn the_environment_alone_is_a_configuration() {
    let run = |env: &[(&str, &str)]| {
        let folder = tempfile::tempdir().unwrap();
        let output = Command::new(env!("CARGO_BIN_EXE_gaud"))
            .args(["route", "gpt-4o"])
            .current_dir(folder.path())
            .env_clear()
            .envs(env.iter().copied())
            .output()
            .unwrap();
        let said = if output.status.success() { &output.stdout } else { &output.stderr };
        text(said).to_owned()
    };
    let expected = "gpt-4o -> litellm: gpt-4o (default_provider)";
    assert_eq!(run(&[("GAUD_LITELLM_URL", "http://h")]), expected);
    assert_eq!(run(&[("LITELLM_BASE_URL", "http://h")]), expected);
    assert_eq!(run(&[("LITELLM_ENABLED", "true")]), expected);
    let nothing = "gaud: there is no configuration: write a gaud.toml here, name one with --config, \
                   or set GAUD_LITELLM_URL, as in GAUD_LITELLM_URL=http://localhost:4000";
    assert_eq!(run(&[]), nothing);
    assert_eq!(run(&[("LITELLM_BASE_URL", "http://h"), ("LITELLM_ENABLED", "0")]), nothing);
}

#[test]
fn the_addresses_of_a_configuration_without_them_are_those_of_the_environment() {
    let folder = tempfile::tempdir().unwrap();
    let run = |listen: &str| {
        let env = [
            ("GAUD_LITELLM_URL", "http://h"),
            ("GAUD_LITELLM_API_KEY", "sk-1"),
            ("GAUD_LISTEN", listen),
        ];
        let output = Command::new(env!("CARGO_BIN_EXE_gaud"))
            .arg("check")
            .current_dir(folder.path())
            .env_clear()
            .envs(env)
            .output()
            .unwrap();
        text(&output.stderr).to_owned()
    };
    assert_eq!(run("127.0.0.1:9000"), "");
    let open = "listen: everyone who reaches 0.0.0.0:8400 can spend the credential of litellm; set mode = \"required\" in";
    assert!(run("0.0.0.0:8400").contains(open), "{}", run("0.0.0.0:8400"));
    let wrong = "GAUD_LISTEN: must be an IP address and a port, as in \"127.0.0.1:8400\"";
    assert!(run("8400").contains(wrong), "{}", run("8400"));
    // The file is the truth where it says an address.
    std::fs::write(folder.path().join("llm-proxy.toml"), "listen = \"127.0.0.1:8400\"\n").unwrap();
    assert_eq!(run("0.0.0.0:8400"), "");
    std::fs::remove_file(folder.path().join("llm-proxy.toml")).unwrap();
    std::fs::create_dir(folder.path().join("llm-proxy.toml")).unwrap();
    let folder_said = "llm-proxy.toml: is a folder, as Docker makes one where the file to mount does not exist; the settings are those of \
                       the environment alone";
    assert!(run("127.0.0.1:9000").contains(folder_said), "{}", run("127.0.0.1:9000"));
}

#[test]
fn models_follow_the_routing_rules() {
    let env = [("ANTHROPIC_API_KEY", "sk-ant")];
    let full = include_str!("full.toml");
    for (model, said) in [
        ("litellm:gpt-4o", "litellm:gpt-4o -> litellm: gpt-4o (namespace \"litellm:\")"),
        ("llama3.2:latest", "llama3.2:latest -> litellm: llama3.2:latest (default_provider)"),
        ("claude-sonnet-4", "claude-sonnet-4 -> claude: claude-sonnet-4 (match \"claude-*\")"),
        ("claude:claude-3", "claude:claude-3 -> claude: claude-3 (namespace \"claude:\")"),
        ("fast", "fast -> litellm: gpt-4o-mini (alias \"fast\", then namespace \"litellm:\")"),
        ("mesh:", "gaud: \"mesh:\" names no model after its namespace"),
        ("", "gaud: the model is empty"),
    ] {
        assert_eq!(route(full, &env, model), said);
    }
    let strict = full.replace("default_provider = \"litellm\"", "");
    assert_eq!(
        route(&strict, &env, "gpt-4o"),
        "gaud: no provider takes \"gpt-4o\"; begin it with a provider's namespace; did you mean \"litellm:gpt-4o\"?"
    );
}
