//! A customer of the demo company: who it is, on what terms it buys, and its habit of paying.

use super::behaviour::{Behaviour, Habit, Window};
use super::calendar::{add_days, days_between, weekday_on_or_before};
use super::money::{Currency, permille, round_limit, scale};
use super::names::{self, Identity, NAME_TRIES};
use super::random::Random;
use chrono::NaiveDate;
use std::collections::BTreeSet;

/// Days of sales a limit allows beyond the terms: orders come in lumps around the month's end.
const LIMIT_SLACK_DAYS: i64 = 20;

/// What a payment says about the invoices it is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Remittance {
    /// A transfer per invoice that names it.
    #[default]
    Named,
    /// A weekly payment run: one transfer for everything chosen that week, on account.
    OnAccount,
}

#[derive(Debug, Clone)]
pub(super) struct Customer {
    pub(super) number: u32,
    pub(super) identity: Identity,
    pub(super) behaviour: Behaviour,
    pub(super) habit: Habit,
    pub(super) currency: Currency,
    pub(super) net_days: i64,
    /// The middling invoice, in minor units.
    pub(super) typical_minor: i64,
    pub(super) invoices_a_month: i64,
    pub(super) buys_from: NaiveDate,
    pub(super) signed_on: NaiveDate,
    pub(super) remittance: Remittance,
    pub(super) limit_minor: i64,
}

impl Customer {
    pub(super) fn draw(
        number: u32,
        chinese: bool,
        behaviour: Behaviour,
        window: Window,
        taken: &mut BTreeSet<String>,
        random: &mut Random,
    ) -> Self {
        let identity = free_identity(number, chinese, taken, random);
        let habit = Habit::draw(behaviour, random, window);
        // A few sell or buy across the border, so currency does not simply repeat the country.
        let currency = match (chinese, random.chance(7)) {
            (true, false) | (false, true) => Currency::Cny,
            (true, true) | (false, false) => Currency::Eur,
        };
        let net_days = match behaviour {
            Behaviour::BustOut => random.pick(&[14, 30]),
            _ => random.weighted(&[(15, 14), (50, 30), (15, 45), (20, 60)]),
        };
        let small = if behaviour == Behaviour::BustOut { 400 } else { 1_000 };
        let typical_minor = permille(random.spread(currency.typical_invoice(), 450), small);
        let invoices_a_month = random.weighted(&[(20, 1), (30, 2), (25, 3), (15, 4), (10, 6)]);
        let buys_from = first_order(behaviour, habit, window, random);
        let signed_on = weekday_on_or_before(add_days(buys_from, -random.between(3, 240)));
        let remittance = match behaviour {
            // Only a named payment shows which invoice is disputed.
            Behaviour::Disputing => Remittance::Named,
            _ => random.weighted(&[(72, Remittance::Named), (28, Remittance::OnAccount)]),
        };
        let monthly = typical_minor.saturating_mul(invoices_a_month);
        let held_days = net_days + habit.usual_lateness() + LIMIT_SLACK_DAYS;
        let exposure = scale(monthly, held_days, 30);
        let limit_minor = round_limit(permille(exposure, random.between(1_150, 2_100)));
        Self {
            number,
            identity,
            behaviour,
            habit,
            currency,
            net_days,
            typical_minor,
            invoices_a_month,
            buys_from,
            signed_on,
            remittance,
            limit_minor,
        }
    }

    pub(super) fn id(&self) -> String {
        format!("C{:04}", self.number)
    }
}

/// A name no other customer has.
fn free_identity(
    number: u32,
    chinese: bool,
    taken: &mut BTreeSet<String>,
    random: &mut Random,
) -> Identity {
    let mut draw =
        || if chinese { names::chinese(random, number) } else { names::english(random, number) };
    let mut identity = draw();
    for _ in 1..NAME_TRIES {
        if !taken.contains(&identity.name) {
            break;
        }
        identity = draw();
    }
    if taken.contains(&identity.name) {
        identity.name = names::with_branch(&identity.name, identity.language, number);
    }
    taken.insert(identity.name.clone());
    identity
}

/// Most customers were there before the window; some joined later, a bust-out not long before its
/// burst.
fn first_order(
    behaviour: Behaviour,
    habit: Habit,
    window: Window,
    random: &mut Random,
) -> NaiveDate {
    let span = days_between(window.from, window.today);
    let joined = match (behaviour, habit) {
        (_, Habit::BustOut { from }) => add_days(from, -random.between(150, 270)),
        (Behaviour::Prompt | Behaviour::Slow, _) if random.chance(20) => {
            add_days(window.from, random.between(span / 8, span / 2))
        }
        _ => window.from,
    };
    joined.max(window.from)
}
