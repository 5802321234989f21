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

#[cfg(test)]
mod tests {
    use super::*;

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
