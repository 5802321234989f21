//! How a customer orders and pays. A [`Behaviour`] is the name in the truth file; a [`Habit`] is
//! that behaviour with one customer's own figures.
//!
//! Most who default have been in trouble for months, and their suppliers can see it: they seldom
//! paid well before, stretch terms further and further, pay in parts, and buy more on credit as
//! banks lend less. In the end they pay nobody, and some weeks later they file for insolvency,
//! which is their default. A bust-out pays well to be trusted; in its last months orders grow and
//! payments slip a little, until the burst. A few stop without a sign, as after a fire or a lawsuit.
//! And not everybody in trouble defaults: some good customers go through hard times, late by weeks
//! for some months, and recover.

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
/// Before the burst it orders more and more, and pays later and later.
const BUILD_UP_DAYS: i64 = 120;
/// What the orders have grown by, in thousandths, and the payments slipped by, in days, at the burst.
const BUILT_UP: (i64, i64) = (1_500, 17);
/// Out of a hundred who default, how many do so without a sign.
const SUDDEN_PERCENT: u64 = 6;
/// A strained customer buys so much more on credit in the end, in thousandths.
const STRAINED_ORDERS_PERMILLE: i64 = 250;
/// Out of a hundred prompt or slow customers, how many go through hard times once.
const HARD_TIMES_PERCENT: u64 = 12;

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
    /// Pays acceptably, then later and later and in parts for some months, then nothing, and files
    /// for insolvency.
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
        (Self::Defaulting, 9),
        (Self::BustOut, 1),
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

/// The months before payments stop: each payment is a little later than the one before.
#[derive(Debug, Clone, Copy)]
pub(super) struct Strain {
    /// How late it pays while all is well.
    usual: i64,
    /// For how many days it lasts.
    days: i64,
    /// How much later than before a debt is paid in the end, in days.
    late_by: i64,
    /// How long before the default nothing is paid any more.
    stops: i64,
}

impl Strain {
    /// Four to eight months, or none at all.
    fn draw(random: &mut Random) -> Self {
        let usual = random.between(3, 30);
        let (days, late_by) = (random.between(120, 240), random.between(40, 100));
        let stops = random.between(30, 75);
        if random.chance(SUDDEN_PERCENT) {
            Self { usual, days: 0, late_by: 0, stops: 0 }
        } else {
            Self { usual, days, late_by, stops }
        }
    }

    /// How far it has got by a day, in thousandths.
    fn permille(self, default_on: NaiveDate, day: NaiveDate) -> i64 {
        let left = days_between(day, self.stops_on(default_on)).max(0);
        let passed = self.days.saturating_sub(left).max(0);
        passed * 1_000 / self.days.max(1)
    }

    /// The first day on which nothing is paid.
    fn stops_on(self, default_on: NaiveDate) -> NaiveDate {
        add_days(default_on, -self.stops)
    }
}

/// Some months in which a good customer pays late; it recovers.
#[derive(Debug, Clone, Copy)]
pub(super) struct HardTimes {
    from: NaiveDate,
    until: NaiveDate,
    days: i64,
}

impl HardTimes {
    fn draw(random: &mut Random, window: Window) -> Option<Self> {
        let from = window.days_ago(random, 150, 600);
        let until = add_days(from, random.between(60, 120));
        let days = random.between(15, 40);
        random.chance(HARD_TIMES_PERCENT).then_some(Self { from, until, days })
    }

    /// How much later than usual a debt of that day is paid.
    fn lateness(times: Option<Self>, due_on: NaiveDate) -> i64 {
        times.filter(|of| (of.from..of.until).contains(&due_on)).map_or(0, |of| of.days)
    }
}

/// How far a bust-out has built up by a day, in thousandths.
fn built_up(burst: NaiveDate, on: NaiveDate) -> i64 {
    let left = days_between(on, burst).clamp(0, BUILD_UP_DAYS);
    (BUILD_UP_DAYS - left) * 1_000 / BUILD_UP_DAYS
}

#[derive(Debug, Clone, Copy)]
pub(super) enum Habit {
    Prompt { hard_times: Option<HardTimes> },
    Slow { days: i64, hard_times: Option<HardTimes> },
    Seasonal { late_from_month: u32, days: i64 },
    Deteriorating { from: NaiveDate, days_per_year: i64 },
    Disputing,
    Defaulting { on: NaiveDate, strain: Strain },
    BustOut { from: NaiveDate },
}

