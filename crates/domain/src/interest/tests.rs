//! The cases a credit controller can check with a calculator; what must hold for every history is beside.

mod documents;
mod histories;

use super::*;
use crate::{
    DayCount, Id,
    contract::ledger::{Compounding, FixedSum, LateInterest, RateRow, ReferenceRate},
    preset,
};
use proptest::prelude::*;

fn date(text: &str) -> Date {
    text.parse().unwrap()
}

fn dec(text: &str) -> Decimal {
    text.parse().unwrap()
}

fn claim(currency: &str, amount_minor: i64, due_on: &str) -> Item {
    Item {
        issued_on: date("2019-12-01"),
        due_on: date(due_on),
        amount_minor,
        currency: currency.parse().unwrap(),
        changes: vec![],
        exclusions: vec![],
        settled: vec![],
        signed_on: None,
        fixed_for: Some(amount_minor),
    }
}

fn paid(mut item: Item, payments: &[(&str, i64)]) -> Item {
    item.changes.extend(payments.iter().map(|(on, minor)| (date(on), *minor)));
    item
}

fn excluded(mut item: Item, from: &str, to: Option<&str>, minor: i64) -> Item {
    item.exclusions.push(Exclusion { from: date(from), to: to.map(date), minor });
    item
}

/// `rate=0.12 days=act-360 grace=5` and so on: a clause in one line.
fn clause(text: &str) -> LateInterest {
    let mut clause = preset::nothing();
    for word in text.split_whitespace() {
        let (name, value) = word.split_once('=').unwrap();
        match name {
            "preset" => clause.preset = value.parse().ok(),
            "rate" => clause.rate = Some(dec(value)),
            "reference" => clause.reference = Some(reference(value)),
            "days" => clause.day_count = Some(value.parse().unwrap()),
            "grace" => clause.grace_days = value.parse().ok(),
            "later" => clause.grace_charged_later = value.parse().ok(),
            "cap" => clause.cap_share = Some(dec(value)),
            "floor" => clause.floor_rate = Some(reference(value)),
            "compound" => {
                let (months, day) = value.split_once('/').unwrap();
                let (months, day) = (months.parse().unwrap(), day.parse().unwrap());
                clause.compounding = Some(Compounding { months, day });
            }
            "cap-rate" => clause.cap_rate = Some(reference(value)),
            "sums" => {
                clause.fixed_sums = Some(value.split(',').map(sum).collect());
            }
            "in" => clause.fixed_currency = value.parse().ok(),
            other => panic!("no field {other}"),
        }
    }
    clause
}

/// `table/multiplier/margin/fixing`.
fn reference(text: &str) -> ReferenceRate {
    let parts: Vec<&str> = text.split('/').collect();
    let number = |text: &str| (text != "-").then(|| dec(text));
    ReferenceRate {
        table: parts[0].parse().unwrap(),
        multiplier: number(parts[1]),
        margin: number(parts[2]),
        fixing: parts[3].parse().unwrap(),
    }
}

/// `below:minor`, or `:minor` for any amount.
fn sum(text: &str) -> FixedSum {
    let (below, minor) = text.split_once(':').unwrap();
    FixedSum { below_minor: below.parse().ok(), minor: minor.parse().unwrap() }
}

fn run(item: &Item, text: &str, through: &str) -> Result<Accrued, Refused> {
    let breach = item.due_on.plus_days(1)?;
    accrue(item, &resolve(&clause(text), breach)?, &Tables::shipped(), date(through))
}

/// Accrued, fixed, capped.
fn check_case(item: &Item, text: &str, through: &str, expected: (i64, i64, i64)) {
    let found = run(item, text, through).unwrap();
    let what = format!("{text} to {through}: {found:#?}");
    assert_eq!((found.accrued_minor, found.fixed_minor, found.capped_minor), expected, "{what}");
    let sum: i64 = found.segments.iter().map(|segment| segment.minor).sum();
    assert_eq!(sum, found.accrued_minor, "{what}");
}

#[test]
fn a_year_by_each_day_count() {
    let item = claim("CNY", 10_000_000, "2023-12-31");
    for (count, minor) in [
        ("act-365f", 601_644),
        ("act-act-isda", 600_000),
        ("act-360", 610_000),
        ("30-360-bond", 600_000),
        ("30e-360", 600_000),
        ("30-360-us", 600_000),
    ] {
        check_case(&item, &format!("rate=0.06 days={count}"), "2024-12-31", (minor, 0, 0));
    }
}

#[test]
fn months_of_thirty_days_count_from_the_due_date() {
    // 100,000 at 36 percent is 100 a day of 360.
    for (due, through, bond, euro, us) in [
        ("2006-08-31", "2007-02-28", 178, 178, 178),
        ("2007-02-28", "2007-08-31", 183, 182, 180),
        ("2008-02-29", "2008-08-31", 182, 181, 180),
        ("2006-02-28", "2006-03-03", 5, 5, 3),
        ("2008-02-28", "2008-03-31", 33, 32, 33),
        ("2006-08-20", "2007-02-20", 180, 180, 180),
    ] {
        let item = claim("CNY", 10_000_000, due);
        for (count, days) in [("30-360-bond", bond), ("30e-360", euro), ("30-360-us", us)] {
            let found = run(&item, &format!("rate=0.36 days={count}"), through).unwrap();
            assert_eq!(found.accrued_minor, days * 10_000, "{due} {through} {count}");
            assert_eq!(i64::from(found.segments[0].days), days, "{due} {through} {count}");
        }
    }
}

