//! Each fact by example: what happened, and what is known of it on a day.

use crate::{difference, flows::Desk, history};
use dunlin_app::{credit, score};
use dunlin_domain::{Date, card, contract::score::FactName};
use std::collections::BTreeSet;

/// Events, then days with what is known of customer `C` on them, `-` for what is not.
fn check(events: &str, expected: &str) {
    let desk = Desk::new();
    for line in events.lines().map(str::trim).filter(|line| !line.is_empty()) {
        assert!(desk.tell(line).unwrap(), "refused: {line}");
    }
    let histories = history::all(&desk.db, Date::LAST);
    for line in expected.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let words: Vec<&str> = line.split_whitespace().collect();
        let on = words[0].parse().unwrap();
        assert_eq!(difference(&desk.db, &histories, on, &mut BTreeSet::new()), None);
        let facts = score::facts(&desk.db, &"C".parse().unwrap(), on).unwrap();
        for pair in words[1..].chunks(2) {
            let name: FactName = pair[0].parse().unwrap();
            let value = facts.get(name).map_or("-".into(), |value| value.to_string());
            assert_eq!(value, pair[1], "{name} on {on}");
        }
    }
}

#[test]
fn of_nobody_knows_nothing_and_of_nothing_due_no_lateness() {
    check(
        "invoice I1 2024-03-01 2024-03-31 100",
        "2024-02-29 items-12m 0 account-age-days - overdue-share - utilisation 0 contact-changes-90d -
         2024-03-31 items-12m 0 account-age-days 30 overdue-share 0 utilisation 0.1 contact-changes-90d 0
         2024-04-01 items-12m 1 days-beyond-terms-12m 1 overdue-share 1 share-late-0-count 1 days-to-pay-12m -",
    );
}

#[test]
fn what_was_paid_is_weighed_by_amount_and_what_is_open_by_its_age() {
    check(
        "invoice I1 2024-01-01 2024-01-31 100
         invoice I2 2024-01-01 2024-01-31 300
         pay P1 2024-02-20 100 I1
         pay P2 2024-01-21 150 I2",
        // 100 by 20 days, 150 by -10 days, 150 by 29 days.
        "2024-02-29 days-beyond-terms-12m 12.125 days-to-pay-12m 32 early-share-12m 0.6 share-late-0-count 1
         2024-02-29 share-late-0-amount 0.625 share-late-10-amount 0.625 share-late-30-amount 0 worst-days-late-12m 29
         2024-02-29 last-payment-days-late 20 last-three-days-late - months-since-worst 0 overdue-share-1-30 1
         2024-03-02 overdue-share-1-30 0 overdue-share-31-60 1 share-late-30-count 0.5",
    );
}

#[test]
fn a_payment_that_went_back_did_not_pay_from_that_day_on() {
    check(
        "invoice I1 2024-01-01 2024-01-31 100
         pay P1 2024-01-21 100
         back P1 2024-02-05 chargeback
         pay P2 2024-02-10 100",
        "2024-02-04 days-beyond-terms-12m -10 returned-payments-12m 0
         2024-02-05 days-beyond-terms-12m 5 returned-payments-12m 1
         2024-02-10 days-beyond-terms-12m 10 returned-payments-12m 1 last-payment-days-late 10
         2025-02-05 days-beyond-terms-12m 10 returned-payments-12m 0
         2025-02-10 days-beyond-terms-12m - days-beyond-terms-24m 10",
    );
}

#[test]
fn only_money_pays() {
    check(
        "invoice I1 2024-01-01 2024-01-31 100
         credit N1 2024-01-05 40 I1
         off W1 2024-03-31 I1 10
         pay P1 2024-04-10 50
         invoice I2 2024-01-01 2024-01-31 100
         credit N2 2024-06-30 100 I2
         interest-note X1 2024-01-01 2024-01-31 107",
        "2024-07-01 items-12m 1 days-beyond-terms-12m 70 last-payment-days-late 70 overdue-share 0.9145",
    );
}

