//! The functions of Envoy that the module may call, and the functions of the module that Envoy may call. The rendered
//! configuration allows no others, and a test compares the built module with this list.

/// What a filter that reads responses may use in addition to [`CAPABILITIES`] and [`HEARING_CAPABILITIES`]: the filter after
/// the hop, and each filter where every request is metered.
pub const READING_CAPABILITIES: &[&str] = &["proxy_on_response_body", "proxy_on_response_trailers"];

/// What a filter may use in addition to [`CAPABILITIES`] that hears of every response: the filter after the hop, and the
/// clients' filter where Envoy notes no ends of requests.
pub const HEARING_CAPABILITIES: &[&str] = &["proxy_on_response_headers", "proxy_on_log"];

/// What the logger of ends may use.
pub const ENDS_CAPABILITIES: &[&str] = &[
    "proxy_on_vm_start",
    "proxy_on_configure",
    "proxy_on_context_create",
    "proxy_on_log",
    "proxy_on_delete",
    "proxy_log",
    "proxy_get_property",
    "proxy_define_metric",
    "proxy_increment_metric",
    "proxy_on_memory_allocate",
    "_initialize",
    "environ_get",
    "environ_sizes_get",
    "fd_write",
    "proc_exit",
];

/// Names of proxy-wasm's ABI 0.2.1 and of WASI.
pub const CAPABILITIES: &[&str] = &[
    // Callbacks. A callback that is not listed is never made, and costs nothing.
    "proxy_on_vm_start",
    "proxy_on_configure",
    "proxy_on_context_create",
    "proxy_on_tick",
    "proxy_on_http_call_response",
    "proxy_on_request_headers",
    "proxy_on_request_body",
    "proxy_on_request_trailers",
    "proxy_on_delete",
    // Calls.
    "proxy_log",
    "proxy_get_header_map_pairs",
    "proxy_get_header_map_value",
    "proxy_replace_header_map_value",
    "proxy_remove_header_map_value",
    "proxy_get_buffer_bytes",
    "proxy_set_buffer_bytes",
    "proxy_send_local_response",
    "proxy_set_effective_context",
    "proxy_get_property",
    "proxy_set_property",
    "proxy_get_current_time_nanoseconds",
    "proxy_set_tick_period_milliseconds",
    "proxy_get_shared_data",
    "proxy_set_shared_data",
    "proxy_define_metric",
    "proxy_increment_metric",
    "proxy_record_metric",
    "proxy_get_metric",
    "proxy_http_call",
    // The module's memory and start.
    "proxy_on_memory_allocate",
    "_initialize",
    // WASI: the environment and standard error.
    "environ_get",
    "environ_sizes_get",
    "fd_write",
    "proc_exit",
];
