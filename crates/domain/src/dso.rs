//! Days sales outstanding and its relatives, each formula under its own name.
//!
//! Amounts are of one currency. Every answer is rounded once, to two decimals, half away from zero; a denominator of
//! zero makes it undefined, which is `None` and neither 0 nor 100.

use crate::decimal::Times as _;
use crate::{Decimal, contract::report::DsoMethod, decimal::fixed};

/// Decimals of every answer.
const DECIMALS: u32 = 2;

/// The credit sales of one month and its days.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Month {
    /// Invoices less credit notes, by date of issue.
    pub sales_minor: i64,
    /// Its days; of a month that is not over, the days so far.
    pub days: u32,
}

/// By method: `months` newest first, `current_minor` the part of the receivables that is not yet due.
pub fn days(
    method: DsoMethod,
    receivables_minor: i64,
    current_minor: i64,
    months: &[Month],
) -> Option<Decimal> {
    match method {
        DsoMethod::Simple => simple(receivables_minor, months),
        DsoMethod::Countback => countback(receivables_minor, months),
        DsoMethod::BestPossible => best_possible(current_minor, months),
    }
}

/// Receivables at the end over the credit sales of the period, times its days.
pub fn simple(receivables_minor: i64, months: &[Month]) -> Option<Decimal> {
    let days = sum(months.iter().map(|month| i64::from(month.days)))?;
    let sales = sum(months.iter().map(|month| month.sales_minor))?;
    quotient(Decimal::from(receivables_minor).times(days)?, sales)
}

/// Receivables not yet due over the credit sales of the period, times its days: what would be left if everybody paid
/// on the day.
pub fn best_possible(current_minor: i64, months: &[Month]) -> Option<Decimal> {
    simple(current_minor, months)
}

/// Days sales outstanding less the best possible, from the amounts and rounded once.
pub fn average_days_delinquent(
    receivables_minor: i64,
    current_minor: i64,
    months: &[Month],
) -> Option<Decimal> {
    simple(receivables_minor.checked_sub(current_minor)?, months)
}

/// Days late weighted by amount, over single items as `(amount_minor, days_late)`. Another number than
/// [`average_days_delinquent`], which knows only the book.
pub fn average_days_late(items: &[(i64, i64)]) -> Option<Decimal> {
    let weighted = items.iter().try_fold(Decimal::ZERO, |sum, (minor, days)| {
        sum.checked_add(Decimal::from(*minor).times(Decimal::from(*days))?)
    });
    quotient(weighted?, sum(items.iter().map(|(minor, _)| *minor))?)
}

/// Takes off the latest month's sales while the receivables cover them, adding that month's days; the rest adds its
/// share of the next month's days. `months` newest first. A month with more credits than sales counts as one without
/// sales. `None` when there were no sales, and when the receivables outlast the months given: then more are needed.
pub fn countback(receivables_minor: i64, months: &[Month]) -> Option<Decimal> {
    months.iter().find(|month| month.sales_minor > 0)?;
    let mut rest = receivables_minor.max(0);
    let mut days = Decimal::ZERO;
    for month in months {
        let sales = month.sales_minor.max(0);
        let all = Decimal::from(month.days);
        if rest == 0 || rest < sales {
            let part = Decimal::from(rest).times(all)?.checked_div(Decimal::from(sales.max(1)))?;
            return Some(fixed(days.checked_add(part)?, DECIMALS));
        }
        rest = rest.checked_sub(sales)?;
        days = days.checked_add(all)?;
    }
    (rest == 0).then(|| fixed(days, DECIMALS))
}

/// The collection effectiveness index in percent:
/// `(begin + sales/N − end total) / (begin + sales/N − end current) × 100`, N the months in the period.
pub fn collection_effectiveness(
    begin_minor: i64,
    sales_minor: i64,
    end_minor: i64,
    end_current_minor: i64,
    months: u32,
) -> Option<Decimal> {
    let months = Decimal::from(months);
    let times = |minor: i64| Decimal::from(minor).times(months);
    let asked = times(begin_minor)?.checked_add(Decimal::from(sales_minor))?;
    let got = asked.checked_sub(times(end_minor)?)?;
    let collectable = asked.checked_sub(times(end_current_minor)?)?;
    if months.is_zero() {
        return None;
    }
    quotient(got.times(Decimal::ONE_HUNDRED)?, collectable)
}

fn sum(amounts: impl Iterator<Item = i64>) -> Option<Decimal> {
    let mut amounts = amounts.map(Decimal::from);
    amounts.try_fold(Decimal::ZERO, |sum, next| sum.checked_add(next))
}