#[test]
fn what_is_written_off_is_unpaid_and_grows_older_until_money_recovers_it() {
    // As if nobody had given it up, but for the use of the limit: a quarter of what fell due.
    check(
        "invoice I1 2024-01-01 2024-01-31 300
         pay P1 2024-01-31 300
         invoice I2 2024-01-01 2024-01-31 100
         off W1 2024-03-01 I2 100",
        "2024-02-29 days-beyond-terms-12m 7.25 worst-days-late-12m 29 share-late-0-amount 0.25 utilisation 0.1
         2024-03-01 days-beyond-terms-12m 7.5 worst-days-late-12m 30 share-late-0-amount 0.25 utilisation 0
         2024-04-30 days-beyond-terms-12m 22.5 worst-days-late-12m 90 share-late-60-count 0.5 items-12m 2
         2024-04-30 last-payment-days-late 0 months-since-worst 0 latest-three-days-late - short-pays-12m 0
         2024-04-30 overdue-share 1 overdue-share-61-90 1 days-beyond-terms-3m 22.5 days-beyond-terms-9m-before -
         2024-05-31 days-beyond-terms-9m-before 0 trend-recent-against-before 121
         2025-01-30 days-beyond-terms-12m 91.25 worst-days-late-12m 365
         2025-01-31 days-beyond-terms-12m 366 items-12m 1 days-beyond-terms-24m 91.5 overdue-share-over-90 1",
    );
    // Money that names it pays it on its day, and what goes back again is written off again.
    check(
        "invoice I1 2024-01-01 2024-01-31 1000
         off W1 2024-03-01 I1 1000
         pay P1 2024-03-31 600 I1
         back P1 2024-06-30 chargeback 600",
        "2024-03-30 days-beyond-terms-12m 59 days-to-pay-12m - utilisation 0 short-pays-12m -
         2024-03-31 days-beyond-terms-12m 60 days-to-pay-12m 90 utilisation 0 short-pays-12m 1
         2024-04-30 days-beyond-terms-12m 72 share-late-60-amount 0.4 last-payment-days-late -
         2024-06-30 days-beyond-terms-12m 151 days-to-pay-12m - utilisation 0",
    );
    // Taken back it is owed again with its age, and on its own day it never was.
    check(
        "invoice I1 2024-01-01 2024-01-31 1000
         off W1 2024-03-01 I1 400
         restore W1 2024-04-01
         off W2 2024-05-01 I1 1000
         restore W2 2024-05-01",
        "2024-02-29 days-beyond-terms-12m 29 utilisation 1 overdue-share 1
         2024-03-01 days-beyond-terms-12m 30 utilisation 0.6 overdue-share 1
         2024-03-31 overdue-share-31-60 1 overdue-share-1-30 0
         2024-04-01 days-beyond-terms-12m 61 utilisation 1 overdue-share 1
         2024-05-01 days-beyond-terms-12m 91 utilisation 1 overdue-share 1",
    );
}

#[test]
fn what_is_settled_after_the_due_date_is_unpaid_and_by_the_due_date_it_is_the_price() {
    let (day, held) = ("2024-02-01", "settles:I2");
    // The day after it is due: what was not paid is as old as an open debt, and uses no limit.
    check(
        &format!(
            "invoice I1 2024-01-01 2024-01-31 30000
             pay P1 2024-01-31 30000
             invoice I2 2024-01-01 2024-01-31 30000
             pay P2 {day} 300 {held}"
        ),
        "2024-01-31 overdue-share 0 items-12m 1 days-beyond-terms-12m 0
         2024-02-01 overdue-share 1 overdue-share-1-30 1 utilisation 0 days-beyond-terms-12m 0.5
         2024-02-01 share-late-0-amount 0.5 short-pays-12m 1 last-payment-days-late 0
         2024-04-30 days-beyond-terms-12m 44.555 worst-days-late-12m 90 overdue-share-61-90 1
         2027-01-31 overdue-share-over-90 1 items-12m 1",
    );
    // On the due date, and before it, it is what both agreed that it costs.
    for day in ["2024-01-30", "2024-01-31"] {
        check(
            &format!("invoice I2 2024-01-01 2024-01-31 30000\n pay P2 {day} 300 {held}"),
            "2024-02-29 overdue-share 0 share-late-0-amount 0 worst-days-late-12m 0 short-pays-12m 0",
        );
    }
    // Paid anew after a chargeback it is not what was agreed in time.
    check(
        &format!(
            "invoice I2 2024-01-01 2024-01-31 30000
             pay P2 2024-01-31 300 {held}
             back P2 2024-02-10 chargeback
             pay P3 2024-02-20 300 {held}"
        ),
        "2024-02-09 overdue-share 0 utilisation 0
         2024-02-10 overdue-share 1 utilisation 10
         2024-02-29 overdue-share 1 utilisation 0 worst-days-late-12m 29",
    );
    // Nor is it bad paying that some of it was not owed after all.
    check(
        &format!(
            "invoice I2 2024-01-01 2024-01-31 30000
             pay P2 2024-02-10 300 {held}
             credit N1 2024-02-20 30000 I2"
        ),
        "2024-02-19 overdue-share 1\n 2024-02-20 overdue-share 0",
    );
    // What a bank kept, a tax and a price that was agreed are not given up, however late.
    for why in ["agreed", "bank-charge", "withholding"] {
        check(
            &format!(
                "invoice I2 2024-01-01 2024-01-31 30000
                 pay P2 2024-02-10 20000 I2 {why}:I2:10000"
            ),
            "2024-02-29 overdue-share 0 worst-days-late-12m 10 last-payment-days-late 10",
        );
    }
    // Of instalments each by its own due date.
    check(
        "invoice I2 2024-01-01 2024-01-31 10000 2024-03-31 30000
         pay P2 2024-02-10 300 settles:I2",
        "2024-02-10 overdue-share-1-30 1 overdue-share 1
         2024-05-31 overdue-share 1 items-12m 1 worst-days-late-12m 121",
    );
}

