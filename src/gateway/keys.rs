//! How client keys are checked, compiled.

use crate::config::{ConfigError, KeysFile, KeysMode, Lookup, Secret};
use crate::names::keys::FEED_TOKEN;

/// How old the policies may be, unless the file says otherwise: a day.
const STALE_AFTER_SECS: u64 = 86_400;

/// How client keys are checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Keys {
    /// Every request needs a key.
    pub are_required: bool,
    /// The paths outside the API that need no key all the same, and all paths below them.
    pub passthrough: Vec<String>,
    /// How old the policies may be before requests with keys are refused; `None` where they are served in any case.
    pub refuse_after_ms: Option<u64>,
    /// LiteLLM's keys are known too, and what goes direct needs a key that is known.
    pub takes_litellms: bool,
    /// What opens the feed, as the value of `authorization`; empty outside the filter.
    pub authorization: Secret,
}

impl Default for Keys {
    fn default() -> Self {
        Self {
            are_required: false,
            passthrough: Vec::new(),
            refuse_after_ms: None,
            takes_litellms: false,
            authorization: Secret::new(""),
        }
    }
}

impl Keys {
    /// Compiles `keys`; `None` where no key opens anything.
    pub(super) fn compile(
        file: Option<&KeysFile>,
        lookup: Lookup<'_>,
    ) -> Result<Option<Self>, ConfigError> {
        let Some(file) = file else { return Ok(None) };
        let secs = file.stale_after_secs.unwrap_or(STALE_AFTER_SECS);
        let secs = ConfigError::unless_within("keys.stale_after_secs", secs, 3, 31_536_000)?;
        let passthrough = file.passthrough.clone().unwrap_or_default();
        check_paths(&passthrough)?;
        let refuses_stale = file.refuses_stale()?;
        let token = lookup(FEED_TOKEN).unwrap_or_default();
        let are_required = match file.mode()? {
            None if file.litellm == Some(true) => false,
            None | Some(KeysMode::Off) => return Ok(None),
            Some(mode) => mode == KeysMode::Required,
        };
        Ok(Some(Self {
            are_required,
            passthrough,
            refuse_after_ms: refuses_stale.then(|| secs.saturating_mul(1000)),
            takes_litellms: file.litellm == Some(true),
            authorization: Secret::new(if token.is_empty() {
                token
            } else {
                format!("Bearer {token}")
            }),
        }))
    }

    /// Refuses a filter that could not learn any key.
    ///
    /// # Errors
    /// The secret that opens the feed is not there.
    pub fn check_feed(&self) -> Result<(), ConfigError> {
        match self.authorization.expose() {
            "" => Err(Self::without_feed()),
            _ => Ok(()),
        }
    }

    /// Why keys do not work without a control server.
    pub fn without_feed() -> ConfigError {
        ConfigError::new(
            "keys.mode",
            "needs a control server, which knows the keys; write \"off\", start gaud run without --no-control, or name \
             gaud serve by control.server",
        )
    }

    /// Whether a path outside the API, without its query, needs no key.
    pub fn let_pass(&self, path: &str) -> bool {
        let is_below = |root: &String| {
            let rest = path.strip_prefix(root.as_str());
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        path == "/" || self.passthrough.iter().any(is_below)
    }
}

fn check_paths(paths: &[String]) -> Result<(), ConfigError> {
    let is_good = |path: &String| {
        path.starts_with('/')
            && path.len() > 1
            && !path.ends_with('/')
            && !path.contains(['?', '#', ' '])
    };
    match paths.iter().position(|path| !is_good(path)) {
        None => Ok(()),
        Some(index) => Err(ConfigError::new(
            format!("keys.passthrough[{index}]"),
            "must be a path as \"/key\", which stands for all paths below it too",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::File;
    #[cfg(all(target_family = "wasm", target_os = "unknown"))]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    fn compile(keys: &str) -> Result<Option<Keys>, String> {
        let file = File::from_json(format!(r#"{{"keys":{keys}}}"#).as_bytes())
            .map_err(|error| error.to_string())?;
        let lookup = |name: &str| (name == FEED_TOKEN).then(|| "t".to_owned());
        Keys::compile(file.keys.as_ref(), &lookup).map_err(|error| error.to_string())
    }

    #[test]
    fn keys_are_off_unless_the_file_says_otherwise() {
        assert_eq!(compile("{}"), Ok(None));
        assert_eq!(compile(r#"{"mode":"off","on_stale":"refuse"}"#), Ok(None));
        let optional = compile(r#"{"mode":"optional"}"#).unwrap().unwrap();
        assert!(!optional.are_required && optional.refuse_after_ms.is_none());
        assert_eq!(optional.authorization.expose(), "Bearer t");
        assert!(!optional.takes_litellms);
        let litellms = compile(r#"{"mode":"optional","litellm":true}"#).unwrap().unwrap();
        assert!(litellms.takes_litellms);
        let required = r#"{"mode":"required","on_stale":"refuse","stale_after_secs":5}"#;
        let required = compile(required).unwrap().unwrap();
        assert!(required.are_required && required.refuse_after_ms == Some(5_000));
        assert_eq!(required.check_feed(), Ok(()));
        assert!(Keys::default().check_feed().is_err());
    }

    #[test]
    fn a_path_below_a_passing_path_passes() {
        let keys = compile(r#"{"mode":"required","passthrough":["/key","/user/info"]}"#);
        let keys = keys.unwrap().unwrap();
        for path in ["/", "/key", "/key/generate", "/user/info"] {
            assert!(keys.let_pass(path), "{path}");
        }
        for path in ["/keys", "/user", "/v1/models", "//", ""] {
            assert!(!keys.let_pass(path), "{path}");
        }
    }

    #[test]
    fn what_cannot_be_meant_is_refused() {
        let path = "must be a path as \"/key\", which stands for all paths below it too";
        for (keys, expected) in [
            (r#"{"passthrough":["/ok","key"]}"#, format!("keys.passthrough[1]: {path}")),
            (r#"{"passthrough":["/"]}"#, format!("keys.passthrough[0]: {path}")),
            (
                r#"{"stale_after_secs":2}"#,
                "keys.stale_after_secs: is 2; write 3 to 31536000".to_owned(),
            ),
        ] {
            assert_eq!(compile(keys), Err(expected));
        }
        let said = |keys| compile(keys).unwrap_err();
        let modes = "keys.mode: must be one of \"off\", \"optional\", \"required\"";
        assert_eq!(said(r#"{"mode":"on"}"#), modes);
        assert_eq!(
            said(r#"{"on_stale":"x"}"#),
            "keys.on_stale: must be one of \"serve\", \"refuse\""
        );
        assert!(compile(r#"{"x":1}"#).is_err());
    }
}