#[test]
fn a_cent_that_is_paid_changes_no_days() {
    // 36 percent of 100,000 are 100 a day of 360. Due, cent paid on, to: the days up to the cent and after it.
    for (count, due, on, through, days) in [
        ("30-360-bond", "2024-01-15", "2024-01-30", "2024-02-15", [15, 15]),
        ("30-360-bond", "2024-01-15", "2024-01-31", "2024-02-15", [16, 14]),
        ("30-360-us", "2024-01-15", "2024-01-31", "2024-02-15", [16, 14]),
        ("30e-360", "2024-01-15", "2024-01-31", "2024-02-15", [15, 15]),
        ("30-360-bond", "2024-01-15", "2024-02-01", "2024-02-15", [16, 14]),
        ("30-360-bond", "2024-02-28", "2024-02-29", "2024-03-31", [1, 32]),
        ("30-360-us", "2024-02-28", "2024-02-29", "2024-03-31", [1, 32]),
        ("30e-360", "2024-02-28", "2024-02-29", "2024-03-31", [1, 31]),
        // From the last day of February the 29th is the 30th and the 31st of March none of its own.
        ("30-360-us", "2024-02-29", "2024-03-30", "2024-03-31", [30, 0]),
        ("act-360", "2024-01-15", "2024-01-31", "2024-02-15", [16, 15]),
    ] {
        let item = claim("CNY", 10_000_000, due);
        let text = format!("rate=0.36 days={count}");
        let all = days[0] + days[1];
        check_case(&item, &text, through, (all * 10_000, 0, 0));
        let found = run(&paid(item, &[(on, 1)]), &text, through).unwrap();
        let counted: Vec<i64> = found.segments.iter().map(|of| i64::from(of.days)).collect();
        assert_eq!((found.accrued_minor, counted), (all * 10_000, days.to_vec()), "{text} {due}");
    }
    // A row of the table that sets the rate to what it was, and the grace from whose end the days count.
    let mut tables = Tables::shipped();
    for valid_from in ["2023-01-01", "2024-02-01"] {
        let (valid_from, source) = (date(valid_from), valid_from.to_string());
        tables.put("house", RateRow { valid_from, rate: dec("0.36"), source, confirmed: true });
    }
    for (due, grace, later, days) in [
        ("2024-01-15", 0, false, [16, 14]),
        ("2024-01-10", 5, false, [16, 14]),
        ("2024-01-10", 5, true, [21, 14]),
    ] {
        let text =
            format!("reference=house/-/-/floating days=30-360-bond grace={grace} later={later}");
        let clause = resolve(&clause(&text), date(due)).unwrap();
        let item = claim("CNY", 10_000_000, due);
        let found = accrue(&item, &clause, &tables, date("2024-02-15")).unwrap();
        let counted: Vec<i64> = found.segments.iter().map(|of| i64::from(of.days)).collect();
        assert_eq!((found.accrued_minor, counted), ((days[0] + days[1]) * 10_000, days.to_vec()));
    }
    // A period of compounding is cut from the same run: 16 days, and 14 on which 1,600.00 bear as well.
    let text = "rate=0.36 days=30-360-bond compound=1/31";
    let item = claim("CNY", 10_000_000, "2024-01-15");
    check_case(&item, text, "2024-02-15", (160_000 + 140_000 + 14 * 160, 0, 0));
}

#[test]
fn asked_twice_nothing_is_charged_twice() {
    let item = claim("CNY", 10_000_000, "2024-01-01");
    check_case(&item, "rate=0.10", "2024-01-06", (13_699, 0, 0));
    // 958.90 in all by day 35: 821.91 more than on day 5, as the residue is carried.
    check_case(&item, "rate=0.10", "2024-02-05", (95_890, 0, 0));
    assert_eq!(95_890 - 13_699, 82_191);
    let day_five = run(&item, "rate=0.10", "2024-01-06").unwrap();
    assert_eq!(day_five.residue, dec("-0.3698630137"));
}

#[test]
fn the_due_date_bears_nothing_and_the_day_after_one_day() {
    let item = claim("CNY", 36_500_000, "2024-03-31");
    for (through, minor) in
        [("2024-03-30", 0), ("2024-03-31", 0), ("2024-04-01", 10_000), ("2024-04-02", 20_000)]
    {
        check_case(&item, "rate=0.10", through, (minor, 0, 0));
    }
}

#[test]
fn a_payment_bears_for_the_last_time_on_its_day() {
    let item = paid(claim("CNY", 10_000_000, "2024-03-31"), &[("2024-04-30", 4_000_000)]);
    check_case(&item, "rate=0.12", "2024-05-31", (159_781, 0, 0));
    let found = run(&item, "rate=0.12", "2024-05-31").unwrap();
    let rows: Vec<_> = found
        .segments
        .iter()
        .map(|s| (s.from.to_string(), s.to.to_string(), s.principal.minor, s.days, s.minor))
        .collect();
    assert_eq!(
        rows,
        [
            ("2024-04-01".into(), "2024-04-30".into(), 10_000_000, 30, 98_630),
            ("2024-05-01".into(), "2024-05-31".into(), 6_000_000, 31, 61_151),
        ]
    );
    assert_eq!(found.segments[0].rate_source, "agreed 0.12");
}

