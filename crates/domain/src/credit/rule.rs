//! Which rules decide: of each kind those of the nearest level alone.
//!
//! The levels are the customer, its group, all. An exclusion at the level that decides takes the kind out. Those that ship
//! with Dunlin stand among the rules for all, beside what others are written: one of them gives way to a rule for all of
//! its own name, which then stands as it did, to an exclusion, and to a nearer rule of its kind that is not milder. So an
//! early warning never switches a limit off.
//!
//! | rule | gives | when |
//! |---|---|---|
//! | `account-on-hold` | hold | the customer's status is `on-hold` |
//! | `account-stopped` | forced-hold | it is `suspended` or `closed` |
//! | `limit-used` | hold | more than the limit would be used |
//! | `limit-nearly-used` | warn | more than 90 % of it would be |
//! | `limit-expired` | hold | the limit ended and nothing took its place |
//! | `limit-missing` | warn | none was ever set |

use super::limit::MAX_REASON;
use crate::{
    Date, Decimal, Id, Money, Refusal, Refused,
    contract::{
        credit::{CheckPurpose, ExposureComponent, NewRule, RuleKind, RuleLevel, Verdict},
        types::CustomerStatus,
    },
    money::MAX_MINOR,
    text,
};
use serde::{Deserialize, Serialize};
use std::sync::LazyLock;

/// A rule with where it was found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Known {
    pub name: Id,
    pub version: u32,
    pub level: RuleLevel,
    pub rule: NewRule,
}

/// A rule that says nothing but its kind.
pub fn plain(kind: RuleKind) -> NewRule {
    NewRule {
        kind,
        verdict: None,
        customer: None,
        group: None,
        exclude: None,
        more_than: None,
        amount: None,
        grade: None,
        statuses: None,
        component: None,
        counts: None,
        purposes: None,
        from: None,
        to: None,
        reason: None,
    }
}

/// The rules that ship with Dunlin.
pub fn shipped() -> &'static [Known] {
    static SHIPPED: LazyLock<Vec<Known>> = LazyLock::new(ship);
    &SHIPPED
}

fn ship() -> Vec<Known> {
    let known = |name: &'static str, verdict: Verdict, rule: NewRule| Known {
        name: Id::known(name),
        version: 0,
        level: RuleLevel::All,
        rule: NewRule { verdict: Some(verdict), ..rule },
    };
    let statuses = |statuses: &[CustomerStatus]| NewRule {
        statuses: Some(statuses.to_vec()),
        ..plain(RuleKind::AccountStatus)
    };
    let nearly = NewRule { more_than: Some(Decimal::new(9, 1)), ..plain(RuleKind::LimitUsed) };
    vec![
        known("account-on-hold", Verdict::Hold, statuses(&[CustomerStatus::OnHold])),
        known(
            "account-stopped",
            Verdict::ForcedHold,
            statuses(&[CustomerStatus::Suspended, CustomerStatus::Closed]),
        ),
        known("limit-used", Verdict::Hold, plain(RuleKind::LimitUsed)),
        known("limit-nearly-used", Verdict::Warn, nearly),
        known("limit-expired", Verdict::Hold, plain(RuleKind::ExpiredLimit)),
        known("limit-missing", Verdict::Warn, plain(RuleKind::LimitMissing)),
    ]
}

