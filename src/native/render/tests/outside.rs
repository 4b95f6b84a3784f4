//! Spans, the access log, and the credentials that Envoy adds, for an Envoy whose configuration others keep.

use std::path::Path;

use serde_json::Value;

use super::{FORMS, Form, Source, yaml};

/// A provider for each way in which Envoy adds a credential, and a chain, which has the listener after the hop.
const PROVIDERS: &str = "default_provider = \"issued\"\n\
    [providers.issued]\nurl = \"http://models:1\"\nauth = { oauth2 = { token_url = \"http://issuer:2/token\", \
    client_id = \"gateway\", client_secret = \"a-secret\", scopes = [\"models\"] } }\n\
    [providers.rotated]\nurl = \"http://models:1\"\nauth = { token_file = \"/run/token\" }\n\
    [providers.signed]\nurl = \"http://bedrock:3\"\nauth = { aws = { service = \"bedrock\", region = \"eu-west-1\" } }\n\
    [[fallbacks]]\nmodel = \"chain\"\nto = [\"rotated:second\"]\n";

const TELEMETRY: &str = "[tracing]\notlp = \"http://collector:4318\"\nservice_name = \"edge\"\nsample_percent = 12.5\n\
    [access_log]\npath = \"/logs/access.log\"\n";

fn text(form: Form, toml: &str) -> String {
    yaml(form, toml, "gaud.toml", Path::new("/f/gaud.wasm")).expect("a good configuration")
}

fn documents(yaml: &str) -> Vec<Value> {
    let documents = serde_yaml_ng::Deserializer::from_str(yaml);
    documents.map(|one| serde::Deserialize::deserialize(one).unwrap()).collect()
}

/// All objects that `is_wanted`, at any depth.
fn all<'a>(value: &'a Value, is_wanted: &dyn Fn(&Value) -> bool) -> Vec<&'a Value> {
    let within: Vec<&Value> = match value {
        Value::Array(items) => items.iter().collect(),
        Value::Object(entries) => entries.values().collect(),
        _ => Vec::new(),
    };
    let own = (value.is_object() && is_wanted(value)).then_some(value);
    own.into_iter().chain(within.into_iter().flat_map(|value| all(value, is_wanted))).collect()
}

/// All objects with this field of this value.
fn with<'a>(documents: &'a [Value], field: &str, value: &str) -> Vec<&'a Value> {
    documents.iter().flat_map(|document| all(document, &|own| own[field] == value)).collect()
}

fn of_type<'a>(documents: &'a [Value], kind: &str) -> Vec<&'a Value> {
    let is_of = |own: &Value| own["@type"].as_str().is_some_and(|own| own.ends_with(kind));
    documents.iter().flat_map(|document| all(document, &is_of)).collect()
}

/// The only cluster of a name: the cluster of a control plane's patch has the name of its resource as well.
fn cluster<'a>(documents: &'a [Value], name: &str) -> &'a Value {
    let named = with(documents, "name", name);
    let is_cluster = |own: &&&Value| own["load_assignment"].is_object();
    let clusters: Vec<_> = named.iter().filter(is_cluster).collect();
    let [cluster] = clusters[..] else { panic!("{} clusters {name}", clusters.len()) };
    cluster
}

/// The credential that a cluster adds.
fn credential<'a>(documents: &'a [Value], provider: &str) -> &'a Value {
    let filters = &cluster(documents, provider)["typed_extension_protocol_options"]["envoy.extensions.upstreams.http.v3.HttpProtocolOptions"]
        ["http_filters"];
    assert_eq!(filters[0]["name"], "gaud_credential", "{provider}: {filters}");
    let open = cluster(documents, &format!("{provider}.open"));
    assert!(!open.to_string().contains("gaud_credential"), "{open}");
    &filters[0]["typed_config"]
}

#[test]
fn clients_requests_and_attempts_have_spans_in_every_form() {
    for form in FORMS {
        let documents = documents(&text(form, &format!("{PROVIDERS}{TELEMETRY}")));
        let tracers = of_type(&documents, "OpenTelemetryConfig");
        assert_eq!(tracers.len(), 2, "{form:?}: of clients and after the hop");
        for tracer in tracers {
            let uri = &tracer["http_service"]["http_uri"];
            assert_eq!(
                (&uri["uri"], &uri["cluster"]),
                (&"http://collector:4318/v1/traces".into(), &"gaud_tracing".into())
            );
            assert_eq!(tracer["service_name"], "edge");
            let sampler = &tracer["sampler"]["typed_config"]["wrapped_sampler"]["typed_config"];
            assert_eq!(sampler["sampling_percentage"]["numerator"], 125_000, "{form:?}");
        }
        let collector = cluster(&documents, "gaud_tracing").to_string();
        assert!(collector.contains("\"collector\"") && collector.contains("4318"), "{collector}");
        // The span after the hop is a client's.
        let [listener] = with(&documents, "traffic_direction", "OUTBOUND")[..] else {
            panic!("{form:?}")
        };
        assert_eq!(listener["name"], "gaud_attempt");
    }
}

