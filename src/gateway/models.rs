//! The models that a file lists for a provider, with or without the provider's namespace.

use hashbrown::HashSet;

use crate::config::{ConfigError, ProviderFile};
use crate::request::model::ModelName;

/// The listed models by the names that the provider is sent, each once.
pub(super) fn compile(name: &str, file: &ProviderFile) -> Result<Vec<String>, ConfigError> {
    let namespaces = file.namespaces_of(name);
    let (mut models, mut seen) = (Vec::new(), HashSet::new());
    for (index, written) in file.models.iter().enumerate() {
        let model = bare(written, &namespaces).map_err(|problem| {
            ConfigError::new(format!("providers.{name}.models[{index}]"), problem)
        })?;
        if seen.insert(model) {
            models.push(model.to_owned());
        }
    }
    Ok(models)
}

/// `written` without the longest namespace that begins it.
fn bare<'a>(written: &'a str, namespaces: &[String]) -> Result<&'a str, String> {
    let stripped =
        namespaces.iter().filter_map(|namespace| written.strip_prefix(namespace.as_str()));
    let shown = || written.escape_default();
    match stripped.min_by_key(|rest| rest.len()) {
        Some("") => Err(format!("\"{}\" names no model after its namespace", shown())),
        rest => {
            let model = rest.unwrap_or(written);
            ModelName::check(model).map_err(|problem| format!("\"{}\" {problem}", shown()))?;
            Ok(model)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(all(target_family = "wasm", target_os = "unknown"))]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn the_longest_namespace_is_stripped_once() {
        let file = ProviderFile {
            namespaces: Some(vec!["p/".to_owned(), "p/x/".to_owned()]),
            models: ["a", "p/b", "p/x/c", "p/p/d", "q:e", "b"].map(str::to_owned).to_vec(),
            ..ProviderFile::default()
        };
        assert_eq!(compile("p", &file).unwrap(), ["a", "b", "c", "p/d", "q:e"]);
    }
}
