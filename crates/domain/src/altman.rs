//! Altman's figures of a statement of accounts: weighted sums of its ratios, and where they lie.
//!
//! Z, E. I. Altman, "Financial Ratios, Discriminant Analysis and the Prediction of Corporate Bankruptcy", Journal of
//! Finance 23 (1968), for listed manufacturers. Z', E. I. Altman, Corporate Financial Distress (1983), for private
//! firms: the book value of equity stands for its market value. Z'', E. I. Altman, J. Hartzell and M. Peck, "Emerging
//! Markets Corporate Bonds: A Scoring System" (1995): without sales over assets, which differ most by industry. The
//! constant of 3.25 that the emerging market score adds to Z'' is left out, so that the cut-offs are those of Z''.

use crate::decimal::Times as _;
use crate::{
    Decimal,
    contract::external::{AltmanFigure, AltmanModel, AltmanZone, FinancialStatement},
    decimal,
};

/// Decimals of a figure.
const DECIMALS: u32 = 4;

/// A figure by its weights in thousandths, of working capital, retained earnings and earnings before interest and
/// taxes over total assets, of equity over total liabilities, and of sales over total assets; and its cut-offs in
/// hundredths.
struct Figure {
    model: AltmanModel,
    weights: [i64; 5],
    cut_offs: [i64; 2],
}

const FIGURES: [Figure; 3] = [
    Figure { model: AltmanModel::Z, weights: [1200, 1400, 3300, 600, 999], cut_offs: [181, 299] },
    Figure {
        model: AltmanModel::ZPrivate,
        weights: [717, 847, 3107, 420, 998],
        cut_offs: [123, 290],
    },
    Figure {
        model: AltmanModel::ZEmerging,
        weights: [6560, 3260, 6720, 1050, 0],
        cut_offs: [110, 260],
    },
];

/// The figures whose items the statement has, in the order of the contract.
pub fn figures(of: &FinancialStatement) -> Vec<AltmanFigure> {
    let figure = |figure: &Figure| {
        let value = figure.value(of)?;
        Some(AltmanFigure { model: figure.model, value, zone: figure.zone(value) })
    };
    FIGURES.iter().filter_map(figure).collect()
}

impl Figure {
    fn value(&self, of: &FinancialStatement) -> Option<Decimal> {
        let equity = match self.model {
            AltmanModel::Z => of.market_equity_minor,
            AltmanModel::ZPrivate | AltmanModel::ZEmerging => of.book_equity_minor,
        };
        let (assets, liabilities) = (of.total_assets_minor, of.total_liabilities_minor);
        let working = of.current_assets_minor.zip(of.current_liabilities_minor);
        let working = working.and_then(|(assets, owed)| assets.checked_sub(owed));
        let ratios = [
            (working, assets),
            (of.retained_earnings_minor, assets),
            (of.ebit_minor, assets),
            (equity, liabilities),
            (of.sales_minor, assets),
        ];
        let mut sum = Decimal::ZERO;
        for (weight, (part, whole)) in self.weights.into_iter().zip(ratios) {
            // What has no weight need not be known.
            if weight != 0 {
                let whole = Decimal::from(whole.filter(|whole| *whole > 0)?);
                let part = Decimal::from(part?).times(Decimal::new(weight, 3))?;
                sum = sum.checked_add(part.checked_div(whole)?)?;
            }
        }
        Some(decimal::round(sum, DECIMALS).normalize())
    }

    fn zone(&self, value: Decimal) -> AltmanZone {
        let [lower, upper] = self.cut_offs.map(|cut_off| Decimal::new(cut_off, 2));
        if value > upper {
            AltmanZone::Sound
        } else if value < lower {
            AltmanZone::Distress
        } else {
            AltmanZone::Grey
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Total assets and liabilities of 1,000, and the other items: working capital as current assets without
    /// liabilities, retained earnings, earnings, market and book value of equity, sales.
    fn statement(
        [working, retained, ebit, market, book, sales]: [Option<i64>; 6],
    ) -> FinancialStatement {
        FinancialStatement {
            customer_id: None,
            period_end: None,
            known_on: None,
            currency: "EUR".parse().unwrap(),
            current_assets_minor: working.map(|working| working + 100),
            current_liabilities_minor: Some(100),
            total_assets_minor: Some(1000),
            total_liabilities_minor: Some(1000),
            retained_earnings_minor: retained,
            ebit_minor: ebit,
            sales_minor: sales,
            book_equity_minor: book,
            market_equity_minor: market,
        }
    }

    fn shown(of: &FinancialStatement) -> String {
        let figure = |of: &AltmanFigure| format!("{} {} {}", of.model, of.value, of.zone);
        figures(of).iter().map(figure).collect::<Vec<_>>().join(", ")
    }

    #[test]
    fn each_item_weighs_what_its_source_says() {
        let all = [Some(0); 6];
        for (at, weights) in [
            (0, "z 1.2 distress, z-private 0.717 distress, z-emerging 6.56 sound"),
            (1, "z 1.4 distress, z-private 0.847 distress, z-emerging 3.26 sound"),
            (2, "z 3.3 sound, z-private 3.107 sound, z-emerging 6.72 sound"),
            (3, "z 0.6 distress, z-private 0 distress, z-emerging 0 distress"),
            (4, "z 0 distress, z-private 0.42 distress, z-emerging 1.05 distress"),
            (5, "z 0.999 distress, z-private 0.998 distress, z-emerging 0 distress"),
        ] {
            let mut one = all;
            one[at] = Some(1000);
            assert_eq!(shown(&statement(one)), weights, "item {at}");
        }
        let example = [Some(200), Some(-300), Some(150), Some(900), Some(400), Some(1500)];
        assert_eq!(
            shown(&statement(example)),
            "z 2.3535 grey, z-private 2.0204 grey, z-emerging 1.762 grey"
        );
    }

    #[test]
    fn a_cut_off_is_in_the_grey_zone() {
        use AltmanZone::{Distress, Grey, Sound};
        for (model, cut_offs) in [(0, ["1.81", "2.99"]), (1, ["1.23", "2.9"]), (2, ["1.1", "2.6"])]
        {
            let [lower, upper] = cut_offs.map(|text| text.parse::<Decimal>().unwrap());
            let little = Decimal::new(1, DECIMALS);
            for (value, zone) in
                [(lower - little, Distress), (lower, Grey), (upper, Grey), (upper + little, Sound)]
            {
                assert_eq!(FIGURES[model].zone(value), zone, "{value}");
            }
        }
    }

    #[test]
    fn an_item_that_is_not_known_leaves_out_what_needs_it() {
        let all = [Some(1); 6];
        for (at, known) in [
            (0, 0),
            (1, 0),
            (2, 0),
            (3, 2), // the two of the book value
            (4, 1),
            (5, 1), // the one without sales
        ] {
            let mut lacking = all;
            lacking[at] = None;
            assert_eq!(figures(&statement(lacking)).len(), known, "item {at}");
        }
        let nothing = |assets, liabilities| FinancialStatement {
            total_assets_minor: assets,
            total_liabilities_minor: liabilities,
            ..statement(all)
        };
        for (assets, liabilities) in [(Some(0), Some(1)), (Some(1), Some(0)), (None, Some(1))] {
            assert_eq!(figures(&nothing(assets, liabilities)), []);
        }
    }
}
