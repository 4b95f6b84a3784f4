//! Configurations that several suites have alike.

use crate::kit::upstream::Provider;

/// A gateway with the providers `one`, which is the default provider, and `two`. The tables `before` come before the tables of
/// the providers; `after` may go on with the table of `two`.
pub(crate) fn two_providers(
    workers: u32,
    before: &str,
    [one, two]: [&Provider; 2],
    after: &str,
) -> String {
    let provider = |name: &str, server: &Provider| {
        format!(
            "[providers.{name}]\nurl = \"{}/v1\"\nauth = \"none\"\nbreaker = {{ enabled = false }}\n",
            server.url()
        )
    };
    format!(
        "listen = \"127.0.0.1:0\"\nadmin_listen = \"127.0.0.1:0\"\nworkers = {workers}\nallow_hosts = [\"gateway\"]\n\
         default_provider = \"one\"\n{before}{}{}{after}",
        provider("one", one),
        provider("two", two),
    )
}