#[test]
fn whoever_leaves_a_rest_of_each_invoice_has_months_before_the_last_three_all_the_same() {
    let books = |rest: i64, more: &str| {
        let month = |number: u32| {
            let due =
                "2024-01-05".parse::<Date>().unwrap().plus_days(i64::from(number) * 30).unwrap();
            let late = if number < 9 { 0 } else { 29 };
            let paid = due.plus_days(late).unwrap();
            let issued = due.plus_days(-30).unwrap();
            format!(
                "invoice I{number} {issued} {due} 10000\n pay P{number} {paid} {} I{number}\n",
                10_000 - rest
            )
        };
        (0..12).map(month).collect::<String>() + more
    };
    // In the three months 3 times 9,800 by 29 days and 12 times 200 by 215 on average.
    let before = "2025-01-19 days-beyond-terms-9m-before 0";
    check(&books(0, ""), &format!("{before} trend-recent-against-before 29"));
    check(&books(200, ""), &format!("{before} trend-recent-against-before 43.0377"));
    // At the bounds of the nine months: the day of the money decides, and each item counts once.
    check(
        "invoice I1 2024-01-01 2024-01-31 1000
         pay P1 2024-02-10 100 I1
         pay P2 2024-02-20 100 I1
         invoice I2 2024-01-01 2024-01-31 1000 in=USD",
        "2024-05-09 days-beyond-terms-9m-before -
         2024-05-10 days-beyond-terms-9m-before 10
         2024-05-20 days-beyond-terms-9m-before 15
         2025-02-09 days-beyond-terms-9m-before 15
         2025-02-10 days-beyond-terms-9m-before 20
         2025-02-20 days-beyond-terms-9m-before -",
    );
    // Of two currencies each counts by its items: eight by 20 days and one by none.
    let rests = |number: i64| {
        let due = "2024-01-05".parse::<Date>().unwrap().plus_days(number * 30).unwrap();
        let paid = due.plus_days(20).unwrap();
        format!("invoice I{number} 2023-12-01 {due} 10000\n pay P{number} {paid} 9800 I{number}\n")
    };
    let prompt = "rate fx-usd-eur 2020-01-01 1\n invoice U1 2024-06-01 2024-07-01 10000 in=USD\n \
                  pay U2 2024-07-01 10000 U1 in:USD";
    check(
        &((0..8).map(rests).collect::<String>() + prompt),
        "2024-12-20 days-beyond-terms-9m-before 17.7778",
    );
}

#[test]
fn a_rest_that_is_given_up_counts_from_the_tolerance_on() {
    for (paid, rest, worst, last) in [(901, 99, "0", "0"), (900, 100, "90", "-")] {
        check(
            &format!(
                "invoice I1 2024-01-01 2024-01-31 1000
                 pay P1 2024-01-31 {paid}
                 off W1 2024-02-10 I1 {rest}"
            ),
            &format!("2024-04-30 worst-days-late-12m {worst} last-payment-days-late {last}"),
        );
    }
    // What is contested of a debt that was given up is left out as long as it is.
    check(
        "invoice I1 2024-01-01 2024-01-31 1000
         dispute D1 2024-02-05 I1 400
         off W1 2024-02-10 I1 600
         resolve D1 2024-04-01 upheld",
        "2024-02-09 share-late-0-amount 1 worst-days-late-12m 9 open-dispute-share 0.4
         2024-02-10 share-late-0-amount 1 worst-days-late-12m 10 open-dispute-share 0.4
         2024-04-01 days-beyond-terms-12m 61 items-12m 1",
    );
}

#[test]
fn a_document_that_comes_late_moves_what_was_paid() {
    check(
        "invoice I2 2024-01-10 2024-02-10 100
         pay P1 2024-02-01 100
         invoice I1 2024-01-01 2024-01-31 100",
        "2024-02-10 days-beyond-terms-12m 1 items-12m 1
         2024-02-11 days-beyond-terms-12m 1 items-12m 2",
    );
}

#[test]
fn the_worst_is_the_latest_of_the_worst() {
    check(
        "invoice I1 2023-01-01 2023-01-31 100
         pay P1 2023-03-02 100
         invoice I2 2023-06-01 2023-06-30 100
         pay P2 2023-07-30 100",
        "2023-08-29 worst-days-late-24m 30 months-since-worst 0
         2023-08-30 months-since-worst 1 last-payment-days-late 30 trend-recent-against-before 0
         2024-07-29 worst-days-late-12m 30 months-since-worst 11
         2024-07-30 worst-days-late-12m - worst-days-late-24m 30 months-since-worst 12",
    );
}

#[test]
fn a_trend_takes_four_items_and_a_spread_three() {
    let three = "invoice I1 2024-01-01 2024-01-31 100
         pay P1 2024-01-31 100
         invoice I2 2024-02-01 2024-03-01 100
         pay P2 2024-03-11 100
         invoice I3 2024-03-01 2024-03-31 100
         pay P3 2024-04-20 100";
    check(three, "2024-05-31 trend-slope - irregularity 8.165 last-three-days-late 10");
    let four = format!(
        "{three}
         invoice I4 2024-04-01 2024-04-30 100
         pay P4 2024-05-30 100"
    );
    check(&four, "2024-05-31 trend-slope 10 irregularity 11.1803 last-three-days-late 20");
}

#[test]
fn a_limit_was_used_most_at_the_end_of_some_day() {
    check(
        "invoice I1 2024-01-01 2024-01-31 900
         pay P1 2024-01-20 800
         invoice I2 2024-02-01 2024-02-28 500
         pay P2 2024-02-01 500",
        "2024-02-29 utilisation 0.1 utilisation-peak-12m 0.9
         2025-01-18 utilisation-peak-12m 0.9
         2025-01-19 utilisation-peak-12m 0.1",
    );
}