/// Checks a rule that a client wrote.
pub fn check(new: &NewRule) -> Result<(), Refused> {
    let at = |code: Refusal, field: &str, detail: &str| Err(Refused::new(code, detail).at(field));
    if new.kind == RuleKind::PlacedHold {
        return at(Refusal::MalformedField, "kind", "holds by hand are placed, not ruled");
    }
    if new.verdict == Some(Verdict::Pass) {
        return at(Refusal::MalformedField, "verdict", "a rule that fails warns or holds");
    }
    if new.customer.is_some() && new.group.is_some() {
        return at(Refusal::MalformedField, "group", "a rule is for a customer or for a group");
    }
    let needs_amount = matches!(new.kind, RuleKind::OverdueAmount | RuleKind::OrderAmount);
    let excludes = new.exclude == Some(true);
    if needs_amount && new.amount.is_none() && !excludes {
        return at(Refusal::MissingField, "amount", "this kind is held against an amount");
    }
    if (new.kind == RuleKind::ExposureComponent) != new.component.is_some() {
        return at(Refusal::MissingField, "component", "an exposure-component names one, no other");
    }
    if let Some(field) = foreign(new) {
        return at(Refusal::MalformedField, field, "this kind does not look at it");
    }
    if let Some(amount) = new.amount {
        if amount.minor < 0 {
            return at(Refusal::AmountNotPositive, "amount", "a bound is zero or more");
        }
        if amount.minor > MAX_MINOR {
            return at(Refusal::AmountTooLarge, "amount", Refusal::AmountTooLarge.about());
        }
    }
    if new.statuses.as_ref().is_some_and(Vec::is_empty) {
        return at(Refusal::MalformedField, "statuses", "a rule of no status never fails");
    }
    if new.purposes.as_ref().is_some_and(Vec::is_empty) {
        return at(Refusal::MalformedField, "purposes", "a rule for no purpose is never looked at");
    }
    let bound = Decimal::ZERO..=Decimal::from(100_000);
    if new.more_than.is_some_and(|more_than| !bound.contains(&more_than)) {
        return at(Refusal::MalformedField, "more_than", "a bound is 0 to 100000");
    }
    if new.from.zip(new.to).is_some_and(|(from, to)| to < from) {
        return at(Refusal::MalformedField, "to", "a rule does not end before it begins");
    }
    text::check_optional(new.reason.as_deref(), MAX_REASON, "reason")
}

/// The first bound that the kind of a rule does not look at.
fn foreign(new: &NewRule) -> Option<&'static str> {
    use RuleKind as K;
    let kind = new.kind;
    let counts =
        matches!(kind, K::DaysOverdue | K::WorsenedTerms | K::LimitUsed | K::BrokenPromise);
    let amounts = matches!(kind, K::OverdueAmount | K::OrderAmount | K::ExposureComponent);
    [
        ("more_than", new.more_than.is_some(), counts || kind == K::ScoreDrop),
        ("amount", new.amount.is_some(), amounts),
        ("grade", new.grade.is_some(), kind == K::ScoreDrop),
        ("statuses", new.statuses.is_some(), kind == K::AccountStatus),
        ("counts", new.counts.is_some(), kind == K::ExposureComponent),
    ]
    .into_iter()
    .find_map(|(field, is_there, fits)| (is_there && !fits).then_some(field))
}

/// The rules of a kind that decide, of one component where that is the kind. None where the kind is excluded.
pub fn deciding<'a>(
    rules: &'a [Known],
    shipped: &'a [Known],
    kind: RuleKind,
    component: Option<ExposureComponent>,
    purpose: Option<CheckPurpose>,
    day: Date,
) -> Vec<&'a Known> {
    let holds = |known: &&Known| {
        let rule = &known.rule;
        rule.kind == kind
            && rule.component == component
            && rule.from.is_none_or(|from| from <= day)
            && rule.to.is_none_or(|to| to >= day)
            && rule
                .purposes
                .as_ref()
                .is_none_or(|purposes| purpose.is_none_or(|purpose| purposes.contains(&purpose)))
    };
    let of = |level: RuleLevel| -> Vec<&'a Known> {
        rules.iter().filter(|known| known.level == level).filter(holds).collect()
    };
    let excludes = |found: &[&Known]| found.iter().any(|of| of.rule.exclude == Some(true));
    let for_all = of(RuleLevel::All);
    // Each that ships, or what took its place by name.
    let in_place = |ships: &'a Known| {
        for_all.iter().copied().find(|of| of.name == ships.name).unwrap_or(ships)
    };
    let ships: Vec<&Known> = match excludes(&for_all) {
        true => Vec::new(),
        false => shipped.iter().filter(holds).map(in_place).collect(),
    };
    for level in [RuleLevel::Customer, RuleLevel::Group] {
        let found = of(level);
        if excludes(&found) {
            return Vec::new();
        }
        if let Some(worst) = found.iter().map(|known| verdict(known)).max() {
            let stricter = ships.into_iter().filter(|known| verdict(known) > worst);
            return found.into_iter().chain(stricter).collect();
        }
    }
    match excludes(&for_all) {
        true => Vec::new(),
        false => {
            let named = |known: &&Known| for_all.iter().any(|of| of.name == known.name);
            let ships: Vec<&Known> = ships.into_iter().filter(|of| !named(of)).collect();
            for_all.into_iter().chain(ships).collect()
        }
    }
}

