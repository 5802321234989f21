//! How limits are proposed.
//!
//! `turnover × share of the grade + guaranteed × its share`, times what the tenure gives, at least the floor and at most
//! the cap, rounded down to a step. Where nothing comes out before the floor, nothing is granted: a floor lifts a small
//! limit and makes none.

use crate::{
    Decimal, Refusal, Refused, card,
    contract::{
        credit::{LimitPolicy, PolicyLine},
        types::Grade,
    },
    money::MAX_MINOR,
};
use rust_decimal::prelude::ToPrimitive;

/// What a proposal is made from, in the policy's currency.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Facts<'a> {
    pub tier: Option<&'a str>,
    pub grade: Option<Grade>,
    /// What was invoiced in the last 12 months.
    pub turnover_minor: i64,
    /// What guarantees in force bear at the most.
    pub guaranteed_minor: i64,
    /// Days since the first invoice.
    pub tenure_days: u32,
}

/// Checks a policy that a client wrote.
pub fn check(policy: &LimitPolicy) -> Result<(), Refused> {
    let at =
        |field: &str, detail: &str| Err(Refused::new(Refusal::InvalidPolicy, detail).at(field));
    let mut seen: Vec<(Option<&str>, Option<Grade>)> = Vec::new();
    for line in &policy.lines {
        let tier = line.tier.as_deref();
        if tier.is_some_and(|tier| card::slug(tier, "tier").is_err()) {
            return at("lines.tier", "a tier is 1 to 40 small letters, digits and hyphens");
        }
        if seen.contains(&(tier, line.grade)) {
            return at("lines.grade", "a grade stands twice");
        }
        seen.push((tier, line.grade));
        if !(Decimal::ZERO..=Decimal::TEN).contains(&line.turnover_share) {
            return at("lines.turnover_share", "a share of the turnover is 0 to 10");
        }
        let guarantee = line.guarantee_share.unwrap_or_default();
        if !(Decimal::ZERO..=Decimal::ONE).contains(&guarantee) {
            return at("lines.guarantee_share", "a share of the guarantees is 0 to 1");
        }
        let floor = line.floor_minor.unwrap_or(0);
        if !(0..=MAX_MINOR).contains(&line.cap_minor) || !(0..=line.cap_minor).contains(&floor) {
            return at("lines.floor_minor", "the floor is not below zero nor above the cap");
        }
    }
    let mut below = 0;
    for step in policy.tenure.iter().flatten() {
        if step.below_days <= below {
            return at("tenure.below_days", "the steps rise");
        }
        below = step.below_days;
        if !(Decimal::ZERO..=Decimal::ONE).contains(&step.share) {
            return at("tenure.share", "a share of the proposal is 0 to 1");
        }
    }
    if policy.step_minor.is_some_and(|step| !(1..=MAX_MINOR).contains(&step)) {
        return at("step_minor", "a step is at least 1");
    }
    if policy.alert_share.is_some_and(|share| !(Decimal::ZERO..=Decimal::ONE).contains(&share)) {
        return at("alert_share", "a share of the limit is 0 to 1");
    }
    if policy.second_key_from.iter().flatten().any(|of| of.minor < 0) {
        return at("second_key_from.minor", "a threshold is not below zero");
    }
    Ok(())
}

/// What guarantees bear at the most: of each its share, rounded down.
pub fn borne(guarantees: &[(i64, Decimal)]) -> i64 {
    let bears = |(minor, share): &(i64, Decimal)| {
        let part = Decimal::from(*minor).checked_mul(*share).map(|part| part.floor());
        part.and_then(|part| part.to_i64()).unwrap_or(*minor)
    };
    guarantees.iter().map(bears).fold(0, i64::saturating_add)
}

/// The limit that a policy grants. `None` for grades it says nothing of.
pub fn proposal(policy: &LimitPolicy, facts: &Facts<'_>) -> Option<i64> {
    let line = line(policy, facts)?;
    let whole = exact(line, facts).unwrap_or(Decimal::from(line.cap_minor));
    let steps = policy.tenure.iter().flatten();
    let young = steps.into_iter().find(|step| facts.tenure_days < step.below_days);
    let share = young.map_or(Decimal::ONE, |step| step.share);
    let granted = whole.checked_mul(share).unwrap_or(whole).floor();
    let granted = granted.to_i64().unwrap_or(line.cap_minor);
    let granted = match granted {
        ..=0 => return Some(0),
        granted => granted.max(line.floor_minor.unwrap_or(0)).min(line.cap_minor),
    };
    let step = policy.step_minor.unwrap_or(1).max(1);
    Some(granted.saturating_sub(granted.checked_rem(step).unwrap_or(0)))
}

