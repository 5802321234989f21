//! Terms to offer to somebody whose order does not pass.

use crate::contract::{credit::TermsAdvice, types::Grade};

/// What fits a customer of this grade:
///
/// | grade | advice |
/// |---|---|
/// | A | a larger limit |
/// | B | shorter terms, or a larger limit |
/// | C | shorter terms and a deposit |
/// | D | a deposit and a guarantee |
/// | E | payment in advance |
/// | none | as for C, until more is known |
pub fn for_grade(grade: Option<Grade>) -> Vec<TermsAdvice> {
    use TermsAdvice as T;
    match grade {
        None => vec![T::ShorterTerms, T::Deposit],
        Some(Grade::A) => vec![T::LargerLimit],
        Some(Grade::B) => vec![T::ShorterTerms, T::LargerLimit],
        Some(Grade::C) => vec![T::ShorterTerms, T::Deposit],
        Some(Grade::D) => vec![T::Deposit, T::Guarantee],
        Some(Grade::E) => vec![T::Prepay],
    }
}

/// The grade of a customer into which others were merged since it was judged, the worst of them with this grade: their debts
/// are its own by now, and until the next sweep nobody knows what that makes of it. None stands for C.
pub fn trusted_grade(own: Option<Grade>, merged: Option<Grade>) -> Option<Grade> {
    merged.filter(|merged| *merged > own.unwrap_or(Grade::C)).or(own)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_was_merged_makes_a_grade_worse_and_never_better() {
        use Grade::{A, B, C, D, E};
        for (own, merged, wanted) in [
            (None, None, None),
            (Some(A), None, Some(A)),
            (Some(A), Some(E), Some(E)),
            (Some(B), Some(A), Some(B)),
            (Some(D), Some(D), Some(D)),
            (None, Some(A), None),
            (None, Some(C), None),
            (None, Some(D), Some(D)),
        ] {
            assert_eq!(trusted_grade(own, merged), wanted, "{own:?} {merged:?}");
        }
    }

    #[test]
    fn the_worst_pay_in_advance_and_only_the_best_get_more_alone() {
        assert_eq!(for_grade(None), for_grade(Some(Grade::C)));
        assert_eq!(for_grade(Some(Grade::A)), [TermsAdvice::LargerLimit]);
        assert_eq!(for_grade(Some(Grade::E)), [TermsAdvice::Prepay]);
        for grade in [Grade::C, Grade::D, Grade::E] {
            assert!(!for_grade(Some(grade)).contains(&TermsAdvice::LargerLimit), "{grade}");
        }
    }
}
