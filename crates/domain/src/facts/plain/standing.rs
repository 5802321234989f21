//! What happened beside the ledger, defaults, and what secures debts.

use super::{
    Contested, Default, Document, History, Security, currencies, days_before, mean, months,
    share_of, weighed,
};
use crate::{
    Date, Decimal,
    contract::{
        ledger::{CustomerPart, DefaultKind, DefaultState, GuaranteeKind},
        score::{FactName, Facts},
        types::ReversalKind,
    },
};
use std::collections::{BTreeMap, BTreeSet};

pub(super) fn events(facts: &mut Facts, history: &History, day: Date) {
    let own = &history.own;
    let first = own.items(day).map(|of| of.issued_on).min();
    facts.set(FactName::AccountAgeDays, first.map(|on| day.days_since(on).into()));
    let year = months(day, 12);
    let issued: Vec<&Document> = own.items(day).filter(|of| of.issued_on > year).collect();
    let agreed =
        |of: &&Document| (true, vec![(of.currency, of.minor, of.due_on.days_since(of.issued_on))]);
    facts.set(FactName::TermsDays12m, weighed(&issued.iter().map(agreed).collect::<Vec<_>>()));
    let contested = |item: &&Document| {
        let about = |of: &Contested| of.document == item.key && of.minor > 0;
        history.disputes.iter().any(|of| about(of) && of.on <= day)
    };
    facts
        .set(FactName::DisputeRate12m, share_of(&issued.iter().map(contested).collect::<Vec<_>>()));
    let changes = |part| {
        let within = |on: Date| on > days_before(day, 90) && on <= day;
        history.changes.iter().filter(|of| of.0 == part && within(of.1)).count()
    };
    let returned: BTreeSet<i64> = history
        .reversals
        .iter()
        .filter(|of| matches!(of.1, ReversalKind::Chargeback | ReversalKind::Returned))
        .filter(|of| of.2 > year && of.2 <= day)
        .map(|of| of.0)
        .collect();
    for (name, count) in [
        (FactName::ContactChanges90d, changes(CustomerPart::Contact)),
        (FactName::BankChanges90d, changes(CustomerPart::BankAccount)),
        (FactName::RepresentativeChanges90d, changes(CustomerPart::Representative)),
        (FactName::ReturnedPayments12m, returned.len()),
    ] {
        facts.set(name, (count > 0 || first.is_some()).then(|| count.into()));
    }
}

/// Those that are open on the day, by when they were found.
fn open(defaults: &[Default], day: Date) -> Vec<Date> {
    let open = |of: &&Default| of.0 <= day && of.1.is_none_or(|closed| closed > day);
    defaults.iter().filter(open).map(|of| of.0).collect()
}

pub(super) fn defaults(facts: &mut Facts, history: &History, day: Date) {
    let own = open(&history.defaults, day);
    let asked = history.own.items(day).next().is_some();
    let had = history.defaults.iter().any(|of| of.0 <= day);
    let broken = history.defaults.iter().filter(|of| of.0 > months(day, 12) && of.0 <= day);
    let stands = |of: &&Default| of.3 != DefaultState::Withdrawn || of.1.is_none_or(|on| on > day);
    let broken = broken.filter(|of| of.2 == DefaultKind::BrokenPlan).filter(stands).count();
    facts.set(FactName::BrokenPromises12m, (asked || had).then(|| broken.into()));
    let plans = |of: &&Default| of.2 == DefaultKind::BrokenPlan;
    let plans: Vec<Default> = history.defaults.iter().filter(plans).copied().collect();
    let broken = open(&plans, day).len();
    facts.set(FactName::BrokenPromisesOpen, (asked || had).then(|| broken.into()));
    facts.set(FactName::DefaultsOpen, (asked || had).then(|| own.len().into()));
    let oldest = own.iter().min();
    facts.set(FactName::WorstDefaultDays, oldest.map(|on| day.days_since(*on).into()));
    let others = open(&history.defaults_of_others, day).len();
    facts.set(FactName::GroupDefaultsOpen, history.others.as_ref().map(|_| others.into()));
}

pub(super) fn secured(facts: &mut Facts, history: &History, day: Date) {
    let own = &history.own;
    let in_force: Vec<&Security> =
        history.securities.iter().filter(|of| of.in_force(day)).collect();
    let mut shares = Vec::new();
    for currency in currencies(own) {
        let debt = own.owed(currency, day).0;
        let mut borne: BTreeMap<Option<i64>, Decimal> = BTreeMap::new();
        for of in in_force.iter().filter(|of| of.currency == currency) {
            let under = own.claims(day).filter(|claim| {
                claim.currency == currency
                    && (of.contract.is_none() || claim.contract == of.contract)
            });
            let debt = Decimal::from(under.map(|claim| own.open(claim, day)).sum::<i64>());
            let bears = (debt * of.share).floor().min(of.minor.into());
            let sum = borne.entry(of.contract).or_default();
            *sum = (*sum + bears).min(debt);
        }
        let borne: Decimal = borne.into_values().sum();
        shares.extend(borne.min(debt.into()).checked_div(debt.into()));
    }
    facts.set(FactName::InsuredShare, mean(&shares));
    let nearest = |insurance: bool| {
        let kind = |of: &&&Security| (of.kind == GuaranteeKind::Insurance) == insurance;
        in_force.iter().filter(kind).filter_map(|of| of.last_on()).min()
    };
    // Of each the last of those that began last.
    let begun = history
        .contracts
        .iter()
        .filter_map(|versions| versions.iter().filter(|of| of.0 <= day).max_by_key(|of| of.0));
    let agreed: Vec<_> = begun.filter(|of| of.1.is_none_or(|last| last >= day)).collect();
    let year = months(day, 12);
    let lapsed = |insurance: bool| {
        let sort = |of: &&Security| (of.kind == GuaranteeKind::Insurance) == insurance;
        let follows = |from: Date| in_force.iter().any(|of| sort(of) && of.from > from);
        let of_sort = history.securities.iter().filter(sort).filter(|of| !follows(of.from));
        of_sort.filter_map(Security::last_on).filter(|on| *on < day && *on > year).max()
    };
    let begun = history
        .contracts
        .iter()
        .filter_map(|versions| versions.iter().filter(|of| of.0 <= day).max_by_key(|of| of.0));
    let unfollowed = begun.filter(|of| agreed.iter().all(|other| other.0 <= of.0));
    let ended = unfollowed.filter_map(|of| of.1).filter(|on| *on < day && *on > year).max();
    for (name, last) in [
        (FactName::DaysSinceGuaranteeLapsed, lapsed(false)),
        (FactName::DaysSinceInsuranceLapsed, lapsed(true)),
        (FactName::DaysSinceContractLapsed, ended),
    ] {
        facts.set(name, last.map(|last| day.days_since(last).into()));
    }
    let milestones = agreed.iter().flat_map(|of| &of.2).copied();
    for (name, last) in [
        (FactName::DaysToGuaranteeEnd, nearest(false)),
        (FactName::DaysToInsuranceEnd, nearest(true)),
        (FactName::DaysToContractEnd, agreed.iter().filter_map(|of| of.1).min()),
        (FactName::DaysToMilestone, milestones.filter(|on| *on >= day).min()),
    ] {
        facts.set(name, last.map(|last| last.days_since(day).into()));
    }
}
