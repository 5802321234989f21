//! What a customer stands for: a list of components, each from its documents.
//!
//! Sums are made by currency, secured there by what guarantees bear of the rest, and only then converted, each component
//! by itself, so that the parts that are shown sum to the total.

use super::{rates::Rates, rule::Settings};
use crate::{
    Currency, Date, Decimal, Id, Refused,
    contract::credit::{Contribution, ExposureComponent, ExposurePart},
    guarantee::{Cover, secured},
    money,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The most documents of a component that are named: a screen full; the rest is counted.
pub const MAX_LISTED: usize = 100;

/// Something that adds to an exposure: a document of the customer, or the sum of many.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Piece {
    /// Whose, by key.
    pub member: i64,
    pub component: ExposureComponent,
    pub currency: Currency,
    /// How much, above zero also where it lowers the exposure.
    pub minor: i64,
    /// Of which the debtor contests so much.
    pub contested: i64,
    /// The contract it is under.
    pub contract: Option<i64>,
    /// The document. Absent: a sum.
    pub id: Option<Id>,
    /// The order it is of.
    pub order: Option<Id>,
    /// The due date; of a sum the earliest of what is not contested.
    pub due_on: Option<Date>,
    /// How many documents it stands for.
    pub count: u64,
}

impl Piece {
    /// Whether it is open on invoices, notes and fees.
    pub fn is_invoice(&self) -> bool {
        use ExposureComponent as C;
        matches!(self.component, C::OpenInvoices | C::OverdueInvoices)
    }
}

/// A guarantee in force.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Guaranteed {
    /// Whose debt it secures.
    pub member: i64,
    pub currency: Currency,
    pub contract: Option<i64>,
    pub minor: i64,
    pub share: Decimal,
    pub id: Id,
}

/// What one member has in one currency.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Book {
    sums: [i64; COMPONENTS],
    /// What is asked for now: it counts whatever else does.
    pub asked: i64,
    covers: Vec<Cover>,
    under: BTreeMap<i64, i64>,
}

const COMPONENTS: usize = ExposureComponent::ALL.len();

/// Books by member and currency.
pub type Books = BTreeMap<(i64, Currency), Book>;

/// The place of a component in a sum.
fn place(component: ExposureComponent) -> usize {
    ExposureComponent::ALL.iter().position(|known| *known == component).unwrap_or(0)
}

/// The books of all pieces but those left out.
pub fn books<'a>(
    pieces: impl Iterator<Item = &'a Piece>,
    guarantees: &[Guaranteed],
) -> Result<Books, Refused> {
    let mut books = Books::new();
    for piece in pieces {
        let book = books.entry((piece.member, piece.currency)).or_default();
        if let Some(sum) = book.sums.get_mut(place(piece.component)) {
            *sum = money::sum([*sum, piece.minor])?;
        }
        if let Some(contract) = piece.contract {
            let under = book.under.entry(contract).or_default();
            *under = money::sum([*under, piece.minor])?;
        }
    }
    for of in guarantees {
        let cover = Cover { contract: of.contract, amount_minor: of.minor, share: of.share };
        books.entry((of.member, of.currency)).or_default().covers.push(cover);
    }
    Ok(books)
}

impl Book {
    /// Takes off what is paid of a document.
    pub fn pay(&mut self, piece: &Piece, minor: i64) {
        if let Some(sum) = self.sums.get_mut(place(piece.component)) {
            *sum = sum.saturating_sub(minor);
        }
        if let Some(under) = piece.contract.and_then(|contract| self.under.get_mut(&contract)) {
            *under = under.saturating_sub(minor);
        }
    }

    /// Adds what is paid and set against nothing.
    pub fn prepay(&mut self, minor: i64) {
        if let Some(sum) = self.sums.get_mut(place(ExposureComponent::Unapplied)) {
            *sum = sum.saturating_add(minor);
        }
    }

    /// Takes off what is paid of whatever it may be: of what guarantees secure as well.
    pub fn lower(&mut self, minor: i64) {
        self.prepay(minor);
        for under in self.under.values_mut() {
            *under = under.saturating_sub(minor).max(0);
        }
    }

    /// Adds somebody who stands in for all of it.
    pub fn guarantee(&mut self, minor: i64) {
        self.covers.push(Cover { contract: None, amount_minor: minor, share: Decimal::ONE });
    }

