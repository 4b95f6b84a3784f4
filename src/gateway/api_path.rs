//! Where a provider has the API, where its URL alone does not say so: Azure has the model in the path, and a version in the
//! query.
//!
//! | `api_path`, `api_query` | a client's path | the provider's path |
//! |---|---|---|
//! | `""` | `/v1/chat/completions` | `/chat/completions` |
//! | `"/beta"` | `/v1/chat/completions` | `/beta/chat/completions` |
//! | `"{path}"`, with the URL `http://h/x` | `/v1/chat/completions` | `/x/chat/completions` |
//! | `"/openai/deployments/{model}"`, `"api-version=1"` | `/v1/embeddings` | `/openai/deployments/MODEL/embeddings?api-version=1` |

use super::url::ProviderUrl;
use crate::config::{ConfigError, ProviderFile};
use crate::request::escape::escaped;

/// The place of the model in `api_path`.
const MODEL: &str = "{model}";

/// The place of the URL's own path.
const PATH: &str = "{path}";

/// The compiled settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiPath {
    /// What takes the place of `/v1`; `None` where the URL says so.
    path: Option<String>,
    query: Option<String>,
}

impl ApiPath {
    /// Compiles `api_path` and `api_query`; `None` without them.
    pub(super) fn compile(
        at: &dyn Fn(&str) -> String,
        file: &ProviderFile,
        url: Option<&ProviderUrl>,
    ) -> Result<Option<Self>, ConfigError> {
        let error = |field, problem| Err(ConfigError::new(at(field), problem));
        let is_plain =
            |text: &str| text.bytes().all(|byte| byte.is_ascii_graphic() && !b"?#".contains(&byte));
        if let Some(path) = &file.api_path {
            let starts = path.starts_with('/') || path.starts_with(PATH);
            let is_path = path.is_empty() || (starts && !path.ends_with('/'));
            if !is_path || !is_plain(path) {
                return error(
                    "api_path",
                    "must be \"\" or begin with '/' and not end with '/', as in \"/openai/deployments/{model}\"",
                );
            }
            let fits = |url: &ProviderUrl| url.own_path().is_empty() || path.starts_with(PATH);
            if !url.is_some_and(fits) {
                return error(
                    "api_path",
                    "needs a url without a path; write the whole path here, as in \"/openai/deployments/{model}\", or begin with \"{path}\", which is the url's",
                );
            }
        }
        if let Some(query) = &file.api_query
            && (query.is_empty() || !is_plain(query) || query.starts_with('&'))
        {
            return error(
                "api_query",
                "must be NAME=VALUE, as in \"api-version=2025-04-01-preview\"",
            );
        }
        let own = url.map_or("", ProviderUrl::own_path);
        let path = file.api_path.as_ref().map(|path| path.replace(PATH, own));
        let query = file.api_query.clone();
        Ok((path.is_some() || query.is_some()).then_some(Self { path, query }))
    }

    /// The provider's path for a client's path below `/v1`; `None` for any other path, and where the path needs a model that
    /// the request does not name.
    pub fn of(&self, url: Option<&ProviderUrl>, path: &str, model: Option<&str>) -> Option<String> {
        let rest = path.strip_prefix("/v1/")?;
        let mut place = match &self.path {
            Some(own) if own.contains(MODEL) => {
                format!("{}/{rest}", own.replace(MODEL, &escaped(model?, false)))
            }
            Some(own) => format!("{own}/{rest}"),
            None => url.map_or_else(|| path.to_owned(), |url| url.path(path)),
        };
        if let Some(query) = &self.query {
            place.push(if place.contains('?') { '&' } else { '?' });
            place.push_str(query);
        }
        Some(place)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(all(target_family = "wasm", target_os = "unknown"))]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    fn compile(url: &str, path: Option<&str>, query: Option<&str>) -> Result<ApiPath, String> {
        let file = ProviderFile {
            api_path: path.map(str::to_owned),
            api_query: query.map(str::to_owned),
            ..ProviderFile::default()
        };
        let url: ProviderUrl = url.parse().unwrap();
        let compiled = ApiPath::compile(&|field| field.to_owned(), &file, Some(&url));
        compiled.map(Option::unwrap).map_err(|error| error.to_string())
    }

    #[test]
    fn the_paths_of_the_table() {
        let url: ProviderUrl = "https://h".parse().unwrap();
        let azure = (Some("/openai/deployments/{model}"), Some("api-version=1"));
        for ((path, query), asked, model, expected) in [
            ((Some(""), None), "/v1/chat/completions", None, Some("/chat/completions")),
            ((Some("/beta"), None), "/v1/models?a=b", None, Some("/beta/models?a=b")),
            (
                azure,
                "/v1/embeddings",
                Some("m x/y"),
                Some("/openai/deployments/m%20x%2Fy/embeddings?api-version=1"),
            ),
            (
                azure,
                "/v1/embeddings?a=b",
                Some("m"),
                Some("/openai/deployments/m/embeddings?a=b&api-version=1"),
            ),
            (azure, "/v1/files", None, None),
            (azure, "/health", Some("m"), None),
            ((Some("{path}"), None), "/v1/models", None, Some("/models")),
            ((None, Some("a=b")), "/v1/files", None, Some("/v1/files?a=b")),
        ] {
            let api = compile("https://h", path, query).unwrap();
            assert_eq!(api.of(Some(&url), asked, model).as_deref(), expected, "{path:?} {asked}");
        }
    }

    #[test]
    fn what_cannot_be_a_path_is_refused() {
        let path = "api_path: must be \"\" or begin with '/' and not end with '/', as in \"/openai/deployments/{model}\"";
        for wrong in ["x", "/", "/x/", "/x?a=b", "/x y"] {
            assert_eq!(compile("http://h", Some(wrong), None).unwrap_err(), path, "{wrong}");
        }
        let own = compile("http://h/x/", Some("{path}/y"), None).unwrap();
        assert_eq!(own.of(None, "/v1/models", None).as_deref(), Some("/x/y/models"));
        let bare = "api_path: needs a url without a path; write the whole path here, as in \"/openai/deployments/{model}\", or begin with \"{path}\", which is the url's";
        assert_eq!(compile("http://h/v1", Some("/x"), None).unwrap_err(), bare);
        let query = "api_query: must be NAME=VALUE, as in \"api-version=2025-04-01-preview\"";
        for wrong in ["", "?a=b", "&a=b", "a=b c", "a#"] {
            assert_eq!(compile("http://h", None, Some(wrong)).unwrap_err(), query, "{wrong}");
        }
    }
}
