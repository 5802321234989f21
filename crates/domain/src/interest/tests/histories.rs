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

/// The units of one run from a due date, or from the last day of a grace that bears nothing, to a day.
fn one_run(count: DayCount, start: Date, day: Date) -> i64 {
    let next = |day: Date| day.plus_days(1).unwrap();
    match count {
        DayCount::ActActIsda => count.units(next(start), next(day)),
        _ => count.units(start, day),
    }
}

/// The same by adding up each day: what was open the evening before bears for what one run is longer with the day than
/// without it.
fn day_by_day(of: &History, through: Date) -> i64 {
    let tables = Tables::shipped();
    let terms = Terms::new(&of.item, &of.clause, &tables);
    let graced = of.item.due_on.plus_days(of.clause.grace_days.into()).unwrap();
    let start = if of.clause.grace_charged_later { of.item.due_on } else { graced };
    let mut sum = 0i128;
    let mut before = start;
    while before < through && through > graced {
        let day = before.plus_days(1).unwrap();
        let seen = before.max(graced);
        let taken = of.item.changes.iter().filter(|(on, _)| *on <= seen).map(|(_, minor)| minor);
        let left_out = of.item.exclusions.iter();
        let left_out = left_out.filter(|of| of.from <= day && of.to.is_none_or(|to| seen < to));
        let open =
            of.item.amount_minor - taken.sum::<i64>() - left_out.map(|of| of.minor).sum::<i64>();
        let count = of.clause.day_count;
        let units = one_run(count, start, day) - one_run(count, start, before);
        if open > 0 {
            let rate = terms.rate(day).unwrap().yearly * Decimal::from(RATE_ONE);
            sum += i128::from(open) * i128::from(units) * i128::try_from(rate).unwrap();
        }
        before = day;
    }
    rounded(sum, RATE_ONE * i128::from(of.clause.day_count.year())).unwrap()
}

/// A claim of 36 percent, the cents paid of it, and the days on which the rate is set to what it was.
fn cut_runs() -> impl Strategy<Value = (DayCount, Item, Tables, Date)> {
    let days = || proptest::collection::vec(-5i64..300, 0..6);
    (0usize..6, 0i64..1_500, 1_000i64..90_000_000, days(), days(), 0i64..300).prop_map(
        |(which, due, minor, cents, rows, day)| {
            let due_on = date("2023-01-20").plus_days(due).unwrap();
            let at = |days: i64| due_on.plus_days(days).unwrap();
            let changes = cents.iter().map(|on| (at(*on), 1)).collect();
            let item = Item { changes, ..claim("EUR", minor, &due_on.to_string()) };
            let mut tables = Tables::shipped();
            for (place, valid_from) in
                [date("2020-01-01")].into_iter().chain(rows.iter().map(|on| at(*on))).enumerate()
            {
                let source = format!("letter {place}");
                let row = RateRow { valid_from, rate: dec("0.36"), source, confirmed: true };
                tables.put("house", row);
            }
            (DayCount::ALL[which].0, item, tables, at(day))
        },
    )
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

    /// By every day count, wherever cents are paid and rates begin anew: what one run bears, less what the cents would
    /// have borne from the day after each to the end of that same run. What is posted on the way takes nothing off.
    #[test]
    fn cuts_take_nothing_off_one_run((count, item, tables, day) in cut_runs(), posted in 0i64..300) {
        let clause = clause(&format!("reference=house/-/-/floating days={count}"));
        let clause = resolve(&clause, item.due_on).unwrap();
        let run = |day: Date| one_run(count, item.due_on, day.max(item.due_on));
        let exact = |day: Date| {
            let cents = item.changes.iter().map(|(on, _)| (run(day) - run(*on)).max(0));
            let cents: i64 = cents.sum();
            let whole = i128::from(item.amount_minor) * i128::from(run(day)) - i128::from(cents);
            // What is paid before the due date bears on no day.
            (whole, rounded(whole * 36, i128::from(count.year()) * 100).unwrap())
        };
        let found = accrue(&item, &clause, &tables, day).unwrap();
        prop_assert_eq!(found.accrued_minor, exact(day).1, "{} from {} to {}", count, item.due_on, day);
        let counted: i64 = found.segments.iter().map(|of| i64::from(of.days)).sum();
        let days = if count == DayCount::ActActIsda { day.days_since(item.due_on) } else { run(day) };
        prop_assert_eq!(counted, days, "{}", count);
        let first = day.plus_days(-posted).unwrap().max(item.due_on);
        let before = accrue(&item, &clause, &tables, first).unwrap().accrued_minor;
        prop_assert_eq!(before, exact(first).1);
        prop_assert!(before <= found.accrued_minor);
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
            if of.has_line() {
                prop_assert_eq!(posted, day_by_day(&of, day), "by {}", day);
            }
        }
    }

    #[test]
    fn it_is_the_sum_over_the_days(of in histories()) {
        if of.has_line() {
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
