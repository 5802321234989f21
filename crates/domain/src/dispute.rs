//! What a dispute and its outcome must satisfy.

use crate::{
    Refusal, Refused, attachment,
    contract::ledger::{DisputeOutcome, DisputeResolution, NewDispute},
    text,
};

/// Checks a dispute that a client wrote, naming the first field at fault.
pub fn check(new: &NewDispute) -> Result<(), Refused> {
    text::check_optional(new.detail.as_deref(), 2_000, "detail")?;
    attachment::check("evidence", new.evidence.as_deref())?;
    if new.minor.is_some_and(|minor| minor <= 0) {
        let code = Refusal::AmountNotPositive;
        return Err(Refused::new(code, code.about()).at("minor"));
    }
    Ok(())
}

/// How much of each claim is contested when so much of all is, of what can be of each: the first ones first, as with
/// whatever is taken off a document with instalments.
pub fn spread(minor: i64, left: impl IntoIterator<Item = i64>) -> Vec<i64> {
    let mut rest = minor;
    let take = |left: i64| {
        let part = left.min(rest).max(0);
        rest = rest.saturating_sub(part);
        part
    };
    left.into_iter().map(take).collect()
}

/// What a decision comes to: the outcome and how much the debtor was right about, of what was contested; `None` where
/// the debtor was not. No outcome: what was decided is undone.
pub fn decided(
    resolution: &DisputeResolution,
    contested: i64,
) -> Result<Option<(DisputeOutcome, Option<i64>)>, Refused> {
    text::check_optional(resolution.detail.as_deref(), 2_000, "detail")?;
    let refused =
        |code: Refusal, detail: &str, field: &str| Err(Refused::new(code, detail).at(field));
    match resolution.outcome {
        Some(_) if resolution.undo == Some(true) => {
            let detail = "a decision is undone or replaced by another, not both";
            refused(Refusal::MalformedField, detail, "outcome")
        }
        Some(outcome) => Ok(Some((outcome, upheld(outcome, resolution.upheld_minor, contested)?))),
        None if resolution.undo != Some(true) => {
            refused(Refusal::MissingField, "how it ended is needed", "outcome")
        }
        None if resolution.replaces.is_none() => {
            let detail = "say with `replaces` which decision is undone";
            refused(Refusal::MissingField, detail, "replaces")
        }
        None if resolution.on.is_some() => {
            let detail = "what was decided is undone as if it had never been";
            refused(Refusal::MalformedField, detail, "on")
        }
        None if resolution.upheld_minor.is_some() => {
            let detail = "only a dispute upheld in part says how much";
            refused(Refusal::MalformedField, detail, "upheld_minor")
        }
        None => Ok(None),
    }
}

fn upheld(
    outcome: DisputeOutcome,
    minor: Option<i64>,
    contested: i64,
) -> Result<Option<i64>, Refused> {
    let refused = |code: Refusal, detail: &str| Err(Refused::new(code, detail).at("upheld_minor"));
    match (outcome, minor) {
        (DisputeOutcome::Upheld, None) => Ok(Some(contested)),
        (DisputeOutcome::Rejected | DisputeOutcome::Withdrawn, None) => Ok(None),
        (DisputeOutcome::PartlyUpheld, None) => {
            refused(Refusal::MissingField, "how much the debtor was right about is needed")
        }
        (DisputeOutcome::PartlyUpheld, Some(..=0)) => {
            refused(Refusal::AmountNotPositive, Refusal::AmountNotPositive.about())
        }
        (DisputeOutcome::PartlyUpheld, Some(minor)) if minor > contested => {
            refused(Refusal::MoreThanOpen, "that is more than was contested")
        }
        (DisputeOutcome::PartlyUpheld, Some(minor)) => Ok(Some(minor)),
        (
            DisputeOutcome::Upheld | DisputeOutcome::Rejected | DisputeOutcome::Withdrawn,
            Some(_),
        ) => refused(Refusal::MalformedField, "only a dispute upheld in part says how much"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nothing() -> DisputeResolution {
        let (on, outcome, upheld_minor, detail, replaces, undo) = Default::default();
        DisputeResolution { on, outcome, upheld_minor, detail, replaces, undo }
    }

    #[test]
    fn what_is_contested_of_a_whole_is_of_the_first_claims_first() {
        for (minor, left, wanted) in [
            (0, vec![30, 50], vec![0, 0]),
            (29, vec![30, 50], vec![29, 0]),
            (31, vec![30, 50], vec![30, 1]),
            (31, vec![30, 0, 50], vec![30, 0, 1]),
            (80, vec![30, 50], vec![30, 50]),
            (90, vec![30, 50], vec![30, 50]),
        ] {
            assert_eq!(spread(minor, left.clone()), wanted, "{minor} of {left:?}");
        }
    }

    #[test]
    fn an_outcome_says_how_much_where_that_is_open() {
        use DisputeOutcome::{PartlyUpheld, Rejected, Upheld, Withdrawn};
        for (outcome, minor, wanted) in [
            (Upheld, None, Ok(Some(100))),
            (Upheld, Some(100), Err(Refusal::MalformedField)),
            (PartlyUpheld, None, Err(Refusal::MissingField)),
            (PartlyUpheld, Some(0), Err(Refusal::AmountNotPositive)),
            (PartlyUpheld, Some(1), Ok(Some(1))),
            (PartlyUpheld, Some(100), Ok(Some(100))),
            (PartlyUpheld, Some(101), Err(Refusal::MoreThanOpen)),
            (Rejected, None, Ok(None)),
            (Rejected, Some(5), Err(Refusal::MalformedField)),
            (Withdrawn, None, Ok(None)),
            (Withdrawn, Some(5), Err(Refusal::MalformedField)),
        ] {
            let resolution =
                DisputeResolution { outcome: Some(outcome), upheld_minor: minor, ..nothing() };
            let got = decided(&resolution, 100).map_err(|refused| refused.code);
            let wanted = wanted.map(|minor| Some((outcome, minor)));
            assert_eq!(got, wanted, "{outcome} {minor:?}");
        }
    }

    #[test]
    fn a_decision_is_undone_by_its_day_alone() {
        let day = "2024-03-01".parse().ok();
        let undo = DisputeResolution { replaces: day, undo: Some(true), ..nothing() };
        assert_eq!(decided(&undo, 100), Ok(None));
        for (wrong, code, field) in [
            (nothing(), Refusal::MissingField, "outcome"),
            (DisputeResolution { undo: None, ..undo.clone() }, Refusal::MissingField, "outcome"),
            (
                DisputeResolution { replaces: None, ..undo.clone() },
                Refusal::MissingField,
                "replaces",
            ),
            (DisputeResolution { on: day, ..undo.clone() }, Refusal::MalformedField, "on"),
            (
                DisputeResolution { upheld_minor: Some(1), ..undo.clone() },
                Refusal::MalformedField,
                "upheld_minor",
            ),
            (
                DisputeResolution { outcome: Some(DisputeOutcome::Upheld), ..undo.clone() },
                Refusal::MalformedField,
                "outcome",
            ),
        ] {
            let refused = decided(&wrong, 100).unwrap_err();
            assert_eq!((refused.code, refused.field.as_deref()), (code, Some(field)), "{wrong:?}");
        }
    }
}