#[test]
fn payments_around_the_due_date() {
    let item = |on: &str| paid(claim("CNY", 36_500_000, "2024-03-31"), &[(on, 36_500_000)]);
    for (on, minor) in [
        ("2024-03-30", 0),
        ("2024-03-31", 0),
        ("2024-04-01", 10_000),
        ("2024-04-02", 20_000),
        ("2024-04-11", 110_000),
    ] {
        check_case(&item(on), "rate=0.10", "2024-12-31", (minor, 0, 0));
    }
    // What went back bears again from the day after.
    let back = paid(item("2024-04-01"), &[("2024-04-11", -36_500_000)]);
    check_case(&back, "rate=0.10", "2024-04-11", (10_000, 0, 0));
    check_case(&back, "rate=0.10", "2024-04-12", (20_000, 0, 0));
}

#[test]
fn statutory_clauses() {
    let table = [
        // One-year LPR at breach, 3.45 percent, times 1.5, for 213 days.
        ("CNY", 100_000_000, "2024-06-01", "preset=prc-sale-2019", "2024-12-31", (3_019_932, 0)),
        // Another multiple within the range.
        (
            "CNY",
            100_000_000,
            "2024-06-01",
            "preset=prc-sale-2019 reference=lpr-1y/1.3/-/at-breach",
            "2024-12-31",
            (2_617_274, 0),
        ),
        ("CNY", 10_000_000, "2024-01-01", "preset=prc-sme-2020", "2024-01-31", (150_000, 0)),
        (
            "CNY",
            100_000_000,
            "2024-01-01",
            "preset=prc-bank-loan rate=0.06",
            "2024-03-31",
            (2_250_000, 0),
        ),
        // Nine points above 3.62 percent for 30 days.
        ("EUR", 1_000_000, "2024-03-31", "preset=de-bgb-288", "2024-04-30", (10_373, 4_000)),
        // 4.5 percent of 1 January 2024 and eight points: what the bank did in June counts from 1 July.
        ("EUR", 1_000_000, "2024-03-31", "preset=eu-2011-7", "2024-06-30", (31_164, 4_000)),
        ("EUR", 1_000_000, "2024-03-31", "preset=eu-2011-7", "2024-07-01", (31_500, 4_000)),
        // 5.25 percent of 31 December and eight points, also beyond the half-year in which it began.
        ("GBP", 99_999, "2024-03-31", "preset=uk-1998", "2024-04-30", (1_089, 4_000)),
        ("GBP", 100_000, "2024-03-31", "preset=uk-1998", "2024-04-30", (1_089, 7_000)),
        ("GBP", 999_999, "2024-03-31", "preset=uk-1998", "2024-04-30", (10_890, 7_000)),
        ("GBP", 1_000_000, "2024-03-31", "preset=uk-1998", "2024-04-30", (10_890, 10_000)),
        ("GBP", 1_000_000, "2024-03-31", "preset=uk-1998", "2025-03-31", (132_500, 10_000)),
        // Fixed sums are not changed into another currency.
        ("CNY", 1_000_000, "2024-03-31", "preset=uk-1998", "2024-04-30", (10_890, 0)),
        // On the due date nothing is late.
        ("GBP", 1_000_000, "2024-03-31", "preset=uk-1998", "2024-03-31", (0, 0)),
    ];
    for (currency, minor, due, text, through, (accrued, fixed)) in table {
        check_case(&claim(currency, minor, due), text, through, (accrued, fixed, 0));
    }
}

#[test]
fn a_rate_below_its_floor_is_raised_to_it() {
    let item = claim("CNY", 36_500_000, "2024-07-11");
    let signed = Item { signed_on: Some(date("2024-03-01")), ..item };
    for (text, minor) in [
        // One-year LPR at signing is 3.45 percent.
        ("preset=prc-sme-2020 rate=0.02", 3_450),
        ("preset=prc-sme-2020 rate=0.0345", 3_450),
        ("preset=prc-sme-2020 rate=0.0346", 3_460),
        ("preset=prc-sme-2020 reference=lpr-1y/0.5/-/at-signing", 3_450),
        ("preset=prc-sme-2020", 18_250),
        ("rate=0.02 floor=lpr-1y/2/0.01/at-breach", 7_900),
    ] {
        check_case(&signed, text, "2024-07-12", (minor, 0, 0));
    }
    let found = run(&signed, "preset=prc-sme-2020 rate=0.02", "2024-07-12").unwrap();
    assert!(found.segments[0].rate_source.starts_with("at least lpr-1y 0.0345"), "{found:?}");
    assert!(found.segments[0].rate_source.ends_with("where agreed 0.02 is less"), "{found:?}");
    // A floor that floats raises from its day.
    let text = "rate=0.034 floor=lpr-1y/-/-/floating";
    check_case(&signed, text, "2024-07-31", (10 * 3_450 + 10 * 3_400, 0, 0));
}

