//! Tables `credit_ready` and `credit_told`: what a check says until something changes.

use crate::{Db, Fault, Param, Row};
use dunlin_domain::{Currency, Date, Id, Instant, Money, contract::credit::EffectiveLimit};
use std::{collections::BTreeMap, sync::LazyLock};

/// A question that what is kept ready may answer.
#[derive(Clone, Copy, Debug)]
pub struct Plain<'a> {
    pub customer: &'a Id,
    pub amount: Money,
    pub order: Option<&'a Id>,
    /// The day that it is, and the time zone in which that is so.
    pub today: (Date, &'a str),
    pub at: Instant,
}

/// A question as a statement takes it: customer, today, now, time zone, currency, amount, order.
type Asked<'a> = (&'a str, String, String, &'a str, &'a str, i64, Option<&'a str>);

impl Plain<'_> {
    fn row(&self) -> Asked<'_> {
        let Self { customer, amount, order, today: (today, zone), at } = self;
        let order = order.map(Id::as_str);
        let (today, at, currency) = (today.to_string(), at.to_string(), amount.currency.as_str());
        (customer.as_str(), today, at, zone, currency, amount.minor, order)
    }
}

/// A statement of one question, which begins by taking it from parameters, as one of several that takes them from JSON.
fn of_several(one: &str, taken: &str) -> String {
    let (head, rest) = one.split_once("SELECT 0").unwrap_or((one, ""));
    let tail = rest.split_once(')').map_or(rest, |(_, tail)| tail);
    format!("{head}{taken}){tail}")
}

/// A check that is to be kept where it passes by what is ready.
#[derive(Clone, Debug)]
pub struct ToKeep<'a> {
    pub of: Plain<'a>,
    pub id: &'a Id,
    /// What was asked, as members of a JSON object.
    pub question: String,
    /// The reservation that is asked for, which must be new.
    pub reservation: Option<&'a Id>,
}

/// What a check says: what counts before what is asked, the limit, and the components as JSON.
#[derive(Clone, Debug)]
pub struct Ready {
    pub total_minor: i64,
    pub limit: Option<EffectiveLimit>,
    pub exposure: String,
}

impl Ready {
    fn read(row: &Row, at: usize) -> Result<Self, Fault> {
        let limit = row.text_or_null(at + 1)?.map(crate::read_json).transpose()?;
        let exposure = row.text(at + 2)?.to_string();
        Ok(Self { total_minor: row.int(at)?, limit, exposure })
    }
}