    /// What counts and is not paid, before guarantees.
    fn owed(&self, settings: &Settings) -> Result<i64, Refused> {
        use ExposureComponent as C;
        let counted = |component: C| match settings.counts(component) {
            true => self.sum(component),
            false => 0,
        };
        let owed = [C::OpenInvoices, C::OverdueInvoices, C::OrdersReserved, C::Undelivered];
        let owed = owed.into_iter().chain([C::Unbilled]).map(counted).chain([self.asked]);
        Ok(money::sum(owed)?.saturating_sub(counted(C::Unapplied)).max(0))
    }

    /// What the first guarantees bear together.
    fn borne(&self, first: usize, owed: i64) -> i64 {
        secured(self.covers.get(..first).unwrap_or(&self.covers), owed, &self.under)
    }

    fn sum(&self, component: ExposureComponent) -> i64 {
        self.sums.get(place(component)).copied().unwrap_or(0)
    }

    /// The components as they count: what lowers the exposure is below zero. What is asked stands apart.
    fn parts(&self, settings: &Settings) -> Result<[i64; COMPONENTS], Refused> {
        use ExposureComponent as C;
        let borne = self.borne(self.covers.len(), self.owed(settings)?);
        let mut parts = self.sums;
        for (component, value) in [(C::Unapplied, self.sum(C::Unapplied)), (C::Secured, borne)] {
            if let Some(part) = parts.get_mut(place(component)) {
                *part = value.saturating_neg();
            }
        }
        Ok(parts)
    }
}

/// An exposure in one currency.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sums {
    parts: [i64; COMPONENTS],
    /// What counts, with what is asked.
    pub total: i64,
}

impl Sums {
    /// A component, as it is shown.
    pub fn part(&self, component: ExposureComponent) -> i64 {
        self.parts.get(place(component)).copied().unwrap_or(0)
    }
}

/// The exposure of the members for whom `wanted` holds, in one currency.
pub fn sums(
    books: &Books,
    wanted: impl Fn(i64) -> bool,
    settings: &Settings,
    to: Currency,
    rates: &Rates,
) -> Result<Sums, Refused> {
    let mut sums = Sums::default();
    for ((_, currency), book) in books.iter().filter(|((member, _), _)| wanted(*member)) {
        let found = book.parts(settings)?;
        let mut counted = rates.up(book.asked, *currency, to)?;
        for ((component, sum), minor) in
            ExposureComponent::ALL.iter().zip(&mut sums.parts).zip(found)
        {
            let minor = rates.up(minor, *currency, to)?;
            *sum = money::sum([*sum, minor])?;
            if settings.counts(*component) {
                counted = money::sum([counted, minor])?;
            }
        }
        sums.total = money::sum([sums.total, counted])?;
    }
    Ok(sums)
}

/// The components of one member as clients get them.
pub fn told(
    sums: &Sums,
    settings: &Settings,
    member: i64,
    pieces: &[Piece],
    guarantees: &[Guaranteed],
    limit_minor: impl Fn(ExposureComponent) -> Result<Option<i64>, Refused>,
) -> Result<Vec<ExposurePart>, Refused> {
    let part = |component: &ExposureComponent| {
        let sign = if *component == ExposureComponent::Unapplied { -1 } else { 1 };
        let of = pieces.iter().filter(|of| of.member == member && of.component == *component);
        let mut all: u64 = of.clone().map(|of| of.count).fold(0, u64::saturating_add);
        let mut documents: Vec<Contribution> = of
            .filter_map(|of| {
                let (id, minor) = (of.id.clone()?, of.minor.saturating_mul(sign));
                Some(Contribution { id, minor, currency: of.currency })
            })
            .take(MAX_LISTED)
            .collect();
        if *component == ExposureComponent::Secured {
            let own = guarantees.iter().filter(|of| of.member == member);
            all = u64::try_from(own.clone().count()).unwrap_or(u64::MAX);
            documents = bearing(own, member, pieces, settings)?;
        }
        let listed = u64::try_from(documents.len()).unwrap_or(u64::MAX);
        Ok(ExposurePart {
            component: *component,
            minor: sums.part(*component),
            counts: settings.counts(*component),
            limit_minor: limit_minor(*component)?,
            documents,
            left_off: all.saturating_sub(listed),
        })
    };
    ExposureComponent::ALL.iter().map(part).collect()
}

