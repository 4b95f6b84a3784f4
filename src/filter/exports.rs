//! What Envoy calls: the callbacks of proxy-wasm ABI 0.2.1
//! (<https://github.com/proxy-wasm/spec/tree/main/abi-versions/v0.2.1>).
//!
//! Envoy numbers its contexts: a root context for the plugin, and one per request. Each callback
//! finds its context by that number and passes the call on. A callback with an unknown number does
//! nothing.
#![allow(unsafe_code)]

use std::alloc::{Layout, alloc};
use std::cell::RefCell;
use std::ptr::{NonNull, null_mut};

use hashbrown::HashMap;

use super::clock;
use super::context::Context;
use super::log;
use super::root::Root;
use super::status::FilterStatus;
use crate::reply::Reject;
use crate::room::{Pot, Purpose};

/// The contexts of this VM.
#[derive(Default)]
struct Contexts {
    roots: HashMap<u32, Root>,
    streams: HashMap<u32, Context>,
}

thread_local! {
    static CONTEXTS: RefCell<Contexts> = RefCell::default();
}

/// Every callback that acts begins here. Envoy makes no callback during a call into Envoy. If that changes, such a
/// callback is skipped.
fn with_contexts<T>(act: impl FnOnce(&mut Contexts) -> Option<T>) -> Option<T> {
    CONTEXTS.with(|contexts| {
        let mut contexts = contexts.try_borrow_mut().ok()?;
        clock::begin_callback();
        act(&mut contexts)
    })
}

fn with_root<T>(id: u32, act: impl FnOnce(&mut Root) -> T) -> Option<T> {
    with_contexts(|contexts| contexts.roots.get_mut(&id).map(act))
}

/// A request without a context passes unchanged: without a configuration the filter has no rules for the request.
fn with_stream(id: u32, act: impl FnOnce(&mut Context) -> FilterStatus) -> FilterStatus {
    with_contexts(|contexts| {
        clock::turn_to(id);
        contexts.streams.get_mut(&id).map(act)
    })
    .unwrap_or(FilterStatus::Continue)
}

unsafe extern "C" {
    fn __wasm_call_ctors();
}

#[unsafe(no_mangle)]
extern "C" fn _initialize() {
    // SAFETY: the function is the linker's; Envoy calls `_initialize` once, before anything else.
    unsafe { __wasm_call_ctors() };
    log::open();
}

#[unsafe(no_mangle)]
extern "C" fn proxy_abi_version_0_2_1() {}

/// Memory that Envoy fills and [`super::abi`] takes over; null, which Envoy takes for an error, when
/// there is none.
#[unsafe(no_mangle)]
extern "C" fn proxy_on_memory_allocate(size: usize) -> *mut u8 {
    match Layout::array::<u8>(size) {
        // SAFETY: the size is not zero.
        Ok(layout) if size > 0 => unsafe { alloc(layout) },
        Ok(_) => NonNull::dangling().as_ptr(),
        Err(_) => null_mut(),
    }
}

#[unsafe(no_mangle)]
extern "C" fn proxy_on_vm_start(_root: u32, _size: usize) -> bool {
    true
}

#[unsafe(no_mangle)]
extern "C" fn proxy_on_context_create(id: u32, root: u32) {
    with_contexts(|Contexts { roots, streams }| {
        match root {
            0 => _ = roots.insert(id, Root::default()),
            _ => _ = streams.insert(id, roots.get(&root)?.open_stream()?),
        }
        Some(())
    });
}

#[unsafe(no_mangle)]
extern "C" fn proxy_on_delete(id: u32) {
    with_contexts(|contexts| {
        match contexts.streams.remove(&id) {
            Some(mut stream) => stream.over(),
            None => drop(contexts.roots.remove(&id)),
        }
        Some(())
    });
}

#[unsafe(no_mangle)]
extern "C" fn proxy_on_configure(root: u32, size: usize) -> bool {
    with_root(root, |root| root.configure(size)).unwrap_or(false)
}

#[unsafe(no_mangle)]
extern "C" fn proxy_on_tick(root: u32) {
    with_root(root, Root::tick);
    with_contexts(|Contexts { roots, streams }| {
        let waiting = streams.iter_mut().filter_map(|(id, stream)| stream.tick(*id).then_some(()));
        let is_probing = waiting.count() > 0;
        let root = roots.get(&root)?;
        root.set_probing(is_probing);
        if root.makes_attempts() {
            return None;
        }
        let now_ms = clock::now_ns() / 1_000_000;
        Purpose::Lists.pot(|pot| pot.expire(now_ms));
        for id in Purpose::Held.pot(|pot| pot.late(now_ms)) {
            if let Some(stream) = streams.get_mut(&id) {
                stream.refuse(id, &Reject::ModelLate);
            }
        }
        Some(())
    });
}

#[unsafe(no_mangle)]
extern "C" fn proxy_on_http_call_response(
    root: u32,
    token: u32,
    headers: usize,
    body_size: usize,
    _trailers: usize,
) {
    with_root(root, |root| root.answered(token, headers, body_size));
}

#[unsafe(no_mangle)]
extern "C" fn proxy_on_request_headers(id: u32, _headers: usize, end: u32) -> FilterStatus {
    with_stream(id, |context| context.request_headers(end != 0))
}

#[unsafe(no_mangle)]
extern "C" fn proxy_on_request_body(id: u32, size: usize, end: u32) -> FilterStatus {
    let status = with_stream(id, |context| context.request_body(size, end != 0));
    refuse_evicted();
    status
}

/// Ends the streams that had to make room for others.
fn refuse_evicted() {
    for (id, bound) in Purpose::Held.pot(Pot::evicted) {
        with_contexts(|contexts| {
            contexts.streams.get_mut(&id)?.refuse(id, &Reject::NoRoom(bound));
            Some(())
        });
    }
}

#[unsafe(no_mangle)]
extern "C" fn proxy_on_request_trailers(id: u32, _trailers: usize) -> FilterStatus {
    with_stream(id, |context| context.request_trailers())
}

#[unsafe(no_mangle)]
extern "C" fn proxy_on_response_headers(id: u32, _headers: usize, end: u32) -> FilterStatus {
    with_stream(id, |context| context.response_headers(end != 0))
}

#[unsafe(no_mangle)]
extern "C" fn proxy_on_response_body(id: u32, size: usize, end: u32) -> FilterStatus {
    with_stream(id, |context| context.response_body(size, end != 0))
}

#[unsafe(no_mangle)]
extern "C" fn proxy_on_response_trailers(id: u32, _trailers: usize) -> FilterStatus {
    with_stream(id, |context| context.response_trailers())
}

#[unsafe(no_mangle)]
extern "C" fn proxy_on_log(id: u32) {
    with_contexts(|Contexts { roots, streams }| {
        let stream = streams.get_mut(&id).map(Context::end);
        stream.or_else(|| roots.get(&id).map(Root::note_end))
    });
}
