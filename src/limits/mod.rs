//! Limits and budgets: what one key, one user or one provider may use. The pure state machine of a counter.
//!
//! A [`Counter`] is one record in shared data. Each line of these tables is one compare-and-swap of the whole record.
//!
//! | event | requires | the counter |
//! |---|---|---|
//! | admit | the budget has room for the most that the request can cost | takes a request, tokens, a place, and reserves that money |
//! | admit, not strict | the budget has less room, but some, and no last request is under way | the same; reserves all that is left; the request is the **last** |
//! | admit | any limit has no room | stays; the request is refused |
//! | charge | an attempt has ended | adds what the attempt cost to the spent money, takes its tokens |
//! | settle | the request has ended | gives the place, the reserved money and the estimate of tokens back; charges what the request used |
//! | undo | another counter has refused the request | as settle, without a charge, and gives the request back |
//! | renew | the request lives, and its lease is of an earlier minute | moves place and money to the lease of this minute |
//! | any | a lease was not renewed for a minute | gives its places back; its money counts as spent |
//! | any | the window is over | begins the window of now: nothing spent, nothing reserved, no last request |
//!
//! | rule | |
//! |---|---|
//! | a request counts in the window in which the request was admitted | money of another window is neither given back nor charged |
//! | a request settles once | the holder of the [`Ticket`] gives it up; a ticket whose lease was lost takes the charge of the loss back |
//! | at most one last request | the record has the number of the last request under way; its lease ends with the others |
//! | a budget is exceeded by one request at most | all others reserve before they leave the most that they can cost |
//!
//! A bucket of requests or tokens holds what one minute allows, and fills all the time: units are a sixty-thousandth, so that
//! a bucket of N a minute gains N units each millisecond, exactly. A request takes one; tokens are taken as an estimate and
//! corrected at the end, where a bucket may fall below empty: others wait until it has filled again.
//!
//! | the clock | |
//! |---|---|
//! | set back into the window before | the window stays: what it has spent is not forgotten |
//! | set back further | the window of now begins |
//! | set back by less than a minute | buckets and leases wait for the clock |
//! | set back further | leases count as lost, and buckets fill from now on |
//! | set back to the minute of a lost lease | a request of that lease ends in the place of a request of the minute's new lease |
//!
//! Days are days in UTC, weeks begin on Monday (ISO 8601), months are those of the calendar. `now` is an argument everywhere.

mod bucket;
mod counter;
mod lease;
mod record;
mod terms;
mod window;

pub use bucket::{Bucket, Fill};
pub use counter::{Counter, Refusal, Ticket, Verdict, View};
pub use lease::LEASE_MS;
pub use terms::{Budget, Demand, Known, Limits, Terms};
pub use window::{Period, Window};