/// What is kept ready for questions, one after the other. Nothing: it must be looked at.
pub fn find<D: Db>(db: &D, asked: &[Plain<'_>]) -> Result<Vec<Option<Ready>>, Fault> {
    static OF_SEVERAL: LazyLock<String> = LazyLock::new(|| {
        of_several(
            sql!("credit/ready.sql"),
            "SELECT j.key, j.value ->> 0, j.value ->> 1, j.value ->> 2, j.value ->> 3, j.value ->> 4, j.value ->> 5,
                 j.value ->> 6
             FROM json_each(?1) AS j",
        )
    });
    let rows: Vec<Asked<'_>> = asked.iter().map(Plain::row).collect();
    let found = match rows.as_slice() {
        [(customer, today, now, zone, currency, minor, order)] => {
            let (customer, zone, currency) =
                ((*customer).into(), (*zone).into(), (*currency).into());
            let (minor, order) = ((*minor).into(), (*order).into());
            let params = [customer, today.into(), now.into(), zone, currency, minor, order];
            db.execute(sql!("credit/ready.sql"), &params)?
        }
        rows => db.execute(&OF_SEVERAL, &[(&crate::array(rows)?).into()])?,
    };
    let mut told: Vec<Option<Ready>> = vec![None; asked.len()];
    for row in found {
        let place = usize::try_from(row.int(0)?).ok().and_then(|place| told.get_mut(place));
        if let Some(place) = place {
            *place = Some(Ready::read(&row, 1)?);
        }
    }
    Ok(told)
}

/// Checks to keep as their statement takes them, put together before anybody has to wait for the transaction.
#[derive(Clone, Debug)]
pub enum AllToKeep<'a> {
    One(ToKeep<'a>),
    /// Rows as JSON.
    Several(String),
}

impl<'a> AllToKeep<'a> {
    /// Nothing of nothing.
    pub fn of(mut asked: Vec<ToKeep<'a>>) -> Result<Option<Self>, Fault> {
        if asked.len() < 2 {
            return Ok(asked.pop().map(Self::One));
        }
        let rows = asked.iter().map(|to| {
            let (customer, today, now, zone, currency, minor, order) = to.of.row();
            let ToKeep { id, question, reservation, .. } = to;
            (customer, today, now, zone, currency, minor, order, id, question, reservation)
        });
        Ok(Some(Self::Several(crate::array(&rows.collect::<Vec<_>>())?)))
    }
}

/// Keeps checks that pass by what is kept ready, and gives the key of the customer of each, with what was found where that
/// is wanted. Those that are missing must be looked at.
pub fn keep<D: Db>(
    db: &D,
    asked: &AllToKeep<'_>,
    wanted: bool,
) -> Result<BTreeMap<Id, (i64, Option<Ready>)>, Fault> {
    static OF_SEVERAL: LazyLock<String> = LazyLock::new(|| {
        of_several(
            sql!("credit/keep_ready.sql"),
            "SELECT j.key, j.value ->> 0, j.value ->> 1, j.value ->> 2, j.value ->> 3, j.value ->> 4, j.value ->> 5,
                 j.value ->> 6, j.value ->> 7, j.value ->> 8, j.value ->> 9
             FROM json_each(?1) AS j",
        )
    });
    let told = i64::from(wanted).into();
    let kept = match asked {
        AllToKeep::One(ToKeep { of, id, question, reservation }) => {
            let (customer, today, now, zone, currency, minor, order) = of.row();
            let (id, reservation) = (id.as_str().into(), reservation.map(Id::as_str).into());
            let (today, now, question) = ((&today).into(), (&now).into(), question.into());
            let (customer, zone, currency) = (customer.into(), zone.into(), currency.into());
            let (minor, order) = (minor.into(), order.into());
            let params = [
                customer,
                today,
                now,
                zone,
                currency,
                minor,
                order,
                id,
                question,
                reservation,
                told,
            ];
            db.execute(sql!("credit/keep_ready.sql"), &params)?
        }
        AllToKeep::Several(rows) => {
            let mut params: [Param<'_>; 11] = std::array::from_fn(|_| Param::Null);
            let [first, .., last] = &mut params;
            (*first, *last) = (rows.into(), told);
            db.execute(&OF_SEVERAL, &params)?
        }
    };
    let kept = kept.iter().map(|row| {
        let found = if wanted { Some(Ready::read(row, 2)?) } else { None };
        Ok((row.parse(0)?, (row.int(1)?, found)))
    });
    kept.collect()
}

/// Customers for whom nothing is kept ready that still holds.
pub fn unready<D: Db>(
    db: &D,
    (today, now): (Date, Instant),
    limit: u32,
) -> Result<Vec<i64>, Fault> {
    let (today, now) = (today.to_string(), now.to_string());
    let params: [Param<'_>; 3] = [(&today).into(), (&now).into(), i64::from(limit).into()];
    db.json(sql!("credit/unready.sql"), &params)
}

/// A customer that was looked at, with currency, room and total where something is ready.
pub type LookedAt = (i64, Option<Currency>, Option<i64>, Option<i64>);

/// What a check says of a customer, as JSON: the limit and the components.
pub type Told = (i64, Option<String>, String);

/// Keeps ready what was found of customers.
pub fn put<D: Db>(
    db: &D,
    looked_at: &[LookedAt],
    told: &[Told],
    (today, now): (Date, Instant),
) -> Result<(), Fault> {
    let (today, now) = (today.to_string(), now.to_string());
    let (looked_at, told) = (crate::array(looked_at)?, crate::array(told)?);
    let params: [Param<'_>; 3] = [(&looked_at).into(), (&today).into(), (&now).into()];
    db.execute(sql!("credit/put_ready.sql"), &params)?;
    db.execute(sql!("credit/put_told.sql"), &[(&told).into()])?;
    db.execute(
        "DELETE FROM credit_told WHERE customer_key IN (SELECT value ->> 0 FROM json_each(?1) WHERE value ->> 1 IS NULL)",
        &[(&looked_at).into()],
    )?;
    Ok(())
}
