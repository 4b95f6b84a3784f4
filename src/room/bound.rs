//! The bounds of what the requests of a worker share.

/// A bound, by the setting that moves the bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bound {
    /// The memory of all bodies that wait for their model.
    Held,
    /// What one client may have of that, or of another common room.
    ClientShare,
    /// How long a model may take to come.
    Model,
    /// The bytes of all long answers of the gateway's own, which are lists of models.
    Lists,
    /// The bytes of all bodies that are kept for another attempt.
    Kept,
    /// How long a probe may send its body while other requests wait for its place.
    ProbeBody,
}

impl Bound {
    /// The settings, in the order of the bounds; `probe_body_secs` is in the table `breaker`.
    pub const SETTINGS: &[&str] = &[
        "held_limit_bytes",
        "client_share_percent",
        "model_secs",
        "lists_limit_bytes",
        "kept_limit_bytes",
        "probe_body_secs",
    ];
}