#[test]
fn unpaid_interest_bears_from_the_end_of_its_period() {
    let loan = claim("CNY", 100_000_000, "2024-01-01");
    let text = "preset=prc-bank-loan rate=0.06 compound=3/20";
    // Nine percent over 360: 25,000 a day. 80 days to 22 March, of which 79 to the 20th are 19,750.00.
    check_case(&loan, text, "2024-03-20", (79 * 25_000, 0, 0));
    check_case(&loan, text, "2024-03-21", (80 * 25_000 + 494, 0, 0));
    check_case(&loan, text, "2024-03-31", (90 * 25_000 + 11 * 1_975_000 * 9 / 36_000, 0, 0));
    // Without periods it is simple.
    check_case(&loan, "preset=prc-bank-loan rate=0.06", "2024-03-31", (2_250_000, 0, 0));
    let found = run(&loan, text, "2024-03-31").unwrap();
    let rows: Vec<_> = found
        .segments
        .iter()
        .map(|s| (s.from.to_string(), s.principal.minor, s.unpaid_interest_minor))
        .collect();
    let unpaid = 79 * 25_000;
    assert_eq!(
        rows,
        [
            ("2024-01-02".into(), 100_000_000, None),
            ("2024-03-21".into(), 100_000_000 + unpaid, Some(unpaid)),
        ]
    );
    assert_eq!(found.watermark, None);
    // What was paid of it by the end of the day before bears no more; what is paid late bears till its day.
    let settled = |on: &str, minor: i64| Item { settled: vec![(date(on), minor)], ..loan.clone() };
    for (item, through, more) in [
        (settled("2024-03-20", unpaid), "2024-03-31", 0),
        (settled("2024-03-21", unpaid), "2024-03-31", 494),
        (settled("2024-03-20", unpaid - 36_000), "2024-03-31", 11 * 9),
        // More than had accrued: nothing bears, and the next period has the rest.
        (settled("2024-03-20", 9 * unpaid), "2024-06-30", 0),
    ] {
        let days = date(through).days_since(date("2024-01-01"));
        let found = run(&item, text, through).unwrap().accrued_minor;
        assert_eq!(found, days * 25_000 + more, "{:?} to {through}", item.settled);
    }
    // A month without the day ends on its last.
    let short = "rate=0.36 days=act-360 compound=1/31";
    let item = claim("CNY", 1_000_000, "2024-01-31");
    check_case(&item, short, "2024-02-29", (29_000, 0, 0));
    check_case(&item, short, "2024-03-01", (30_029, 0, 0));
    // What is paid off goes on bearing for the interest that it left.
    let paid = paid(item, &[("2024-02-29", 1_000_000)]);
    check_case(&paid, short, "2024-03-10", (29_000 + 290, 0, 0));
}

#[test]
fn what_pays_the_fixed_sum_pays_no_interest() {
    // 91 days to the end of the period are 303.33. A note of the 60th day claims 200.00 and 40.00.
    let text = "rate=0.12 days=act-360 compound=3/31 sums=:4000 in=EUR";
    let item = claim("EUR", 1_000_000, "2023-12-31");
    check_case(&item, text, "2024-02-29", (20_000, 4_000, 0));
    // Ninety days of the next period, in which what is unpaid bears: of 303.33, 103.33, 63.33.
    for (settled, accrued) in [
        (vec![], 61_243),
        (vec![("2024-02-29", 4_000)], 61_243),
        (vec![("2024-02-29", 24_000)], 60_643),
        // What was 1.20 short: forty at 12 percent for ninety days.
        (vec![("2024-02-29", 28_000)], 60_643 - 120),
        (vec![("2024-02-29", 24_000), ("2024-03-31", 10_333)], 60_333),
        // The rest of it is paid after thirty of the ninety days.
        (vec![("2024-02-29", 24_000), ("2024-04-30", 10_333)], 60_437),
    ] {
        let settled: Vec<_> = settled.iter().map(|(on, minor)| (date(on), *minor)).collect();
        check_case(&Item { settled, ..item.clone() }, text, "2024-06-29", (accrued, 4_000, 0));
    }
    // Where the sum is another part's, all of it is interest.
    let part = Item { fixed_for: None, settled: vec![(date("2024-02-29"), 24_000)], ..item };
    check_case(&part, text, "2024-06-29", (60_643 - 120, 0, 0));
}

#[test]
fn a_rate_floats_or_stands() {
    let item = claim("CNY", 36_500_000, "2024-07-11");
    // 3.45 percent for ten days, then 3.35.
    let text = "reference=lpr-1y/-/-/floating";
    check_case(&item, text, "2024-07-31", (10 * 3_450 + 10 * 3_350, 0, 0));
    let found = run(&item, text, "2024-07-31").unwrap();
    assert_eq!(found.segments.len(), 2);
    assert_eq!(
        found.segments[1].rate_source,
        "lpr-1y 0.0335 of 2024-07-22 \
         (National Interbank Funding Center: one-year loan prime rate)"
    );
    assert_eq!(found.segments[1].from, date("2024-07-22"));
    check_case(&item, "reference=lpr-1y/2/0.01/at-breach", "2024-07-31", (20 * 7_900, 0, 0));
    let signed = Item { signed_on: Some(date("2019-09-01")), ..item.clone() };
    check_case(&signed, "reference=lpr-1y/-/-/at-signing", "2024-07-31", (20 * 4_250, 0, 0));
    // Without a day of signing the document's counts.
    check_case(&item, "reference=lpr-1y/-/-/at-signing", "2024-07-31", (20 * 4_150, 0, 0));
    // A margin that would take a rate below zero leaves zero.
    check_case(&item, "reference=lpr-1y/-/-1/floating", "2024-07-31", (0, 0, 0));
}

