//! A filter with only the callbacks and host calls that Gaud needs for a chat of the benchmark whose
//! model comes last: the floor that no better code can get below.
//!
//! | callback | host calls |
//! |---|---|
//! | request headers | read all headers, stop |
//! | request body | read the body, ask for the breaker's changes, set cluster, credential and length, cut the namespace out, count |
//! | delete | none: Gaud forgets the request there |
//!
//! The provider's name on the response and the hearing of failures are Envoy's, by its
//! configuration. The filter finds the model by its distance from the body's end.

use std::cell::UnsafeCell;
use std::ptr::null_mut;
use std::slice::from_raw_parts;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering::Relaxed};

const CONTINUE: u32 = 0;
const STOP: u32 = 1;
const DONE: u32 = 1;

const REQUEST_HEADERS: u32 = 0;
const REQUEST_BODY: u32 = 0;
const CONFIGURATION: u32 = 7;

const COUNTER: u32 = 0;

const NAMESPACE: &str = "litellm:";
/// What follows the namespace in every body of the benchmark that has its model last.
const AFTER_NAMESPACE: &str = r#"gpt-4o","temperature":0.2}"#;

#[link(wasm_import_module = "env")]
unsafe extern "C" {
    fn proxy_get_header_map_pairs(map: u32, data: *mut *mut u8, size: *mut usize) -> u32;
    fn proxy_replace_header_map_value(
        map: u32,
        name: *const u8,
        name_size: usize,
        value: *const u8,
        value_size: usize,
    ) -> u32;
    fn proxy_get_buffer_bytes(
        buffer: u32,
        start: usize,
        max_size: usize,
        data: *mut *mut u8,
        size: *mut usize,
    ) -> u32;
    fn proxy_set_buffer_bytes(
        buffer: u32,
        start: usize,
        size: usize,
        data: *const u8,
        data_size: usize,
    ) -> u32;
    fn proxy_define_metric(kind: u32, name: *const u8, name_size: usize, id: *mut u32) -> u32;
    fn proxy_get_metric(id: u32, value: *mut u64) -> u32;
    fn proxy_increment_metric(id: u32, by: i64) -> u32;
}

/// What Envoy writes during one callback, after the configuration, which is the credential.
const MEMORY_BYTES: usize = 64 * 1024;

struct Memory(UnsafeCell<[u8; MEMORY_BYTES]>);

// SAFETY: a VM has one thread.
unsafe impl Sync for Memory {}

static MEMORY: Memory = Memory(UnsafeCell::new([0; MEMORY_BYTES]));
static USED: AtomicUsize = AtomicUsize::new(0);
static CREDENTIAL_SIZE: AtomicUsize = AtomicUsize::new(0);
/// Numbers of the two counters.
static CHANGES: AtomicU32 = AtomicU32::new(0);
static REQUESTS: AtomicU32 = AtomicU32::new(0);

#[unsafe(no_mangle)]
extern "C" fn proxy_abi_version_0_2_1() {}

#[unsafe(no_mangle)]
extern "C" fn proxy_on_vm_start(_root: u32, _size: usize) -> u32 {
    DONE
}

#[unsafe(no_mangle)]
extern "C" fn proxy_on_memory_allocate(size: usize) -> *mut u8 {
    let start = USED.load(Relaxed);
    let end = start + size;
    if end > MEMORY_BYTES {
        return null_mut();
    }
    USED.store(end, Relaxed);
    MEMORY.0.get().cast::<u8>().wrapping_add(start)
}

#[unsafe(no_mangle)]
extern "C" fn proxy_on_configure(_root: u32, size: usize) -> u32 {
    let (_, read) = read_buffer(CONFIGURATION, size);
    CREDENTIAL_SIZE.store(read, Relaxed);
    for (name, counter) in [("floor_changes", &CHANGES), ("floor_requests", &REQUESTS)] {
        let mut id = 0;
        // SAFETY: the pointers are valid during the call.
        unsafe { proxy_define_metric(COUNTER, name.as_ptr(), name.len(), &mut id) };
        counter.store(id, Relaxed);
    }
    DONE
}

#[unsafe(no_mangle)]
extern "C" fn proxy_on_request_headers(_id: u32, _count: u32, _end: u32) -> u32 {
    let (mut data, mut size) = (null_mut(), 0);
    USED.store(CREDENTIAL_SIZE.load(Relaxed), Relaxed);
    // SAFETY: the pointers are valid during the call.
    unsafe { proxy_get_header_map_pairs(REQUEST_HEADERS, &mut data, &mut size) };
    STOP
}

#[unsafe(no_mangle)]
extern "C" fn proxy_on_request_body(_id: u32, size: usize, _end: u32) -> u32 {
    if size == 0 {
        return CONTINUE;
    }
    let (data, read) = read_buffer(REQUEST_BODY, size);
    let mut changes = 0;
    // SAFETY: the pointer is valid during the call.
    unsafe { proxy_get_metric(CHANGES.load(Relaxed), &mut changes) };
    set_header("x-gaud-cluster", b"litellm");
    set_header("authorization", credential());
    let kept = read - AFTER_NAMESPACE.len() - NAMESPACE.len();
    // SAFETY: Envoy has written at least this many bytes to `data`.
    unsafe { proxy_set_buffer_bytes(REQUEST_BODY, 0, kept + NAMESPACE.len(), data, kept) };
    let (digits, start) = decimal(read - NAMESPACE.len());
    set_header("content-length", &digits[start..]);
    // SAFETY: takes no pointer.
    unsafe { proxy_increment_metric(REQUESTS.load(Relaxed), 1) };
    CONTINUE
}

#[unsafe(no_mangle)]
extern "C" fn proxy_on_delete(_id: u32) {}

fn credential() -> &'static [u8] {
    // SAFETY: the memory's beginning is written once, when the filter is configured.
    unsafe { from_raw_parts(MEMORY.0.get().cast(), CREDENTIAL_SIZE.load(Relaxed)) }
}

fn read_buffer(buffer: u32, max_size: usize) -> (*const u8, usize) {
    let (mut data, mut size) = (null_mut(), 0);
    // SAFETY: the pointers are valid during the call.
    unsafe { proxy_get_buffer_bytes(buffer, 0, max_size, &mut data, &mut size) };
    (data, size)
}

fn set_header(name: &str, value: &[u8]) {
    // SAFETY: the pointers are of live slices with their lengths.
    unsafe {
        proxy_replace_header_map_value(
            REQUEST_HEADERS,
            name.as_ptr(),
            name.len(),
            value.as_ptr(),
            value.len(),
        );
    }
}

/// The digits of a length, from the place that is returned.
fn decimal(mut number: usize) -> ([u8; 10], usize) {
    let (mut digits, mut start) = ([b'0'; 10], 10);
    while number > 0 && start > 0 {
        start -= 1;
        digits[start] = b'0' + (number % 10) as u8;
        number /= 10;
    }
    (digits, start)
}
