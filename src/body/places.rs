//! Sets of places in a block: a bit for each byte, the lowest for the first.

/// All places, or none.
#[inline(always)]
pub(super) fn filled(is: bool) -> u64 {
    0_u64.wrapping_sub(u64::from(is))
}

/// The places before this one.
#[inline(always)]
pub(super) fn below(place: u32) -> u64 {
    !(u64::MAX << (place & 63))
}

/// The places after this one.
#[inline(always)]
pub(super) fn above(place: u32) -> u64 {
    u64::MAX << 1 << (place & 63)
}

/// 1 if the place is in the set.
#[inline(always)]
pub(super) fn bit(places: u64, place: u32) -> u64 {
    places >> (place & 63) & 1
}

#[inline(always)]
pub(super) fn first(places: u64) -> Option<u32> {
    (places != 0).then(|| places.trailing_zeros())
}

#[inline(always)]
pub(super) fn last(places: u64) -> Option<u32> {
    places.checked_ilog2()
}

#[inline(always)]
pub(super) fn without_first(places: u64) -> u64 {
    places & places.wrapping_sub(1)
}

/// For each place whether the number of bits up to it is odd.
#[inline(always)]
pub(super) fn odd(mut places: u64) -> u64 {
    for distance in [1, 2, 4, 8, 16, 32] {
        places ^= places << (distance & 63);
    }
    places
}

/// The place after each run of `through` that begins at one of `starts`; a start that is in no run
/// stays where it is. The addition carries through the runs.
#[inline(always)]
pub(super) fn after_runs(starts: u64, through: u64) -> u64 {
    starts.wrapping_add(through) & !through
}

/// Each run of `places` from a start in it on, and the place after it; a start that is in no run.
#[inline(always)]
pub(super) fn through(starts: u64, places: u64) -> u64 {
    starts.wrapping_add(places) ^ places
}
