//! What a scanner finds.

/// The model, and where the body names the model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundModel {
    /// The value as the provider's parser sees it.
    pub value: String,
    /// The offset of the model's first byte. In JSON, that byte follows the opening quote.
    pub start: u64,
    /// The offset after the model's last byte. In JSON, the offset of the closing quote.
    pub end: u64,
}