/// A rule that is taken back today, of which this is known of yesterday: its last day was yesterday, as it stood then. One
/// that was new today never counted.
pub fn ended(now: NewRule, stood: Option<NewRule>, today: Date) -> Result<NewRule, Refused> {
    let yesterday = today.plus_days(-1)?;
    Ok(match stood {
        None => NewRule { from: Some(today), to: Some(yesterday), ..now },
        Some(stood) => {
            let to = stood.to.map_or(yesterday, |to| to.min(yesterday));
            NewRule { to: Some(to), ..stood }
        }
    })
}

/// What a rule gives when it fails.
pub fn verdict(known: &Known) -> Verdict {
    known.rule.verdict.unwrap_or(Verdict::Hold)
}

/// Of the rules that ship those that stand on a day beside these.
pub fn standing(rules: &[Known], day: Date) -> Vec<&'static Known> {
    // What is for some purposes leaves the others to those that ship.
    let for_all =
        rules.iter().filter(|known| known.level == RuleLevel::All && known.rule.purposes.is_none());
    let rules: Vec<Known> = for_all.cloned().collect();
    let decides = |known: &&Known| {
        let of = deciding(&rules, shipped(), known.rule.kind, None, None, day);
        of.iter().any(|of| of.version == 0 && of.name == known.name)
    };
    shipped().iter().filter(decides).collect()
}

/// Checks the name of a rule: one that ships gives its own to a rule of its kind for all.
pub fn check_name(name: &Id, new: &NewRule) -> Result<(), Refused> {
    let Some(known) = shipped().iter().find(|known| known.name == *name) else { return Ok(()) };
    let detail =
        format!("{name} ships with Dunlin: what takes its place is of its kind and for all");
    let at = |field: &str| Err(Refused::new(Refusal::MalformedField, detail.clone()).at(field));
    if new.kind != known.rule.kind {
        return at("kind");
    }
    match (&new.customer, &new.group) {
        (Some(_), _) => at("customer"),
        (None, Some(_)) => at("group"),
        (None, None) => Ok(()),
    }
}

/// What counts towards the total, and what bounds a component by itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    left_out: Vec<ExposureComponent>,
    /// A component's own limits, each with the rule that says so.
    pub limits: Vec<(ExposureComponent, Money, Known)>,
}

impl Settings {
    /// The settings that decide for a customer.
    pub fn of(rules: &[Known], purpose: Option<CheckPurpose>, day: Date) -> Self {
        let mut settings = Self::default();
        if !rules.iter().any(|known| known.rule.kind == RuleKind::ExposureComponent) {
            return settings;
        }
        for component in ExposureComponent::ALL {
            let kind = RuleKind::ExposureComponent;
            for known in deciding(rules, &[], kind, Some(*component), purpose, day) {
                if known.rule.counts == Some(false) {
                    settings.left_out.push(*component);
                }
                if let Some(amount) = known.rule.amount {
                    settings.limits.push((*component, amount, known.clone()));
                }
            }
        }
        settings
    }

    /// Everything counts but these.
    pub fn without(components: &[ExposureComponent]) -> Self {
        Self { left_out: components.to_vec(), limits: Vec::new() }
    }

