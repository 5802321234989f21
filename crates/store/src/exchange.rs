//! Dated exchange rates: tables of rates called `fx-<from>-<to>`.

use crate::{Db, Fault, When};
use dunlin_domain::{Currency, Date, Decimal, Refusal, Refused};

/// Units of `to` for one unit of `from` on the day: from the table of the pair, else from that of the opposite pair.
pub fn on<D: Db>(db: &D, from: Currency, to: Currency, day: Date) -> Result<Decimal, Fault> {
    known(db, from, to, day.into())?.ok_or_else(|| {
        let detail = format!("no table {} has a rate for {day}", name(from, to));
        Refused::new(Refusal::RateMissing, detail).at("designation").into()
    })
}

/// The same as known then, and nothing where no table has one.
pub fn known<D: Db>(
    db: &D,
    from: Currency,
    to: Currency,
    when: When,
) -> Result<Option<Decimal>, Fault> {
    if let Some(rate) = row(db, from, to, when)? {
        return Ok(Some(rate));
    }
    let opposite = row(db, to, from, when)?;
    Ok(opposite.and_then(|rate| Decimal::ONE.checked_div(rate)))
}

fn name(from: Currency, to: Currency) -> String {
    format!("fx-{from}-{to}").to_lowercase()
}

fn row<D: Db>(db: &D, from: Currency, to: Currency, when: When) -> Result<Option<Decimal>, Fault> {
    let (name, day) = (name(from, to), when.day.to_string());
    let row = db.first(
        "SELECT rate FROM rate WHERE name = ?1 AND valid_from <= ?2 AND coalesce(entry_key, 0) <= ?3
         ORDER BY valid_from DESC, key DESC LIMIT 1",
        &[(&name).into(), (&day).into(), when.known.into()],
    )?;
    let read = |text: &str| text.parse().map_err(|_| Fault::Db(format!("a rate is `{text}`")));
    let rate = row.map(|row| read(row.text(0)?)).transpose()?;
    Ok(rate.filter(|rate: &Decimal| *rate > Decimal::ZERO))
}
