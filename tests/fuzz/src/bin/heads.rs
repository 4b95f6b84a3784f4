//! Fuzzes the target `heads`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| gaud_fuzz::run("heads", data));