    /// Whether a component counts towards the total.
    pub fn counts(&self, component: ExposureComponent) -> bool {
        !self.left_out.contains(&component)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(name: &str, level: RuleLevel, more: &str) -> Known {
        let text = format!(r#"{{"kind": "days-overdue" {more}}}"#);
        let rule: NewRule = serde_json::from_str(&text).unwrap();
        Known { name: name.parse().unwrap(), version: 1, level, rule }
    }

    #[test]
    fn a_rule_that_is_taken_back_ends_yesterday_with_what_it_said_then() {
        let of = |more: &str| rule("A", RuleLevel::All, more).rule;
        let today: Date = "2024-06-30".parse().unwrap();
        let now = r#", "more_than": "9""#;
        for (stood, wanted) in [
            (None, r#", "more_than": "9", "from": "2024-06-30", "to": "2024-06-29""#),
            (Some(""), r#", "to": "2024-06-29""#),
            (Some(r#", "more_than": "5""#), r#", "more_than": "5", "to": "2024-06-29""#),
            (Some(r#", "to": "2024-06-28""#), r#", "to": "2024-06-28""#),
            (Some(r#", "to": "2024-06-29""#), r#", "to": "2024-06-29""#),
            (Some(r#", "to": "2024-06-30""#), r#", "to": "2024-06-29""#),
            (Some(r#", "from": "2024-07-01""#), r#", "from": "2024-07-01", "to": "2024-06-29""#),
        ] {
            assert_eq!(ended(of(now), stood.map(of), today).unwrap(), of(wanted), "{stood:?}");
        }
        // Also whose it was then.
        let other = ended(of(r#", "customer": "C""#), Some(of(r#", "customer": "D""#)), today);
        assert_eq!(other.unwrap(), of(r#", "customer": "D", "to": "2024-06-29""#));
    }

    #[test]
    fn rules_and_exclusions_resolve_customer_then_group_then_all() {
        use RuleLevel::{All, Customer, Group};
        let all = rule("A", All, "");
        let all_too = rule("A2", All, r#", "more_than": "30""#);
        let group = rule("G", Group, "");
        let own = rule("C", Customer, "");
        let excluded = |level| rule("X", level, r#", "exclude": true"#);
        let delivery = rule("D", Customer, r#", "purposes": ["delivery"]"#);
        let ended = rule("E", Customer, r#", "to": "2024-05-31""#);
        let begins = rule("B", Customer, r#", "from": "2024-06-01""#);
        for (rules, wanted) in [
            (vec![], ""),
            (vec![all.clone(), all_too.clone()], "A A2"),
            (vec![all.clone(), group.clone()], "G"),
            (vec![all.clone(), group.clone(), own.clone()], "C"),
            (vec![all.clone(), own.clone()], "C"),
            (vec![all.clone(), excluded(Customer)], ""),
            (vec![all.clone(), excluded(Group)], ""),
            (vec![all.clone(), excluded(Group), own.clone()], "C"),
            (vec![excluded(All)], ""),
            (vec![all.clone(), delivery], "A"),
            (vec![all.clone(), ended], "A"),
            (vec![all, begins], "B"),
        ] {
            let found = deciding(
                &rules,
                &[],
                RuleKind::DaysOverdue,
                None,
                Some(CheckPurpose::Order),
                "2024-06-01".parse().unwrap(),
            );
            let names: Vec<&str> = found.iter().map(|known| known.name.as_str()).collect();
            assert_eq!(names.join(" "), wanted);
        }
    }

    #[test]
    fn a_rule_that_ships_gives_way_to_its_name_to_an_exclusion_and_to_a_nearer_one_that_is_not_milder()
     {
        let day = "2024-06-01".parse().unwrap();
        let shipped = shipped();
        let names = |rules: &[Known]| {
            let found = deciding(rules, shipped, RuleKind::LimitUsed, None, None, day);
            found.iter().map(|known| known.name.to_string()).collect::<Vec<_>>()
        };
        assert_eq!(names(&[]), ["limit-used", "limit-nearly-used"]);
        let own = |name: &str, level: RuleLevel, more: &str| {
            let known = rule(name, level, more);
            Known { rule: NewRule { kind: RuleKind::LimitUsed, ..known.rule }, ..known }
        };
        use RuleLevel::{All, Customer, Group};
        let (warns, forces) = (r#", "verdict": "warn""#, r#", "verdict": "forced-hold""#);
        for (rules, wanted) in [
            (vec![own("mine", All, "")], "mine limit-used limit-nearly-used"),
            // An early warning for all leaves the limit as it is.
            (vec![own("early", All, warns)], "early limit-used limit-nearly-used"),
            (vec![own("limit-used", All, warns)], "limit-used limit-nearly-used"),
            (vec![own("limit-nearly-used", All, "")], "limit-nearly-used limit-used"),
            (vec![own("none", All, r#", "exclude": true"#)], ""),
            (vec![own("none", Customer, r#", "exclude": true"#)], ""),
            (vec![own("early", Customer, warns)], "early limit-used"),
            (vec![own("early", Group, warns)], "early limit-used"),
            (vec![own("own", Customer, "")], "own"),
            (vec![own("own", Customer, forces)], "own"),
            (vec![own("early", Customer, warns), own("limit-used", All, warns)], "early"),
            (
                vec![own("early", Customer, warns), own("none", All, r#", "exclude": true"#)],
                "early",
            ),
            (
                vec![own("limit-used", All, r#", "to": "2024-05-31""#)],
                "limit-used limit-nearly-used",
            ),
        ] {
            assert_eq!(names(&rules).join(" "), wanted, "{rules:?}");
        }
        let list = |rules: &[Known]| standing(rules, day).len();
        assert_eq!(list(&[]), 6);
        assert_eq!(list(&[own("limit-used", All, warns)]), 5);
        assert_eq!(list(&[own("none", All, r#", "exclude": true"#)]), 4);
        assert_eq!(list(&[own("early", Customer, "")]), 6);
        for known in shipped {
            assert_eq!(check(&known.rule), Ok(()), "{}", known.name);
            assert_eq!(known.name.as_str().parse::<Id>().as_ref(), Ok(&known.name));
        }
    }

    #[test]
    fn the_name_of_a_rule_that_ships_is_for_one_of_its_kind_for_all() {
        for (name, text, wanted) in [
            ("mine", r#""kind": "days-overdue""#, ""),
            ("limit-used", r#""kind": "limit-used""#, ""),
            ("limit-used", r#""kind": "limit-used", "exclude": true"#, ""),
            ("limit-used", r#""kind": "days-overdue""#, "kind"),
            ("limit-used", r#""kind": "limit-used", "customer": "C""#, "customer"),
            ("limit-used", r#""kind": "limit-used", "group": "C""#, "group"),
        ] {
            let new: NewRule = serde_json::from_str(&format!("{{{text}}}")).unwrap();
            let found = check_name(&name.parse().unwrap(), &new).err();
            assert_eq!(found.and_then(|of| of.field).unwrap_or_default(), wanted, "{name} {text}");
        }
    }

    #[test]
    fn a_rule_is_checked_field_by_field() {
        for (text, wanted) in [
            (r#""kind": "days-overdue""#, ""),
            (r#""kind": "placed-hold""#, "kind malformed-field"),
            (r#""kind": "days-overdue", "verdict": "pass""#, "verdict malformed-field"),
            (r#""kind": "days-overdue", "customer": "C", "group": "H""#, "group malformed-field"),
            (r#""kind": "order-amount""#, "amount missing-field"),
            (r#""kind": "order-amount", "exclude": true"#, ""),
            (
                r#""kind": "order-amount", "amount": {"minor": -1, "currency": "EUR"}"#,
                "amount amount-not-positive",
            ),
            (r#""kind": "exposure-component""#, "component missing-field"),
            (r#""kind": "limit-used", "component": "unbilled""#, "component missing-field"),
            (r#""kind": "limit-used", "more_than": "-0.1""#, "more_than malformed-field"),
            (
                r#""kind": "days-overdue", "amount": {"minor": 1, "currency": "EUR"}"#,
                "amount malformed-field",
            ),
            (
                r#""kind": "order-amount", "exclude": true, "more_than": "1""#,
                "more_than malformed-field",
            ),
            (r#""kind": "limit-used", "statuses": ["active"]"#, "statuses malformed-field"),
            (r#""kind": "limit-used", "grade": "E""#, "grade malformed-field"),
            (r#""kind": "limit-used", "counts": false"#, "counts malformed-field"),
            (r#""kind": "account-status", "statuses": []"#, "statuses malformed-field"),
            (r#""kind": "days-overdue", "purposes": []"#, "purposes malformed-field"),
            (
                r#""kind": "limit-used", "from": "2024-02-01", "to": "2024-01-31""#,
                "to malformed-field",
            ),
        ] {
            let new: NewRule = serde_json::from_str(&format!("{{{text}}}")).unwrap();
            let found = match check(&new) {
                Ok(()) => String::new(),
                Err(refused) => format!("{} {}", refused.field.unwrap(), refused.code),
            };
            assert_eq!(found, wanted, "{text}");
        }
    }
}