#[test]
fn the_limit_that_credit_checks_go_by_is_the_one_that_is_used() {
    check(
        "limit individual 2000 2024-02-01 2024-02-29
         limit temporary 500 2024-02-10 2024-02-12
         limit individual 0 2024-04-01 2024-04-30 unlimited
         limit individual 250 2024-05-01
         invoice I1 2024-01-01 2024-01-31 500",
        "2024-01-31 utilisation 0.5 utilisation-peak-12m 0.5
         2024-02-01 utilisation 0.25 utilisation-peak-12m 0.25
         2024-02-10 utilisation 1
         2024-02-13 utilisation 0.25
         2024-03-01 utilisation - utilisation-peak-12m -
         2024-04-01 utilisation - utilisation-peak-12m -
         2024-05-01 utilisation 2 utilisation-peak-12m 2",
    );
}

#[test]
fn what_is_owed_in_another_currency_uses_a_limit_by_the_rate_of_the_day() {
    let owed = "invoice I1 2024-01-01 2024-01-31 200
         invoice I2 2024-02-01 2024-02-29 100 in=USD
         credit N1 2024-02-05 200 I1";
    check(
        owed,
        "2024-01-31 utilisation 0.2 utilisation-peak-12m 0.2
         2024-02-01 utilisation - utilisation-peak-12m - overdue-share 0.5",
    );
    // The rate of the day asked for, also for what was owed on a day before; 50.05 is 51.
    let rates = "rate fx-usd-eur 2024-02-01 0.5
         rate fx-usd-eur 2024-02-10 0.5005
         rate fx-eur-usd 2024-01-01 9";
    check(
        &format!("{rates}\n{owed}"),
        "2024-01-31 utilisation 0.2 utilisation-peak-12m 0.2
         2024-02-01 utilisation 0.25 utilisation-peak-12m 0.25
         2024-02-05 utilisation 0.05 utilisation-peak-12m 0.25
         2024-02-10 utilisation 0.051 utilisation-peak-12m 0.251
         2025-02-03 utilisation 0.051 utilisation-peak-12m 0.251
         2025-02-04 utilisation 0.051 utilisation-peak-12m 0.051",
    );
    // Where the pair has no table, that of the opposite pair.
    check(
        &format!("rate fx-eur-usd 2024-01-01 2.5\n{owed}"),
        "2024-02-01 utilisation 0.24 utilisation-peak-12m 0.24
         2024-02-05 utilisation 0.04 utilisation-peak-12m 0.24",
    );
}

#[test]
fn utilisation_is_what_checks_hold_against_the_limit() {
    let now = "2026-01-01T12:00:00Z".parse().unwrap();
    for limits in [
        "customer C 800",
        "limit individual 900 2025-12-01",
        "limit individual 900 2025-12-01 2025-12-31",
        "limit individual 900 2025-12-01\nlimit temporary 1500 2025-12-31 2026-01-02",
        "limit temporary 1500 2025-12-31 2026-01-02",
        "limit individual 0 2025-12-01 unlimited",
        "limit individual 0 2025-12-01",
        "limit individual 900 2026-01-02",
    ] {
        let desk = Desk::new();
        let documents = [
            "rate fx-usd-eur 2025-12-01 0.333",
            "invoice I1 2025-12-15 2026-01-31 450",
            "invoice I2 2025-12-20 2026-01-31 101 in=USD",
        ];
        for line in limits.lines().chain(documents) {
            assert!(desk.tell(line).unwrap(), "refused: {line}");
        }
        let who = "C".parse().unwrap();
        let today = "2026-01-01".parse::<dunlin_domain::Date>().unwrap();
        let exposure = credit::check::exposure(&desk.db, &who, None, now).unwrap();
        let limit = exposure.limit.and_then(|of| of.minor);
        let expected = limit.map(|limit| card::utilisation(exposure.total_minor, limit));
        // Of a limit of zero there is no share.
        assert_eq!(exposure.used, expected.filter(|_| limit > Some(0)), "{limits}");
        let facts = score::facts(&desk.db, &who, today).unwrap();
        assert_eq!(facts.get(FactName::Utilisation), expected.map(|of| of.normalize()), "{limits}");
    }
}

#[test]
fn an_order_of_unusual_size_stands_out_and_before_a_due_date_more_so() {
    check(
        "invoice I1 2024-01-01 2024-01-31 100
         invoice I2 2024-02-01 2024-02-29 100
         invoice I3 2024-03-01 2024-06-20 60 2024-07-20 40
         invoice I4 2024-06-10 2024-07-10 500
         pay P1 2024-03-10 200",
        "2024-06-09 order-size-spike - dormant-days-before-order - purchases-before-due -
         2024-06-10 order-size-spike 5 dormant-days-before-order 101 purchases-before-due 10 terms-days-12m 41.375
         2024-07-10 order-size-spike - dormant-days-before-order - purchases-before-due 10",
    );
}

#[test]
fn less_than_was_asked_for_is_a_short_pay_and_a_little_less_a_discount_nobody_gave() {
    check(
        "invoice I1 2024-01-01 2024-01-31 100
         pay P1 2024-02-01 95 I1
         invoice I2 2024-02-02 2024-03-31 100
         pay P2 2024-03-01 94 I2
         invoice I3 2024-03-02 2024-04-30 100
         pay P3 2024-04-01 50 I3=50",
        "2024-01-31 short-pays-12m - unauthorised-discounts-12m -
         2024-02-01 short-pays-12m 1 unauthorised-discounts-12m 1
         2024-05-01 short-pays-12m 2 unauthorised-discounts-12m 1",
    );
}

