//! What others say of a customer: which records of it can stand, what they are called, and from which day they count.
//!
//! A record has a name among the customer's, and for each name a row of readings, each from the day on which it was
//! known. What has the same name and the same day of knowledge is the same reading.

use crate::decimal::Times as _;
use crate::{
    Date, Decimal, Id, Refusal, Refused,
    contract::external::{
        ExternalKind, ExternalScore, FinancialStatement, PublicRecord, ScaleDirection,
    },
    decimal,
    money::MAX_MINOR,
    text,
};

/// The most characters of a source.
const MAX_SOURCE: usize = 200;

/// The largest end of a scale.
const MAX_SCALE: i64 = 1_000_000_000;

/// Decimals of a normalised score.
const DECIMALS: u32 = 4;

/// A record of one of the kinds.
pub trait External: Clone + PartialEq + serde::Serialize + serde::de::DeserializeOwned {
    /// Which kind.
    const KIND: ExternalKind;

    /// Whose it is.
    fn customer(&self) -> Option<&Id>;

    /// What it is called among the customer's records of the kind. Later ones of a customer sort later where the name
    /// begins with a day.
    fn name(&self) -> Result<String, Refused>;

    /// The day that it is about, and the field that says so.
    fn day(&self) -> Result<(Date, &'static str), Refused>;

    /// The day on which it was known.
    fn known_on(&self) -> Option<Date>;

    /// The same known on a day, with all that follows from what it says.
    #[must_use]
    fn known(self, on: Date) -> Self;

    /// Checks what it says, naming the first field at fault.
    fn check(&self) -> Result<(), Refused>;
}

/// A place of a record that has to be there.
fn there<'a, T>(place: &'a Option<T>, field: &str) -> Result<&'a T, Refused> {
    let missing = || Refused::new(Refusal::MissingField, "the field is missing").at(field);
    place.as_ref().ok_or_else(missing)
}

/// Puts a part of the path into the record, which may say the same itself.
pub fn place<T: PartialEq>(place: &mut Option<T>, path: T, field: &str) -> Result<(), Refused> {
    if place.as_ref().is_some_and(|said| *said != path) {
        let detail = "it is not what the URL says";
        return Err(Refused::new(Refusal::MalformedField, detail).at(field));
    }
    *place = Some(path);
    Ok(())
}

impl External for FinancialStatement {
    const KIND: ExternalKind = ExternalKind::Financials;

    fn customer(&self) -> Option<&Id> {
        self.customer_id.as_ref()
    }

    fn name(&self) -> Result<String, Refused> {
        there(&self.period_end, "period_end").map(ToString::to_string)
    }

    fn day(&self) -> Result<(Date, &'static str), Refused> {
        Ok((*there(&self.period_end, "period_end")?, "period_end"))
    }

    fn known_on(&self) -> Option<Date> {
        self.known_on
    }

    fn known(self, on: Date) -> Self {
        Self { known_on: Some(on), ..self }
    }

    fn check(&self) -> Result<(), Refused> {
        for (field, minor, signed) in [
            ("current_assets_minor", self.current_assets_minor, false),
            ("current_liabilities_minor", self.current_liabilities_minor, false),
            ("total_assets_minor", self.total_assets_minor, false),
            ("total_liabilities_minor", self.total_liabilities_minor, false),
            ("retained_earnings_minor", self.retained_earnings_minor, true),
            ("ebit_minor", self.ebit_minor, true),
            ("sales_minor", self.sales_minor, false),
            ("book_equity_minor", self.book_equity_minor, true),
            ("market_equity_minor", self.market_equity_minor, false),
        ] {
            let minor = minor.unwrap_or(0);
            if minor < 0 && !signed {
                let detail = "the amount is at least 0";
                return Err(Refused::new(Refusal::MalformedField, detail).at(field));
            }
            if minor.unsigned_abs() > MAX_MINOR.unsigned_abs() {
                let code = Refusal::AmountTooLarge;
                return Err(Refused::new(code, code.about()).at(field));
            }
        }
        Ok(())
    }
}

impl External for ExternalScore {
    const KIND: ExternalKind = ExternalKind::ExternalScores;

    fn customer(&self) -> Option<&Id> {
        self.customer_id.as_ref()
    }

    fn name(&self) -> Result<String, Refused> {
        Ok(format!("{}/{}", there(&self.date, "date")?, there(&self.source, "source")?))
    }

    fn day(&self) -> Result<(Date, &'static str), Refused> {
        Ok((*there(&self.date, "date")?, "date"))
    }

    fn known_on(&self) -> Option<Date> {
        self.known_on
    }

    fn known(self, on: Date) -> Self {
        let direction = Some(self.direction.unwrap_or(ScaleDirection::HigherIsBetter));
        Self { known_on: Some(on), direction, normalised: normalised(&self), ..self }
    }

