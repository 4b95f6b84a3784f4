//! What the fuzzer has found stays found: its targets, built without it, hold for every input of
//! their corpora (`make fuzz` looks for more).

use std::fs;
use std::path::Path;

#[path = "../fuzz/targets/mod.rs"]
mod targets;

#[test]
fn the_fuzz_targets_hold_for_their_corpora() {
    for (name, run) in targets::ALL {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz/corpus").join(name);
        let mut inputs = 0;
        for entry in fs::read_dir(&folder).expect("a corpus").flatten() {
            let input = fs::read(entry.path()).expect("an input");
            // A panic names what does not hold, this the input for which.
            let outcome = std::panic::catch_unwind(|| run(&input));
            assert!(outcome.is_ok(), "{name} does not hold for {}", entry.path().display());
            inputs += 1;
        }
        assert!(inputs > 0, "the corpus of {name} is empty");
    }
}
