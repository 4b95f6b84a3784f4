//! Client keys and users: made, changed and revoked here, and told to the filter.

mod api;
mod calibration;
mod changes;
mod duration;
mod feed;
mod limits;
mod query;
mod spent;
mod users;
mod words;

pub(super) use api::routes as key_routes;
pub use api::{owner as owner_word, state as key_state};
pub use calibration::Calibrated;
pub(super) use changes::changes;
pub use duration::parse as parse_duration;
pub use feed::Feed;
pub use limits::{
    LimitFields, ModelLimitFields, RATE_MAX, limits_document, model_limits, model_limits_document,
};
pub(super) use query::{number as query_number, value as query_value};
pub(super) use spent::Sums;
pub(super) use users::routes as user_routes;
pub use words::{check_models, check_name, check_user, owned_by_litellm};