impl Habit {
    pub(super) fn draw(behaviour: Behaviour, random: &mut Random, window: Window) -> Self {
        match behaviour {
            Behaviour::Prompt => Self::Prompt { hard_times: HardTimes::draw(random, window) },
            Behaviour::Slow => Self::Slow {
                days: random.between(12, 35),
                hard_times: HardTimes::draw(random, window),
            },
            Behaviour::Seasonal => Self::Seasonal {
                late_from_month: random.pick(&[1, 4, 7, 10]),
                days: random.between(18, 40),
            },
            Behaviour::Deteriorating => {
                let from = window.days_ago(random, 300, 500);
                Self::Deteriorating { from, days_per_year: random.between(22, 85) }
            }
            Behaviour::Disputing => Self::Disputing,
            Behaviour::Defaulting => Self::Defaulting {
                on: window.days_ago(random, 45, 210),
                strain: Strain::draw(random),
            },
            Behaviour::BustOut => Self::BustOut { from: window.days_ago(random, 50, 130) },
        }
    }

    /// How many days after (or before) the due date this invoice would be paid.
    pub(super) fn lateness(&self, random: &mut Random, due_on: NaiveDate) -> i64 {
        match *self {
            Self::Prompt { .. } if random.chance(10) => -random.between(6, 20),
            Self::Prompt { hard_times } => {
                let usual = random.normal(-1, 3).clamp(-8, 6);
                usual.saturating_add(HardTimes::lateness(hard_times, due_on))
            }
            Self::Slow { days, hard_times } => {
                let days = days.saturating_add(HardTimes::lateness(hard_times, due_on));
                random.normal(days, 6).max(1)
            }
            Self::Seasonal { late_from_month, days }
                if in_quarter_from(due_on, late_from_month) =>
            {
                random.normal(days, 6).max(1)
            }
            Self::Seasonal { .. } => random.normal(0, 3),
            Self::Deteriorating { .. } => random.normal(1, 4).saturating_add(self.decline(due_on)),
            Self::Disputing => random.normal(4, 3),
            Self::Defaulting { on, strain } => {
                let more = strain.permille(on, due_on) * strain.late_by / 1_000;
                random.normal(strain.usual + more, 4 + more / 8)
            }
            Self::BustOut { from } => {
                let slipped = built_up(from, due_on) * BUILT_UP.1 / 1_000;
                random.normal(-3, 2).min(0).saturating_add(slipped)
            }
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

    /// Out of a hundred invoices due on a day, how many are paid in parts.
    pub(super) fn in_parts_percent(&self, due_on: NaiveDate) -> u64 {
        match *self {
            Self::Slow { .. } | Self::Deteriorating { .. } => 12,
            Self::Defaulting { on, strain } => {
                let strained = strain.permille(on, due_on).unsigned_abs();
                3 + 30 * strained / 1_000
            }
            _ => 3,
        }
    }

    /// The delay the creditor would have known when it set the credit limit.
    pub(super) fn usual_lateness(&self) -> i64 {
        match *self {
            Self::Slow { days, .. } => days,
            Self::Seasonal { days, .. } => days / 2,
            Self::Disputing => 20,
            Self::Defaulting { strain, .. } => strain.usual,
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
            Self::BustOut { from } => 1_000 + BUILT_UP.0 * built_up(from, on) / 1_000,
            Self::Defaulting { on: default_on, strain } => {
                let strained = strain.permille(default_on, on);
                1_000 + STRAINED_ORDERS_PERMILLE * strained / 1_000
            }
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

    /// The last order that a customer about to stop paying is certain to place.
    pub(super) fn certain_order_before(&self) -> Option<NaiveDate> {
        match *self {
            Self::Defaulting { on, strain } => Some(strain.stops_on(on)),
            _ => None,
        }
    }

    /// The last day the creditor still delivers, where there is one.
    pub(super) fn last_order_on(&self) -> Option<NaiveDate> {
        match *self {
            Self::Defaulting { on, strain } => {
                Some(add_days(strain.stops_on(on), ORDERS_GO_ON_DAYS))
            }
            Self::BustOut { from } => Some(add_days(from, SPIKE_DAYS)),
            _ => None,
        }
    }

    /// Whether the customer keeps the money it would have paid on that day.
    pub(super) fn withholds(&self, issued_on: NaiveDate, paid_on: NaiveDate) -> bool {
        match *self {
            Self::Defaulting { on, strain } => paid_on >= strain.stops_on(on),
            Self::BustOut { from } => issued_on >= from,
            _ => false,
        }
    }

    /// Whether a score should have warned about this customer by today.
    pub(super) fn is_bad(&self, default_on: Option<NaiveDate>, today: NaiveDate) -> bool {
        default_on.is_some_and(|on| on <= today) || self.decline(today) >= DETERIORATED_DAYS
    }
}