fn quotient(part: Decimal, whole: Decimal) -> Option<Decimal> {
    if whole.is_zero() {
        return None;
    }
    part.checked_div(whole).map(|quotient| fixed(quotient, DECIMALS))
}

#[cfg(test)]
#[allow(clippy::arithmetic_side_effects)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const RECEIVABLES: i64 = 634_000;
    const CURRENT: i64 = 359_000;

    /// Three months of 31, 28 and 31 days with sales of 3,390, 3,610 and 3,890; newest first.
    fn quarter() -> [Month; 3] {
        [(389_000, 31), (361_000, 28), (339_000, 31)]
            .map(|(sales_minor, days)| Month { sales_minor, days })
    }

    fn shown(days: Option<Decimal>) -> String {
        days.map_or("-".to_string(), |days| days.to_string())
    }

    #[test]
    fn the_worked_case_gives_its_figures() {
        let by = |method| shown(days(method, RECEIVABLES, CURRENT, &quarter()));
        assert_eq!(by(DsoMethod::Simple), "52.40");
        assert_eq!(by(DsoMethod::BestPossible), "29.67");
        assert_eq!(by(DsoMethod::Countback), "50.00");
        let late = average_days_delinquent(RECEIVABLES, CURRENT, &quarter());
        assert_eq!(shown(late), "22.73");
        let cei =
            |months| collection_effectiveness(620_000, 1_089_000, RECEIVABLES, CURRENT, months);
        assert_eq!(shown(cei(3)), "55.93");
        assert_eq!(shown(cei(1)), "79.63");
    }

    #[test]
    fn a_zero_denominator_is_undefined_and_not_a_number() {
        let idle = [Month { sales_minor: 0, days: 31 }];
        for method in DsoMethod::ALL {
            assert_eq!(days(*method, 100, 50, &idle), None, "{method}");
            assert_eq!(days(*method, 100, 50, &[]), None, "{method}");
        }
        assert_eq!(average_days_late(&[]), None);
        assert_eq!(collection_effectiveness(100, 0, 100, 100, 3), None);
        assert_eq!(collection_effectiveness(100, 100, 0, 0, 0), None);
    }

    #[test]
    fn countback_walks_back_month_by_month() {
        // receivables, months newest first as sales/days, days
        let table = "
            0     100/31             0.00
            50    100/30             15.00
            100   100/31             31.00
            101   100/31             -
            100   100/31,50/28       31.00
            125   100/31,50/28       45.00
            150   100/31,50/28       59.00
            151   100/31,50/28       -
            60    0/15,100/30        33.00
            60    -40/15,100/30      33.00
            0     0/15,100/30        0.00
            -5    100/30             0.00
            1     3/31               10.33";
        for line in table.lines().filter(|line| !line.trim().is_empty()) {
            let words: Vec<&str> = line.split_whitespace().collect();
            let month = |text: &str| {
                let (sales, days) = text.split_once('/').unwrap();
                Month { sales_minor: sales.parse().unwrap(), days: days.parse().unwrap() }
            };
            let months: Vec<Month> = words[1].split(',').map(month).collect();
            assert_eq!(shown(countback(words[0].parse().unwrap(), &months)), words[2], "{line}");
        }
    }

    #[test]
    fn lateness_of_single_items_is_weighted_by_amount() {
        assert_eq!(shown(average_days_late(&[(100, 10), (300, 2)])), "4.00");
        assert_eq!(shown(average_days_late(&[(100, -5), (200, 0)])), "-1.67");
    }

    proptest! {
        #[test]
        fn more_receivables_never_mean_fewer_days(
            less in 0i64..1_000_000, more in 0i64..1_000_000,
            months in proptest::collection::vec((0i64..500_000, 1u32..32), 1..13),
        ) {
            let months: Vec<Month> =
                months.into_iter().map(|(sales_minor, days)| Month { sales_minor, days }).collect();
            let all = Decimal::from(months.iter().map(|month| month.days).sum::<u32>());
            if let (Some(a), Some(b)) = (countback(less, &months), countback(less + more, &months)) {
                prop_assert!(a <= b && b <= all);
            }
            prop_assert!(simple(less, &months) <= simple(less + more, &months));
        }

        #[test]
        fn no_amount_overflows(minor in any::<i64>(), sales in any::<i64>(), days in any::<u32>()) {
            let months = [Month { sales_minor: sales, days }; 2];
            for method in DsoMethod::ALL {
                let _ = super::days(*method, minor, sales, &months);
            }
            let _ = collection_effectiveness(minor, sales, minor, sales, days);
            let _ = average_days_late(&[(minor, sales), (sales, minor)]);
        }
    }
}
