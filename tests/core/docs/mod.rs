//! The documents say what the code does: their tables and snippets, and the rendered examples.
//!
//! `UPDATE=1 cargo test --test core docs::` writes what is generated.

mod figures;
mod security;
mod settings;
mod versions;
mod words;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;

use gaud::config::File;
use gaud::host::metrics::{Family, families};
use gaud::native::import::documented;
use gaud::native::render::telemetry;
use gaud::reply::Code;
use gaud::request::credentials::{
    ADDRESS_END, IDENTITIES, OVERRIDES, PASSING, PASSING_PREFIX, PREFIXES, WORDS,
};
use gaud::request::endpoint::examples::{EXAMPLES, Example, Outcome};
use gaud::request::endpoint::table::{Meaning, ROWS, Row};
use gaud::request::endpoint::{ModelBody, Shape};

fn path(name: &str) -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), name].iter().collect()
}

fn read(name: &str) -> String {
    std::fs::read_to_string(path(name)).unwrap()
}

/// Holds `name` against what it should be, or makes it so.
fn assert_file(name: &str, expected: &str) {
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(path(name), expected).unwrap();
    }
    assert_eq!(read(name), expected, "{name} is stale: UPDATE=1 cargo test --test core docs::");
}

/// The text between `<!-- name -->` and `<!-- end -->`, with its offset.
fn part<'a>(text: &'a str, name: &str) -> (usize, &'a str) {
    let marker = format!("<!-- {name} -->\n");
    let start = text.find(&marker).unwrap() + marker.len();
    let (_, rest) = text.split_at(start);
    (start, rest.split_once("<!-- end -->").unwrap().0)
}

/// The words in backquotes of the first column of a table.
fn first_column(table: &str) -> BTreeSet<String> {
    let cells = table.lines().filter_map(|line| line.strip_prefix("| `")?.split_once('`'));
    cells.map(|(name, _)| name.to_owned()).collect()
}