#[test]
fn a_discount_that_is_due_is_no_short_pay() {
    check(
        "invoice I1 2024-01-01 2024-01-31 100 K
         pay P1 2024-01-11 98 I1
         invoice I2 2024-02-01 2024-02-29 100 K
         pay P2 2024-02-12 98 I2",
        "2024-01-31 short-pays-12m 0 days-beyond-terms-12m -20 items-12m 1
         2024-02-29 short-pays-12m 1 unauthorised-discounts-12m 1",
    );
}

#[test]
fn what_is_contested_counts_while_it_is() {
    check(
        "invoice I1 2024-01-01 2024-01-31 100
         invoice I2 2024-01-01 2024-01-31 60 2024-02-29 40
         dispute D1 2024-01-10 I2#1 50
         resolve D1 2024-02-10 rejected",
        "2024-01-09 dispute-rate-12m 0 open-dispute-share 0
         2024-01-10 dispute-rate-12m 0.3333 open-dispute-share 0.25
         2024-02-10 dispute-rate-12m 0.3333 open-dispute-share 0",
    );
}

#[test]
fn what_is_contested_is_no_bad_paying_while_it_is() {
    check(
        "invoice I1 2024-01-01 2024-01-31 1000
         dispute D1 2024-02-05 I1 1000
         resolve D1 2024-03-01 rejected",
        "2024-02-04 overdue-share 1 worst-days-late-12m 4 items-12m 1
         2024-02-05 overdue-share 0 worst-days-late-12m - items-12m 0 open-dispute-share 1
         2024-03-01 overdue-share 1 worst-days-late-12m 30 items-12m 1",
    );
    // A part of it, in the instalment that it is of.
    check(
        "invoice I1 2024-01-01 2024-01-31 600 2024-02-10 400
         dispute D1 2024-02-05 I1#1 500",
        "2024-02-04 overdue-share 0.6
         2024-02-05 overdue-share 0.1 share-late-0-amount 1
         2024-02-11 overdue-share 0.5 open-dispute-share 0.5 worst-days-late-12m 11",
    );
}

#[test]
fn what_is_contested_of_one_instalment_leaves_the_others_as_they_are() {
    check(
        "invoice I1 2024-05-01 2024-06-01 10000 2024-12-31 10000
         dispute D1 2024-06-10 I1#2 10000",
        "2024-06-09 overdue-share 0.5 items-12m 1 open-dispute-share 0
         2024-06-10 overdue-share 0.5 items-12m 1 open-dispute-share 0.5
         2024-11-23 overdue-share-over-90 0.5 worst-days-late-12m 175 items-12m 1
         2025-01-01 overdue-share 0.5 items-12m 1",
    );
    // All that is contested of the whole is in the first: what is paid of that makes no room for it in the second.
    check(
        "invoice I1 2024-03-01 2024-05-01 6000 2024-06-10 4000
         dispute D1 2024-04-01 I1 6000
         pay P1 2024-05-15 4000 I1#1",
        "2024-05-14 overdue-share 0 open-dispute-share 0.6 items-12m 0
         2024-06-10 overdue-share 0 open-dispute-share 0.3333 items-12m 1
         2024-06-30 overdue-share 0.6667 open-dispute-share 0.3333 items-12m 2
         2024-06-30 days-beyond-terms-12m 17 worst-days-late-12m 20 dispute-rate-12m 0.5",
    );
}

/// Five invoices paid on their day, and what else happens.
fn five_paid(more: &str) -> String {
    let months = [("07-31", 1), ("08-31", 2), ("09-30", 3), ("10-31", 4), ("11-30", 5)];
    let paid = months.map(|(due, number)| {
        format!(
            "invoice I{number} 2023-07-01 2023-{due} 10000
             pay P{number} 2023-{due} 10000 I{number}\n"
        )
    });
    format!("{}{more}", paid.concat())
}

#[test]
fn what_is_owed_and_overdue_counts_with_its_age_however_old_it_is() {
    // A year after it fell due nothing happens, and it stays when it is paid, late on that day.
    check(
        &five_paid(
            "invoice I0 2022-12-01 2022-12-31 10000
             pay P0 2024-01-15 10000 I0",
        ),
        "2023-12-30 days-beyond-terms-12m 60.6667 worst-days-late-12m 364 items-12m 6 share-late-90-count 0.1667
         2023-12-31 days-beyond-terms-12m 60.8333 worst-days-late-12m 365 items-12m 6 share-late-90-count 0.1667
         2023-12-31 days-beyond-terms-3m 121.6667 days-beyond-terms-9m-before 0 trend-recent-against-before 121.6667
         2023-12-31 share-late-0-amount 0.1667 irregularity 136.0275 months-since-worst 0 overdue-share 1
         2024-01-14 days-beyond-terms-12m 63.1667 worst-days-late-24m 379 days-beyond-terms-24m 63.1667
         2024-01-15 days-beyond-terms-12m 63.3333 worst-days-late-12m 380 items-12m 6 months-since-worst 0
         2024-01-15 days-beyond-terms-24m 63.3333 trend-recent-against-before 126.6667 overdue-share 0",
    );
    // Older than every window, and alone: what was paid of it in its time is in none of them.
    check(
        "invoice I1 2021-01-01 2021-01-31 300
         pay P1 2021-01-31 100",
        "2024-01-31 items-12m 1 days-beyond-terms-3m 1095 days-beyond-terms-24m 1095 worst-days-late-24m 1095
         2024-01-31 days-beyond-terms-9m-before - overdue-share 1 share-late-90-amount 1",
    );
    // What is contested or below the tolerance is not overdue, and what was given up is as if it were owed.
    check(
        "invoice I1 2021-01-01 2021-01-31 300
         pay P1 2021-01-31 201
         invoice I2 2021-01-01 2021-01-31 300
         dispute D1 2021-02-05 I2 300
         invoice I3 2021-01-01 2021-01-31 300
         off W1 2021-03-31 I3 201",
        "2024-01-31 items-12m 1 days-beyond-terms-24m 1095 overdue-share 0.4292",
    );
}

