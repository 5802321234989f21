//! How a customer orders and pays. A [`Behaviour`] is the name in the truth file; a [`Habit`] is
//! that behaviour with one customer's own figures.

use super::calendar::{add_days, days_between, in_quarter_from};
use super::random::Random;
use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

/// A deteriorating customer counts as bad once its usual delay has grown to this many days: from
/// there on most of what it owes sits beyond the 30-day bucket.
pub const DETERIORATED_DAYS: i64 = 45;
/// A supplier stops delivering this long after the payments stopped.
const ORDERS_GO_ON_DAYS: i64 = 20;
/// A bust-out orders for this long before it disappears.
const SPIKE_DAYS: i64 = 45;
/// A customer about to default slips a little this long before: the signal a score may find.
const STRAIN_DAYS: i64 = 75;

/// The named behaviours of the demo company, spelled in kebab case in the truth file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Behaviour {
    /// Pays around the due date.
    Prompt,
    /// Pays everything, always some weeks late.
    Slow,
    /// Late in one season of the year, ordering much more in another.
    Seasonal,
    /// Pays a little later every month.
    Deteriorating,
    /// Short-pays or holds back a share of its invoices; credit notes follow.
    Disputing,
    /// Pays acceptably, then stops for good.
    Defaulting,
    /// Small orders paid on time, then a burst of big ones and no payment.
    BustOut,
}

impl Behaviour {
    /// The share of each behaviour in a hundred customers.
    pub const SHARES: [(Self, u32); 7] = [
        (Self::Prompt, 45),
        (Self::Slow, 22),
        (Self::Seasonal, 8),
        (Self::Deteriorating, 10),
        (Self::Disputing, 5),
        (Self::Defaulting, 6),
        (Self::BustOut, 4),
    ];
}

/// From this many customers on every behaviour is present.
pub const ALL_BEHAVIOURS_FROM: u32 = 20;

/// One behaviour per customer, in the shares above and in random order. Rounding goes to the
/// prompt ones, the largest group.
pub(super) fn assign(customers: u32, random: &mut Random) -> Vec<Behaviour> {
    let total = usize::try_from(customers).unwrap_or(usize::MAX);
    let least = u32::from(customers >= ALL_BEHAVIOURS_FROM);
    let mut all = Vec::new();
    for (behaviour, share) in Behaviour::SHARES.into_iter().skip(1) {
        let exact = u64::from(customers) * u64::from(share);
        let count = u32::try_from((exact + 50) / 100).unwrap_or(u32::MAX).max(least);
        all.extend((0..count).map(|_| behaviour));
    }
    all.resize(total, Behaviour::Prompt);
    random.shuffle(&mut all);
    all
}

/// The days the company is watched.
#[derive(Debug, Clone, Copy)]
pub(super) struct Window {
    pub(super) from: NaiveDate,
    pub(super) today: NaiveDate,
}

impl Window {
    /// A day between `least` and `most` days before today, nearer in a short window.
    fn days_ago(&self, random: &mut Random, least: i64, most: i64) -> NaiveDate {
        let half = days_between(self.from, self.today) / 2;
        add_days(self.today, -random.between(least.min(half), most.min(half)))
    }
}

#[derive(Debug, Clone, Copy)]
pub(super) enum Habit {
    Prompt,
    Slow { days: i64 },
    Seasonal { late_from_month: u32, days: i64 },
    Deteriorating { from: NaiveDate, days_per_year: i64 },
    Disputing,
    Defaulting { on: NaiveDate },
    BustOut { from: NaiveDate },
}

