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

/// How much the debtor was right about, of what was contested: `None` where the debtor was not.
pub fn upheld(resolution: &DisputeResolution, contested: i64) -> Result<Option<i64>, Refused> {
    text::check_optional(resolution.detail.as_deref(), 2_000, "detail")?;
    let refused = |code: Refusal, detail: &str| Err(Refused::new(code, detail).at("upheld_minor"));
    match (resolution.outcome, resolution.upheld_minor) {
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
                DisputeResolution { on: None, outcome, upheld_minor: minor, detail: None };
            let got = upheld(&resolution, 100).map_err(|refused| refused.code);
            assert_eq!(got, wanted, "{outcome} {minor:?}");
        }
    }
}