#[test]
fn what_was_paid_stays_in_the_windows_in_which_its_last_money_came() {
    check(
        "invoice I1 2023-01-01 2023-01-31 300
         pay P1 2023-01-31 100 I1
         pay P2 2024-03-01 200 I1",
        // The 100 are where they fell due, the 200 on the day asked for until they came, 395 days late.
        "2024-02-29 items-12m 1 days-beyond-terms-3m 394 days-beyond-terms-24m 262.6667 worst-days-late-12m 394
         2024-03-01 items-12m 1 days-beyond-terms-3m 395 days-beyond-terms-24m 263.3333 worst-days-late-12m 395
         2024-03-01 days-beyond-terms-9m-before - share-late-90-count 1 share-late-0-amount 1
         2024-05-31 days-beyond-terms-3m 395 days-beyond-terms-9m-before -
         2024-06-01 days-beyond-terms-3m - days-beyond-terms-9m-before 395 days-beyond-terms-6m 395
         2024-08-31 days-beyond-terms-6m 395
         2024-09-01 days-beyond-terms-6m - days-beyond-terms-12m 395
         2025-02-28 items-12m 1 days-beyond-terms-12m 395 worst-days-late-12m 395
         2025-03-01 items-12m 0 days-beyond-terms-12m - worst-days-late-12m - days-beyond-terms-24m 395
         2026-02-28 worst-days-late-24m 395 months-since-worst 23
         2026-03-01 worst-days-late-24m - months-since-worst -",
    );
    // Paid early it is where it fell due; what went back was not paid, and what is left of the first money pays on its day.
    check(
        "invoice I1 2024-01-01 2024-01-31 300
         pay P1 2024-01-10 300 I1
         invoice I2 2024-01-01 2024-01-31 500
         pay P2 2024-01-31 500 I2
         credit N1 2024-06-30 100 I2",
        "2025-01-30 items-12m 2 days-beyond-terms-12m -7.875
         2025-01-31 items-12m 0",
    );
    check(
        "invoice I1 2024-01-01 2024-01-31 300
         pay P1 2024-02-10 200 I1
         pay P2 2024-05-10 100 I1
         back P2 2024-06-10 mistake
         credit N1 2024-07-01 100 I1",
        "2025-02-09 items-12m 1 days-beyond-terms-12m 10
         2025-02-10 items-12m 0",
    );
    // A rest of little, open or given up, is next to nothing of what somebody pays.
    check(
        "invoice I1 2023-01-01 2023-01-31 1000000
         pay P1 2023-01-31 999800 I1
         off W1 2023-06-30 I1 200
         invoice I2 2023-02-01 2023-03-01 1000000
         pay P2 2023-03-01 1000000 I2",
        "2023-12-31 overdue-share 0.002 overdue-share-over-90 0.002 days-beyond-terms-12m 0.0334
         2024-03-02 overdue-share 1",
    );
    // Money of years ago is no behaviour of these months, whatever rest of its document is open or comes now.
    check(
        "invoice I0 2021-01-01 2021-01-31 100000000
         pay P0 2021-01-31 99999800 I0
         invoice I1 2023-12-01 2024-01-01 1000000
         pay P1 2024-03-31 1000000 I1
         pay P2 2024-04-30 200 I0",
        "2024-04-29 days-beyond-terms-12m 90.2188 share-late-90-amount 0.0002 items-12m 2
         2024-04-30 days-beyond-terms-12m 90.219 share-late-60-amount 1 items-12m 2
         2025-04-29 days-beyond-terms-12m 1185 items-12m 1",
    );
    // Money for what was given up pays it on its day.
    check(
        "invoice I1 2024-01-01 2024-01-31 300
         off W1 2024-03-31 I1 300
         pay P1 2025-06-30 300 I1",
        "2025-06-29 items-12m 1 days-beyond-terms-12m 515 overdue-share 1
         2025-06-30 items-12m 1 days-beyond-terms-12m 516 overdue-share 0 last-payment-days-late 516
         2026-06-29 items-12m 1 days-beyond-terms-12m 516
         2026-06-30 items-12m 0 days-beyond-terms-24m 516",
    );
}

