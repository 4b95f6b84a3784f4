//! Each name of the contract is written out in one place.

use std::fs;
use std::path::{Path, PathBuf};

use super::{clusters, headers, properties};

/// The names that no template and no other source file may spell out. The names that are the project's name (`gaud`) are
/// also words of the language and are left out.
const NAMES: [&str; 34] = [
    headers::PREFIX,
    headers::CLUSTER,
    headers::CROSSING,
    headers::TRUSTED,
    headers::PROVIDER,
    headers::ATTEMPTS,
    headers::RETRY,
    headers::RETRY_WAIT_SECS,
    headers::ENVOY_TRY_TIMEOUT_MS,
    headers::ENVOY_RETRIES_MAX,
    clusters::ATTEMPT,
    clusters::HOP,
    clusters::HOP_ONCE,
    clusters::ADMIN,
    clusters::CLIENT_HEADERS,
    clusters::LEAVING,
    clusters::RETURNING,
    properties::SHAPE,
    properties::ROOT_ID,
    clusters::CONTROL,
    clusters::TRACING,
    properties::SPAN,
    properties::OPERATION,
    properties::MODEL,
    properties::ASKED,
    properties::PROVIDER,
    properties::KEY,
    properties::USER,
    properties::ATTEMPT,
    properties::INPUT_TOKENS,
    properties::OUTPUT_TOKENS,
    properties::CACHED_TOKENS,
    properties::FINISH_REASON,
    properties::ERROR,
];

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, found);
        } else {
            found.push(path);
        }
    }
}

/// The text before the file's tests: tests say what is expected, word for word.
fn without_tests(text: &str) -> &str {
    text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default()
}

#[test]
fn no_template_and_no_other_file_spells_out_a_name() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut all = Vec::new();
    files(&source, &mut all);
    let is_test = |path: &Path| {
        path.ends_with("tests.rs") || path.components().any(|part| part.as_os_str() == "tests")
    };
    let inside = |path: &Path| path.strip_prefix(&source).unwrap().to_owned();
    let others = all
        .iter()
        .filter(|path| !path.starts_with(source.join("names")) && !is_test(&inside(path)));
    let mut templates = 0;
    for path in others {
        let text = fs::read_to_string(path).unwrap();
        templates += usize::from(path.extension().is_some_and(|end| end == "yaml"));
        for name in NAMES {
            assert!(!without_tests(&text).contains(name), "{} spells {name} out", path.display());
        }
    }
    assert!(templates > 8, "the templates were looked at");
}

#[test]
fn every_metric_begins_with_the_prefix() {
    for family in crate::host::metrics::families() {
        let prefixes = [super::metrics::PREFIX, super::metrics::OTEL_PREFIX];
        assert!(prefixes.iter().any(|prefix| family.name.starts_with(prefix)), "{}", family.name);
    }
}
