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

/// The places in a row from this one on.
#[inline(always)]
pub(super) fn run(places: u64, from: u32) -> u64 {
    let start = 1 << (from & 63);
    places & !places.wrapping_add(start)
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

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(all(target_family = "wasm", target_os = "unknown"))]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    /// A set as `#` and `-`, the first place first.
    fn set(places: &str) -> u64 {
        places.bytes().rev().fold(0, |set, byte| set << 1 | u64::from(byte == b'#'))
    }

    #[test]
    fn sets_of_places_are_what_they_are_called() {
        assert_eq!((filled(true), filled(false)), (u64::MAX, 0));
        assert_eq!((below(0), below(2), above(61), above(63)), (0, set("##"), 0b11 << 62, 0));
        assert_eq!((first(0), first(set("--#-#")), last(set("--#-#"))), (None, Some(2), Some(4)));
        assert_eq!((last(0), without_first(set("-#-#"))), (None, set("---#")));
        assert_eq!((bit(set("-#"), 1), bit(set("-#"), 2)), (1, 0));
        assert_eq!(odd(set("-#--#-#")), set("-###--#") | above(6));
        assert_eq!(run(set("--##-#"), 2), set("--##"));
        assert_eq!(run(above(59), 60), above(59));
        assert_eq!(run(u64::MAX, 0), u64::MAX);
        assert_eq!(after_runs(set("-#---#"), set("-##--")), set("---#-#"));
        assert_eq!(after_runs(above(62), above(60)), 0);
        assert_eq!(through(set("-#---#"), set("-##--")), set("-###-#"));
    }
}
