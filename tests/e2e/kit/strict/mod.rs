//! A gateway over a provider that judges each whole request, for very many requests: it keeps none.
//!
//! The request says in `x-want` how to answer: nothing for a plain answer, `status STATUS`,
//! `stream COUNT`, `cut`, or `large BYTES`. With `x-first` only the provider `one` answers so.

mod answer;
mod judge;

use super::harness::Gateway;
use super::samples::{LISTEN, provider};
use super::upstream::{Provider, Seen};
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::sync::{Arc, Mutex};

/// The keys of the providers `one` and `two`, as the gateway has them.
const KEYS: [(&str, &str); 2] =
    [("KEY_OF_ONE", "sk-strict-of-one"), ("KEY_OF_TWO", "sk-strict-of-two")];

/// Makes `one:chain` a model that may take two attempts: it goes another way, by the hop.
const CHAIN: &str = "\
[[fallbacks]]
model = \"one:chain\"
to = [\"two:chain\"]
[retries]
max = 0
";

/// Complaints of more than this many requests say nothing new.
const COMPLAINTS: usize = 20;

/// The gateway with the providers `one`, its default, and `two`, which are one server.
pub(crate) struct Strict {
    pub(crate) gateway: Gateway,
    verdicts: Arc<Verdicts>,
    _server: Provider,
}

#[derive(Default)]
struct Verdicts {
    complete: AtomicU64,
    complaints: Mutex<Vec<String>>,
}

impl Strict {
    /// Starts one with settings for all, and settings of the provider `one`.
    pub(crate) fn start(settings: &str, of_one: &[&str]) -> Self {
        let verdicts = Arc::new(Verdicts::default());
        let (judged, malformed) = (verdicts.clone(), verdicts.clone());
        let server = Provider::answering(move |seen| {
            judged.judge(&seen);
            Box::pin(async move { answer::answer(&seen).await })
        });
        server.on_malformed(move |problem| malformed.complain(problem));
        let key = |name: &str| format!("api_key = \"os.environ/{name}\"");
        let (key_of_one, key_of_two) = (key(KEYS[0].0), key(KEYS[1].0));
        let one = provider("one", &server.url(), &[&[key_of_one.as_str()], of_one].concat());
        let two = provider("two", &server.url(), &[&key_of_two]);
        // A refused host would hide what else is wrong with a request.
        let listen = LISTEN.replace("[\"gateway\"]", "[\"*\"]");
        let head = format!("{listen}default_provider = \"one\"\n{settings}\n");
        let gateway = Gateway::start(&format!("{head}{one}{two}{CHAIN}"), &KEYS);
        Self { gateway, verdicts, _server: server }
    }

    /// How many whole requests have come to the providers.
    pub(crate) fn complete(&self) -> u64 {
        self.verdicts.complete.load(SeqCst)
    }

    /// Fails when a whole request has come that no provider may see, or the filter has trapped.
    #[track_caller]
    pub(crate) fn assert_good(&self) {
        self.gateway.assert_no_trap();
        let complaints = self.verdicts.complaints.lock().expect("complaints");
        assert!(complaints.is_empty(), "a provider saw:\n{}", complaints.join("\n"));
    }
}

impl Verdicts {
    fn judge(&self, seen: &Seen) {
        if !seen.complete {
            return;
        }
        self.complete.fetch_add(1, SeqCst);
        if let Err(complaint) = judge::judge(seen) {
            let body = seen.body[..seen.length.min(500)].escape_ascii();
            let Seen { method, path, headers, .. } = seen;
            self.complain(format!("{complaint}: {method} {path} {headers:?} {body}"));
        }
    }

    fn complain(&self, complaint: String) {
        let mut complaints = self.complaints.lock().expect("complaints");
        if complaints.len() < COMPLAINTS {
            complaints.push(complaint);
        }
    }
}