#[test]
fn a_day_without_a_rate_is_named() {
    let item = Item { issued_on: date("2019-01-01"), ..claim("CNY", 100, "2019-08-01") };
    for (text, detail) in [
        ("reference=lpr-1y/-/-/floating", "the table lpr-1y has no rate for 2019-08-02"),
        ("reference=none/-/-/at-breach", "the table none has no rate for 2019-08-02"),
        ("reference=lpr-1y/-/-/half-year", "the table lpr-1y has no rate for 2019-07-01"),
        ("reference=lpr-1y/-/-/half-year-before", "the table lpr-1y has no rate for 2019-06-30"),
        ("reference=lpr-1y/-/-/at-signing", "the table lpr-1y has no rate for 2019-01-01"),
        ("rate=0.1 cap-rate=lpr-1y/-/-/at-breach", "the table lpr-1y has no rate for 2019-08-02"),
    ] {
        let refused = run(&item, text, "2019-12-31").unwrap_err();
        assert_eq!((refused.code, refused.detail.as_str()), (Refusal::RateMissing, detail));
    }
    // Days on which nothing bears need none.
    let paid = paid(item, &[("2019-08-01", 100)]);
    check_case(&paid, "reference=lpr-1y/-/-/floating", "2019-12-31", (0, 0, 0));
}

#[test]
fn grace_bears_nothing_or_bears_later() {
    let item = claim("CNY", 36_500_000, "2024-03-31");
    for (text, through, minor) in [
        ("rate=0.10 grace=5", "2024-04-05", 0),
        ("rate=0.10 grace=5", "2024-04-06", 10_000),
        ("rate=0.10 grace=5 later=true", "2024-04-05", 0),
        ("rate=0.10 grace=5 later=true", "2024-04-06", 60_000),
    ] {
        check_case(&item, text, through, (minor, 0, 0));
    }
    // Paid within the grace, a part bears for none of its days.
    let part = paid(item, &[("2024-04-05", 18_250_000)]);
    check_case(&part, "rate=0.10 grace=5 later=true", "2024-04-06", (30_000, 0, 0));
    let whole = paid(part, &[("2024-04-03", 18_250_000)]);
    let text = "rate=0.10 grace=5 later=true sums=:4000 in=CNY";
    check_case(&whole, text, "2024-12-31", (0, 0, 0));
}

#[test]
fn caps_stand_over_all_charges() {
    let item = claim("CNY", 36_500_000, "2024-03-31");
    for (text, through, expected) in [
        ("rate=0.10 cap=0.001", "2024-04-03", (30_000, 0, 0)),
        ("rate=0.10 cap=0.001", "2024-04-04", (36_500, 0, 3_500)),
        ("rate=0.10 cap=0.001 sums=:10000 in=CNY", "2024-04-04", (26_500, 10_000, 13_500)),
        ("rate=0.10 cap=0.0001 sums=:10000 in=CNY", "2024-04-04", (0, 3_650, 46_350)),
        ("rate=0.10 cap=0", "2024-04-04", (0, 0, 40_000)),
        // Four times 3.45 percent at signing.
        ("rate=0.24 preset=prc-private-loan-cap", "2024-04-10", (138_000, 0, 102_000)),
        ("rate=0.12 preset=prc-private-loan-cap", "2024-04-10", (120_000, 0, 0)),
    ] {
        let item = Item { signed_on: Some(date("2024-03-01")), ..item.clone() };
        check_case(&item, text, through, expected);
    }
    // What the cap allows grows with the days and falls with the balance, as interest does.
    let part =
        Item { signed_on: Some(date("2024-03-01")), ..paid(item, &[("2024-04-10", 18_250_000)]) };
    let text = "rate=0.24 preset=prc-private-loan-cap";
    check_case(&part, text, "2024-04-20", (207_000, 0, 153_000));
}

/// Accrued, fixed and capped of each part of a document for which other documents charge so much.
#[track_caller]
fn check_charges(
    parts: &[Item],
    other: i64,
    text: &str,
    through: &str,
    expected: &[(i64, i64, i64)],
) {
    let mut charges = Charges::on(parts.iter().map(|part| part.amount_minor).sum(), other);
    let found: Vec<(i64, i64, i64)> = parts
        .iter()
        .map(|part| {
            let resolved = resolve(&clause(text), part.due_on.plus_days(1).unwrap()).unwrap();
            let of = charge(part, &resolved, &Tables::shipped(), date(through), &mut charges);
            let of = of.unwrap();
            let sum: i64 = of.segments.iter().map(|segment| segment.minor).sum();
            assert_eq!(sum, of.accrued_minor, "{of:#?}");
            (of.accrued_minor, of.fixed_minor, of.capped_minor)
        })
        .collect();
    assert_eq!(found, expected, "{other} {text} to {through}");
}

#[test]
fn a_cap_stands_over_fees_before_fixed_sums_before_interest() {
    // 10,000 a day, and a cap of 36,500.
    let item = claim("CNY", 36_500_000, "2024-03-31");
    let fixed = "rate=0.10 cap=0.001 sums=:10000 in=CNY";
    for (other, text, through, expected) in [
        (0, "rate=0.10 cap=0.001", "2024-04-03", (30_000, 0, 0)),
        (6_500, "rate=0.10 cap=0.001", "2024-04-03", (30_000, 0, 0)),
        (6_501, "rate=0.10 cap=0.001", "2024-04-03", (29_999, 0, 1)),
        (36_499, "rate=0.10 cap=0.001", "2024-04-03", (1, 0, 29_999)),
        (36_500, "rate=0.10 cap=0.001", "2024-04-03", (0, 0, 30_000)),
        (90_000, "rate=0.10 cap=0.001", "2024-04-03", (0, 0, 30_000)),
        (90_000, "rate=0.10", "2024-04-03", (30_000, 0, 0)),
        (6_500, fixed, "2024-04-02", (20_000, 10_000, 0)),
        (6_500, fixed, "2024-04-03", (20_000, 10_000, 10_000)),
        (26_500, fixed, "2024-04-03", (0, 10_000, 30_000)),
        (26_501, fixed, "2024-04-03", (0, 9_999, 30_001)),
        (36_500, fixed, "2024-04-03", (0, 0, 40_000)),
    ] {
        check_charges(std::slice::from_ref(&item), other, text, through, &[expected]);
    }
}