#[test]
fn what_was_taken_back_whole_is_no_order_and_no_turnover() {
    let five = |taken: &str| {
        five_paid(&format!(
            "invoice I6 2023-12-20 2024-01-31 1000000
             {taken}"
        ))
    };
    let before = "2023-12-24 orders-12m 6 turnover-12m 10500 order-size-spike 100 dormant-days-before-order 172";
    let after =
        "2023-12-25 orders-12m 5 turnover-12m 500 order-size-spike - dormant-days-before-order -";
    for taken in [
        "void I6 2023-12-25",
        "credit N1 2023-12-25 1000000 I6",
        "dispute D1 2023-12-21 I6 1000000\nresolve D1 2023-12-25 upheld",
    ] {
        check(&five(taken), &format!("{before}\n{after}"));
    }
    let corrected = five("correct I6 2023-12-20 2024-01-31 0");
    check(&corrected, after);
    // Of a part that was credited the rest counts, of instalments together.
    check(
        &five("credit N1 2023-12-25 985000 I6"),
        "2023-12-25 orders-12m 6 turnover-12m 650 order-size-spike 1.5",
    );
    check(
        &five_paid(
            "invoice I6 2023-12-20 2024-01-31 10000 2024-02-29 10000
             credit N1 2023-12-25 15000 I6",
        ),
        "2023-12-24 orders-12m 6 turnover-12m 700 order-size-spike 2
         2023-12-25 orders-12m 6 turnover-12m 550 order-size-spike 0.5",
    );
    // Paid, wholly credited and the money paid out it is none, from the day on which it went, until it comes back.
    check(
        &five(
            "pay P6 2023-12-21 1000000 I6
             credit N1 2023-12-22 1000000 I6
             refund N1 2023-12-25",
        ),
        &format!("{before}\n{after}"),
    );
    check(
        &five(
            "pay P6 2023-12-21 1000000 I6
             credit N1 2023-12-22 1000000 I6
             refund N1 2023-12-23
             not-refunded R-N1-2023-12-23 2023-12-26",
        ),
        &format!("{}\n2023-12-26 orders-12m 6 turnover-12m 10500", after.replace("12-25", "12-24")),
    );
    // In part, and of instalments together.
    check(
        &five_paid(
            "invoice I6 2023-12-20 2023-12-21 10000 2024-02-29 10000
             pay P6 2023-12-21 15000 I6
             credit N1 2023-12-22 15000 I6
             refund N1 2023-12-24 10000",
        ),
        "2023-12-22 orders-12m 6 turnover-12m 650 order-size-spike 1.5
         2023-12-24 orders-12m 6 turnover-12m 550 order-size-spike 0.5",
    );
    check(
        &five_paid(
            "invoice I6 2023-12-20 2023-12-21 10000 2024-02-29 10000
             pay P6 2023-12-21 20000 I6
             credit N1 2023-12-22 20000 I6
             refund N1 2023-12-24",
        ),
        "2023-12-23 orders-12m 6 turnover-12m 700 dormant-days-before-order 172
         2023-12-24 orders-12m 5 turnover-12m 500 dormant-days-before-order -",
    );
    // A credit that stands alone is about no order.
    check(
        &five(
            "pay P6 2023-12-21 1000000 I6
             credit N1 2023-12-22 1000
             refund N1 2023-12-22",
        ),
        "2023-12-25 orders-12m 6 turnover-12m 10500",
    );
    // What was paid stays paid: a void takes off what is open.
    check(&five_paid("void I1 2023-12-25"), "2023-12-25 orders-12m 5 turnover-12m 500");
}

#[test]
fn a_rest_that_nobody_is_reminded_of_is_no_bad_paying() {
    check(
        "invoice I1 2024-01-01 2024-01-31 1000
         pay P1 2024-01-31 901",
        "2024-05-30 overdue-share 0 worst-days-late-12m 0 last-payment-days-late 0 utilisation 0.099",
    );
    check(
        "invoice I1 2024-01-01 2024-01-31 1000
         pay P1 2024-01-31 900",
        "2024-05-30 overdue-share 1 worst-days-late-12m 120 last-payment-days-late -",
    );
}

#[test]
fn the_nearest_milestone_counts_down_to_its_day() {
    check(
        "contract K1 C 2024-03-31 2024-06-30
         contract K2 C 2024-03-01",
        "2024-02-29 days-to-milestone 1 days-to-contract-end -
         2024-03-01 days-to-milestone 0
         2024-03-02 days-to-milestone 29
         2024-06-30 days-to-milestone 0
         2024-07-01 days-to-milestone -",
    );
}

#[test]
fn changes_count_for_ninety_days() {
    check(
        "customer C 1000 on=2024-01-01 contact=Ann bank=1234
         customer C 1000 on=2024-01-31 contact=Bo bank=1234 representative=Bo
         invoice I1 2024-03-01 2024-03-31 100",
        "2023-12-31 contact-changes-90d -
         2024-01-01 contact-changes-90d 1 bank-changes-90d 1 representative-changes-90d -
         2024-01-31 contact-changes-90d 2 bank-changes-90d 1 representative-changes-90d 1
         2024-03-31 contact-changes-90d 1 bank-changes-90d 0 representative-changes-90d 1",
    );
}

/// What the group of `C` owes on a day: currency, outstanding, past due.
fn owed_by_group(book: &str, on: &str) -> Vec<(String, i64, i64)> {
    let desk = Desk::new();
    for line in book.lines() {
        assert!(desk.tell(line.trim()).unwrap(), "{line}");
    }
    let found = dunlin_app::score::facts(&desk.db, &crate::common::id("C"), crate::common::day(on));
    let owed = found.unwrap().group.unwrap_or_default().into_iter();
    owed.map(|of| (of.currency.to_string(), of.outstanding_minor, of.overdue_minor)).collect()
}

