//! Clauses for late interest by name: what a statute says, or what is usual. Dated, with their source.
//!
//! Figures are those of the sources as they stood when this was written, and no advice. What nobody could check against
//! an official text says so.

use crate::{
    Date, Decimal, Id,
    contract::ledger::{FixedSum, LateInterest, Preset, RateFixing, ReferenceRate},
};

/// In a preset's reference rate the place of the contract's own rate, which a clause gives as `rate`: a preset can say
/// that late payment bears half as much again as the contract.
pub const CONTRACT_RATE: &str = "contract-rate";

/// All presets, by name.
pub fn all() -> Vec<Preset> {
    vec![
        Preset {
            name: Id::known("de-bgb-288"),
            jurisdiction: "DE".into(),
            valid_from: day(2014, 7, 29),
            source: "BGB section 288 (2) and (5): nine points above the base rate, EUR 40".into(),
            confirmed: true,
            about: "Payments between businesses in Germany.".into(),
            clause: LateInterest {
                reference: reference("de-base-rate", Decimal::ONE, points(9), RateFixing::Floating),
                fixed_sums: Some(vec![FixedSum { below_minor: None, minor: 4000 }]),
                fixed_currency: "EUR".parse().ok(),
                ..nothing()
            },
        },
        Preset {
            name: Id::known("eu-2011-7"),
            jurisdiction: "EU".into(),
            valid_from: day(2013, 3, 16),
            source: "Directive 2011/7/EU, articles 2 to 6: the main refinancing rate of 1 January or 1 July and eight \
                     points, EUR 40"
                .into(),
            confirmed: true,
            about: "Payments between businesses in the euro area, where no law of a member state gives more.".into(),
            clause: LateInterest {
                reference: reference("ecb-main", Decimal::ONE, points(8), RateFixing::HalfYear),
                fixed_sums: Some(vec![FixedSum { below_minor: None, minor: 4000 }]),
                fixed_currency: "EUR".parse().ok(),
                ..nothing()
            },
        },
        Preset {
            name: Id::known("prc-bank-loan"),
            jurisdiction: "CN".into(),
            valid_from: day(2004, 1, 1),
            source: "Yinfa [2003] 251: 1.3 to 1.5 times the rate of the contract".into(),
            confirmed: false,
            about: "Overdue loans of banks at 1.5 times the contract's rate, which the clause gives as `rate`. \
                    Unpaid interest bears interest where the clause gives `compounding`: banks settle by the month \
                    or the quarter, on the 20th."
                .into(),
            clause: LateInterest {
                reference: reference(CONTRACT_RATE, Decimal::new(15, 1), None, RateFixing::AtSigning),
                day_count: "act-360".parse().ok(),
                ..nothing()
            },
        },
        Preset {
            name: Id::known("prc-private-loan-cap"),
            jurisdiction: "CN".into(),
            valid_from: day(2020, 8, 20),
            source: "Fashi [2020] 17, article 25: four times the one-year LPR when the contract was made".into(),
            confirmed: true,
            about: "The cap over all charges of loans between private parties. The clause gives the rate itself.".into(),
            clause: LateInterest {
                cap_rate: reference("lpr-1y", Decimal::from(4), None, RateFixing::AtSigning),
                ..nothing()
            },
        },
        Preset {
            name: Id::known("prc-sale-2019"),
            jurisdiction: "CN".into(),
            valid_from: day(2019, 8, 20),
            source: "Fashi [2020] 17 on sale contracts, article 18: the one-year LPR at breach, 1.3 to 1.5 times".into(),
            confirmed: true,
            about: "Sale contracts without an agreed penalty, at 1.5 times. Courts choose between 1.3 and 1.5; give a \
                    `reference` of your own for another."
                .into(),
            clause: LateInterest {
                reference: reference("lpr-1y", Decimal::new(15, 1), None, RateFixing::AtBreach),
                ..nothing()
            },
        },
        Preset {
            name: Id::known("prc-sme-2020"),
            jurisdiction: "CN".into(),
            valid_from: day(2020, 9, 1),
            source: "State Council order 728, article 15: 0.05 percent a day where no rate was agreed".into(),
            confirmed: true,
            about: "Payments to small and medium companies. An agreed rate, which the clause gives as `rate`, is \
                    raised to the one-year LPR at signing where it is below; without one 0.05 percent a day."
                .into(),
            clause: LateInterest {
                rate: Some(Decimal::new(1825, 4)),
                floor_rate: reference("lpr-1y", Decimal::ONE, None, RateFixing::AtSigning),
                ..nothing()
            },
        },
        Preset {
            name: Id::known("uk-1998"),
            jurisdiction: "GB".into(),
            valid_from: day(2002, 8, 7),
            source: "Late Payment of Commercial Debts (Interest) Act 1998: Bank Rate of the 30 June or 31 December \
                     before and eight points, GBP 40, 70 or 100"
                .into(),
            confirmed: true,
            about: "Payments between businesses in the United Kingdom.".into(),
            clause: LateInterest {
                reference: reference(
                    "boe-bank-rate",
                    Decimal::ONE,
                    points(8),
                    RateFixing::HalfYearBefore,
                ),
                fixed_sums: Some(vec![
                    FixedSum { below_minor: Some(100_000), minor: 4000 },
                    FixedSum { below_minor: Some(1_000_000), minor: 7000 },
                    FixedSum { below_minor: None, minor: 10_000 },
                ]),
                fixed_currency: "GBP".parse().ok(),
                ..nothing()
            },
        },
    ]
}