#[test]
fn a_cap_is_one_for_the_document_and_not_one_for_each_part() {
    // Two halves, 5,000 a day each; the cap of the whole is 36,500.
    let first = claim("CNY", 18_250_000, "2024-03-31");
    let second = Item { fixed_for: None, ..claim("CNY", 18_250_000, "2024-04-05") };
    let parts = [Item { fixed_for: Some(36_500_000), ..first }, second];
    let text = "rate=0.10 cap=0.001";
    check_charges(&parts, 0, text, "2024-04-05", &[(25_000, 0, 0), (0, 0, 0)]);
    check_charges(&parts, 0, text, "2024-04-06", &[(30_000, 0, 0), (5_000, 0, 0)]);
    check_charges(&parts, 0, text, "2024-04-07", &[(35_000, 0, 0), (1_500, 0, 8_500)]);
    check_charges(&parts, 0, text, "2024-04-08", &[(36_500, 0, 3_500), (0, 0, 15_000)]);
    check_charges(&parts, 1_500, text, "2024-04-06", &[(30_000, 0, 0), (5_000, 0, 0)]);
    check_charges(&parts, 1_501, text, "2024-04-06", &[(30_000, 0, 0), (4_999, 0, 1)]);
    let fixed = "rate=0.10 cap=0.001 sums=:1500 in=CNY";
    check_charges(&parts, 0, fixed, "2024-04-06", &[(30_000, 1_500, 0), (5_000, 0, 0)]);
    check_charges(&parts, 1, fixed, "2024-04-06", &[(30_000, 1_500, 0), (4_999, 0, 1)]);
    // A cap by rate grows with each part: 13.8 percent a year of what each bears.
    let text = "rate=0.24 preset=prc-private-loan-cap";
    let signed = parts.map(|part| Item { signed_on: Some(date("2024-03-01")), ..part });
    check_charges(&signed, 0, text, "2024-04-10", &[(69_000, 0, 51_000), (34_500, 0, 25_500)]);
    check_charges(&signed, 500, text, "2024-04-10", &[(68_500, 0, 51_500), (34_500, 0, 25_500)]);
}

#[test]
fn the_interest_of_all_parts_is_rounded_once() {
    // 17.00 at ten percent are 0.4658 a day: 27.95 for sixty of them, of which each alone would round to nothing.
    let parts = |count: usize| vec![claim("CNY", 1_700, "2024-03-31"); count];
    for (count, through, minor, residue) in [
        (1, "2024-04-01", 0, "0.4657534247"),
        (2, "2024-04-01", 1, "-0.0684931507"),
        (60, "2024-03-31", 0, "0"),
        (60, "2024-04-01", 28, "-0.0547945205"),
        (60, "2024-04-02", 56, "-0.1095890411"),
    ] {
        let clause = resolve(&clause("rate=0.10"), date("2024-04-01")).unwrap();
        let mut charges = Charges::on(1_700 * i64::try_from(count).unwrap(), 0);
        let share = |part: &Item| {
            let of = charge(part, &clause, &Tables::shipped(), date(through), &mut charges);
            of.unwrap().accrued_minor
        };
        let shares: Vec<i64> = parts(count).iter().map(share).collect();
        let what = format!("{count} to {through}: {shares:?}");
        assert_eq!(shares.iter().sum::<i64>(), minor, "{what}");
        assert_eq!(charges.residue().unwrap(), dec(residue), "{what}");
    }
    // Beside a cap too: it is worked out of the sum, not of what is left of sixty roundings.
    let text = "rate=0.10 cap-rate=lpr-1y/2/-/at-signing";
    let clause = resolve(&clause(text), date("2024-04-01")).unwrap();
    let mut charges = Charges::on(102_000, 0);
    let (mut accrued, mut capped) = (0, 0);
    for part in parts(60) {
        let of = charge(&part, &clause, &Tables::shipped(), date("2024-04-01"), &mut charges);
        let of = of.unwrap();
        (accrued, capped) = (accrued + of.accrued_minor, capped + of.capped_minor);
    }
    // Twice 4.15 percent of 1,020.00 are 23.195 a day.
    assert_eq!((accrued, capped, charges.limit(&clause)), (23, 5, Ok(Some(23))));
}

