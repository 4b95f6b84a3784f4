//! The built module: its imports, its exports and its size.

use std::collections::BTreeSet;
use std::path::PathBuf;

use gaud::names::capabilities::{CAPABILITIES, HEARING_CAPABILITIES, READING_CAPABILITIES};

/// The most that the module may weigh.
const SIZE_BYTES_MAX: usize = 1024 * 1024;

/// What either filter may use.
fn all() -> impl Iterator<Item = &'static str> {
    [CAPABILITIES, HEARING_CAPABILITIES, READING_CAPABILITIES].concat().into_iter()
}

fn module() -> Vec<u8> {
    let built = concat!(env!("CARGO_MANIFEST_DIR"), "/target/wasm32-wasip1/release/gaud.wasm");
    let path = std::env::var_os("GAUD_WASM").map_or_else(|| built.into(), PathBuf::from);
    std::fs::read(&path)
        .unwrap_or_else(|error| panic!("{}: {error}; `make build` builds it", path.display()))
}

/// A cursor over a module's bytes: <https://webassembly.github.io/spec/core/binary/modules.html>.
struct Cursor<'a>(&'a [u8]);

impl<'a> Cursor<'a> {
    fn byte(&mut self) -> u8 {
        self.take(1)[0]
    }

    fn take(&mut self, length: usize) -> &'a [u8] {
        let (taken, rest) = self.0.split_at(length);
        self.0 = rest;
        taken
    }

    /// LEB128.
    fn number(&mut self) -> usize {
        let mut number = 0;
        for shift in (0..).step_by(7) {
            let byte = self.byte();
            number |= usize::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                break;
            }
        }
        number
    }

    fn name(&mut self) -> &'a str {
        let length = self.number();
        std::str::from_utf8(self.take(length)).unwrap()
    }
}

/// The content of the section with this id.
fn section(module: &[u8], id: u8) -> Cursor<'_> {
    let mut cursor = Cursor(&module[8..]);
    loop {
        let (found, length) = (cursor.byte(), cursor.number());
        let content = cursor.take(length);
        if found == id {
            return Cursor(content);
        }
    }
}

/// The functions that it imports.
fn imports(module: &[u8]) -> BTreeSet<&str> {
    let mut cursor = section(module, 2);
    (0..cursor.number())
        .map(|_| {
            let (_module, name) = (cursor.name(), cursor.name());
            assert_eq!(cursor.byte(), 0, "{name} is not a function");
            cursor.number();
            name
        })
        .collect()
}

/// Everything that it exports.
fn exports(module: &[u8]) -> BTreeSet<&str> {
    let mut cursor = section(module, 7);
    (0..cursor.number())
        .map(|_| {
            let name = cursor.name();
            cursor.byte();
            cursor.number();
            name
        })
        .collect()
}

#[test]
fn the_module_imports_only_allowed_functions() {
    let module = module();
    let allowed = all().collect::<BTreeSet<_>>();
    let surplus: Vec<_> = imports(&module).difference(&allowed).copied().collect();
    assert!(surplus.is_empty(), "not allowed: {surplus:?}");
}

#[test]
fn every_allowed_function_is_used() {
    let module = module();
    let known: BTreeSet<_> = imports(&module).union(&exports(&module)).copied().collect();
    let vain: Vec<_> = all().filter(|name| !known.contains(name)).collect();
    assert!(vain.is_empty(), "neither imported nor exported: {vain:?}");
}

#[test]
fn the_module_exports_what_envoy_needs() {
    let module = module();
    let exports = exports(&module);
    for name in ["memory", "_initialize", "proxy_abi_version_0_2_1", "proxy_on_memory_allocate"] {
        assert!(exports.contains(name), "{name} is missing");
    }
}

#[test]
fn the_module_fits_its_size_budget() {
    let size = module().len();
    assert!(size <= SIZE_BYTES_MAX, "gaud.wasm has {size} bytes, the limit is {SIZE_BYTES_MAX}");
}
