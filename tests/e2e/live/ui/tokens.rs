//! What the pages say of tokens: until when one is valid, and what is wrong. Never the token.

use super::{Browser, Config};
use crate::kit::harness::{Run, wait};
use crate::kit::issuer::{Fault, Issuer, SECRET};
use crate::kit::upstream::Provider;
use crate::live::ask;

const LONG_SECS: u64 = 3600;

/// The row of a provider on a page.
fn row(page: &str, provider: &str) -> String {
    let start = format!("<th scope=\"row\">{provider}</th>");
    let (_, rest) = page.split_once(&start).unwrap_or_else(|| panic!("no {provider} in {page}"));
    rest.split_once("</tr>").expect("an end").0.to_owned()
}

/// Waits until the row of a provider says this.
#[track_caller]
fn wait_for(browser: &Browser<'_>, provider: &str, said: &str) {
    wait::until(said, || {
        row(&browser.page("/ui/providers"), provider).contains(said).then_some(())
    });
}

#[test]
fn a_provider_shows_until_when_its_token_is_valid_and_what_is_wrong() {
    let one = Provider::start();
    let [well, failing, alone, refusing] =
        [Fault::None, Fault::Status(500), Fault::None, Fault::Status(500)]
            .map(|fault| Issuer::start(LONG_SECS, fault));
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("token");
    let mut config = Config::of(&[]);
    config.add("well", &one, &well.refresh());
    config.add("failing", &one, &failing.refresh());
    config.add("filed", &one, &format!("auth = {{ token_file = \"{}\" }}", file.display()));
    config.add("alone", &one, &alone.auth());
    config.add("refusing", &one, &refusing.auth());
    config.add(
        "signed",
        &one,
        "auth = { aws = { service = \"bedrock\", region = \"eu-west-1\" } }",
    );
    std::fs::write(&file, "sk-in-a-file").expect("a file");
    // Else Envoy looks for the keys of this machine's role.
    let run = Run::start_with(&config.text(), &[("AWS_EC2_METADATA_DISABLED", "true")]);
    let browser = Browser::logged_in(&run);
    wait_for(&browser, "well", "<span class=\"muted\">token:</span> valid for ");
    wait_for(
        &browser,
        "failing",
        "ago: the issuer answers with status 500; the issuer is asked again",
    );
    wait_for(&browser, "filed", "<span class=\"muted\">token:</span> changed ");
    // Of Envoy's own tokens only the last request says that there is none.
    assert_eq!(ask(run.addr(), "refusing:m").status, 503);
    wait_for(&browser, "refusing", "the gateway has no credential for the provider");
    let settings = browser.page("/ui/settings");
    std::fs::remove_file(&file).expect("a file");
    wait_for(&browser, "filed", "cannot be read: it is not there");
    let pages = browser.page("/ui") + &browser.page("/ui/providers") + &settings;
    for provider in ["alone", "refusing", "signed"] {
        assert!(!row(&pages, provider).contains("token:"), "Envoy alone knows it");
    }
    for secret in [SECRET, "token-1", "refresh-0", "refresh-1", "sk-in-a-file"] {
        assert!(!pages.contains(secret), "{secret} shows");
    }
}
