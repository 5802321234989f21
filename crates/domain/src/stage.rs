//! The stages of a sweep and their order.

pub use crate::contract::sweep::Stage;

/// The stage a sweep starts in.
pub const FIRST: Stage = Stage::Accrue;

/// The stage after this one; `None` after the last, when the business date is done.
pub fn next(stage: Stage) -> Option<Stage> {
    match stage {
        Stage::Accrue => Some(Stage::Age),
        Stage::Age => Some(Stage::Judge),
        Stage::Judge => Some(Stage::Score),
        Stage::Score => Some(Stage::Warn),
        Stage::Warn => Some(Stage::Remind),
        Stage::Remind => Some(Stage::Deliver),
        Stage::Deliver => Some(Stage::Erase),
        Stage::Erase => Some(Stage::Snapshot),
        Stage::Snapshot => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_stage_comes_once_in_the_order_of_the_contract() {
        let walked: Vec<Stage> = std::iter::successors(Some(FIRST), |stage| next(*stage)).collect();
        assert_eq!(walked, Stage::ALL);
    }
}