/// The fields that a table of the configuration may have, as the parser lists them.
fn fields(json: &str) -> BTreeSet<String> {
    let problem = File::from_json(json.as_bytes()).unwrap_err().problem;
    let (_, list) = problem.split_once("expected one of ").unwrap();
    list.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

#[test]
fn the_table_of_settings_is_complete() {
    let settings = read("docs/settings.md");
    let mut known = fields(r#"{"?":1}"#);
    known.remove("providers");
    known.remove("aliases");
    known.insert("aliases.NAME".to_owned());
    known.remove("breaker");
    known.remove("cors");
    known.insert("cors.allow_origins".to_owned());
    known.remove("keys");
    let of_keys = fields(r#"{"keys":{"?":1}}"#);
    known.extend(of_keys.iter().map(|field| format!("keys.{field}")));
    known.remove("limits");
    let of_limits = fields(r#"{"limits":{"?":1}}"#);
    known.extend(of_limits.iter().map(|field| format!("limits.{field}")));
    known.remove("alerts");
    known.insert("alerts.url".to_owned());
    known.remove("litellm");
    known.insert("litellm.config".to_owned());
    known.insert("litellm.keys".to_owned());
    known.remove("keys.defaults");
    let of_defaults = fields(r#"{"keys":{"defaults":{"?":1}}}"#);
    known.extend(of_defaults.iter().map(|field| format!("keys.defaults.{field}")));
    known.remove("keys.defaults.budget");
    let of_budget = fields(r#"{"keys":{"defaults":{"budget":{"?":1}}}}"#);
    known.extend(of_budget.iter().map(|field| format!("keys.defaults.budget.{field}")));
    known.remove("control");
    let of_control = fields(r#"{"control":{"?":1}}"#);
    known.extend(of_control.iter().map(|field| format!("control.{field}")));
    known.remove("ui");
    known.insert("ui.path".to_owned());
    known.remove("tls");
    known.insert("tls.cert".to_owned());
    known.insert("tls.key".to_owned());
    known.insert("tls.client_ca".to_owned());
    known.remove("tracing");
    let of_tracing = fields(r#"{"tracing":{"?":1}}"#);
    known.extend(of_tracing.iter().map(|field| format!("tracing.{field}")));
    known.remove("access_log");
    known.insert("access_log.path".to_owned());
    known.remove("usage");
    let of_usage = fields(r#"{"usage":{"?":1}}"#);
    known.extend(of_usage.iter().map(|field| format!("usage.{field}")));
    known.remove("prices");
    let of_prices = fields(r#"{"prices":{"m":{"?":1}}}"#);
    known.extend(of_prices.iter().map(|field| format!("prices.MODEL.{field}")));
    known.remove("retries");
    let of_retries = fields(r#"{"retries":{"?":1}}"#);
    known.extend(of_retries.iter().map(|field| format!("retries.{field}")));
    let of_breaker = fields(r#"{"breaker":{"?":1}}"#);
    known.extend(of_breaker.iter().map(|field| format!("breaker.{field}")));
    let of_provider = fields(r#"{"providers":{"p":{"?":1}}}"#);
    known.extend(of_provider.iter().map(|field| format!("providers.P.{field}")));
    known.remove("providers.P.headers");
    known.insert("providers.P.headers.NAME".to_owned());
    assert_eq!(first_column(part(&settings, "settings").1), known);
}

#[test]
fn the_metrics_are_the_families() {
    let mut table = String::from("| metric | labels | |\n|---|---|---|\n");
    for Family { name, labels, meaning, .. } in families() {
        let labels: Vec<_> = labels.iter().map(|label| format!("`{label}`")).collect();
        table += &format!("| `{name}` | {} | {meaning} |\n", labels.join(", "));
    }
    assert_part("docs/breaker.md", "metrics", &table);
}

#[test]
fn the_attributes_and_the_fields_are_those_that_are_rendered() {
    let table = |head: &str, rows: Vec<(&str, &str)>| {
        let row = |(name, meaning): (&str, &str)| format!("| `{name}` | {meaning} |\n");
        format!("\n| {head} | |\n|---|---|\n{}", rows.into_iter().map(row).collect::<String>())
    };
    assert_part("docs/tracing.md", "attributes", &table("attribute", telemetry::attributes()));
    assert_part("docs/tracing.md", "fields", &table("field", telemetry::fields()));
}

#[test]
fn the_providers_are_those_that_are_imported() {
    let mut table = "\n| provider | `url` | the key's variable |\n|---|---|---|\n".to_owned();
    for (name, url, key) in documented() {
        table += &format!("| {name} | `{url}` | `{key}` |\n");
    }
    assert_part("docs/providers.md", "providers", &table);
}

#[test]
fn each_provider_that_is_imported_is_a_valid_configuration() {
    let row = |(name, url, key)| {
        format!("[providers.{name}]\nurl = \"{url}\"\napi_key = \"os.environ/{key}\"\n")
    };
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("gaud.toml");
    let rows: Vec<_> = documented().into_iter().map(row).collect();
    assert!(rows.len() > 40, "{} providers", rows.len());
    std::fs::write(&file, rows.concat()).unwrap();
    gaud_in(folder.path(), &["check", "--config", file.to_str().unwrap()]);
}

#[test]
fn the_errors_are_the_codes() {
    let mut table = String::from("| status | code | what, and what helps |\n|---|---|---|\n");
    for code in Code::ALL {
        table += &format!("| {} | `{}` | {} |\n", code.status(), code.as_str(), code.meaning());
    }
    assert_part("docs/errors.md", "errors", &table);
}

/// `make bench` measures them, and writes the whole of them down.
#[test]
fn the_figures_are_those_that_were_measured() {
    let results = read("tests/bench/results/results.md");
    let (_, after) = results.split_once("## CPU added per request, in us\n").unwrap();
    let is_row = |line: &&str| line.starts_with('|');
    let rows = after.lines().skip_while(|line| !is_row(line)).take_while(is_row);
    let rows: String = rows.map(|row| format!("{row}\n")).collect();
    assert_part("docs/performance.md", "figures", &rows);
}

/// `make bench-scale` and `make bench-instructions` measure them.
#[test]
fn the_rationales_figures_are_those_that_were_measured() {
    for name in ["scale", "instructions"] {
        let results = read(&format!("tests/bench/results/{name}.md"));
        let rows = results.lines().filter(|line| line.starts_with('|'));
        let table: String = rows.map(|row| format!("{row}\n")).collect();
        assert_part("RATIONALE.md", name, &table);
    }
}

/// The image is built from those alone that `.dockerignore` lets through.
#[test]
fn the_image_has_what_the_build_reads() {
    let let_through = read(".dockerignore");
    let mut grep = Command::new("git");
    grep.args(["grep", "-ho", r#"include_str!("[^"]*"#, "src"]).current_dir(path(""));
    let found = grep.output().unwrap();
    let found = String::from_utf8(found.stdout).unwrap();
    let files: Vec<_> = found.lines().filter_map(|line| line.rsplit_once("../")).collect();
    assert!(!files.is_empty());
    for (_, file) in files {
        assert!(let_through.lines().any(|line| line == format!("!{file}")), "{file}");
    }
}

/// `tests/sdk/test_trouble.py` brings each of them about, and cures it.
#[test]
fn the_troubles_are_those_that_the_tests_cure() {
    let rows: Vec<BTreeMap<String, serde_json::Value>> =
        serde_json::from_str(&read("tests/sdk/trouble.json")).unwrap();
    let mut table = String::from("| symptom | cause | remedy |\n|---|---|---|\n");
    for row in rows {
        let cells = ["symptom", "cause", "remedy"].map(|column| row[column].as_str().unwrap());
        table += &format!("| {} |\n", cells.join(" | "));
    }
    assert_part("docs/troubleshooting.md", "trouble", &table);
}

/// Compares a part of a document with what it should be, or writes the part.
fn assert_part(file: &str, name: &str, expected: &str) {
    // One at a time: each writes the whole file.
    static FILES: Mutex<()> = Mutex::new(());
    let _lock = FILES.lock();
    let mut text = read(file);
    let (start, old) = part(&text, name);
    text.replace_range(start..start + old.len(), expected);
    assert_file(file, &text);
}

#[test]
fn the_endpoints_are_the_rows() {
    let mut table = String::from(
        "| request | its model | what changes | without a model | errors |\n|---|---|---|---|---|\n",
    );
    let mut groups: Vec<(Meaning, Shape, Vec<&Row>)> = Vec::new();
    for row in ROWS {
        let meaning = match row.meaning {
            // The page describes the gateway's own paths in a table of their own.
            Meaning::Local(_) => continue,
            other => other,
        };
        match groups.iter_mut().find(|group| (group.0, group.1) == (meaning, row.shape)) {
            Some(group) => group.2.push(row),
            None => groups.push((meaning, row.shape, vec![row])),
        }
    }
    for (meaning, shape, rows) in groups {
        let paths: Vec<_> = rows.iter().map(|row| format!("`{}`", request(row))).collect();
        table += &format!("| {} | {} | {shape:?} |\n", paths.join(", "), described(meaning));
    }
    table += "| anything else: LiteLLM's `/key/*`, `/model/info`, `/health/*`, `/openapi.json`, \
              `/spend/*`, `/ui` where [Gaud's own pages](ui.md#litellms-own-ui) are at another path, … | none | nothing, the client's credential passes too | \
              `default_provider` | OpenAi |\n";
    assert_part("docs/endpoints.md", "endpoints", &table.replace("OpenAi", "OpenAI"));
}

#[test]
fn the_examples_of_paths_are_those_that_are_tested() {
    let mut table = String::from("| request | what becomes of it | why |\n|---|---|---|\n");
    for Example { method, path, outcome, why } in EXAMPLES {
        let outcome = match outcome {
            Outcome::ProvidersKey => "passes as it is",
            Outcome::ClientsKey => "passes as it is, without `api_key`",
            Outcome::Refused => "refused",
        };
        table += &format!("| `{method} {path}` | {outcome} | {why} |\n");
    }
    assert_part("docs/endpoints.md", "paths", &table);
}

#[test]
fn the_accounts_are_the_class() {
    let list = |names: &[&str]| {
        names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
    };
    let begins = |names: &[&str]| list(names).replace("-`", "-*`");
    let mut table = String::from("| a header of the client | |\n|---|---|\n");
    table += &format!("| whose name contains {} | removed |\n", list(&WORDS));
    table += &format!("| {} | removed |\n", begins(&PREFIXES));
    table += &format!("| {}, `*{ADDRESS_END}` | removed |\n", list(&IDENTITIES));
    table += &format!("| {} | removed, whatever `pass_headers` says |\n", list(&OVERRIDES));
    table += &format!("| {}, `{PASSING_PREFIX}*` | passes |\n", list(&PASSING[1..]));
    table += "| in `pass_headers` | passes |\n| any other | passes |\n";
    assert_part("docs/endpoints.md", "accounts", &table);
}

fn request(row: &Row) -> String {
    format!("{} {}", row.method, row.path).trim_start().to_owned()
}

/// Where the model is, what is edited, and where a request without a model goes.
fn described(meaning: Meaning) -> &'static str {
    match meaning {
        Meaning::Local(_) => "",
        Meaning::Body(ModelBody { is_form: true, repeats: false, .. }) => {
            "`model` in a multipart form, or a JSON object; never sent again | its bytes | \
             `default_provider`"
        }
        Meaning::Body(ModelBody { resource: "models/", .. }) => {
            "`model` in a JSON object, `NAME` or `models/NAME`; never sent again | its bytes | `default_provider`"
        }
        Meaning::Body(body) => match (body.is_form, body.is_optional) {
            (true, _) => {
                "`model` in a multipart form, or a JSON object | its bytes | `default_provider`"
            }
            (false, false) => {
                "`model` in a JSON object | its bytes | `default_provider`; no body: 400"
            }
            (false, true) => {
                "`model` in a JSON object, if there is one; never sent again | its bytes | `default_provider`"
            }
        },
        Meaning::Path(body) => match (body.resource, body.is_nested, body.repeats) {
            ("", ..) => "in the path | the path; `model` in the body is made the same | –",
            (_, false, _) => {
                "in the path | the path; `model` in the body is made the same, as `models/NAME` or `tunedModels/NAME` | –"
            }
            (_, true, true) => {
                "in the path | the same; an object of the body may name it again if it keeps its name, else 400 `unread_model` | –"
            }
            (_, true, false) => "in the path | the same; never sent again | –",
        },
        Meaning::PathAlone => "in the path | the path | –",
        Meaning::Query => {
            "`model` in the query, or Azure's `deployment` | the query | `default_provider`"
        }
        Meaning::QueryOrMessage => {
            "the same; in a WebSocket's first message it is not read | the query | 426 `websocket_model`"
        }
        Meaning::Nested => {
            "in objects of the body: each must go to `default_provider` by the same name, else 400 `unread_model` | nothing | `default_provider`"
        }
        Meaning::Unreadable => "where it is not read: 400 `unread_model` | – | –",
        Meaning::NoModel => "none | nothing | `default_provider`",
    }
}

/// Runs `gaud` on a file, with every variable set that the documents name.
fn gaud(arguments: &[&str]) -> String {
    gaud_in(Path::new(env!("CARGO_MANIFEST_DIR")), arguments)
}

fn gaud_in(folder: &Path, arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_gaud"))
        .args(arguments)
        .env_clear()
        .envs([
            ("ANTHROPIC_API_KEY", "sk-a"),
            ("GAUD_DATABASE", "postgres://gaud:secret@db.example/gaud"),
            ("GAUD_FEED_TOKEN", "a-token-of-more-than-twenty-characters"),
            ("LITELLM_MASTER_KEY", "sk-l"),
            ("OPENAI_API_KEY", "sk-o"),
        ])
        .env("SSL_CERT_FILE", "/etc/ssl/certs/ca-certificates.crt")
        .current_dir(folder)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    // A `match` that another provider has already gets no model.
    assert!(!said.contains("is in match of the provider"), "{said}");
    String::from_utf8(output.stdout).unwrap()
}

/// The certificate and the key that the page about TLS has made.
fn write_pair(folder: &Path) {
    let pair = rcgen::generate_simple_self_signed(["gateway".to_owned()]).unwrap();
    std::fs::create_dir(folder).unwrap();
    std::fs::write(folder.join("tls.crt"), pair.cert.pem()).unwrap();
    std::fs::write(folder.join("tls.key"), pair.signing_key.serialize_pem()).unwrap();
}

#[test]
fn the_snippets_are_valid_configurations() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("gaud.toml");
    write_pair(&folder.path().join("tls"));
    for page in pages() {
        let text = read(&page);
        for snippet in text.split("```toml\n").skip(1) {
            std::fs::write(&file, snippet.split_once("```").unwrap().0).unwrap();
            gaud_in(folder.path(), &["check", "--config", file.to_str().unwrap()]);
        }
    }
}

/// README.md, and all pages below `docs/`.
fn pages() -> Vec<String> {
    let mut list = Command::new("git");
    let files = ["ls-files", "--cached", "--others", "README.md", "docs/*.md"];
    let output = list.args(files).current_dir(path("")).output().unwrap();
    let pages: Vec<_> =
        String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect();
    assert!(pages.len() > 10, "{pages:?}");
    pages
}

#[test]
fn the_links_lead_to_files() {
    for page in pages() {
        let text = read(&page);
        let folder = path(&page).parent().unwrap().to_owned();
        for link in text.split("](").skip(1).map(|rest| rest.split_once(')').unwrap().0) {
            let (file, anchor) = link.split_once('#').unwrap_or((link, ""));
            if file.starts_with("https://") {
                continue;
            }
            let target = if file.is_empty() { path(&page) } else { folder.join(file) };
            assert!(target.exists(), "{page}: {link}");
            if !anchor.is_empty() {
                let headings = anchors(&std::fs::read_to_string(target).unwrap());
                assert!(headings.contains(anchor), "{page}: {link}: {headings:?}");
            }
        }
    }
}

/// The anchors of a page's headings, as GitHub makes them.
fn anchors(text: &str) -> BTreeSet<String> {
    let headings = text.lines().filter(|line| line.starts_with('#'));
    let titles = headings.map(|line| line.trim_start_matches('#').trim().to_lowercase());
    let is_kept = |letter: &char| letter.is_alphanumeric() || matches!(letter, '-' | '_' | ' ');
    titles
        .map(|title| title.chars().filter(is_kept).collect::<String>().replace(' ', "-"))
        .collect()
}

#[test]
fn the_readme_is_for_a_reader_in_a_hurry() {
    assert!(read("README.md").lines().count() <= 150);
}

/// The table of commands names those that the help lists.
#[test]
fn the_readme_has_every_command() {
    let help = gaud(&["--help"]);
    let (_, commands) = help.split_once("Commands:\n").unwrap();
    let lines = commands.lines().take_while(|line| !line.is_empty());
    let of_help = lines.map(|line| line.split_whitespace().next().unwrap().to_owned());
    let of_help: BTreeSet<_> = of_help.filter(|command| command != "help").collect();
    let readme = read("README.md");
    let (_, table) = readme.split_once("## The command\n").unwrap();
    let (table, _) = table.split_once("\n## ").unwrap();
    let cells = table.lines().filter_map(|line| line.strip_prefix("| `")?.split_once(" | "));
    let names = cells.flat_map(|(cell, _)| cell.split("gaud ").skip(1));
    let of_readme = names.map(|rest| rest.split([' ', '`']).next().unwrap().to_owned());
    assert_eq!(of_readme.collect::<BTreeSet<_>>(), of_help);
}

#[test]
fn the_routes_are_what_the_command_says() {
    let readme = read("README.md");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("gaud.toml");
    let (_, rest) = readme.split_once("```toml\n").unwrap();
    let (toml, rest) = rest.split_once("```").unwrap();
    std::fs::write(&file, toml).unwrap();
    let (_, table) = rest.split_once("|---|---|---|---|\n").unwrap();
    let rows: Vec<Vec<_>> = table
        .lines()
        .take_while(|line| line.starts_with('|'))
        .map(|line| line.split('|').map(|cell| cell.trim().trim_matches('`')).collect())
        .collect();
    assert_eq!(rows.len(), 4);
    for row in rows {
        let [_, model, provider, target, ..] = row.as_slice() else { panic!("{row:?}") };
        let said = gaud(&["route", model, "--config", file.to_str().unwrap()]);
        assert!(said.starts_with(&format!("{model} -> {provider}: {target} (")), "{said}");
    }
}

#[test]
fn the_rendered_examples_are_fresh() {
    let examples = [
        ("envoy", "/etc/envoy/gaud.wasm", "envoy/envoy.yaml"),
        ("filter", "/etc/envoy/gaud.wasm", "envoy/filter.yaml"),
        ("envoy-gateway", "/etc/gaud/gaud.wasm", "envoy/envoy-gateway/gaud.yaml"),
    ];
    for (form, wasm, example) in examples {
        let arguments = ["render", "--for", form, "--config", "envoy/gaud.toml", "--wasm", wasm];
        assert_file(example, &gaud(&arguments));
    }
}

#[test]
fn the_rendered_examples_for_istio_are_fresh() {
    let render = ["render", "--for", "istio", "--config", "envoy/istio/gaud.toml"];
    let gateway = ["--place", "gateway", "--host", "llm.example.com:443"];
    assert_file("envoy/istio/sidecar.yaml", &gaud(&render));
    assert_file("envoy/istio/gateway.yaml", &gaud(&[&render[..], &gateway[..]].concat()));
}

#[test]
fn the_configuration_for_compose_is_valid() {
    for folder in ["", "gateways/"] {
        gaud(&["check", "--config", &format!("envoy/compose/{folder}config/gaud.toml")]);
    }
    assert_file("envoy/compose/gateways/ratelimit.yaml", &gaud(&["render", "--for", "ratelimit"]));
}
