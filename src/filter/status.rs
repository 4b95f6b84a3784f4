//! The answers to Envoy's callbacks.

/// What Envoy does next with the head, the piece of a body or the trailers of a callback: the values of
/// proxy-wasm ABI 0.2.1.
#[derive(Debug, Clone, Copy)]
#[repr(u32)]
pub(super) enum FilterStatus {
    Continue = 0,
    /// Wait, and keep what the callback showed.
    Stop = 1,
    /// Wait, and drop this piece of the body: the filter holds the piece, or no provider is to have the piece.
    StopAndDrop = 3,
}