#[test]
fn what_a_group_owes_is_told_by_currency_and_to_the_cent() {
    // The sum of the two large ones is no float.
    let book = "customer D head=C
         invoice I1 2024-01-01 2024-01-31 8000000000000001
         invoice I2 2024-01-01 2024-03-31 8000000000000002
         invoice I3 2024-01-01 2024-01-31 70 in=USD
         invoice I4 2024-01-01 2024-03-31 200 of=D";
    let (eur, most) = (16_000_000_000_000_203, 8_000_000_000_000_001);
    let usd = ("USD".to_string(), 70);
    assert_eq!(
        owed_by_group(book, "2024-02-29"),
        [("EUR".into(), eur, most), (usd.0.clone(), usd.1, 70)]
    );
    assert_eq!(owed_by_group(book, "2024-01-31")[1], (usd.0.clone(), usd.1, 0), "due today");
    assert_eq!(owed_by_group(book, "2023-12-31"), []);
    let alone = book.replace("customer D head=C\n", "");
    assert_eq!(owed_by_group(&alone, "2024-02-29"), [], "outside a group nothing is told");
}

#[test]
fn a_group_owes_together() {
    let own = "invoice I1 2024-01-01 2024-01-31 100
         invoice I2 2024-01-01 2024-03-31 200 of=D";
    check(own, "2024-02-29 group-outstanding-share - group-overdue-share -");
    let member = format!("customer D head=C\n{own}");
    check(&member, "2024-02-29 group-outstanding-share 0.3333 group-overdue-share 0.3333");
    // Who joins later was not in it before, and who left was.
    let joins = format!("customer D on=2024-01-01\ncustomer D head=C on=2024-02-15\n{own}");
    check(
        &joins,
        "2024-02-14 group-outstanding-share - group-overdue-share -
         2024-02-15 group-outstanding-share 0.3333 group-overdue-share 0.3333",
    );
    let leaves = format!("customer D head=C on=2024-01-01\ncustomer D on=2024-02-15\n{own}");
    check(
        &leaves,
        "2024-02-14 group-outstanding-share 0.3333 group-overdue-share 0.3333
         2024-02-15 group-outstanding-share - group-overdue-share -",
    );
}

#[test]
fn who_paid_everything_has_nothing_overdue() {
    check(
        "interest-note X1 2023-12-01 2023-12-31 100
         pay P0 2023-12-10 100
         invoice I1 2024-01-01 2024-01-31 1000
         pay P1 2024-03-10 1000",
        "2023-12-09 overdue-share 0 account-age-days - open-dispute-share 0
         2023-12-31 overdue-share - overdue-share-1-30 - open-dispute-share - group-overdue-share -
         2024-03-09 overdue-share 1 overdue-share-31-60 1 overdue-share-over-30 1 insured-share 0
         2024-03-10 overdue-share 0 overdue-share-1-30 0 overdue-share-31-60 0 overdue-share-61-90 0
         2024-03-10 overdue-share-over-30 0 overdue-share-over-90 0 open-dispute-share 0 insured-share -",
    );
    // A debt that was given up was not paid.
    check(
        "invoice I1 2024-01-01 2024-01-31 1000
         off W1 2024-03-10 I1 900
         pay P1 2024-04-10 1000",
        "2024-03-10 overdue-share 1 overdue-share-31-60 1
         2024-04-10 overdue-share 1 overdue-share-61-90 1 overdue-share-over-90 0 open-dispute-share 0
         2025-01-31 overdue-share 1 overdue-share-61-90 0 overdue-share-over-90 1",
    );
    // Of a group any may have been asked.
    check(
        "customer D head=C on=2024-01-01
         invoice I1 2024-02-01 2024-02-29 1000 of=D
         credit N1 2024-02-01 10
         off W1 2024-03-31 I1 1000",
        "2024-01-31 group-overdue-share -
         2024-02-01 group-overdue-share 0
         2024-03-30 group-overdue-share 1 group-outstanding-share 0 overdue-share -
         2024-03-31 group-overdue-share 1 group-outstanding-share - overdue-share -",
    );
}

#[test]
fn what_was_recorded_of_a_duplicate_counts_for_the_customer_that_stays() {
    let before = "invoice I1 2024-01-01 2024-01-31 100
         invoice I2 2024-02-01 2024-03-02 300 of=D";
    check(
        before,
        "2024-03-12 items-12m 1 orders-12m 1 turnover-12m 1 overdue-share 1 utilisation 0.1",
    );
    let merged = format!("{before}\nmerge D C");
    check(
        &merged,
        "2024-03-12 items-12m 2 orders-12m 2 turnover-12m 4 overdue-share 1 utilisation 0.4",
    );
}

#[test]
fn a_customer_that_is_closed_has_facts_like_any_other() {
    let book = "invoice I1 2024-01-01 2024-01-31 100
         pay P1 2024-02-10 100";
    let expected = "2024-02-29 items-12m 1 days-beyond-terms-12m 10 orders-12m 1 defaults-open 0 utilisation 0";
    check(book, expected);
    check(&format!("{book}\ncustomer C 1000 status=closed"), expected);
}
