//! Fees of banks inside an entry: a credit of which one was kept, a return to which one was added, and a batch that is net
//! of one.

/// Codes for money that comes back, of the German banks: returned direct debits and transfers.
pub(super) const RETURNED: [&str; 4] = ["108", "109", "159", "184"];

/// Codes of ISO 20022 for the same: unpaid and returned direct debits, returned transfers, reversals.
const UNPAID: [&str; 5] = ["UPDD", "RRTN", "PRDD", "UPCT", "RPCR"];

/// Without a fee that is stated, the difference is one up to this part of what was instructed.
const UNSTATED: i64 = 10;

/// Whether a sub-family of the bank's transaction codes says that money comes back.
pub(super) fn is_return(sub_family: &str) -> bool {
    UNPAID.contains(&sub_family.trim())
}

/// The same of a bank's own code, such as `NRTI+109+00931`.
pub(super) fn is_own_return(code: &str) -> bool {
    let mut parts = code.trim().split('+');
    parts.next() == Some("NRTI") || parts.next().is_some_and(|code| RETURNED.contains(&code))
}

/// What was instructed of an amount, by what the bank says of it and of its fee. `None` where that is all of the amount, or
/// the difference is no fee.
pub(super) fn instructed(
    minor: i64,
    is_credit: bool,
    said: &[Option<i64>],
    fee: Option<i64>,
) -> Option<i64> {
    let of = *said.iter().flatten().find(|of| **of != minor)?;
    let kept = if is_credit { of.checked_sub(minor)? } else { minor.checked_sub(of)? };
    let fits = match fee {
        Some(fee) => fee == kept,
        None => !is_credit || kept.saturating_mul(UNSTATED) <= of,
    };
    (of > 0 && kept > 0 && fits).then_some(of)
}

/// Takes a fee out of what a payment pays: the document that has most of it is paid so much less, and has the fee as a
/// deduction. Gives that document; `None` where no document has more than the fee.
pub fn deduct<K: Copy>(parts: &mut [(K, i64)], fee: i64) -> Option<K> {
    let most = parts.iter_mut().max_by_key(|(_, minor)| *minor)?;
    if fee <= 0 || most.1 <= fee {
        return None;
    }
    most.1 = most.1.saturating_sub(fee);
    Some(most.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fee_is_what_is_stated_or_little() {
        // What was booked, whether it came in, what the bank says was instructed, its fee; what was instructed.
        for (minor, is_credit, said, fee, wanted) in [
            (99_500, true, Some(100_000), Some(500), Some(100_000)),
            (99_500, true, Some(100_000), None, Some(100_000)),
            (99_500, true, Some(100_000), Some(400), None),
            (50_000, true, Some(100_000), None, None),
            (50_000, true, Some(100_000), Some(50_000), Some(100_000)),
            (100_500, true, Some(100_000), None, None),
            (15_350, false, Some(15_000), Some(350), Some(15_000)),
            (15_350, false, Some(15_000), None, Some(15_000)),
            (1_350, false, Some(1_000), None, Some(1_000)),
            (15_000, false, Some(15_350), None, None),
            (15_000, false, Some(15_000), None, None),
            (15_000, false, None, Some(350), None),
        ] {
            let found = instructed(minor, is_credit, &[said], fee);
            assert_eq!(found, wanted, "{minor} {is_credit} {said:?} {fee:?}");
        }
        let mut parts = [('a', 100), ('b', 900)];
        assert_eq!((deduct(&mut parts, 5), parts), (Some('b'), [('a', 100), ('b', 895)]));
        assert_eq!(deduct(&mut parts, 895), None);
    }

    #[test]
    fn codes_say_that_money_comes_back() {
        for (code, wanted) in [
            ("NRTI+109+00931", true),
            ("NRTI", true),
            ("NTRF+166+", false),
            ("NDDT+109", true),
            ("109", false),
        ] {
            assert_eq!(is_own_return(code), wanted, "{code}");
        }
        assert!(is_return("UPDD") && !is_return("ESCT"));
    }
}
