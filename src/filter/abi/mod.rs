//! The calls into Envoy, each wrapped once, none of which can trap.
//!
//! Every status is handled: a call that fails is logged, and its result tells the caller. Header values are bytes, because a
//! client may send any bytes.
#![allow(unsafe_code)]

mod imports;

use std::borrow::Cow;
use std::ptr::{null, null_mut};

use imports::*;

use crate::request::header_map::serialized;

const OK: u32 = 0;
const NOT_FOUND: u32 = 1;
const CAS_MISMATCH: u32 = 8;

#[derive(Debug, Clone, Copy)]
#[repr(u32)]
pub(super) enum Map {
    RequestHeaders = 0,
    RequestTrailers = 1,
    ResponseHeaders = 2,
    CallResponseHeaders = 6,
}

#[derive(Debug, Clone, Copy)]
#[repr(u32)]
pub(super) enum Buffer {
    RequestBody = 0,
    ResponseBody = 1,
    CallResponseBody = 4,
    PluginConfiguration = 7,
}

#[derive(Debug, Clone, Copy)]
#[repr(u32)]
pub(super) enum MetricKind {
    Counter = 0,
    Gauge = 1,
    Histogram = 2,
}

/// All headers, as [`crate::request::head::Head::parse`] reads them.
pub(super) fn header_map(map: Map) -> Vec<u8> {
    let mut data = null_mut();
    let mut size = 0;
    // SAFETY: both pointers are valid for writes during the call.
    let status = unsafe { proxy_get_header_map_pairs(map as u32, &mut data, &mut size) };
    check("get_header_map_pairs", status);
    // SAFETY: Envoy filled them by `proxy_on_memory_allocate`, or left them as they were.
    unsafe { owned(data, size) }
}

/// A header's first value; empty when it is not there.
pub(super) fn header(map: Map, name: &str) -> Vec<u8> {
    let mut data = null_mut();
    let mut size = 0;
    // SAFETY: all pointers are valid during the call.
    let status = unsafe {
        proxy_get_header_map_value(map as u32, name.as_ptr(), name.len(), &mut data, &mut size)
    };
    check("get_header_map_value", status);
    // SAFETY: Envoy filled them by `proxy_on_memory_allocate`, or left them as they were.
    unsafe { owned(data, size) }
}

/// Sets a header, in the place of any that are there. The value must have no line breaks: Envoy
/// writes a response header's as they are.
pub(super) fn set_header(map: Map, name: &str, value: &str) -> bool {
    // SAFETY: the pointers are of live strings with their lengths.
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
    // SAFETY: the pointer is of a live string with its length.
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
    // SAFETY: the pointer is of a live slice with its length.
    let status =
        unsafe { proxy_set_buffer_bytes(buffer as u32, 0, size, bytes.as_ptr(), bytes.len()) };
    check("set_buffer_bytes", status)
}

/// Appends to a buffer.
pub(super) fn append(buffer: Buffer, bytes: &[u8]) -> bool {
    const END: usize = u32::MAX as usize;
    // SAFETY: the pointer is of a live slice with its length.
    let status =
        unsafe { proxy_set_buffer_bytes(buffer as u32, END, 0, bytes.as_ptr(), bytes.len()) };
    check("set_buffer_bytes", status)
}

/// Makes the calls that follow belong to another context.
pub(super) fn set_effective_context(id: u32) -> bool {
    // SAFETY: takes no pointer.
    check("set_effective_context", unsafe { proxy_set_effective_context(id) })
}