/// What each guarantee of a member bears beyond those before it.
fn bearing<'a>(
    own: impl Iterator<Item = &'a Guaranteed>,
    member: i64,
    pieces: &[Piece],
    settings: &Settings,
) -> Result<Vec<Contribution>, Refused> {
    let own: Vec<Guaranteed> = own.cloned().collect();
    let books = books(pieces.iter().filter(|of| of.member == member), &own)?;
    let mut places: BTreeMap<Currency, usize> = BTreeMap::new();
    let mut documents = Vec::new();
    for of in own.into_iter().take(MAX_LISTED) {
        let Some(book) = books.get(&(member, of.currency)) else { continue };
        let place = places.entry(of.currency).or_default();
        let (owed, before) = (book.owed(settings)?, *place);
        *place = place.saturating_add(1);
        let minor = book.borne(before, owed).saturating_sub(book.borne(*place, owed));
        documents.push(Contribution { id: of.id, minor, currency: of.currency });
    }
    Ok(documents)
}

/// Whether [`condensed`] keeps all pieces, so that it only puts them in order.
pub fn is_listed(pieces: &[Piece]) -> bool {
    pieces.len() <= MAX_LISTED
}

/// Keeps the first documents of each component and currency and sums up the rest, so that what a check rests on stays
/// of a size. What is of one order is kept.
pub fn condensed(mut pieces: Vec<Piece>, order: Option<&Id>) -> Vec<Piece> {
    pieces.sort_by(|a, b| (a.component, a.due_on, &a.id).cmp(&(b.component, b.due_on, &b.id)));
    let mut seen: BTreeMap<(i64, ExposureComponent, Currency), usize> = BTreeMap::new();
    let mut rest: BTreeMap<(i64, ExposureComponent, Currency, Option<i64>), Piece> =
        BTreeMap::new();
    let mut kept = Vec::new();
    for piece in pieces {
        let seen = seen.entry((piece.member, piece.component, piece.currency)).or_default();
        *seen = seen.saturating_add(1);
        if *seen <= MAX_LISTED || (order.is_some() && piece.order.as_ref() == order) {
            kept.push(piece);
            continue;
        }
        let of = (piece.member, piece.component, piece.currency, piece.contract);
        match rest.get_mut(&of) {
            None => {
                let due_on = piece.due_on.filter(|_| piece.minor > piece.contested);
                rest.insert(of, Piece { id: None, order: None, due_on, ..piece });
            }
            Some(sum) => {
                if piece.minor > piece.contested {
                    sum.due_on = sum.due_on.into_iter().chain(piece.due_on).min();
                }
                sum.minor = sum.minor.saturating_add(piece.minor);
                sum.contested = sum.contested.saturating_add(piece.contested);
                sum.count = sum.count.saturating_add(piece.count);
            }
        }
    }
    kept.extend(rest.into_values());
    kept
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn currency(code: &str) -> Currency {
        code.parse().unwrap()
    }

    fn piece(component: ExposureComponent, minor: i64) -> Piece {
        Piece {
            member: 1,
            component,
            currency: currency("EUR"),
            minor,
            contested: 0,
            contract: None,
            id: Some(format!("{component}").parse().unwrap()),
            order: None,
            due_on: None,
            count: 1,
        }
    }

    fn guaranteed(minor: i64, share: &str) -> Guaranteed {
        Guaranteed {
            member: 1,
            currency: currency("EUR"),
            contract: None,
            minor,
            share: share.parse().unwrap(),
            id: "G".parse().unwrap(),
        }
    }

    fn total(pieces: &[Piece], guarantees: &[Guaranteed], settings: &Settings) -> Sums {
        let books = books(pieces.iter(), guarantees).unwrap();
        sums(&books, |_| true, settings, currency("EUR"), &Rates::default()).unwrap()
    }

    #[test]
    fn every_component_is_in_the_total_once() {
        use ExposureComponent as C;
        let pieces = [
            piece(C::OpenInvoices, 100),
            piece(C::OverdueInvoices, 50),
            piece(C::OrdersReserved, 20),
            piece(C::Undelivered, 7),
            piece(C::Unbilled, 3),
            piece(C::Unapplied, 30),
        ];
        let all = Settings::default();
        assert_eq!(total(&pieces, &[], &all).total, 150);
        assert_eq!(total(&pieces, &[guaranteed(1_000, "0.5")], &all).total, 75);
        assert_eq!(total(&pieces, &[guaranteed(40, "1")], &all).total, 110);
        // What does not count is shown all the same, and is not secured.
        let some = Settings::without(&[C::Undelivered, C::Unbilled]);
        let found = total(&pieces, &[guaranteed(1_000, "0.5")], &some);
        assert_eq!((found.total, found.part(C::Undelivered)), (70, 7));
        assert_eq!(found.part(C::Secured), -70);
    }

    #[test]
    fn foreign_currency_is_never_compared_without_conversion() {
        let dollars =
            Piece { currency: currency("USD"), ..piece(ExposureComponent::Unbilled, 100) };
        let pieces = [piece(ExposureComponent::OpenInvoices, 100), dollars];
        let books = books(pieces.iter(), &[]).unwrap();
        let (all, eur) = (Settings::default(), currency("EUR"));
        let mut rates = Rates::default();
        assert!(sums(&books, |_| true, &all, eur, &rates).is_err());
        rates.put(currency("USD"), eur, "0.9".parse().unwrap());
        assert_eq!(sums(&books, |_| true, &all, eur, &rates).unwrap().total, 190);
    }

    #[test]
    fn a_payment_in_advance_lowers_the_exposure_below_zero() {
        let paid = [piece(ExposureComponent::Unapplied, 30)];
        assert_eq!(total(&paid, &[guaranteed(40, "1")], &Settings::default()).total, -30);
    }

    #[test]
    fn what_is_secured_is_what_each_guarantee_bears() {
        let pieces = [piece(ExposureComponent::OpenInvoices, 100)];
        let covers = [guaranteed(1_000, "0.5"), guaranteed(30, "1"), guaranteed(1_000, "0.5")];
        let (settings, none) = (Settings::default(), |_| Ok(None));
        let sums = total(&pieces, &covers, &settings);
        let told = told(&sums, &settings, 1, &pieces, &covers, none).unwrap();
        let secured = told.iter().find(|of| of.component == ExposureComponent::Secured).unwrap();
        let borne: Vec<i64> = secured.documents.iter().map(|of| of.minor).collect();
        assert_eq!((secured.minor, borne), (-100, vec![-50, -30, -20]));
    }

    proptest! {
        #[test]
        fn the_parts_that_count_sum_to_the_total_however_many_documents_are_named(
            rows in prop::collection::vec((0usize..6, 1i64..1_000, 0i64..40, 0i64..3), 0..300),
            covers in prop::collection::vec((1i64..50_000, 1i64..=100), 0..3),
        ) {
            let pieces: Vec<Piece> = rows
                .into_iter()
                .enumerate()
                .map(|(at, (component, minor, due, contested))| Piece {
                    contested: contested.min(minor),
                    id: Some(format!("D{at}").parse().unwrap()),
                    due_on: Some("2024-01-01".parse::<Date>().unwrap().plus_days(due).unwrap()),
                    ..piece(ExposureComponent::ALL[component], minor)
                })
                .collect();
            let covers: Vec<Guaranteed> = covers
                .into_iter()
                .map(|(minor, percent)| guaranteed(minor, &format!("{}", Decimal::new(percent, 2))))
                .collect();
            let all = Settings::default();
            let sums = total(&pieces, &covers, &all);
            let parts: i64 = ExposureComponent::ALL.iter().map(|of| sums.part(*of)).sum();
            prop_assert_eq!(parts, sums.total);
            let few = condensed(pieces.clone(), None);
            prop_assert_eq!(&total(&few, &covers, &all), &sums);
            let count = |pieces: &[Piece]| pieces.iter().map(|of| of.count).sum::<u64>();
            prop_assert_eq!(count(&few), count(&pieces));
            let oldest = |pieces: &[Piece]| {
                let plain = pieces.iter().filter(|of| of.minor > of.contested);
                plain.filter_map(|of| of.due_on).min()
            };
            prop_assert_eq!(oldest(&few), oldest(&pieces));
        }
    }
}
