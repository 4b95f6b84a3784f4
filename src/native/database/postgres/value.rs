//! Values between this program and PostgreSQL.

use std::error::Error;

use tokio_postgres::types::private::BytesMut;
use tokio_postgres::types::{FromSql, IsNull, ToSql, Type, to_sql_checked};

use crate::native::database::Value;

type Problem = Box<dyn Error + Sync + Send>;

/// A statement with PostgreSQL's places: `$1` for `?1`, and for the first `?`.
pub(super) fn numbered(sql: &str) -> String {
    let mut text = String::with_capacity(sql.len() + 8);
    let (mut pieces, mut place) = (sql.split('?'), 0);
    text.extend(pieces.next());
    for piece in pieces {
        text.push('$');
        if !piece.starts_with(|next: char| next.is_ascii_digit()) {
            place += 1;
            text += &place.to_string();
        }
        text += piece;
    }
    text
}

impl ToSql for Value {
    fn to_sql(&self, of: &Type, out: &mut BytesMut) -> Result<IsNull, Problem> {
        match self {
            Self::Null => Ok(IsNull::Yes),
            Self::Integer(number) if *of == Type::INT4 => i32::try_from(*number)?.to_sql(of, out),
            Self::Integer(number) if *of == Type::INT8 => number.to_sql(of, out),
            // PostgreSQL has no text with this character.
            Self::Text(text) if text.contains('\0') => {
                text.replace('\0', "\u{FFFD}").to_sql(of, out)
            }
            Self::Text(text) if *of == Type::TEXT => text.to_sql(of, out),
            Self::Blob(bytes) if *of == Type::BYTEA => bytes.to_sql(of, out),
            Self::Integer(_) | Self::Text(_) | Self::Blob(_) => {
                Err(format!("a value of another type than {of}").into())
            }
        }
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}

impl<'a> FromSql<'a> for Value {
    fn from_sql(of: &Type, raw: &'a [u8]) -> Result<Self, Problem> {
        Ok(match *of {
            Type::BOOL => Self::Integer(bool::from_sql(of, raw)?.into()),
            Type::INT4 => Self::Integer(i32::from_sql(of, raw)?.into()),
            Type::INT8 => Self::Integer(i64::from_sql(of, raw)?),
            Type::NUMERIC => Self::Integer(whole(raw).ok_or("a number that is too large")?),
            Type::BYTEA => Self::Blob(Vec::from_sql(of, raw)?),
            _ => Self::Text(String::from_sql(of, raw)?),
        })
    }

    fn from_sql_null(_: &Type) -> Result<Self, Problem> {
        Ok(Self::Null)
    }

    fn accepts(of: &Type) -> bool {
        matches!(
            *of,
            Type::BOOL | Type::INT4 | Type::INT8 | Type::NUMERIC | Type::BYTEA | Type::TEXT
        )
    }
}

/// The whole part of a `numeric`, which sums are: digits to the base of 10,000, the first with the weight that is named.
fn whole(raw: &[u8]) -> Option<i64> {
    let mut numbers = raw.chunks_exact(2).filter_map(|two| two.try_into().ok());
    let mut next = || numbers.next().map(i16::from_be_bytes);
    let (digits, weight, sign, _scale) = (next()?, next()?, next()?, next()?);
    let mut sum: i64 = 0;
    for place in 0..=weight {
        let digit = if place < digits { next()? } else { 0 };
        sum = sum.checked_mul(10_000)?.checked_add(digit.into())?;
    }
    match sign {
        0 => Some(sum),
        0x4000 => Some(-sum),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_numbered() {
        assert_eq!(numbered("a = ?2 AND b = ?1"), "a = $2 AND b = $1");
        assert_eq!(numbered("a = ? AND b = ?"), "a = $1 AND b = $2");
        assert_eq!(numbered("none"), "none");
    }

    #[test]
    fn sums_are_whole_numbers() {
        let raw = |numbers: &[i16]| {
            numbers.iter().flat_map(|number| number.to_be_bytes()).collect::<Vec<_>>()
        };
        assert_eq!(whole(&raw(&[0, 0, 0, 0])), Some(0));
        assert_eq!(whole(&raw(&[2, 1, 0, 0, 12, 3456])), Some(123_456));
        assert_eq!(whole(&raw(&[1, 2, 0x4000, 0, 7])), Some(-700_000_000));
        assert_eq!(whole(&raw(&[2, 0, 0, 2, 5, 2500])), Some(5));
        assert_eq!(whole(&raw(&[0, 0, -0x4000, 0])), None, "no number");
    }
}