impl Habit {
    pub(super) fn draw(behaviour: Behaviour, random: &mut Random, window: Window) -> Self {
        match behaviour {
            Behaviour::Prompt => Self::Prompt,
            Behaviour::Slow => Self::Slow { days: random.between(12, 35) },
            Behaviour::Seasonal => Self::Seasonal {
                late_from_month: random.pick(&[1, 4, 7, 10]),
                days: random.between(18, 40),
            },
            Behaviour::Deteriorating => {
                let from = window.days_ago(random, 300, 500);
                Self::Deteriorating { from, days_per_year: random.between(22, 85) }
            }
            Behaviour::Disputing => Self::Disputing,
            Behaviour::Defaulting => Self::Defaulting { on: window.days_ago(random, 45, 210) },
            Behaviour::BustOut => Self::BustOut { from: window.days_ago(random, 50, 130) },
        }
    }

    /// How many days after (or before) the due date this invoice would be paid.
    pub(super) fn lateness(&self, random: &mut Random, due_on: NaiveDate) -> i64 {
        match *self {
            Self::Prompt if random.chance(10) => -random.between(6, 20),
            Self::Prompt => random.normal(-1, 3).clamp(-8, 6),
            Self::Slow { days } => random.normal(days, 6).max(1),
            Self::Seasonal { late_from_month, days }
                if in_quarter_from(due_on, late_from_month) =>
            {
                random.normal(days, 6).max(1)
            }
            Self::Seasonal { .. } => random.normal(0, 3),
            Self::Deteriorating { .. } => random.normal(1, 4).saturating_add(self.decline(due_on)),
            Self::Disputing => random.normal(4, 3),
            Self::Defaulting { on } if days_between(due_on, on) <= STRAIN_DAYS => {
                random.normal(16, 5)
            }
            Self::Defaulting { .. } => random.normal(4, 4),
            Self::BustOut { .. } => random.normal(-3, 2).min(0),
        }
    }

    /// The delay a deteriorating customer has grown to by a date, in days.
    fn decline(&self, date: NaiveDate) -> i64 {
        match *self {
            Self::Deteriorating { from, days_per_year } => {
                days_between(from, date).max(0).saturating_mul(days_per_year) / 365
            }
            _ => 0,
        }
    }

    /// The delay the creditor would have known when it set the credit limit.
    pub(super) fn usual_lateness(&self) -> i64 {
        match *self {
            Self::Slow { days } => days,
            Self::Seasonal { days, .. } => days / 2,
            Self::Disputing => 20,
            _ => 3,
        }
    }

    /// How big an order of that day is, in thousandths of the usual one.
    pub(super) fn order_permille(&self, on: NaiveDate) -> i64 {
        match *self {
            Self::Seasonal { late_from_month, .. } => {
                let busy_from = (late_from_month + 5) % 12 + 1;
                if in_quarter_from(on, busy_from) { 2_600 } else { 800 }
            }
            Self::BustOut { from } if on >= from => 4_000,
            _ => 1_000,
        }
    }

    /// How many orders for each usual one.
    pub(super) fn order_rate(&self, on: NaiveDate) -> i64 {
        match *self {
            Self::BustOut { from } if on >= from => 2,
            _ => 1,
        }
    }

    /// The last day the creditor still delivers, where there is one.
    pub(super) fn last_order_on(&self) -> Option<NaiveDate> {
        match *self {
            Self::Defaulting { on } => Some(add_days(on, ORDERS_GO_ON_DAYS)),
            Self::BustOut { from } => Some(add_days(from, SPIKE_DAYS)),
            _ => None,
        }
    }

    /// Whether the customer keeps the money it would have paid on that day.
    pub(super) fn withholds(&self, issued_on: NaiveDate, paid_on: NaiveDate) -> bool {
        match *self {
            Self::Defaulting { on } => paid_on >= on,
            Self::BustOut { from } => issued_on >= from,
            _ => false,
        }
    }

    /// Whether a score should have warned about this customer by today.
    pub(super) fn is_bad(&self, default_on: Option<NaiveDate>, today: NaiveDate) -> bool {
        default_on.is_some_and(|on| on <= today) || self.decline(today) >= DETERIORATED_DAYS
    }
}
