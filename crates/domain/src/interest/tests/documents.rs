//! What must hold for every document in parts.

use super::*;
use std::collections::BTreeMap;

/// A document in parts with fees, disputes and payments, and a clerk who goes through the days.
#[derive(Clone, Debug)]
struct Document {
    parts: Vec<(Date, i64)>,
    /// Payments of a part: part, day, how much.
    paid: Vec<(usize, Date, i64)>,
    /// Disputes of a part, each of its own share: part, first day, days until it is decided, whether the debtor is right.
    disputes: Vec<(usize, Date, Option<i64>, bool)>,
    /// Fees about it, below zero where one is taken off: day and how much.
    fees: Vec<(Date, i64)>,
    /// What was paid of its interest.
    settled: Vec<(Date, i64)>,
    clause: String,
}

/// Clauses whose day counts add up day by day.
const CLERK_CLAUSES: [&str; 6] = [
    "rate=0.365",
    "rate=0.5 cap=0.05 sums=:4000 in=EUR",
    "rate=0.3 days=act-360 cap-rate=lpr-1y/4/-/at-signing sums=:700 in=EUR",
    "rate=0.3 cap=0.08 cap-rate=lpr-1y/4/-/at-signing grace=5",
    "rate=0.24 days=act-360 compound=1/20 sums=:4000 in=EUR",
    "rate=0.02 floor=lpr-1y/2/-/at-signing cap=0.02 grace=9 later=true",
];

/// Each part has room for its payments and its disputes: a tenth of it each, at most four of both.
fn documents() -> impl Strategy<Value = Document> {
    let parts = proptest::collection::vec((0i64..60, 1_000i64..900_000), 1..4);
    let paid = proptest::collection::vec((0usize..3, 0i64..200), 0..5);
    let disputes = proptest::collection::vec(
        (0usize..3, 0i64..200, proptest::option::of(1i64..60), any::<bool>()),
        0..5,
    );
    let fees = proptest::collection::vec((0i64..200, -3_000i64..9_000), 0..5);
    let settled = proptest::collection::vec((0i64..200, 1i64..9_000), 0..3);
    (parts, paid, disputes, fees, settled, 0usize..6).prop_map(
        |(mut parts, paid, disputes, fees, settled, which)| {
            let at = |days: i64| date("2024-01-10").plus_days(days).unwrap();
            parts.sort_unstable();
            let parts: Vec<(Date, i64)> =
                parts.iter().map(|(due, minor)| (at(*due), *minor)).collect();
            let part = |part: usize| part % parts.len();
            let tenth = |of: usize| parts[part(of)].1 / 10;
            Document {
                paid: paid.iter().map(|(of, on)| (part(*of), at(*on), tenth(*of))).collect(),
                disputes: disputes
                    .iter()
                    .map(|(of, on, days, right)| {
                        (part(*of), at(*on).max(parts[part(*of)].0), *days, *right)
                    })
                    .collect(),
                fees: fees.iter().map(|(on, minor)| (at(*on), *minor)).collect(),
                settled: settled.iter().map(|(on, minor)| (at(*on), *minor)).collect(),
                clause: CLERK_CLAUSES[which].into(),
                parts,
            }
        },
    )
}

impl Document {
    fn whole(&self) -> i64 {
        self.parts.iter().map(|(_, minor)| minor).sum()
    }

    fn fees_by(&self, day: Date) -> i64 {
        let fees = self.fees.iter().filter(|(on, _)| *on <= day);
        fees.map(|(_, minor)| minor).sum::<i64>().max(0)
    }

    fn disputes_of(&self, part: usize) -> Vec<Contested> {
        let share = self.parts[part].1 / 10;
        let of = self.disputes.iter().filter(|(of, ..)| *of == part);
        of.map(|(_, on, days, right)| Contested {
            on: *on,
            minor: share,
            decided: days.map(|days| (on.plus_days(days).unwrap(), if *right { share } else { 0 })),
        })
        .collect()
    }