#[test]
fn clients_requests_and_attempts_have_lines_in_every_form() {
    for form in FORMS {
        let documents = documents(&text(form, &format!("{PROVIDERS}{TELEMETRY}")));
        let logs = of_type(&documents, "FileAccessLog");
        assert_eq!(logs.len(), 2, "{form:?}: of clients and after the hop");
        let has_client = |log: &&Value| log["log_format"]["json_format"]["client"].is_string();
        assert_eq!(logs.iter().filter(|log| has_client(log)).count(), 1, "{form:?}");
        for log in logs {
            assert_eq!(log["path"], "/logs/access.log", "{form:?}");
            let fields = log["log_format"]["json_format"].to_string();
            assert!(fields.contains("key") && !fields.contains("%REQ(AUTHORIZATION)%"), "{fields}");
        }
    }
}

#[test]
fn no_form_has_spans_or_lines_unasked() {
    for form in FORMS {
        let documents = documents(&text(form, PROVIDERS));
        for kind in ["OpenTelemetryConfig", "FileAccessLog", "StdoutAccessLog"] {
            assert!(of_type(&documents, kind).is_empty(), "{form:?} {kind}");
        }
        assert!(with(&documents, "name", "gaud_tracing").is_empty(), "{form:?}");
    }
}

#[test]
fn an_issuers_tokens_are_injected_in_every_form() {
    for form in FORMS {
        let text = text(form, PROVIDERS);
        let documents = documents(&text);
        let oauth2 = &credential(&documents, "issued")["credential"]["typed_config"];
        let place = &oauth2["token_endpoint"];
        assert_eq!(
            (&place["uri"], &place["cluster"]),
            (&"http://issuer:2/token".into(), &"gaud_tokens_issued".into())
        );
        let issuer = cluster(&documents, "gaud_tokens_issued").to_string();
        assert!(issuer.contains("\"issuer\"") && issuer.contains(":2"), "{issuer}");
        assert_eq!(oauth2["scopes"], serde_json::json!(["models"]));
        let file = "/etc/gaud/credentials/gaud_secret_issued.yaml";
        let secret = &oauth2["client_credentials"]["client_secret"]["sds_config"];
        assert_eq!(secret["path_config_source"]["path"], file, "{form:?}");
        // A person reads which file Envoy must have.
        let is_said = |line: &str| line.starts_with('#') && line.contains(file);
        assert!(text.lines().any(is_said), "{form:?}: {file} is not said");
        assert!(!text.contains("a-secret"), "{form:?}");
    }
}

#[test]
fn a_files_token_is_injected_in_every_form() {
    for form in FORMS {
        let text = text(form, PROVIDERS);
        let documents = documents(&text);
        let generic = &credential(&documents, "rotated")["credential"]["typed_config"];
        assert_eq!(generic["header"], "authorization", "{form:?}");
        let place = &generic["credential"];
        assert_eq!(place["name"], "gaud_secret_rotated");
        let file = "/etc/gaud/credentials/gaud_secret_rotated.yaml";
        if form == Form::Filter {
            // Whoever keeps the bootstrap has a place for the secret itself.
            let secrets = with(&documents, "name", "gaud_secret_rotated");
            let is_file =
                |own: &&&Value| own["generic_secret"]["secret"]["filename"] == "/run/token";
            assert_eq!(secrets.iter().filter(is_file).count(), 1, "{secrets:?}");
        } else {
            assert_eq!(place["sds_config"]["path_config_source"]["path"], file, "{form:?}");
            assert!(
                text.lines().any(|line| line.starts_with('#') && line.contains(file)),
                "{form:?}"
            );
        }
    }
}

#[test]
fn requests_are_signed_in_every_form() {
    for form in FORMS {
        let documents = documents(&text(form, PROVIDERS));
        let signer = credential(&documents, "signed");
        let said = ["service_name", "region", "host_rewrite"].map(|name| signer[name].clone());
        assert_eq!(said, ["bedrock", "eu-west-1", "bedrock:3"].map(Value::from), "{form:?}");
        // A mesh would need a file for a secret that says nothing.
        let checks = with(&documents, "name", "gaud_signed").len();
        let empty = with(&documents, "name", "gaud_secret_signed");
        let empty =
            empty.iter().filter(|own| own["generic_secret"]["secret"]["inline_string"] == "");
        let expected = usize::from(form == Form::Filter);
        assert_eq!((checks, empty.count()), (expected, expected), "{form:?}");
    }
}

#[test]
fn refresh_tokens_are_refused_in_every_form_and_issuers_in_a_bootstrap() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("gaud.toml");
    let refreshed = "[providers.p]\nurl = \"http://p\"\nauth = { refresh_token = { token_url = \"http://i/t\", device_url = \"http://i/d\", client_id = \"c\" } }\n";
    let refused = |form, toml: &str| {
        std::fs::write(&path, toml).unwrap();
        let error =
            Source::read_for_elsewhere(form, Some(&path), Some(Path::new("/f/gaud.wasm")), &|_| {
                None
            });
        error.err().map(|error| error.to_string()).unwrap_or_default()
    };
    for form in FORMS.into_iter().chain([Form::Envoy]) {
        let said = refused(form, refreshed);
        assert!(
            said.contains("providers.p.auth.refresh_token: needs `gaud run`"),
            "{form:?}: {said}"
        );
    }
    let (issued, _) = PROVIDERS.split_once("[providers.rotated]").unwrap();
    let said = refused(Form::Envoy, issued);
    assert!(said.contains("providers.issued.auth.oauth2: needs `gaud run`, or an Envoy"), "{said}");
}
