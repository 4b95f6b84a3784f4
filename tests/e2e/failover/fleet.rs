//! A gateway and three providers that differ in URL, protocol, credential and headers.

use crate::kit::client::Request;
use crate::kit::harness::Gateway;
use crate::kit::samples::LISTEN;
use crate::kit::upstream::{Provider, Seen};
use std::fmt::Write;
use std::sync::OnceLock;

/// What the gateway writes for a provider, and for no other.
#[derive(Debug)]
pub(super) struct Member {
    pub(super) name: &'static str,
    /// What its URL ends with.
    pub(super) base: &'static str,
    pub(super) http2: bool,
    settings: &'static str,
    /// The credentials and headers that the gateway sends this provider alone.
    pub(super) headers: &'static [(&'static str, &'static str)],
}

pub(super) const MEMBERS: [Member; 3] = [
    Member {
        name: "one",
        base: "/one/v1",
        http2: false,
        settings: "api_key = \"os.environ/KEY_ONE\"\nheaders = { x-of-one = \"1\", x-of-both = \"one\" }\n",
        headers: &[("authorization", "Bearer sk-one"), ("x-of-one", "1"), ("x-of-both", "one")],
    },
    Member {
        name: "two",
        base: "/a/longer/path/to/two/v1",
        http2: true,
        settings: "api_key = \"os.environ/KEY_TWO\"\nauth = \"x-api-key\"\nhttp2 = true\n\
                   headers = { x-of-two = \"2\", x-of-both = \"two\" }\n",
        headers: &[("x-api-key", "sk-two"), ("x-of-two", "2"), ("x-of-both", "two")],
    },
    Member {
        name: "three",
        base: "/v1",
        http2: false,
        settings: "auth = \"none\"\n",
        headers: &[],
    },
];

/// All headers that may be a credential, or one provider's.
pub(super) const OWNED: [&str; 7] = [
    "authorization",
    "x-api-key",
    "api-key",
    "x-goog-api-key",
    "x-of-one",
    "x-of-two",
    "x-of-both",
];

const KEYS: [(&str, &str); 2] = [("KEY_ONE", "sk-one"), ("KEY_TWO", "sk-two")];

/// The chains that most tests use.
pub(super) const CHAINS: &str = r#"
[aliases]
quick = "one:aliased"
[[fallbacks]]
model = "one:pair"
to = ["two:second"]
[[fallbacks]]
model = "one:chain"
to = ["two:second", "three:the-third-models-longer-name"]
[[fallbacks]]
model = "one:small"
to = ["one:large"]
[[fallbacks]]
model = "twice"
to = ["one:twice", "two:second"]
[[fallbacks]]
model = "quick"
to = ["three:t"]
[[fallbacks]]
model = "one:glob-*"
to = ["two:second"]
"#;

pub(super) struct Fleet {
    pub(super) gateway: Gateway,
    servers: [Provider; 3],
}

impl Fleet {
    /// Starts one; `each` is added to every provider's table, `tables` follows them.
    pub(super) fn start(each: &str, tables: &str) -> Self {
        Self::start_each([each; 3], tables)
    }

    /// One without breakers, with these settings at the head of its configuration.
    pub(super) fn with_head(head: &str, tables: &str) -> Self {
        Self::build(head, ["breaker = { enabled = false }\n"; 3], tables)
    }

    /// The same, with settings for each provider.
    pub(super) fn start_each(each: [&str; 3], tables: &str) -> Self {
        Self::build("", each, tables)
    }

    fn build(head: &str, each: [&str; 3], tables: &str) -> Self {
        let servers = [(); 3].map(|()| Provider::start());
        let mut toml = format!("{LISTEN}default_provider = \"one\"\n{head}");
        let members = MEMBERS.iter().zip(&servers).zip(each);
        for ((Member { name, base, settings, .. }, server), each) in members {
            let url = format!("{}{base}", server.url());
            write!(toml, "[providers.{name}]\nurl = \"{url}\"\n{settings}{each}\n")
                .expect("a text");
        }
        Self { gateway: Gateway::start(&(toml + tables), &KEYS), servers }
    }

    /// The same without breakers, so that the failures of one test do not affect another.
    pub(super) fn without_breakers(each: &str, tables: &str) -> Self {
        Self::start(&format!("breaker = {{ enabled = false }}\n{each}"), tables)
    }

    /// The one that tests share, with the default retries.
    pub(super) fn shared() -> &'static Self {
        static SHARED: OnceLock<Fleet> = OnceLock::new();
        SHARED.get_or_init(|| Self::without_breakers("", CHAINS))
    }

    pub(super) fn server(&self, name: &str) -> &Provider {
        &self.servers[index(name)]
    }

    /// All attempts of a case in their order, each with its provider.
    pub(super) fn attempts(&self, case: &str) -> Vec<(&'static Member, Seen)> {
        let of = |(member, server): (&'static Member, &Provider)| {
            server.seen(case).into_iter().map(move |seen| (member, seen))
        };
        let mut all: Vec<_> = MEMBERS.iter().zip(&self.servers).flat_map(of).collect();
        all.sort_by_key(|(_, seen)| seen.arrived);
        all
    }

    /// The attempts of a case as the providers' names.
    pub(super) fn asked(&self, case: &str) -> Vec<&'static str> {
        self.attempts(case).iter().map(|(member, _)| member.name).collect()
    }

    /// How many requests have taken the way on which attempts can be repeated.
    pub(super) fn hops(&self) -> u64 {
        let stats = self.gateway.admin().stats();
        *stats.get("cluster.gaud_attempts.upstream_rq_total").expect("the hop's cluster")
    }
}

/// The place of a provider; fails unless `name` is a provider of the fleet.
pub(super) fn index(name: &str) -> usize {
    MEMBERS.iter().position(|member| member.name == name).expect("a provider of the fleet")
}

/// A client's credentials of every kind, and headers that only the gateway may set.
pub(super) fn with_headers(mut request: Request) -> Request {
    for name in ["x-api-key", "api-key", "x-goog-api-key"] {
        request = request.header(name, "of-the-client");
    }
    for name in ["x-gaud-retry", "x-gaud-wait", "x-gaud-attempts", "x-gaud-provider"] {
        request = request.header(name, "9");
    }
    request.header("authorization", "Bearer of-the-client").header("x-kept", "kept")
}