/// The preset of this name.
pub fn find(name: &Id) -> Option<Preset> {
    all().into_iter().find(|preset| preset.name == *name)
}

/// A clause that says nothing.
pub fn nothing() -> LateInterest {
    LateInterest {
        preset: None,
        rate: None,
        reference: None,
        floor_rate: None,
        compounding: None,
        day_count: None,
        grace_days: None,
        grace_charged_later: None,
        cap_share: None,
        cap_rate: None,
        fixed_sums: None,
        fixed_currency: None,
    }
}

fn reference(
    table: &'static str,
    multiplier: Decimal,
    margin: Option<Decimal>,
    fixing: RateFixing,
) -> Option<ReferenceRate> {
    let multiplier = Some(multiplier).filter(|times| *times != Decimal::ONE);
    Some(ReferenceRate { table: Id::known(table), multiplier, margin, fixing })
}

fn points(hundredths: i64) -> Option<Decimal> {
    Some(Decimal::new(hundredths, 2))
}

fn day(year: i32, month: u32, day: u32) -> Date {
    Date::known(year, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{interest, rate::Tables};

    #[test]
    fn presets_are_by_name_and_usable() {
        let all = all();
        assert!(all.windows(2).all(|two| two[0].name < two[1].name));
        for preset in &all {
            let name = preset.name.as_str();
            assert_eq!(name.parse::<Id>().as_ref(), Ok(&preset.name));
            assert!(preset.valid_from > day(1900, 1, 1), "{name}");
            assert_eq!(preset.confirmed, name != "prc-bank-loan", "{name}");
            let fixed = &preset.clause.fixed_sums;
            assert_eq!(fixed.is_some(), preset.clause.fixed_currency.is_some(), "{name}");
            for reference in
                [&preset.clause.reference, &preset.clause.floor_rate, &preset.clause.cap_rate]
                    .into_iter()
                    .flatten()
            {
                let table = Tables::shipped().table(&reference.table);
                assert!(table.is_some() || reference.table.as_str() == CONTRACT_RATE, "{name}");
            }
            // Some want the contract's own rate beside the name.
            let named = LateInterest { preset: Some(preset.name.clone()), ..nothing() };
            let rate = Some(Decimal::new(6, 2));
            let with_rate = LateInterest { rate, ..named.clone() };
            let wants = ["prc-bank-loan", "prc-private-loan-cap"].contains(&name);
            assert_eq!(interest::check(&named).is_err(), wants, "{name}");
            assert_eq!(interest::check(&with_rate), Ok(()), "{name}");
        }
    }
}