    fn item(&self, part: usize, day: Date, fixed: bool) -> Item {
        let (due_on, amount_minor) = self.parts[part];
        let disputes = self.disputes_of(part);
        let paid = self.paid.iter().filter(|(of, ..)| *of == part);
        let mut changes: Vec<(Date, i64)> = paid.map(|(_, on, minor)| (*on, *minor)).collect();
        changes.extend(disputes.iter().filter_map(|of| of.decided));
        Item {
            amount_minor,
            changes,
            exclusions: exclusions(&disputes, due_on, day),
            settled: if part == 0 { self.settled.clone() } else { vec![] },
            fixed_for: fixed.then(|| self.whole()),
            ..claim("EUR", amount_minor, &due_on.to_string())
        }
    }

    /// Accrued, fixed and capped of the whole on a day, and the limit.
    fn charged(&self, day: Date) -> ([i64; 3], Option<i64>) {
        let mut charges = Charges::on(self.whole(), self.fees_by(day));
        let (mut sums, mut is_late, mut limit) = ([0; 3], false, None);
        for part in 0..self.parts.len() {
            let item = self.item(part, day, !is_late);
            let clause = resolve(&clause(&self.clause), item.due_on.plus_days(1).unwrap()).unwrap();
            let of = charge(&item, &clause, &Tables::shipped(), day, &mut charges).unwrap();
            is_late |= !of.segments.is_empty();
            sums =
                [sums[0] + of.accrued_minor, sums[1] + of.fixed_minor, sums[2] + of.capped_minor];
            limit = charges.limit(&clause).unwrap();
        }
        (sums, limit)
    }

    /// The same by a clerk who goes through the days of each part, knows each day's balance, and cuts at the end.
    fn by_the_clerk(&self, through: Date) -> ([i64; 3], Option<i64>) {
        let said = clause(&self.clause);
        let year = if said.day_count == Some(DayCount::Act360) { 360 } else { 365 };
        let lpr =
            Tables::shipped().at(&"lpr-1y".parse().unwrap(), date("2019-12-01")).unwrap().rate;
        let times = |of: &Option<ReferenceRate>| of.as_ref().map(|of| lpr * of.multiplier.unwrap());
        let rate = said.rate.unwrap().max(times(&said.floor_rate).unwrap_or_default());
        let (grace, later) =
            (i64::from(said.grace_days.unwrap_or(0)), said.grace_charged_later == Some(true));
        let rounded =
            |exact: Decimal| i64::try_from(decimal::round(exact / Decimal::from(year), 0)).unwrap();
        let (mut interest, mut most, mut is_late) = (Decimal::ZERO, Decimal::ZERO, false);
        // What the parts so far had borne by the end of each period.
        let mut by_period: BTreeMap<Date, Decimal> = BTreeMap::new();
        for (part, (due, amount)) in self.parts.iter().enumerate() {
            let graced = due.plus_days(grace).unwrap();
            let (mut exact, mut cap) = (Decimal::ZERO, Decimal::ZERO);
            let mut standing = 0;
            let mut day = if later { *due } else { graced };
            while day < through && through > graced {
                let seen = day.max(graced);
                day = day.plus_days(1).unwrap();
                let mut balance = *amount;
                for (_, _, minor) in
                    self.paid.iter().filter(|(of, on, _)| *of == part && *on <= seen)
                {
                    balance -= minor;
                }
                for dispute in self.disputes_of(part) {
                    // Decided by the day asked for: what was right never bore, the rest always did.
                    balance -= match dispute.decided.filter(|(on, _)| *on <= through) {
                        Some((_, right)) => right,
                        None if dispute.on <= day => dispute.minor,
                        None => 0,
                    };
                }
                // The day after the end of a period, what is unpaid of all before begins to bear.
                let is_start = said.compounding.is_some() && day.to_string().ends_with("-21");
                if is_start && day > due.plus_days(grace + 1).unwrap() {
                    let before = by_period.entry(day).or_default();
                    standing = rounded(*before + exact) - rounded(*before);
                    *before += exact;
                }
                let settled = self.settled.iter().filter(|(on, _)| part == 0 && *on < day);
                let settled: i64 = settled.map(|(_, minor)| minor).sum();
                // The fixed sum is the first part's and comes first.
                let fixed = said.fixed_sums.as_ref().map_or(0, |sums| sums[0].minor);
                let settled = (settled - fixed).max(0);
                let bearing = balance.max(0) + (standing - settled).max(0);
                exact += Decimal::from(bearing) * rate;
                cap += Decimal::from(bearing) * times(&said.cap_rate).unwrap_or_default();
                is_late |= bearing > 0;
            }
            interest += exact;
            most += cap;
        }
        // All parts together are rounded once.
        let (interest, most) = (rounded(interest), rounded(most));
        let fixed = said.fixed_sums.filter(|_| is_late).map_or(0, |sums| sums[0].minor);
        let share = said
            .cap_share
            .map(|share| i64::try_from((Decimal::from(self.whole()) * share).floor()).unwrap());
        let limit = share.into_iter().chain(said.cap_rate.is_some().then_some(most)).min();
        let room = limit.map_or(i64::MAX, |limit| (limit - self.fees_by(through)).max(0));
        let fixed_within = fixed.min(room);
        let within = interest.min(room.saturating_sub(fixed).max(0));
        ([within, fixed_within, interest + fixed - within - fixed_within], limit)
    }
}