#[test]
fn unpaid_interest_of_all_parts_is_rounded_once_before_it_bears() {
    // Of 4.00 each are 0.4 fen a day: none by itself, and 24 of sixty, which bear from the 2nd on.
    let part = claim("CNY", 400, "2024-03-31");
    let clause = clause("rate=0.36 days=act-360 compound=1/1");
    let clause = resolve(&clause, date("2024-04-01")).unwrap();
    for (count, through, minor, unpaid, residue) in [
        (60, "2024-04-01", 24, 0, "0"),
        (60, "2024-04-02", 48, 24, "0.024"),
        // 24.024 a day.
        (60, "2024-05-01", 745, 24, "-0.28"),
        // 744.72 by the end of April's period are 745.
        (60, "2024-05-02", 769, 745, "0.465"),
        (1, "2024-05-01", 12, 0, "0.4"),
        (2, "2024-05-01", 25, 1, "-0.17"),
    ] {
        let mut charges = Charges::on(400 * count, 0);
        let (mut accrued, mut bears) = (0, 0);
        for _ in 0..count {
            let of = charge(&part, &clause, &Tables::shipped(), date(through), &mut charges);
            let of = of.unwrap();
            accrued += of.accrued_minor;
            bears += of.segments.last().and_then(|of| of.unpaid_interest_minor).unwrap_or(0);
        }
        assert_eq!((accrued, bears), (minor, unpaid), "{count} to {through}");
        assert_eq!(charges.residue().unwrap(), dec(residue), "{count} to {through}");
    }
}

#[test]
fn what_is_contested_does_not_bear() {
    let item = claim("CNY", 36_500_000, "2024-03-31");
    // Half of it from the 6th to the 10th.
    let some = excluded(item.clone(), "2024-04-06", Some("2024-04-10"), 18_250_000);
    for (through, minor) in [("2024-04-05", 50_000), ("2024-04-10", 75_000), ("2024-04-11", 85_000)]
    {
        check_case(&some, "rate=0.10", through, (minor, 0, 0));
    }
    // All of it for good: it is not late either.
    let all = excluded(item, "2024-04-01", None, 36_500_000);
    check_case(&all, "rate=0.10 sums=:4000 in=CNY", "2024-12-31", (0, 0, 0));
}

#[test]
fn a_dispute_freezes_and_its_end_decides() {
    let item = claim("CNY", 36_500_000, "2024-03-31");
    let open = Contested { on: date("2024-04-06"), minor: 18_250_000, decided: None };
    let rejected = Contested { decided: Some((date("2024-04-11"), 0)), ..open };
    let upheld = Contested { decided: Some((date("2024-04-11"), 18_250_000)), ..open };
    for (dispute, through, minor) in [
        (open, "2024-04-05", 50_000),
        (open, "2024-04-10", 75_000),
        (rejected, "2024-04-10", 75_000),
        (rejected, "2024-04-11", 110_000),
        (upheld, "2024-04-10", 75_000),
        (upheld, "2024-04-11", 55_000),
        (upheld, "2024-04-12", 60_000),
    ] {
        let mut item = item.clone();
        // What was upheld is taken off on the day of the decision.
        item.changes.extend(dispute.decided);
        item.exclusions = exclusions(&[dispute], item.due_on, date(through));
        check_case(&item, "rate=0.10", through, (minor, 0, 0));
    }
}

#[test]
fn a_segment_says_what_was_contested_beside_it() {
    let day = |text: &str| date(text);
    let item = paid(claim("CNY", 36_500_000, "2024-03-31"), &[("2024-04-10", 6_500_000)]);
    let of = |disputes: &[Contested], through: &str| -> Vec<(String, i64, i64)> {
        let mut item = item.clone();
        item.changes.extend(disputes.iter().filter_map(|dispute| dispute.decided));
        item.exclusions = exclusions(disputes, item.due_on, day(through));
        let found = run(&item, "rate=0.10", through).unwrap();
        let row = |of: &InterestSegment| {
            (of.from.to_string(), of.principal.minor, of.contested_minor.unwrap_or(0))
        };
        found.segments.iter().map(row).collect()
    };
    let row = |from: &str, minor: i64, contested: i64| (from.to_string(), minor, contested);
    let open = Contested { on: day("2024-04-06"), minor: 6_500_000, decided: None };
    assert_eq!(
        of(&[open], "2024-04-20"),
        [
            row("2024-04-01", 36_500_000, 0),
            row("2024-04-06", 30_000_000, 6_500_000),
            row("2024-04-11", 23_500_000, 6_500_000),
        ]
    );
    let rejected = Contested { decided: Some((day("2024-04-15"), 0)), ..open };
    assert_eq!(
        of(&[rejected], "2024-04-20"),
        [row("2024-04-01", 36_500_000, 0), row("2024-04-11", 30_000_000, 0)]
    );
    let partly = Contested { decided: Some((day("2024-04-15"), 1_500_000)), ..open };
    assert_eq!(
        of(&[partly], "2024-04-20"),
        [
            row("2024-04-01", 35_000_000, 1_500_000),
            row("2024-04-11", 28_500_000, 1_500_000),
            row("2024-04-16", 28_500_000, 0),
        ]
    );
    // More than is open is contested: nothing bears, and what does not bear has no segment.
    let all = Contested { minor: 90_000_000, ..open };
    assert_eq!(of(&[all], "2024-04-20"), [row("2024-04-01", 36_500_000, 0)]);
}

#[test]
fn a_fixed_sum_is_one_parts() {
    let item = Item { fixed_for: None, ..claim("EUR", 1_000_000, "2024-03-31") };
    check_case(&item, "preset=de-bgb-288", "2024-04-30", (10_373, 0, 0));
}