/// What is in force where an alert is raised, in its own currency as all amounts here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InForce {
    /// The limit. Absent: unlimited.
    pub minor: Option<i64>,
    /// What the policy grants. Absent: it says nothing.
    pub granted: Option<i64>,
    /// What the customer owes.
    pub outstanding: i64,
    /// Whether the alert is serious or critical.
    pub is_grave: bool,
}

/// The lower limit that an alert leads to: the lesser of what the policy grants and, where the alert is grave, of its share
/// of the limit. What is unlimited comes down to what is granted, else to what is owed. Nothing where that is not less.
pub fn cut(policy: &LimitPolicy, of: &InForce) -> Option<i64> {
    let Some(minor) = of.minor else {
        return of.granted.or(of.is_grave.then_some(of.outstanding));
    };
    let share = policy.alert_share.unwrap_or(Decimal::new(5, 1));
    let shared = Decimal::from(minor).checked_mul(share).and_then(|part| part.floor().to_i64());
    let shared = shared.filter(|_| of.is_grave);
    of.granted.into_iter().chain(shared).min().filter(|cut| *cut < minor)
}

/// The row of the tier and grade, else of the tier, else of the grade.
fn line<'a>(policy: &'a LimitPolicy, facts: &Facts<'_>) -> Option<&'a PolicyLine> {
    let row = |tier: Option<&str>, grade: Option<Grade>| {
        policy.lines.iter().find(|line| line.tier.as_deref() == tier && line.grade == grade)
    };
    let sorted =
        facts.tier.and_then(|tier| row(Some(tier), facts.grade).or_else(|| row(Some(tier), None)));
    sorted.or_else(|| row(None, facts.grade))
}