proptest! {
    #[test]
    fn a_document_bears_what_a_clerk_finds_day_by_day(of in documents(), days in 0i64..260) {
        let day = date("2024-01-10").plus_days(days).unwrap();
        prop_assert_eq!(of.charged(day), of.by_the_clerk(day), "on {}", day);
    }

    /// What is read of the parts sums to what is read of the whole, each within a cent of what it bears by itself.
    #[test]
    fn shares_sum_to_the_whole_and_are_within_a_cent(of in documents(), days in 0i64..260) {
        let day = date("2024-01-10").plus_days(days).unwrap();
        let words = of.clause.split_whitespace().filter(|word| !word.starts_with("cap"));
        let of = Document { clause: words.collect::<Vec<_>>().join(" "), ..of };
        let mut charges = Charges::on(of.whole(), 0);
        let (mut sum, mut residue, mut is_late) = (0, Decimal::ZERO, false);
        for part in 0..of.parts.len() {
            let item = of.item(part, day, !is_late);
            let clause = resolve(&clause(&of.clause), item.due_on.plus_days(1).unwrap()).unwrap();
            let share = charge(&item, &clause, &Tables::shipped(), day, &mut charges).unwrap();
            let alone = accrue(&item, &clause, &Tables::shipped(), day).unwrap();
            is_late |= !share.segments.is_empty();
            prop_assert!((share.accrued_minor - alone.accrued_minor).abs() <= 1);
            let exact = |of: &Accrued| Decimal::from(of.accrued_minor) + of.residue;
            let apart = (exact(&share) - exact(&alone)).abs();
            // With compounding a share of a cent may bear beside the part that does not bear alone.
            let bound = if clause.compounding.is_some() { dec("0.5") } else { Decimal::ZERO };
            prop_assert!(apart <= bound, "{}", apart);
            let segments: i64 = share.segments.iter().map(|segment| segment.minor).sum();
            prop_assert_eq!(segments, share.accrued_minor);
            (sum, residue) = (sum + share.accrued_minor, residue + share.residue);
        }
        prop_assert_eq!(sum, of.charged(day).0[0]);
        let left = charges.residue().unwrap();
        prop_assert!(left.abs() <= dec("0.5") && (left - residue).abs() < dec("0.000000001"));
    }

    /// What fees leave of the cap is never exceeded, and what is charged and what is cut come to what would be charged
    /// without a cap.
    #[test]
    fn charges_are_conserved_under_their_cap(of in documents(), days in 0i64..260) {
        let day = date("2024-01-10").plus_days(days).unwrap();
        let ([accrued, fixed, capped], limit) = of.charged(day);
        prop_assert!(accrued >= 0 && fixed >= 0 && capped >= 0);
        if let Some(limit) = limit {
            prop_assert!(accrued + fixed <= (limit - of.fees_by(day)).max(0));
        }
        let words = of.clause.split_whitespace().filter(|word| !word.starts_with("cap"));
        let uncapped = Document { clause: words.collect::<Vec<_>>().join(" "), ..of };
        let ([whole, sums, none], no_limit) = uncapped.charged(day);
        prop_assert_eq!((whole + sums, none, no_limit), (accrued + fixed + capped, 0, None));
    }
}
