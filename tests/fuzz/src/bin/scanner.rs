//! Fuzzes the target `scanner`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| gaud_fuzz::run("scanner", data));
