//! What must hold for the history of every claim.

use super::*;

/// Clauses of every kind, by number.
const CLAUSES: [&str; 11] = [
    "rate=0.12",
    "rate=0.1234567 days=act-360",
    "rate=0.05 days=act-act-isda grace=10",
    "rate=0.365 days=30-360-bond",
    "rate=0.08 days=30e-360 grace=7 later=true",
    "rate=0.08 days=30-360-us",
    "reference=lpr-1y/1.3/0.001/floating",
    "preset=eu-2011-7",
    "rate=0.5 cap=0.1 sums=:4000 in=EUR",
    "rate=0.02 floor=lpr-1y/1.1/-/floating",
    "rate=0.24 days=act-360 compound=1/20 sums=:4000 in=EUR",
];

#[derive(Clone, Debug)]
struct History {
    item: Item,
    clause: Resolved,
    day: Date,
}

impl History {
    /// Whether nothing but the claim's own days decides what it bears.
    fn has_line(&self) -> bool {
        !self.clause.is_capped() && self.clause.compounding.is_none()
    }
}

fn histories() -> impl Strategy<Value = History> {
    let changes = proptest::collection::vec((0i64..500, 1i64..400_000), 0..5);
    let exclusions =
        proptest::collection::vec((0i64..400, proptest::option::of(0i64..60), 1i64..500_000), 0..3);
    let settled = proptest::collection::vec((0i64..500, 1i64..90_000), 0..4);
    (0usize..11, 0i64..700, 1i64..3_000_000, changes, (exclusions, settled), 0i64..600).prop_map(
        |(which, due, amount_minor, changes, (exclusions, settled), day)| {
            let due_on = date("2023-01-20").plus_days(due).unwrap();
            let at = |days: i64| due_on.plus_days(days - 20).unwrap();
            let item = Item {
                amount_minor,
                changes: changes.iter().map(|(on, minor)| (at(*on), *minor)).collect(),
                exclusions: exclusions
                    .iter()
                    .map(|(from, days, minor)| Exclusion {
                        from: at(*from),
                        to: days.map(|days| at(from + days)),
                        minor: *minor,
                    })
                    .collect(),
                settled: settled.iter().map(|(on, minor)| (at(*on), *minor)).collect(),
                ..claim("EUR", amount_minor, &due_on.to_string())
            };
            let clause = resolve(&clause(CLAUSES[which]), due_on.plus_days(1).unwrap()).unwrap();
            History { item, clause, day: at(day) }
        },
    )
}

/// The same by adding up each day, for day counts in which days add up.
fn day_by_day(of: &History, through: Date) -> i64 {
    let tables = Tables::shipped();
    let terms = Terms::new(&of.item, &of.clause, &tables);
    let mut sum = 0i128;
    let mut day = terms.first;
    while day <= through && through > terms.grace_end {
        let (principal, _) = terms.principal(day).unwrap();
        if principal > 0 {
            let rate = terms.rate(day).unwrap();
            let one = Stretch {
                from: day,
                to: day,
                principal,
                unpaid: 0,
                excluded: 0,
                rate: rate.clone(),
                cap: None,
            };
            sum += one.exact(&rate, of.clause.day_count).unwrap();
        }
        day = day.plus_days(1).unwrap();
    }
    rounded(sum, RATE_ONE * i128::from(of.clause.day_count.year())).unwrap()
}

proptest! {
    #[test]
    fn segments_sum_to_the_whole_and_do_not_overlap(of in histories()) {
        let found = accrue(&of.item, &of.clause, &Tables::shipped(), of.day).unwrap();
        let sum: i64 = found.segments.iter().map(|segment| segment.minor).sum();
        prop_assert_eq!(sum, found.accrued_minor);
        prop_assert!(found.residue.abs() <= dec("0.5"));
        prop_assert!(found.segments.windows(2).all(|two| two[0].to < two[1].from));
        prop_assert!(found.segments.iter().all(|one| one.from > of.item.due_on && one.from <= one.to));
        prop_assert!(found.segments.last().is_none_or(|last| last.to <= of.day));
        prop_assert!(found.accrued_minor >= 0 && found.fixed_minor >= 0 && found.capped_minor >= 0);
    }

    #[test]
    fn a_split_of_the_period_gives_what_one_run_gives(of in histories(), cuts in proptest::collection::vec(0i64..600, 0..6)) {
        // Each posting takes what has accrued by its day less what was posted before.
        let tables = Tables::shipped();
        let mut days: Vec<Date> = cuts.iter().map(|cut| of.day.plus_days(-cut).unwrap()).collect();
        days.push(of.day);
        days.sort();
        let mut posted = 0;
        for day in days {
            let more = accrue(&of.item, &of.clause, &tables, day).unwrap().accrued_minor - posted;
            prop_assert!(more >= 0, "{more} on {day}");
            posted += more;
        }
        prop_assert_eq!(posted, accrue(&of.item, &of.clause, &tables, of.day).unwrap().accrued_minor);
    }

    #[test]
    fn it_is_the_sum_over_the_days(of in histories()) {
        let additive = matches!(of.clause.day_count, DayCount::Act360 | DayCount::Act365F | DayCount::ActActIsda);
        if additive && of.has_line() {
            let found = accrue(&of.item, &of.clause, &Tables::shipped(), of.day).unwrap();
            prop_assert_eq!(found.accrued_minor, day_by_day(&of, of.day));
        }
    }

    #[test]
    fn the_order_of_the_history_does_not_matter(of in histories()) {
        let mut turned = of.item.clone();
        turned.changes.reverse();
        turned.exclusions.reverse();
        let tables = Tables::shipped();
        prop_assert_eq!(
            accrue(&of.item, &of.clause, &tables, of.day),
            accrue(&turned, &of.clause, &tables, of.day)
        );
    }

    #[test]
    fn the_watermark_gives_every_day_that_it_promises(of in histories(), later in 0i64..400) {
        let tables = Tables::shipped();
        let found = accrue(&of.item, &of.clause, &tables, of.day).unwrap();
        let Some(watermark) = found.watermark else {
            prop_assert!(!of.has_line());
            return Ok(());
        };
        let then = of.day.plus_days(later).unwrap().min(watermark.until);
        let expected = accrue(&of.item, &of.clause, &tables, then).unwrap();
        prop_assert_eq!(watermark.at(then), Some(expected.accrued_minor), "{:?}", watermark);
        prop_assert_eq!(watermark.at(of.day), Some(found.accrued_minor));
    }
}