#[test]
fn clauses_that_cannot_be_used_name_their_field() {
    for (text, expected) in [
        ("rate=0.12", None),
        ("rate=10", None),
        ("rate=10.1", Some((Refusal::MalformedField, "rate"))),
        ("rate=-0.1", Some((Refusal::MalformedField, "rate"))),
        ("rate=0.123456789", Some((Refusal::MalformedField, "rate"))),
        ("days=act-360", Some((Refusal::MissingField, "rate"))),
        ("preset=none", Some((Refusal::UnknownPreset, "preset"))),
        ("preset=prc-bank-loan", Some((Refusal::MissingField, "rate"))),
        ("preset=prc-private-loan-cap", Some((Refusal::MissingField, "rate"))),
        ("rate=0.1 reference=lpr-1y/-/-/floating", Some((Refusal::MalformedField, "reference"))),
        ("rate=0.1 reference=contract-rate/1.3/-/at-signing", None),
        ("reference=lpr-1y/0/-/floating", Some((Refusal::MalformedField, "reference.multiplier"))),
        ("reference=lpr-1y/11/-/floating", Some((Refusal::MalformedField, "reference.multiplier"))),
        (
            "reference=lpr-1y/1.23456/-/floating",
            Some((Refusal::MalformedField, "reference.multiplier")),
        ),
        ("reference=lpr-1y/-/11/floating", Some((Refusal::MalformedField, "reference.margin"))),
        (
            "rate=0.1 cap-rate=lpr-1y/0/-/floating",
            Some((Refusal::MalformedField, "cap_rate.multiplier")),
        ),
        ("rate=0.1 grace=366", Some((Refusal::MalformedField, "grace_days"))),
        ("rate=0.1 cap=-1", Some((Refusal::MalformedField, "cap_share"))),
        ("rate=0.1 compound=3/20", None),
        ("rate=0.1 compound=5/20", Some((Refusal::MalformedField, "compounding.months"))),
        ("rate=0.1 compound=0/20", Some((Refusal::MalformedField, "compounding.months"))),
        ("rate=0.1 compound=1/0", Some((Refusal::MalformedField, "compounding.day"))),
        ("rate=0.1 compound=1/32", Some((Refusal::MalformedField, "compounding.day"))),
        ("rate=0.1 compound=1/20 cap=0.1", Some((Refusal::MalformedField, "compounding"))),
        (
            "rate=0.1 compound=1/20 preset=prc-private-loan-cap",
            Some((Refusal::MalformedField, "compounding")),
        ),
        (
            "rate=0.1 floor=lpr-1y/0/-/floating",
            Some((Refusal::MalformedField, "floor_rate.multiplier")),
        ),
        ("rate=0.1 sums=:40", Some((Refusal::MissingField, "fixed_currency"))),
        (
            "rate=0.1 in=EUR sums=:40,100:40",
            Some((Refusal::MalformedField, "fixed_sums[0].below_minor")),
        ),
        (
            "rate=0.1 in=EUR sums=100:40,100:70",
            Some((Refusal::MalformedField, "fixed_sums[1].below_minor")),
        ),
        ("rate=0.1 in=EUR sums=:-1", Some((Refusal::MalformedField, "fixed_sums[0].minor"))),
    ] {
        let found =
            check(&clause(text)).err().map(|refused| (refused.code, refused.field.unwrap()));
        let expected = expected.map(|(code, field)| (code, field.to_string()));
        assert_eq!(found, expected, "{text}");
    }
}

#[test]
fn a_preset_holds_from_its_day_and_own_fields_win() {
    let text = clause("preset=prc-sale-2019");
    assert_eq!(resolve(&text, date("2019-08-19")).unwrap_err().code, Refusal::UnknownPreset);
    assert!(resolve(&text, date("2019-08-20")).is_ok());
    let own = clause("preset=eu-2011-7 rate=0.05 days=30e-360 grace=3");
    let own = resolve(&own, date("2024-01-01")).unwrap();
    assert_eq!(own.base, Base::Agreed(dec("0.05"), "agreed 0.05".into()));
    assert_eq!((own.day_count, own.grace_days), (DayCount::Euro30360, 3));
    assert_eq!(own.fixed_sums, [FixedSum { below_minor: None, minor: 4000 }]);
    let loan = clause("preset=prc-bank-loan rate=0.06");
    let loan = resolve(&loan, date("2024-01-01")).unwrap();
    assert_eq!(loan.base, Base::Agreed(dec("0.09"), "agreed 0.06 × 1.5".into()));
}

#[test]
fn what_cannot_be_held_is_refused() {
    let item = claim("CNY", crate::money::MAX_MINOR, "1900-01-01");
    assert_eq!(
        run(&item, "rate=10 days=act-act-isda", "2199-12-31").unwrap_err().code,
        Refusal::AmountTooLarge
    );
    assert!(run(&item, "rate=0.1", "1901-01-01").is_ok());
}

#[test]
fn a_table_of_ones_own_counts() {
    let mut tables = Tables::shipped();
    let row = RateRow {
        valid_from: date("2026-01-01"),
        rate: dec("0.02"),
        source: "the bank's letter".into(),
        confirmed: false,
    };
    tables.put("house", row);
    let clause = resolve(&clause("reference=house/-/0.01/floating"), date("2026-01-01")).unwrap();
    let item = claim("CNY", 36_500_000, "2026-01-01");
    let found = accrue(&item, &clause, &tables, date("2026-01-11")).unwrap();
    assert_eq!(found.accrued_minor, 30_000);
    assert_eq!(
        found.segments[0].rate_source,
        "house 0.02 of 2026-01-01 + 0.01 (the bank's letter, unconfirmed)"
    );
    assert!("house".parse::<Id>().is_ok());
}
