//! The pieces of a document that is known to be JSON.

/// What is inside an array or an object.
pub(super) fn inside(value: &[u8]) -> Option<&[u8]> {
    value.get(1..)
}

/// Cuts off the next value, or key, with what stands before it. `None` at the end of what holds it.
#[inline(never)]
pub(super) fn next<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let divides = |byte: &u8| matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | b',' | b':');
    let start = rest.iter().position(|byte| !divides(byte))?;
    let value = rest.get(start..)?;
    let (mut depth, mut quoted, mut escaped) = (0_u32, false, false);
    let mut length = 0_usize;
    for byte in value {
        let ends = !quoted && (divides(byte) || matches!(byte, b']' | b'}'));
        if depth == 0 && ends {
            break;
        }
        length = length.saturating_add(1);
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => quoted = !quoted,
            _ if quoted => {}
            b'[' | b'{' => depth = depth.saturating_add(1),
            b']' | b'}' => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    break;
                }
            }
            _ => {}
        }
    }
    let (value, behind) = value.split_at_checked(length)?;
    *rest = behind;
    (length > 0).then_some(value)
}

/// A positive integer.
#[inline(never)]
pub(super) fn number(digits: &[u8]) -> Option<u64> {
    let number = digits.iter().try_fold(0_u64, |number, digit| {
        let digit = digit.checked_sub(b'0').filter(|digit| *digit < 10)?;
        number.checked_mul(10)?.checked_add(digit.into())
    });
    number.filter(|number| *number > 0)
}
