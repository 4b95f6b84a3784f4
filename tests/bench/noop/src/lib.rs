//! A filter with all callbacks of proxy-wasm ABI 0.2.1, each of which does nothing: what remains of a
//! filter's cost when it has no work.

const CONTINUE: u32 = 0;

macro_rules! callbacks {
    ($($name:ident($($argument:ident),*) $(-> $result:ty = $value:expr)?;)*) => {$(
        #[unsafe(no_mangle)]
        extern "C" fn $name($($argument: u32),*) $(-> $result)? {
            $(_ = $argument;)*
            $($value)?
        }
    )*};
}

callbacks! {
    proxy_abi_version_0_2_1();
    proxy_on_vm_start(_root, _size) -> u32 = 1;
    proxy_on_configure(_root, _size) -> u32 = 1;
    proxy_on_context_create(_id, _root);
    proxy_on_request_headers(_id, _headers, _end) -> u32 = CONTINUE;
    proxy_on_request_body(_id, _size, _end) -> u32 = CONTINUE;
    proxy_on_request_trailers(_id, _trailers) -> u32 = CONTINUE;
    proxy_on_response_headers(_id, _headers, _end) -> u32 = CONTINUE;
    proxy_on_response_body(_id, _size, _end) -> u32 = CONTINUE;
    proxy_on_response_trailers(_id, _trailers) -> u32 = CONTINUE;
    proxy_on_done(_id) -> u32 = 1;
    proxy_on_log(_id);
    proxy_on_delete(_id);
}

/// Envoy asks for memory to write a configuration to; this filter has none, and reads none.
#[unsafe(no_mangle)]
extern "C" fn proxy_on_memory_allocate(_size: u32) -> u32 {
    0
}
