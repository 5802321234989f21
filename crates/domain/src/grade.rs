//! Classes of risk: which score gives which grade.

use crate::Decimal;
pub use crate::contract::types::Grade;

/// The least score of each grade, best first; what is below the last bound is [`Grade::E`].
///
/// | grade | score from | who stands there |
/// |---|---|---|
/// | A | 85 | pays on the day or before (on the day gives 93) |
/// | B | 65 | late now and then, by days |
/// | C | 45 | late as a habit, by weeks (everything 15 days late gives about 60) |
/// | D | 25 | owes long past due (everything 60 days late gives about 38) |
/// | E | 0 | does not pay (everything 120 days late gives about 14) |
pub const BOUNDS: [(Grade, u32); 4] =
    [(Grade::A, 85), (Grade::B, 65), (Grade::C, 45), (Grade::D, 25)];

/// The grade of a score: the bound itself belongs to the better grade.
pub fn of(score: Decimal) -> Grade {
    let reached = BOUNDS.iter().find(|(_, least)| score >= Decimal::from(*least));
    reached.map_or(Grade::E, |(grade, _)| *grade)
}

/// Whether `now` is a worse class than `before`.
pub fn is_worse(now: Grade, before: Grade) -> bool {
    now > before
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bound_itself_belongs_to_the_better_grade() {
        let table = "
            100   A
            85    A
            84.9  B
            65    B
            64.9  C
            45    C
            44.9  D
            25    D
            24.9  E
            0     E";
        for line in table.lines().filter(|line| !line.trim().is_empty()) {
            let (score, grade) = line.trim().split_once(' ').unwrap();
            assert_eq!(of(score.parse().unwrap()).name(), grade.trim(), "{line}");
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