/// Answers a request in the provider's place.
pub(super) fn send_reply(status: u32, details: &str, headers: &[(&str, &str)], body: &str) -> bool {
    const NO_GRPC_STATUS: i32 = -1;
    let headers = serialized(headers);
    // SAFETY: the pointers are of live values with their lengths.
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

/// One of Envoy's attributes, see [`crate::names::properties`]; empty when it is not known now.
pub(super) fn property(path: &str) -> Vec<u8> {
    let mut data = null_mut();
    let mut size = 0;
    // SAFETY: all pointers are valid during the call.
    let status = unsafe { proxy_get_property(path.as_ptr(), path.len(), &mut data, &mut size) };
    check("get_property", status);
    // SAFETY: Envoy filled them by `proxy_on_memory_allocate`, or left them as they were.
    unsafe { owned(data, size) }
}

/// Sets a property of this stream, which Envoy's configuration can read by the name `wasm.` and
/// `name`.
pub(super) fn set_property(name: &str, value: &str) -> bool {
    // SAFETY: the pointers are of live strings with their lengths.
    let status =
        unsafe { proxy_set_property(name.as_ptr(), name.len(), value.as_ptr(), value.len()) };
    check("set_property", status)
}

/// The wall clock, in nanoseconds since 1970.
pub(super) fn now_ns() -> u64 {
    let mut time = 0;
    // SAFETY: the pointer is valid for writes during the call.
    check("get_current_time_nanoseconds", unsafe { proxy_get_current_time_nanoseconds(&mut time) });
    time
}

/// Asks for a tick every so often.
pub(super) fn set_tick_period(period_ms: u32) -> bool {
    // SAFETY: takes no pointer.
    check("set_tick_period_milliseconds", unsafe { proxy_set_tick_period_milliseconds(period_ms) })
}

/// A value of shared data and its number; `None` when it was never set.
pub(super) fn shared_data(key: &str) -> Option<(Vec<u8>, u32)> {
    let mut data = null_mut();
    let (mut size, mut cas) = (0, 0);
    // SAFETY: all pointers are valid during the call.
    let status =
        unsafe { proxy_get_shared_data(key.as_ptr(), key.len(), &mut data, &mut size, &mut cas) };
    let found = check("get_shared_data", status);
    // SAFETY: Envoy filled them by `proxy_on_memory_allocate`, or left them as they were.
    let value = unsafe { owned(data, size) };
    found.then_some((value, cas))
}

/// Sets a value of shared data that still has this number, or was never set.
pub(super) fn swap_shared_data(key: &str, value: &[u8], number: Option<u32>) -> bool {
    // Envoy compares the number only with a key that exists, and 0 with no key: so a number that no value ever has creates
    // a key, and changes no existing key.
    let cas = number.unwrap_or(u32::MAX);
    // SAFETY: the pointers are of live values with their lengths.
    let status =
        unsafe { proxy_set_shared_data(key.as_ptr(), key.len(), value.as_ptr(), value.len(), cas) };
    status != CAS_MISMATCH && check("set_shared_data", status)
}

/// Defines a metric; `None` when Envoy will not have it.
pub(super) fn define_metric(kind: MetricKind, name: &str) -> Option<u32> {
    let mut id = 0;
    // SAFETY: all pointers are valid during the call.
    let status = unsafe { proxy_define_metric(kind as u32, name.as_ptr(), name.len(), &mut id) };
    check("define_metric", status).then_some(id)
}

/// Adds to a counter.
pub(super) fn increment_metric(id: u32, by: u64) {
    let by = i64::try_from(by).unwrap_or(i64::MAX);
    // SAFETY: takes no pointer.
    check("increment_metric", unsafe { proxy_increment_metric(id, by) });
}

/// The value of a counter; `None` when Envoy does not tell. The call returns no memory, and so costs a tenth of one that does.
pub(super) fn metric(id: u32) -> Option<u64> {
    let mut value = 0;
    // SAFETY: the pointer is valid for writes during the call.
    let status = unsafe { proxy_get_metric(id, &mut value) };
    check("get_metric", status).then_some(value)
}

pub(super) fn record_metric(id: u32, value: u64) {
    // SAFETY: takes no pointer.
    check("record_metric", unsafe { proxy_record_metric(id, value) });
}

/// Asks a cluster by GET, with these headers; the number by which the answer is known, or `None` when
/// the question could not be sent.
pub(super) fn get(cluster: &str, headers: &[(&str, Cow<'_, str>)], timeout_ms: u32) -> Option<u32> {
    let agent = concat!("gaud/", env!("CARGO_PKG_VERSION"));
    let mut all = vec![(":method", "GET"), ("user-agent", agent)];
    all.extend(headers.iter().map(|(name, value)| (*name, value.as_ref())));
    let headers = serialized(&all);
    let no_trailers = serialized::<&str, &str>(&[]);
    let mut token = 0;
    // SAFETY: the pointers are of live values with their lengths; the body is empty.
    let status = unsafe {
        proxy_http_call(
            cluster.as_ptr(),
            cluster.len(),
            headers.as_ptr(),
            headers.len(),
            null(),
            0,
            no_trailers.as_ptr(),
            no_trailers.len(),
            timeout_ms,
            &mut token,
        )
    };
    check("http_call", status).then_some(token)
}

/// Writes to Envoy's log. Levels are Envoy's: 0 trace to 5 critical.
pub(super) fn log(level: u32, message: &str) {
    // SAFETY: the pointer is of a live string with its length. A failed call is not logged: the log is what failed.
    unsafe { proxy_log(level, message.as_ptr(), message.len()) };
}

/// Takes over memory that Envoy has filled.
///
/// # Safety
/// `data` is null, or `size` bytes that were allocated by `proxy_on_memory_allocate`.
unsafe fn owned(data: *mut u8, size: usize) -> Vec<u8> {
    if data.is_null() {
        Vec::new()
    } else {
        // SAFETY: that function allocates exactly `size` bytes, for no other owner.
        unsafe { Vec::from_raw_parts(data, size, size) }
    }
}

/// Logs a failed call. A missing value is not an error.
fn check(call: &str, status: u32) -> bool {
    if status > NOT_FOUND {
        log::error!("proxy_{call} failed with status {status}");
    }
    status == OK
}