    fn check(&self) -> Result<(), Refused> {
        let refused = |field: &str, detail: &str| {
            Err(Refused::new(Refusal::MalformedField, detail).at(field))
        };
        let most = Decimal::from(MAX_SCALE);
        for (field, end) in [("scale_from", self.scale_from), ("scale_to", self.scale_to)] {
            if end.abs() > most || end.scale() > DECIMALS {
                return refused(field, "a scale ends within a billion, at four decimals");
            }
        }
        if self.scale_from >= self.scale_to {
            return refused("scale_to", "the upper end of the scale is above the lower");
        }
        if self.score < self.scale_from || self.score > self.scale_to {
            return refused("score", "the score is within its scale");
        }
        if self.normalised.is_some() && self.normalised != normalised(self) {
            return refused("normalised", "it is worked out, and may be left out");
        }
        Ok(())
    }
}

/// A score on a scale of 0 to 100 on which 100 is the best.
pub fn normalised(of: &ExternalScore) -> Option<Decimal> {
    let part = match of.direction {
        Some(ScaleDirection::LowerIsBetter) => of.scale_to.checked_sub(of.score),
        Some(ScaleDirection::HigherIsBetter) | None => of.score.checked_sub(of.scale_from),
    };
    let whole = of.scale_to.checked_sub(of.scale_from)?;
    decimal::ratio(part?.times(Decimal::ONE_HUNDRED)?, whole, DECIMALS)
}

impl External for PublicRecord {
    const KIND: ExternalKind = ExternalKind::PublicRecords;

    fn customer(&self) -> Option<&Id> {
        self.customer_id.as_ref()
    }

    fn name(&self) -> Result<String, Refused> {
        there(&self.id, "id").map(ToString::to_string)
    }

    fn day(&self) -> Result<(Date, &'static str), Refused> {
        Ok((self.date, "date"))
    }

    fn known_on(&self) -> Option<Date> {
        self.known_on
    }

    fn known(self, on: Date) -> Self {
        let withdrawn = self.withdrawn.filter(|withdrawn| *withdrawn);
        Self { known_on: Some(on), withdrawn, ..self }
    }

    fn check(&self) -> Result<(), Refused> {
        text::check(&self.source, 1, MAX_SOURCE, "source")?;
        let code = match self.amount.map(|amount| amount.minor) {
            Some(..=0) => Refusal::AmountNotPositive,
            Some(minor) if minor > MAX_MINOR => Refusal::AmountTooLarge,
            _ => return Ok(()),
        };
        Err(Refused::new(code, code.about()).at("amount"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn score(
        score: &str,
        from: &str,
        to: &str,
        direction: Option<ScaleDirection>,
    ) -> ExternalScore {
        let number = |text: &str| text.parse().unwrap();
        ExternalScore {
            customer_id: None,
            source: Some("agency".parse().unwrap()),
            date: Some("2024-03-31".parse().unwrap()),
            known_on: None,
            score: number(score),
            scale_from: number(from),
            scale_to: number(to),
            direction,
            normalised: None,
        }
    }

    #[test]
    fn a_score_is_put_on_one_scale_whatever_its_own() {
        let lower = Some(ScaleDirection::LowerIsBetter);
        for (given, normalised) in [
            (score("650", "300", "850", None), Some("63.6364")),
            (score("300", "300", "850", None), Some("0")),
            (score("850", "300", "850", None), Some("100")),
            (score("600", "100", "600", lower), Some("0")),
            (score("0.02", "0", "1", lower), Some("98")),
            (score("-5", "-10", "10", None), Some("25")),
            (score("299", "300", "850", None), None),
            (score("851", "300", "850", None), None),
            (score("1", "1", "1", None), None),
            (score("1", "0", "0.00001", None), None),
        ] {
            let known = given.check().ok().map(|()| given.known("2024-04-01".parse().unwrap()));
            let shown = known.and_then(|of| of.normalised).map(|of| of.to_string());
            assert_eq!(shown.as_deref(), normalised);
        }
    }

    #[test]
    fn a_name_is_made_of_what_must_be_there() {
        let named = score("1", "0", "1", None);
        assert_eq!(named.name(), Ok("2024-03-31/agency".into()));
        let nameless = ExternalScore { source: None, ..named };
        assert_eq!(nameless.name().unwrap_err().field.as_deref(), Some("source"));
        let mut path = None;
        assert_eq!(place(&mut path, 1, "date"), Ok(()));
        assert_eq!((path, place(&mut path, 1, "date")), (Some(1), Ok(())));
        assert_eq!(place(&mut path, 2, "date").unwrap_err().code, Refusal::MalformedField);
    }
}
