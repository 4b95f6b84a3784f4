//! A provider's URL, and how a client's path becomes the provider's.

use std::str::FromStr;

const EXAMPLE: &str = "as in \"https://api.openai.com/v1\"";

/// `https://host:port/base`, parsed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProviderUrl {
    /// Whether the provider is reached by TLS.
    pub https: bool,
    /// Host name or IP address (an IPv6 address without its brackets).
    pub host: String,
    /// Port; the default of the scheme when the URL names none.
    pub port: u16,
    /// The path before the version segment, without a closing slash. The client sees this path as `/`.
    root: String,
    /// The path that takes the place of a client's `/v1`: the URL's version segment and what follows, else `/v1`.
    versioned: String,
    /// The URL's path as it is written, without a closing slash.
    own_path: String,
}

impl FromStr for ProviderUrl {
    type Err = String;

    /// Parses an absolute http or https URL without user, query or fragment.
    fn from_str(text: &str) -> Result<Self, String> {
        let (https, rest) = match text.split_once("://") {
            Some(("https", rest)) => (true, rest),
            Some(("http", rest)) => (false, rest),
            _ => return Err(format!("must begin with http:// or https://, {EXAMPLE}")),
        };
        if rest.contains(['?', '#']) {
            return Err(format!("must have no query and no fragment, {EXAMPLE}"));
        }
        let path_at = rest.find('/').unwrap_or(rest.len());
        let (authority, path) = rest.split_at_checked(path_at).unwrap_or((rest, ""));
        if authority.contains('@') {
            return Err(
                "a password in a URL is shown by Envoy's config dump; take it out and set \
                 auth = \"basic\" and api_key = \"os.environ/NAME\" instead"
                    .to_owned(),
            );
        }
        let (host, port) = split_port(authority)
            .filter(|(host, _)| is_host(host))
            .ok_or_else(|| format!("names no host that can be read; write one {EXAMPLE}"))?;
        let port = match (port, https) {
            // The port is not shown: where a password has a slash, the text before the slash is read as the port.
            (Some(port), _) => port
                .parse()
                .ok()
                .filter(|port| *port > 0)
                .ok_or_else(|| "must have a port from 1 to 65535 after the colon".to_owned())?,
            (None, true) => 443,
            (None, false) => 80,
        };
        if !path.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(format!("has a path with spaces or non-ASCII characters, {EXAMPLE}"));
        }
        let (root, versioned) = split_version(path.trim_end_matches('/'));
        let own_path = path.trim_end_matches('/').to_owned();
        Ok(Self { https, host: host.to_owned(), port, root, versioned, own_path })
    }
}

impl ProviderUrl {
    /// The `host` header: `host:port`, without the default port of the scheme.
    pub fn authority(&self) -> String {
        let host =
            if self.host.contains(':') { format!("[{}]", self.host) } else { self.host.clone() };
        match (self.https, self.port) {
            (true, 443) | (false, 80) => host,
            (_, port) => format!("{host}:{port}"),
        }
    }

    /// The path that the provider sees for a client's `path` (with its query). A path under
    /// `/v1` goes where the URL says version 1 is; any other goes below the URL's root.
    ///
    /// ```
    /// # use gaud::gateway::ProviderUrl;
    /// let kiro: ProviderUrl = "http://kiro.internal/openai/v1".parse()?;
    /// assert_eq!(kiro.path("/v1/chat/completions"), "/openai/v1/chat/completions");
    /// let proxied: ProviderUrl = "http://localhost/litellm".parse()?;
    /// assert_eq!(proxied.path("/v1/chat/completions"), "/litellm/v1/chat/completions");
    /// # Ok::<(), String>(())
    /// ```
    pub fn path(&self, path: &str) -> String {
        match path.strip_prefix("/v1") {
            Some(rest) if rest.is_empty() || rest.starts_with(['/', '?']) => {
                format!("{}{}{rest}", self.root, self.versioned)
            }
            _ => format!("{}{path}", self.root),
        }
    }

    /// The URL's path as it is written, without a closing slash.
    pub fn own_path(&self) -> &str {
        &self.own_path
    }

    /// Whether [`Self::path`] changes no path.
    pub fn keeps_paths(&self) -> bool {
        self.root.is_empty() && self.versioned == "/v1"
    }
}

/// `host`, `host:port`, `[v6]` or `[v6]:port` (RFC 3986, section 3.2), brackets taken off.
fn split_port(authority: &str) -> Option<(&str, Option<&str>)> {
    if let Some(rest) = authority.strip_prefix('[') {
        let (host, after) = rest.split_once(']')?;
        let host = host.parse::<std::net::Ipv6Addr>().is_ok().then_some(host)?;
        return match after {
            "" => Some((host, None)),
            _ => Some((host, Some(after.strip_prefix(':')?))),
        };
    }
    match authority.split_once(':') {
        Some((host, port)) => Some((host, Some(port))),
        None => Some((authority, None)),
    }
}