fn exact(line: &PolicyLine, facts: &Facts<'_>) -> Option<Decimal> {
    let bought = Decimal::from(facts.turnover_minor).checked_mul(line.turnover_share)?;
    let share = line.guarantee_share.unwrap_or_default();
    bought.checked_add(Decimal::from(facts.guaranteed_minor).checked_mul(share)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn policy() -> LimitPolicy {
        serde_json::from_str(
            r#"{"currency": "EUR", "step_minor": 100, "lines": [
                {"grade": "A", "turnover_share": "0.25", "guarantee_share": "0.8", "cap_minor": 50000,
                 "floor_minor": 2000},
                {"grade": "E", "turnover_share": "0", "cap_minor": 0},
                {"turnover_share": "0.05", "cap_minor": 1000}],
                "tenure": [{"below_days": 90, "share": "0.25"}, {"below_days": 365, "share": "0.5"}]}"#,
        )
        .unwrap()
    }

    #[test]
    fn grade_times_turnover_and_guarantees_times_tenure_between_floor_and_cap_in_steps() {
        let policy = policy();
        assert_eq!(check(&policy), Ok(()));
        for (grade, turnover, guaranteed, tenure, wanted) in [
            ("A", 40_000, 0, 365, Some(10_000)),
            ("A", 40_000, 0, 364, Some(5_000)),
            ("A", 40_000, 0, 90, Some(5_000)),
            ("A", 40_000, 0, 89, Some(2_500)),
            ("A", 40_999, 0, 400, Some(10_200)),
            ("A", 40_000, 10_000, 400, Some(18_000)),
            ("A", 4_000, 0, 400, Some(2_000)),
            ("A", 0, 0, 400, Some(0)),
            ("A", 900_000, 0, 400, Some(50_000)),
            ("E", 900_000, 0, 400, Some(0)),
            ("B", 900_000, 0, 400, None),
            ("", 10_000, 0, 400, Some(500)),
        ] {
            let facts = Facts {
                tier: None,
                grade: grade.parse().ok(),
                turnover_minor: turnover,
                guaranteed_minor: guaranteed,
                tenure_days: tenure,
            };
            assert_eq!(proposal(&policy, &facts), wanted, "{facts:?}");
        }
    }

    #[test]
    fn the_row_of_a_tier_goes_before_that_of_a_grade() {
        let mut policy = policy();
        let row = |text: &str| serde_json::from_str(text).unwrap();
        policy.lines.push(row(r#"{"tier": "key", "turnover_share": "1", "cap_minor": 90000}"#));
        policy.lines.push(row(
            r#"{"tier": "key", "grade": "E", "turnover_share": "0.1", "cap_minor": 90000}"#,
        ));
        assert_eq!(check(&policy), Ok(()));
        for (tier, grade, wanted) in [
            (Some("key"), "A", Some(20_000)),
            (Some("key"), "E", Some(2_000)),
            (Some("key"), "", Some(20_000)),
            (Some("other"), "A", Some(5_000)),
            (None, "E", Some(0)),
            (None, "B", None),
        ] {
            let facts = Facts {
                tier,
                grade: grade.parse().ok(),
                turnover_minor: 20_000,
                guaranteed_minor: 0,
                tenure_days: 400,
            };
            assert_eq!(proposal(&policy, &facts), wanted, "{facts:?}");
        }
    }

    #[test]
    fn a_guarantee_counts_with_the_share_that_it_bears() {
        let share = |text: &str| text.parse().unwrap();
        assert_eq!(borne(&[]), 0);
        assert_eq!(borne(&[(1_000, share("0.5")), (999, share("0.5")), (7, share("1"))]), 1_006);
    }

    #[test]
    fn a_grave_alert_leaves_a_share_of_what_is_in_force_whatever_is_granted() {
        let with = |share: &str| LimitPolicy { alert_share: share.parse().ok(), ..policy() };
        for (share, minor, granted, is_grave, wanted) in [
            ("", Some(1_000), Some(1_000), true, Some(500)),
            ("", Some(1_000), None, true, Some(500)),
            ("", Some(1_000), Some(300), true, Some(300)),
            ("", Some(1_000), Some(5_000), false, None),
            ("", Some(1_000), Some(999), false, Some(999)),
            ("", Some(1), None, true, Some(0)),
            ("", Some(0), Some(0), true, None),
            ("0.25", Some(999), None, true, Some(249)),
            ("0", Some(999), None, true, Some(0)),
            ("1", Some(999), Some(999), true, None),
            ("1", Some(999), Some(998), true, Some(998)),
            ("", None, Some(400), true, Some(400)),
            ("", None, None, true, Some(70)),
            ("", None, None, false, None),
        ] {
            let of = InForce { minor, granted, outstanding: 70, is_grave };
            assert_eq!(cut(&with(share), &of), wanted, "{share} of {of:?}");
        }
    }

    #[test]
    fn a_policy_is_checked_field_by_field() {
        let good = policy();
        let refused = |change: &dyn Fn(&mut LimitPolicy)| {
            let mut policy = good.clone();
            change(&mut policy);
            check(&policy).unwrap_err().field.unwrap()
        };
        assert_eq!(refused(&|of| of.lines[1].grade = Some(Grade::A)), "lines.grade");
        assert_eq!(
            refused(&|of| of.lines[0].turnover_share = Decimal::NEGATIVE_ONE),
            "lines.turnover_share"
        );
        assert_eq!(
            refused(&|of| of.lines[0].guarantee_share = Some(Decimal::TWO)),
            "lines.guarantee_share"
        );
        assert_eq!(refused(&|of| of.lines[1].floor_minor = Some(1)), "lines.floor_minor");
        assert_eq!(
            refused(&|of| of.tenure.as_mut().unwrap()[1].below_days = 90),
            "tenure.below_days"
        );
        assert_eq!(refused(&|of| of.step_minor = Some(0)), "step_minor");
        assert_eq!(refused(&|of| of.alert_share = Some(Decimal::TWO)), "alert_share");
        assert_eq!(refused(&|of| of.lines[0].tier = Some("Key".into())), "lines.tier");
    }

    proptest! {
        #[test]
        fn more_turnover_or_tenure_is_never_granted_less(
            turnover in 0i64..1_000_000, more in 0i64..1_000_000, tenure in 0u32..500, older in 0u32..500,
        ) {
            let facts = Facts {
                tier: None, grade: Some(Grade::A), turnover_minor: turnover, guaranteed_minor: 0, tenure_days: tenure,
            };
            let better = Facts {
                turnover_minor: turnover + more, tenure_days: tenure + older, ..facts
            };
            prop_assert!(proposal(&policy(), &facts) <= proposal(&policy(), &better));
        }
    }
}
