//! Fuzzes the target `compressed`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| gaud_fuzz::run("compressed", data));