fn is_host(host: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-._:".contains(&byte);
    !host.is_empty() && host.bytes().all(allowed)
}

/// Splits a base path before its version segment (`v1`, `v1beta`, `v4`). A path with a version segment is what OpenAI's
/// clients call a base URL: it takes the place of `/v1`. A path without a version segment goes before `/v1`.
fn split_version(base: &str) -> (String, String) {
    let is_version = |segment: &str| {
        segment.strip_prefix('v').is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
    };
    let mut root = String::new();
    let mut segments = base.split('/').skip(1).peekable();
    while let Some(segment) = segments.next_if(|segment| !is_version(segment)) {
        root.push('/');
        root.push_str(segment);
    }
    let versioned: String = segments.flat_map(|segment| ["/", segment]).collect();
    let versioned = if versioned.is_empty() { "/v1".to_owned() } else { versioned };
    (root, versioned)
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(all(target_family = "wasm", target_os = "unknown"))]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[track_caller]
    fn url(text: &str) -> ProviderUrl {
        text.parse().unwrap()
    }

    #[test]
    fn parses_urls() {
        for (text, https, host, port, authority) in [
            ("http://localhost:4000", false, "localhost", 4000, "localhost:4000"),
            ("https://api.anthropic.com/v1", true, "api.anthropic.com", 443, "api.anthropic.com"),
            ("http://10.0.0.1/", false, "10.0.0.1", 80, "10.0.0.1"),
            ("https://[::1]:8443/x", true, "::1", 8443, "[::1]:8443"),
            ("http://kiro.internal:443", false, "kiro.internal", 443, "kiro.internal:443"),
        ] {
            let url = url(text);
            assert_eq!((url.https, url.host.as_str(), url.port), (https, host, port), "{text}");
            assert_eq!(url.authority(), authority, "{text}");
        }
    }

    #[test]
    fn maps_paths_to_the_providers_paths() {
        let rows = [
            ("http://h", "/v1/models?a=b", "/v1/models?a=b"),
            ("http://h/", "/v1", "/v1"),
            ("http://h/v1/", "/v1/models", "/v1/models"),
            ("http://h/v1", "/key/list", "/key/list"),
            ("http://h/v1", "/v1beta/models/m:generateContent", "/v1beta/models/m:generateContent"),
            ("http://h/litellm", "/v1/models", "/litellm/v1/models"),
            ("http://h/litellm", "/key/list", "/litellm/key/list"),
            ("http://h/openai/v1", "/v1/models", "/openai/v1/models"),
            ("http://h/openai/v1", "/health", "/openai/health"),
            ("http://h/v1beta/openai/", "/v1/models", "/v1beta/openai/models"),
            ("http://h/api/paas/v4", "/v1/chat/completions", "/api/paas/v4/chat/completions"),
            ("http://h/vault", "/v1/models", "/vault/v1/models"),
        ];
        for (base, path, expected) in rows {
            assert_eq!(url(base).path(path), expected, "{base} {path}");
        }
        assert!(url("http://h").keeps_paths() && url("http://h/v1").keeps_paths());
        assert!(!url("http://h/x").keeps_paths() && !url("http://h/x/v1").keeps_paths());
    }

    #[test]
    fn refuses_other_urls() {
        let example = "as in \"https://api.openai.com/v1\"";
        let no_port = || "must have a port from 1 to 65535 after the colon".to_owned();
        for (text, problem) in [
            ("localhost:4000", format!("must begin with http:// or https://, {example}")),
            ("ftp://h/", format!("must begin with http:// or https://, {example}")),
            ("http://", format!("names no host that can be read; write one {example}")),
            ("http://:80", format!("names no host that can be read; write one {example}")),
            ("http://[::1", format!("names no host that can be read; write one {example}")),
            ("http://[x]", format!("names no host that can be read; write one {example}")),
            ("http://h/?a=b", format!("must have no query and no fragment, {example}")),
            ("http://h/#x", format!("must have no query and no fragment, {example}")),
            ("http://h:", no_port()),
            ("http://h:99999", no_port()),
            ("http://h:0", no_port()),
            ("http://user:pass/word@h", no_port()),
            ("http://h y", format!("names no host that can be read; write one {example}")),
            ("http://h/a b", format!("has a path with spaces or non-ASCII characters, {example}")),
        ] {
            assert_eq!(text.parse::<ProviderUrl>(), Err(problem), "{text}");
        }
        let with_password = "http://u:p@h".parse::<ProviderUrl>().unwrap_err();
        assert!(with_password.starts_with("a password in a URL"), "{with_password}");
    }
}
