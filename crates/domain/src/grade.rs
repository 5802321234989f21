//! Classes of risk: which score gives which grade, and which part of it.

pub use crate::contract::types::Grade;
use crate::decimal::Times as _;
use crate::{Decimal, contract::score::GradeBound};

/// The grade of a score and the part of it, 1 the best, when each is cut in so many equal parts. The bound itself
/// belongs to what is better.
pub fn of(score: Decimal, bounds: &[GradeBound], notches: u32) -> (Grade, u32) {
    let mut above = Decimal::ONE_HUNDRED;
    for bound in bounds {
        if score >= bound.at_least {
            let reached = || {
                let width = above.checked_sub(bound.at_least)?;
                let parts = score.checked_sub(bound.at_least)?.times(notches.into())?;
                u32::try_from(parts.checked_div(width)?.floor()).ok()
            };
            // A hundred, or a grade that is a hundred alone, is the best part.
            let reached = reached().unwrap_or(notches);
            return (bound.grade, notches.saturating_sub(reached).max(1));
        }
        above = bound.at_least;
    }
    (Grade::E, notches.max(1))
}

/// Whether `now` is a worse class than `before`.
pub fn is_worse(now: Grade, before: Grade) -> bool {
    now > before
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::card::shipped;

    #[test]
    fn the_bound_itself_belongs_to_the_better_grade_and_part() {
        let table = "
            100   A 1
            95    A 1
            94.9  A 2
            90    A 2
            89.9  A 3
            85    A 3
            84.9  B 1
            78.4  B 1
            78.3  B 2
            65    B 3
            64.9  C 1
            45    C 3
            44.9  D 1
            25    D 3
            24.9  E 1
            16.7  E 1
            16.6  E 2
            8.3   E 3
            0     E 3";
        for line in table.lines().filter(|line| !line.trim().is_empty()) {
            let words: Vec<&str> = line.split_whitespace().collect();
            let (grade, notch) = of(words[0].parse().unwrap(), &shipped().grades, 3);
            assert_eq!([grade.name(), &notch.to_string()], words[1..], "{line}");
            assert_eq!(of(words[0].parse().unwrap(), &shipped().grades, 1), (grade, 1));
        }
    }

    #[test]
    fn later_letters_are_worse() {
        for pair in Grade::ALL.windows(2) {
            assert!(is_worse(pair[1], pair[0]) && !is_worse(pair[0], pair[1]));
            assert!(!is_worse(pair[0], pair[0]));
        }
    }
}
