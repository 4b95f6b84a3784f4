//! The calls into Envoy, each wrapped once, none of which can trap.
//!
//! The SDK's own wrappers panic on every status they do not know and on headers that are not
//! UTF-8, and a panic takes down every stream of the worker. So these are the raw functions of
//! proxy-wasm ABI 0.2.1
//! (<https://github.com/proxy-wasm/spec/tree/main/abi-versions/v0.2.1>), with every status handled:
//! a call that fails is logged, and the caller learns of it by its result.
#![allow(unsafe_code)]

use std::ptr::null_mut;

const OK: u32 = 0;

/// Which header map.
#[derive(Debug, Clone, Copy)]
#[repr(u32)]
pub(super) enum Map {
    RequestHeaders = 0,
    ResponseHeaders = 2,
}

/// Which buffer.
#[derive(Debug, Clone, Copy)]
#[repr(u32)]
pub(super) enum Buffer {
    RequestBody = 0,
    PluginConfiguration = 7,
}

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
    fn proxy_remove_header_map_value(map: u32, name: *const u8, name_size: usize) -> u32;
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
    fn proxy_send_local_response(
        status: u32,
        details: *const u8,
        details_size: usize,
        body: *const u8,
        body_size: usize,
        headers: *const u8,
        headers_size: usize,
        grpc_status: i32,
    ) -> u32;
}

/// All headers, as [`crate::head::Head::parse`] reads them.
pub(super) fn header_map(map: Map) -> Vec<u8> {
    let mut data = null_mut();
    let mut size = 0;
    // SAFETY: both pointers are valid for writes during the call.
    let status = unsafe { proxy_get_header_map_pairs(map as u32, &mut data, &mut size) };
    check("get_header_map_pairs", status);
    // SAFETY: Envoy filled them by `proxy_on_memory_allocate`, or left them as they were.
    unsafe { owned(data, size) }
}

/// Sets a header, in the place of any that are there. The value must have no line breaks: Envoy
/// writes a response header's as they are.
pub(super) fn set_header(map: Map, name: &str, value: &str) -> bool {
    // SAFETY: the pointers are of live strings with their own lengths.
    let status = unsafe {
        proxy_replace_header_map_value(
            map as u32,
            name.as_ptr(),
            name.len(),
            value.as_ptr(),
            value.len(),
        )
    };
    check("replace_header_map_value", status)
}

/// Removes a header, however often it is there.
pub(super) fn remove_header(map: Map, name: &str) -> bool {
    // SAFETY: the pointer is of a live string with its own length.
    let status = unsafe { proxy_remove_header_map_value(map as u32, name.as_ptr(), name.len()) };
    check("remove_header_map_value", status)
}

/// Up to `max_size` bytes of a buffer from `start`; empty when there are none.
pub(super) fn buffer(buffer: Buffer, start: usize, max_size: usize) -> Vec<u8> {
    let mut data = null_mut();
    let mut size = 0;
    // SAFETY: both pointers are valid for writes during the call.
    let status =
        unsafe { proxy_get_buffer_bytes(buffer as u32, start, max_size, &mut data, &mut size) };
    check("get_buffer_bytes", status);
    // SAFETY: Envoy filled them by `proxy_on_memory_allocate`, or left them as they were.
    unsafe { owned(data, size) }
}

/// Replaces a buffer's first `size` bytes.
pub(super) fn replace_start(buffer: Buffer, size: usize, bytes: &[u8]) -> bool {
    // SAFETY: the pointer is of a live slice with its own length.
    let status =
        unsafe { proxy_set_buffer_bytes(buffer as u32, 0, size, bytes.as_ptr(), bytes.len()) };
    check("set_buffer_bytes", status)
}

/// Answers a request in the provider's place, with a JSON document.
pub(super) fn send_reply(status: u32, details: &str, body: &str) -> bool {
    const NO_GRPC_STATUS: i32 = -1;
    let headers = serialized([("content-type", "application/json")]);
    // SAFETY: the pointers are of live values with their own lengths.
    let status = unsafe {
        proxy_send_local_response(
            status,
            details.as_ptr(),
            details.len(),
            body.as_ptr(),
            body.len(),
            headers.as_ptr(),
            headers.len(),
            NO_GRPC_STATUS,
        )
    };
    check("send_local_response", status)
}

/// One header as proxy-wasm lays out a map.
fn serialized([(name, value)]: [(&str, &str); 1]) -> Vec<u8> {
    let mut map = 1_u32.to_le_bytes().to_vec();
    map.extend((name.len() as u32).to_le_bytes());
    map.extend((value.len() as u32).to_le_bytes());
    for text in [name, value] {
        map.extend(text.as_bytes());
        map.push(0);
    }
    map
}

/// Takes over memory that Envoy has filled.
///
/// # Safety
/// `data` is null, or `size` bytes that were allocated by `proxy_on_memory_allocate`.
unsafe fn owned(data: *mut u8, size: usize) -> Vec<u8> {
    match data.is_null() {
        true => Vec::new(),
        // SAFETY: that function leaks a boxed slice of exactly `size` bytes.
        false => unsafe { Vec::from_raw_parts(data, size, size) },
    }
}

/// Empty buffers are reported as "not found" (1) by some calls: nothing to log.
fn check(call: &str, status: u32) -> bool {
    const NOT_FOUND: u32 = 1;
    if status > NOT_FOUND {
        log::error!("proxy_{call} failed with status {status}");
    }
    status == OK
}
